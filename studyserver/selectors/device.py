"""What a study asks of a participant's device."""

from fractions import Fraction
from pathlib import PurePosixPath

from django.db.models import Avg, Count, Max, QuerySet

from studyserver.device import DeviceFacts, Video
from studyserver.models import Stimulus, Study
from studyserver.selectors.studies import session_outline

__all__ = ["device_facts"]

_CONTAINERS = {".mp4": "video/mp4", ".webm": "video/webm"}
# More kinds of files than that are no study; the commonest are asked about.
_MAX_KINDS = 8


def device_facts(study: Study, presentation: str) -> DeviceFacts:
    """Return what a session of the study in this presentation needs."""
    stimuli = Stimulus.objects.filter(source__study=study)
    return DeviceFacts(
        videos=_videos(stimuli),
        side_by_side=presentation == Study.Presentation.SIDE_BY_SIDE,
        session_bytes=2 * session_outline(study).pairs * (stimuli.aggregate(mean=Avg("bytes"))["mean"] or 0),
        max_load_seconds=study.max_load_seconds,
        min_refresh_hz=study.min_refresh_hz,
        require_exact_pixels=study.require_exact_pixels,
        require_smooth=study.require_smooth,
        allow_mobile=study.allow_mobile,
    )


def _videos(stimuli: QuerySet[Stimulus]) -> tuple[Video, ...]:
    """Return the kinds of files among stimuli, the commonest first."""
    rows = (
        stimuli.values("width", "height", "fps", "codec")
        .annotate(files=Count("pk"), bytes=Max("bytes"), frames=Max("frames"), media=Max("media"))
        .order_by("-files", "width", "height", "fps", "codec")
    )
    kinds = {}
    # Those that name their codec first: a file of the same size that does not, says nothing new.
    for row in sorted(rows, key=lambda row: not _names_codec(row)):
        size = (row["width"], row["height"], row["fps"])
        if _names_codec(row) or all(key[:3] != size for key in kinds):
            kinds[*size, row["codec"]] = _video(row)
    return tuple(kinds.values())[:_MAX_KINDS]


def _names_codec(row: dict) -> bool:
    # Older sets have a bare word here, which no browser knows; RFC 6381 has dots.
    return "." in row["codec"]


def _video(row: dict) -> Video:
    fps = float(Fraction(row["fps"]))
    container = _CONTAINERS.get(PurePosixPath(row["media"]).suffix.lower(), "video/mp4")
    codec = f'; codecs="{row["codec"]}"' if _names_codec(row) else ""
    bitrate = round(row["bytes"] * 8 * fps / max(row["frames"], 1))
    return Video(row["width"], row["height"], fps, f"{container}{codec}", bitrate)
