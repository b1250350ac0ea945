"""One run over an open folder: what it works with, and its results, found finished or made now and kept."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import torch

from stimuli.clip import Clip
from stimuli.delivery import DeliveryProfile
from stimuli.lpips import Lpips
from stimuli.metering import MeteredMetric
from stimuli.metric_identity import metric_identity
from stimuli.progress import Progress
from stimuli.request import StimulusRequest
from stimuli.sources import SourceFile
from stimuli.store import SetFolder, fingerprint
from stimuli.video import av_versions

__all__ = ["Run"]

# Raised when a change of this package changes what it makes: older results are then made again.
_PIPELINE = 2


class Run:
    """`made` and `reused` count the results with a file, and the attacks without one because they fell short."""

    def __init__(
        self, request: StimulusRequest, metric: MeteredMetric, lpips: Lpips, folder: SetFolder, progress: Progress
    ) -> None:
        self.request, self.metric, self.lpips, self.folder, self.progress = request, metric, lpips, folder, progress
        self.made = self.reused = 0

    @cached_property
    def metric_inputs(self) -> dict:
        """What tells this metric from another."""
        return metric_identity(self.metric)

    def key(self, source: SourceFile, clip: Clip, profile: DeliveryProfile | None, inputs: dict) -> str:
        """Of a result that depends on these, and on the versions of what makes it; `profile` None: on no encoder."""
        return fingerprint(
            {
                **inputs,
                "source": source.sha256,
                "frames": clip.frames,
                "delivery": profile and profile.settings,
                "pipeline": _PIPELINE,
                "torch": torch.__version__,
                **av_versions(),
            }
        )

    def known(self, key: str, find: Callable[[], dict]) -> dict:
        """A record without a file, not counted: kept from an earlier run, or found now."""
        return self.folder.load(key) or self.folder.commit(key, find())

    def learn(self, key: str, record: dict) -> None:
        """Put a better record of `key` in place of the one that is known."""
        if self.folder.load(key) != record:
            self.folder.commit(key, record)

    def results(self, keys: Sequence[str], make: Callable[[], Sequence[tuple[dict, Path | None]]]) -> list[dict]:
        """The records of results that are made together: all found finished, or all made now.

        `make` returns each record with its file in the folder's temporary part, None where there is none.
        """
        records = [self.folder.load(key) for key in keys]
        if None in records:
            made = make()
            records = [self.folder.commit(key, *result) for key, result in zip(keys, made, strict=True)]
            self.made += len(keys)
        else:
            self.reused += len(keys)
        for _ in keys:
            self.progress.done()
        return records
