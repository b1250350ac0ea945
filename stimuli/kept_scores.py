"""A table of per-frame scores that a run adds to, video by video, and that a later run continues."""

import contextlib
import csv
import fcntl
import io
import os
from collections.abc import Iterator
from pathlib import Path

import torch

from attacks.metrics import TargetMetric
from stimuli.errors import SetConflict
from stimuli.scoring import ClipScores
from stimuli.store import fingerprint, writing_errors
from stimuli.video import av_versions

__all__ = ["KeptScores", "score_key"]

_COLUMNS = ("video", "metric", "frame", "score", "frames", "clip_score", "key")


class KeptScores:
    """A CSV, locked while open; one row is one frame's `score`. Use `KeptScores.open`.

    `frame` counts from 0 to `frames` - 1. `clip_score` is that of the whole video, and `key` a hash of all that the
    scores depend on; both are the same in all rows of a video and metric, which stand together.
    """

    def __init__(self, path: Path, file: io.BufferedRandom) -> None:
        self._path, self._file = path, file
        self._known: dict[tuple[str, str], tuple[str, ClipScores]] = {}

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path) -> Iterator["KeptScores"]:
        """Begin a table, or continue the one that is there; what a killed run wrote half is taken out of it.

        Raises: SetConflict where the file is something else, or another run is at work on it; StimuliError.
        """
        with writing_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise SetConflict(f"Another run is writing to {path}; wait until it ends.") from None
                table = cls(path, file)
                table._read()
                yield table

    def get(self, video: Path, metric: str, key: str) -> ClipScores | None:
        """Raises SetConflict where the table holds other scores of the same video by the same metric."""
        known_key, scores = self._known.get((_name(video), metric), (key, None))
        if known_key != key:
            raise SetConflict(
                f"{self._path} holds scores of {video} by {metric} that other contents of the video, other weights or "
                f"other options gave; choose another --out."
            )
        return scores

    def add(self, video: Path, metric: str, key: str, scores: ClipScores) -> None:
        same = (len(scores.frames), repr(scores.clip), key)
        self._append([(_name(video), metric, frame, repr(score), *same) for frame, score in enumerate(scores.frames)])
        self._known[_name(video), metric] = key, scores

    def _append(self, rows: list[tuple]) -> None:
        self._file.write(_lines(rows))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        self._file.seek(0)
        header, *lines = self._file.read().splitlines(keepends=True) or [b""]
        if not header:
            self._append([_COLUMNS])
            return
        whole, rows, size = len(header), [], 0
        try:
            if header != _lines([_COLUMNS]):
                raise ValueError
            for number, line in enumerate(lines):
                try:
                    rows.append(_row(line, rows))
                except ValueError:
                    if number < len(lines) - 1:
                        raise
                    break
                size += len(line)
                if len(rows) == rows[0][4]:
                    video, metric, *_, clip, key = rows[0]
                    self._known[video, metric] = key, ClipScores(clip, tuple(row[3] for row in rows))
                    whole, rows, size = whole + size, [], 0
        except ValueError:
            raise SetConflict(f"{self._path} is no table of scores; choose another --out.") from None
        self._file.truncate(whole)


def score_key(sha256: str, metric: TargetMetric, max_frames: int | None) -> str:
    """A hash of what scores of a video depend on: its bytes, the metric and its files, what decodes and computes."""
    inputs = {
        "video": sha256,
        "metric": metric.name,
        "window": metric.window,
        "weights": metric.weights_sha256,
        "files": metric.files,
        "max_frames": max_frames,
        "torch": torch.__version__,
        **av_versions(),
    }
    return fingerprint(inputs)[:16]


def _name(video: Path) -> str:
    return " ".join(str(video).splitlines())


def _lines(rows: list[tuple]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(errors="surrogateescape")


def _row(line: bytes, before: list[tuple]) -> tuple[str, str, int, float, int, float, str]:
    """A row that may follow the rows `before` of the same video and metric. Raises ValueError where it may not."""
    if not line.endswith(b"\n"):
        raise ValueError
    video, metric, frame, score, frames, clip, key = next(csv.reader([line.decode(errors="surrogateescape")]))
    row = video, metric, int(frame), float(score), int(frames), float(clip), key
    if row[2] != len(before) or (before and (row[:2], row[4:]) != (before[0][:2], before[0][4:])):
        raise ValueError
    return row
