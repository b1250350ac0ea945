"""What the sources of a benchmark are: data sets of videos and pictures in folders, and stimulus sets."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stimuli.errors import InvalidRequest
from stimuli.request import PICTURE_SUFFIXES, VIDEO_SUFFIXES

__all__ = ["FoundSource", "find_sources"]

_KINDS = f"{', '.join(VIDEO_SUFFIXES)}, {', '.join(PICTURE_SUFFIXES)}"


@dataclass(frozen=True)
class FoundSource:
    """A video, or the pictures of a folder by name, under the names that the tables call them."""

    dataset: str
    name: str
    files: tuple[Path, ...]

    @property
    def label(self) -> str:
        return f"{self.dataset}/{self.name}"


def find_sources(paths: Iterable[Path]) -> tuple[list[FoundSource], list[Path]]:
    """The sources under `paths`, and the folders of stimulus sets among and in them.

    Every folder that holds media itself is a data set, named by its path from the folder given (that one by its own
    name). Each video in it is read by itself, and all its pictures together, named by the folder. A file belongs to
    the data set of its folder. Folders whose name begins with a dot, and those of earlier benchmarks, are passed over.

    Raises: InvalidRequest for a path that is not there, a folder without media, and two sources of one name.
    """
    sources: list[FoundSource] = []
    sets: list[Path] = []
    pictures: dict[Path, list[Path]] = {}
    for path in paths:
        if path.is_dir():
            before = len(sources) + len(sets)
            try:
                for name, folder in _folders(path):
                    if (folder / "manifest.json").exists():
                        sets.append(folder)
                    else:
                        sources += _data_set(name, _media(folder))
            except OSError as error:
                raise InvalidRequest(f"{error.filename} cannot be read: {error.strerror}.") from error
            if len(sources) + len(sets) == before:
                raise InvalidRequest(f"The folder {path} holds no video and no picture ({_KINDS}).")
        elif not path.exists():
            raise InvalidRequest(f"There is no file or folder {path}; correct --sources.")
        elif path.suffix.lower() in PICTURE_SUFFIXES:
            pictures.setdefault(path.resolve().parent, []).append(path)
        else:
            sources.append(FoundSource(path.resolve().parent.name, path.stem, (path,)))
    for folder, files in pictures.items():
        sources += _data_set(folder.name, sorted(files))
    if not sources and not sets:
        raise InvalidRequest("No source is given; name a folder of videos or pictures, a file, or a stimulus set.")
    _check_names(sources, sets)
    return sources, sets


def _folders(root: Path) -> Iterator[tuple[str, Path]]:
    """`root` and all folders under it that may hold media, with the names of their data sets; none inside a set."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        yield "/".join(folder.relative_to(root).parts) or root.resolve().name, folder
        if (folder / "manifest.json").exists():
            continue
        if (folder / ".work" / "set.json").exists():
            raise InvalidRequest(f"The stimulus set {folder} is not finished; run its generate_stimuli again.")
        inside = [
            child
            for child in folder.iterdir()
            if child.is_dir() and not child.name.startswith(".") and not (child / ".work" / "cells").is_dir()
        ]
        waiting += sorted(inside, reverse=True)


def _media(folder: Path) -> list[Path]:
    known = (*VIDEO_SUFFIXES, *PICTURE_SUFFIXES)
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in known and file.is_file())


def _data_set(name: str, files: list[Path]) -> list[FoundSource]:
    videos = [file for file in files if file.suffix.lower() in VIDEO_SUFFIXES]
    pictures = tuple(file for file in files if file.suffix.lower() in PICTURE_SUFFIXES)
    found = [FoundSource(name, file.stem, (file,)) for file in videos]
    return found + ([FoundSource(name, name.rpartition("/")[2], pictures)] if pictures else [])


def _check_names(sources: list[FoundSource], sets: list[Path]) -> None:
    seen: dict[str, Path] = {}
    for source in sources:
        if source.label in seen:
            raise InvalidRequest(
                f"Two sources are called {source.label} ({seen[source.label]} and {source.files[0]}); give each once, "
                "and rename a file or folder where they differ."
            )
        seen[source.label] = source.files[0]
    names: dict[str, Path] = {source.dataset: source.files[0].parent for source in sources}
    for folder in sets:
        name = folder.resolve().name
        if name in names:
            raise InvalidRequest(
                f"Two data sets are called {name} ({names[name]} and {folder}); give each once, and rename one where "
                "they differ."
            )
        names[name] = folder
    if "all" in names:
        raise InvalidRequest(f"{names['all']} is called 'all', as the tables call all data sets; rename the folder.")
