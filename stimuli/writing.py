"""Files that are there whole or not at all, and one writer at a time for a folder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stimuli.errors import SetConflict

__all__ = ["locked", "open_whole", "sync_folder", "write_whole"]


@contextlib.contextmanager
def open_whole(path: Path, mode: str = "wb", **options) -> Iterator[IO]:
    """`open` for writing; `path` has the new content when the block ends without an exception, and not before."""
    temporary = path.with_name(f".{path.name}.new")
    with open(temporary, mode, **options) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Give `path` this content in one step."""
    with open_whole(path) as file:
        file.write(content)


def sync_folder(path: Path) -> None:
    """Make what was renamed in a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an output folder whose `.work` is there. Raises SetConflict where another run holds it."""
    with open(folder / ".work" / "lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetConflict(
                f"Another run is writing to {folder}; wait until it ends, or choose another --out."
            ) from None
        yield
