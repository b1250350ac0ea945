"""Difference pictures of stimuli, made when somebody looks and kept in the data folder."""

from pathlib import Path

from django.conf import settings

from stimuli.errors import InvalidSource
from studyserver.difference import AMPLIFICATIONS, KINDS, difference_pictures
from studyserver.errors import DifferenceUnavailable
from studyserver.files import write_whole
from studyserver.models import Condition, Stimulus

__all__ = ["difference_image_ensure"]


def difference_image_ensure(*, stimulus: Stimulus, kind: str, frame: int, amplification: int) -> Path:
    """Return the PNG of a stimulus's difference to its reference; what was made before is not made again.

    Named by the contents of both files, so a set that was imported twice shares its pictures, and a changed one
    has others. Raises DifferenceUnavailable.
    """
    if kind not in KINDS or amplification not in AMPLIFICATIONS or not 0 <= frame < stimulus.frames:
        raise DifferenceUnavailable(
            f"a difference is one of {', '.join(KINDS)}, of frame 0 to {stimulus.frames - 1}, amplified by "
            f"{', '.join(map(str, AMPLIFICATIONS))}"
        )
    reference = stimulus.source.stimuli.filter(condition__kind=Condition.Kind.REFERENCE).first()
    if reference is None or reference == stimulus:
        raise DifferenceUnavailable("there is no reference to compare with")
    folder = settings.DATA_DIR / "differences" / f"{reference.sha256[:20]}-{stimulus.sha256[:20]}"

    def path_of(kind: str) -> Path:
        return folder / (f"frame{frame}-x{amplification}.png" if kind == "frame" else f"{kind}-x{amplification}.png")

    if not path_of(kind).is_file():
        # Both whole-clip pictures come from one pass.
        kinds = ("frame",) if kind == "frame" else ("mean", "max")
        files = (settings.MEDIA_ROOT / item.media for item in (reference, stimulus))
        try:
            pictures = difference_pictures(*files, kinds=kinds, frame=frame, amplification=amplification)
            folder.mkdir(parents=True, exist_ok=True)
            for name, picture in pictures.items():
                _write_png(path_of(name), picture)
        except (InvalidSource, IndexError) as error:
            raise DifferenceUnavailable(f"{error}; check the study's files") from error
        except OSError as error:
            raise DifferenceUnavailable(f"the picture cannot be kept in {folder}: {error.strerror}") from error
    return path_of(kind)


def _write_png(path: Path, picture) -> None:
    # Imported here: participants' pages make no pictures.
    from PIL import Image

    write_whole(path, lambda part: Image.fromarray(picture).save(part, format="PNG"))
