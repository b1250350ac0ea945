"""Delivery profiles: how a stimulus is encoded for the browser. No codec library is needed to read them."""

from dataclasses import dataclass
from types import MappingProxyType

from stimuli.errors import InvalidRequest

__all__ = ["AUTO", "LADDER", "DeliveryProfile", "get_profile"]

# In place of a profile: the cheapest rung of the ladder that keeps the perturbations, source by source.
AUTO = "auto"


@dataclass(frozen=True)
class DeliveryProfile:
    """One way to encode; all stimuli of a source use the same.

    `container` is FFmpeg's name of the file format. `threads` is fixed because x264's output depends on the number of
    its threads: the same request gives the same bytes on every machine.
    """

    name: str
    title: str
    encoder: str
    container: str
    container_options: MappingProxyType
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
            "container": self.container,
            "pixel_format": self.pixel_format,
            "gop": self.group_of_pictures,
            "threads": self.threads,
            **self.options,
        }


def _h264(name: str, crf: int, title: str) -> DeliveryProfile:
    """x264's psycho-visual and dead-zone tools remove exactly the weak noise that is being judged, so they are off.

    crf 0 is never used: libx264 then switches to High 4:4:4 Predictive, which Safari and phones do not play.
    """
    return DeliveryProfile(
        name=name,
        title=f"H.264 High, 8-bit 4:2:0, {title} (crf {crf})",
        encoder="libx264",
        container="mp4",
        container_options=MappingProxyType({"movflags": "+faststart"}),
        suffix=".mp4",
        pixel_format="yuv420p",
        group_of_pictures=15,
        threads=4,
        options=MappingProxyType(
            {
                "preset": "medium",
                "profile": "high",
                "crf": str(crf),
                "x264-params": "aq-mode=0:no-psy=1:deadzone-inter=0:deadzone-intra=0:no-dct-decimate=1:trellis=0",
            }
        ),
    )


# Cheapest first.
_RUNGS = (
    _h264("h264-crf14", 14, "small; strong smooth changes survive"),
    _h264("h264-crf10", 10, "medium"),
    _h264("h264", 5, "near lossless, noise kept"),
    _h264("h264-crf1", 1, "the best that every browser plays"),
    DeliveryProfile(
        name="vp9-lossless",
        title="VP9 lossless, 8-bit 4:2:0, WebM: exact, large, and heavy to decode",
        encoder="libvpx-vp9",
        container="webm",
        # Without it the muxer writes a random number into every file.
        container_options=MappingProxyType({"fflags": "+bitexact"}),
        suffix=".webm",
        pixel_format="yuv420p",
        group_of_pictures=15,
        threads=4,
        options=MappingProxyType(
            {"lossless": "1", "deadline": "realtime", "cpu-used": "8", "row-mt": "1", "tile-columns": "1"}
        ),
    ),
)
_PROFILES = {profile.name: profile for profile in _RUNGS}
LADDER = tuple(_PROFILES)


def get_profile(name: str) -> DeliveryProfile:
    """The profile of that name.

    Raises: InvalidRequest naming the profiles there are.
    """
    if name not in _PROFILES:
        raise InvalidRequest(f"There is no delivery profile {name!r}; choose one of: {', '.join((*LADDER, AUTO))}.")
    return _PROFILES[name]
