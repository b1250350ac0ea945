"""The training of an attack as progress bars on standard error."""

import sys

from tqdm import tqdm

from attacks import TrainingProgress

__all__ = ["TrainingBar"]

_UNITS = {"pictures": "picture", "steps": "step"}


class TrainingBar:
    """Call it with each TrainingProgress; silent where `show` is False."""

    def __init__(self, *, show: bool) -> None:
        self._show = show
        self._stage: str | None = None
        self._bar: tqdm | None = None

    def __enter__(self) -> "TrainingBar":
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress: TrainingProgress) -> None:
        if progress.stage != self._stage:
            self.__exit__()
            self._stage = progress.stage
            # A training that continues has steps behind it already: they do not count for the time left.
            self._bar = tqdm(
                total=progress.total,
                initial=progress.done - 1,
                desc=progress.stage,
                unit=_UNITS[progress.stage],
                file=sys.stderr,
                disable=not self._show,
                dynamic_ncols=True,
            )
        if progress.gain is not None:
            self._bar.set_postfix_str(f"held-out gain {progress.gain:+.3f}", refresh=False)
        self._bar.update(progress.done - self._bar.n)
