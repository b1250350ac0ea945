"""Colour descriptions by name: code points of ITU-T H.273 under the names that FFmpeg prints. No torch is needed."""

from dataclasses import dataclass

__all__ = ["LUMA_WEIGHTS", "MATRICES", "PRIMARIES", "RANGES", "TRANSFERS", "ColourDescription"]

MATRICES = {0: "rgb", 1: "bt709", 5: "bt470bg", 6: "smpte170m", 9: "bt2020nc"}
RANGES = {1: "limited", 2: "full"}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    11: "smpte431",
    12: "smpte432",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}
# Weight of red and of blue in luma (BT.709-6, BT.601-7, BT.2020-2).
LUMA_WEIGHTS = {
    "bt709": (0.2126, 0.0722),
    "bt470bg": (0.299, 0.114),
    "smpte170m": (0.299, 0.114),
    "bt2020nc": (0.2627, 0.0593),
}


@dataclass(frozen=True)
class ColourDescription:
    """How code values are to be read: matrix, range, primaries and transfer, by their FFmpeg names."""

    matrix: str
    range: str
    primaries: str
    transfer: str
