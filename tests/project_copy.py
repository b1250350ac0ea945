"""The project copied elsewhere with what a page of the documentation adds, and its own tests run there."""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def count_passed_in_a_copy(
    folder: pathlib.Path, *, files: dict[str, str], table: str, before: str, row: str, arguments: list[str]
) -> int:
    """How many tests pass in a copy of the project in `folder`; a failing run is an AssertionError with its output.

    files: text of new files by their path. row: put into the file `table`, ahead of the last place where it says
    `before`. arguments: pytest's.
    """
    for name in ("attacks", "stimuli", "tests", "studyserver", "analysis"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, text in files.items():
        (folder / path).write_text(text)
    head, end = (folder / table).read_text().rsplit(before, 1)
    (folder / table).write_text(head + row + before + end)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return int(re.search(r"(\d+) passed", done.stdout)[1])
