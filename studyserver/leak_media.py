"""What a video file says of itself beside its pictures: MP4 boxes and WebM elements, read without a codec.

Two kinds of facts. *Labels* are what programs show of a file: duration, frame count, sizes, names, times, tags, the
text that an encoder leaves. *Amounts* follow from how well the pictures compress: bytes of the stream, padding, tables
of frame sizes. Whoever reads amounts has the pictures in hand and can look at them just as well.
"""

import hashlib
import re
import struct
from collections import Counter
from collections.abc import Iterator

__all__ = ["media_facts"]

_MP4_FOLDERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf"}
# One entry per frame or chunk, or the stream and the parameters made for it.
_MP4_AMOUNTS = {b"mdat", b"free", b"skip", b"stsz", b"stco", b"co64", b"stsc", b"ctts", b"stss", b"sdtp", b"stsd"}
_WEBM_FOLDERS = {
    0x18538067: "Segment",
    0x1549A966: "Info",
    0x1654AE6B: "Tracks",
    0xAE: "TrackEntry",
    0xE0: "Video",
    0x55B0: "Colour",
    0x1254C367: "Tags",
    0x7373: "Tag",
    0x67C8: "SimpleTag",
    0x63C0: "Targets",
}
# The stream, and where things lie in it.
_WEBM_AMOUNTS = {0x1F43B675: "Cluster", 0x1C53BB6B: "Cues", 0x114D9B74: "SeekHead", 0xEC: "Void", 0xBF: "CRC-32"}
_ENCODER_TEXT = re.compile(rb"x26[45] - core[\x20-\x7e]{0,2000}")
_READABLE = re.compile(rb"[\x20-\x7e]{6,}")


def media_facts(data: bytes) -> tuple[dict[str, str | int], dict[str, int]]:
    """Return the labels and the amounts of a file; of one that is neither MP4 nor WebM only its size is known."""
    labels: dict[str, str | int] = {"bytes": len(data)}
    amounts: Counter[str] = Counter()
    try:
        if data[4:8] == b"ftyp":
            _read_mp4(data, 0, len(data), "", labels, amounts)
        elif data[:4] == b"\x1aE\xdf\xa3":
            _read_webm(data, 0, len(data), "", labels, amounts)
        else:
            labels["container"] = "unknown"
    except (IndexError, struct.error):
        labels["container"] = "damaged"
    if found := _ENCODER_TEXT.search(data):
        labels["encoder settings"] = found[0].decode()
    return labels, dict(amounts)


def _set(labels: dict, path: str, body: bytes) -> None:
    """Note a label under the next free name of its path; text as it stands, else a digest."""
    count = 2
    name = path
    while name in labels:
        name, count = f"{path} #{count}", count + 1
    text = " ".join(part.decode() for part in _READABLE.findall(body))
    labels[name] = f"{hashlib.sha256(body).hexdigest()[:12]}{f' {text}' if text else ''}"


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        stop = end if size == 0 else min(start + size, end)
        if stop < start + head:
            raise IndexError("a box ends before it begins")
        yield kind, start + head, stop
        start = stop


def _read_mp4(data: bytes, start: int, end: int, path: str, labels: dict, amounts: Counter) -> None:
    for kind, body, stop in _boxes(data, start, end):
        name = f"{path}{kind.decode('latin-1')}"
        if kind in _MP4_FOLDERS:
            _read_mp4(data, body, stop, f"{name}/", labels, amounts)
            continue
        if kind in _MP4_AMOUNTS:
            amounts[name] += stop - body
        elif kind == b"mdhd":
            # Its duration counts what the encoder reordered at the end, which nobody is shown.
            first, last = (24, 32) if data[body] == 1 else (16, 20)
            amounts[f"{name} duration"] += int.from_bytes(data[body + first : body + last])
            _set(labels, name, data[body : body + first] + data[body + last : stop])
        else:
            _set(labels, name, data[body:stop])
        if kind == b"mvhd":
            labels["duration"] = _mvhd_duration(data[body:stop])
        elif kind == b"stsz":
            (labels["frames"],) = struct.unpack_from(">I", data, body + 8)
        elif kind == b"stsd":
            # The kind of stream and its profile; the parameters after them are made for the pictures.
            labels["codec"] = data[body + 12 : body + 16].decode("latin-1")
            if (place := data.find(b"avcC", body, stop)) > 0:
                labels["codec profile"] = data[place + 5 : place + 8].hex()


def _mvhd_duration(body: bytes) -> str:
    scale, length = struct.unpack_from(">IQ", body, 20) if body[0] == 1 else struct.unpack_from(">II", body, 12)
    return f"{length}/{scale} s"


def _number(data: bytes, start: int, *, keep_marker: bool) -> tuple[int, int]:
    """Return an EBML number and where it ends (RFC 8794)."""
    first = data[start]
    length = 9 - first.bit_length()
    if length > 8:
        raise IndexError("no EBML number")
    value = int.from_bytes(data[start : start + length])
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), start + length


def _read_webm(data: bytes, start: int, end: int, path: str, labels: dict, amounts: Counter) -> None:
    while start < end:
        kind, place = _number(data, start, keep_marker=True)
        size_at = place
        size, body = _number(data, place, keep_marker=False)
        unknown = size == (1 << 7 * (body - size_at)) - 1
        stop = end if unknown else min(body + size, end)
        name = f"{path}{_WEBM_FOLDERS.get(kind) or _WEBM_AMOUNTS.get(kind) or f'{kind:X}'}"
        if kind in _WEBM_FOLDERS:
            _read_webm(data, body, stop, f"{name}/", labels, amounts)
        elif kind in _WEBM_AMOUNTS:
            amounts[name] += stop - body
        else:
            _set(labels, name, data[body:stop])
        if kind == 0x4489:
            labels["duration"] = struct.unpack_from(">f" if stop - body == 4 else ">d", data, body)[0]
        start = stop
