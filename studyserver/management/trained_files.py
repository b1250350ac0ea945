"""The argument `--trained` of the commands that use trained attacks."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings

from attacks.errors import TrainedFileError

__all__ = ["add_trained_argument", "trained_folder", "trained_paths"]


def add_trained_argument(parser) -> None:
    """Let `parser` take `--trained PATH`, any number of times."""
    parser.add_argument(
        "--trained",
        type=Path,
        action="append",
        metavar="PATH",
        help="trained file, or a folder of them; may be repeated (default: where train_attack puts them)",
    )


def trained_folder() -> Path:
    """Where train_attack writes unless it is told otherwise."""
    return settings.DATA_DIR / "trained"


def trained_paths(given: Sequence[Path] | None) -> tuple[Path, ...]:
    """The paths given, or else the folder that train_attack writes to, where there is one.

    Raises TrainedFileError for one that does not exist: no attack may look it up.
    """
    for path in given or ():
        if not path.exists():
            raise TrainedFileError(f"there is no file or folder {path}; correct --trained.")
    kept = trained_folder()
    return tuple(given or ([kept] if kept.is_dir() else []))
