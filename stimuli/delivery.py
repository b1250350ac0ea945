"""Delivery profiles: how a stimulus is encoded for the browser. No codec library is needed to read them."""

from dataclasses import dataclass
from types import MappingProxyType

from stimuli.errors import InvalidRequest

__all__ = ["DeliveryProfile", "get_profile"]


@dataclass(frozen=True)
class DeliveryProfile:
    """One way to encode a set; every stimulus of a set uses the same.

    `threads` is fixed because x264's output depends on the number of its threads: the same request gives the same
    bytes on every machine.
    """

    name: str
    title: str
    encoder: str
    suffix: str
    pixel_format: str
    group_of_pictures: int
    threads: int
    options: MappingProxyType

    @property
    def settings(self) -> dict:
        """What the manifest records."""
        return {
            "encoder": self.encoder,
            "pixel_format": self.pixel_format,
            "gop": self.group_of_pictures,
            "threads": self.threads,
            **self.options,
        }


_PROFILES = {
    # x264's psycho-visual and dead-zone tools remove exactly the weak noise that is being judged, so they are off.
    # crf 0 is never used: libx264 then switches to High 4:4:4 Predictive, which Safari and phones do not play.
    "h264": DeliveryProfile(
        name="h264",
        title="H.264 High, 8-bit 4:2:0, near lossless, noise kept (crf 5)",
        encoder="libx264",
        suffix=".mp4",
        pixel_format="yuv420p",
        group_of_pictures=15,
        threads=4,
        options=MappingProxyType(
            {
                "preset": "medium",
                "profile": "high",
                "crf": "5",
                "x264-params": "aq-mode=0:no-psy=1:deadzone-inter=0:deadzone-intra=0:no-dct-decimate=1:trellis=0",
            }
        ),
    )
}


def get_profile(name: str) -> DeliveryProfile:
    """The profile of that name.

    Raises: InvalidRequest naming the profiles there are.
    """
    if name not in _PROFILES:
        raise InvalidRequest(f"There is no delivery profile {name!r}; choose one of: {', '.join(_PROFILES)}.")
    return _PROFILES[name]
