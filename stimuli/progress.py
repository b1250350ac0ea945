"""Progress on standard error: stimuli done with the time left, and frames of the step under way."""

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

__all__ = ["Progress"]

T = TypeVar("T")


class Progress:
    """Two bars; silent where `show` is False."""

    def __init__(self, total: int, *, show: bool) -> None:
        self._show = show
        self._bar = tqdm(
            total=total, desc="stimuli", unit="file", file=sys.stderr, disable=not show, dynamic_ncols=True
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def more(self, count: int) -> None:
        """`count` stimuli more than was thought are to be made."""
        self._bar.total += count
        self._bar.refresh()

    def done(self) -> None:
        """One more stimulus is there."""
        self._bar.update()

    def frames(self, chunks: Iterable[T], total: int, step: str) -> Iterator[T]:
        """Pass `chunks` (of planes, or pairs ending in planes) on, counting their frames."""
        with tqdm(
            total=total, desc=step, unit="frame", file=sys.stderr, leave=False, position=1, disable=not self._show
        ) as bar:
            for chunk in chunks:
                yield chunk
                bar.update(len(chunk[-1] if isinstance(chunk, tuple) else chunk))
