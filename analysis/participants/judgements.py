"""Who judged which pair on which source, and how: what the measures of agreement count."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.ranking.counts import LEFT, TIE

__all__ = ["HIGH", "LOW", "Judgements", "judgements"]

# Answers: the condition that comes first in the alphabet, the other one; a tie is TIE.
LOW, HIGH = 0, 1


@dataclass(frozen=True, eq=False)
class Judgements:
    """Votes as codes, each array (J,), in the order of the table.

    participant: 0..n_participants-1 into `participants`. block: source and target metric together. low < high: codes
    into `conditions`. answer: LOW, HIGH or TIE. low_left: whether `low` was on the left.
    """

    participants: tuple[str, ...]
    conditions: tuple[str, ...]
    participant: np.ndarray
    block: np.ndarray
    low: np.ndarray
    high: np.ndarray
    answer: np.ndarray
    low_left: np.ndarray

    def where(self, kept: np.ndarray) -> "Judgements":
        """Those that `kept` (J,) marks, or names by their places."""
        names = ("participant", "block", "low", "high", "answer", "low_left")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    @property
    def unit(self) -> np.ndarray:
        """(J,) one number per source, target metric and pair."""
        n = len(self.conditions)
        return (self.block * n + self.low) * n + self.high

    @property
    def person_unit(self) -> np.ndarray:
        """(J,) one number per participant and unit; agrees between judgements of the same table."""
        return self.unit * len(self.participants) + self.participant

    def first(self) -> "Judgements":
        """Each participant's first answer to each unit, in the order of the table."""
        return self.where(np.sort(np.unique(self.person_unit, return_index=True)[1]))


def judgements(votes: pd.DataFrame) -> Judgements:
    """Of a validated table; the codes of two tables with the same categories agree."""
    left, right = (votes[side].cat.codes.to_numpy().astype(np.int64) for side in ("left", "right"))
    choice = votes["choice"].cat.codes.to_numpy().astype(np.int64)
    block = votes["source"].cat.codes.to_numpy().astype(np.int64)
    if "target_metric" in votes:
        metric = votes["target_metric"].cat.codes.to_numpy() + 1
        block = block * (len(votes["target_metric"].cat.categories) + 1) + metric
    low_left = left < right
    return Judgements(
        participants=tuple(votes["participant"].cat.categories),
        conditions=tuple(votes["left"].cat.categories),
        participant=votes["participant"].cat.codes.to_numpy().astype(np.int64),
        block=block,
        low=np.minimum(left, right),
        high=np.maximum(left, right),
        answer=np.where(choice == TIE, TIE, np.where((choice == LEFT) == low_left, LOW, HIGH)),
        low_left=low_left,
    )
