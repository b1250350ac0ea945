"""The score-boundary attack: black-box, by queries, inside what is not noticed."""

import itertools
import math
from dataclasses import dataclass

import torch

from attacks.base import Attack, Cost, Prepared
from attacks.errors import InvalidFrames, NoChange
from attacks.frame_scores import FrameScores
from attacks.gradients import CleanGradient
from attacks.metrics.base import TargetMetric
from attacks.surfree import MOST_QUERIES, surfree
from attacks.trials import TrialSpace

__all__ = ["ScoreBoundary"]

# The constants of Yang et al. 2024; boundaries are shares of the way from the clean score to the best usual one.
_ROUNDS = 20
_TRIALS = 200
_ALL_TRIALS = 6000
_FIRST_BOUNDARY = 0.01
_LEAST_HIGHER_BOUNDARY = 0.005
_SMALLEST_STEP = 1 / 400

_LEAST_SIDE = 8


@dataclass(frozen=True)
class _Trial:
    """A pattern, how much of it, and the score it had (share of the way)."""

    pattern: int
    factor: float
    share: float


@dataclass(frozen=True)
class _Round:
    """The picture that a round goes from, its trial across `boundary`, and the queries that all this took."""

    number: int
    origin: torch.Tensor
    trial: _Trial
    boundary: float
    asked: int


class _Climb:
    """The rounds of one frame, made when they are needed and kept for every strength."""

    def __init__(self, frame: torch.Tensor, metric: TargetMetric, *, queries: int, batch: int, seed: int):
        self._frame, self._queries, self._seed = frame, queries, seed
        self._scores = FrameScores(frame, metric, batch)
        # Part of the queries is kept for the last step, from a round to exactly the boundary wanted.
        self._for_rounds = queries - min(MOST_QUERIES, queries // 2)
        self._asked_by_rounds = self._scores.asked
        self._trials_asked = 0
        self._rounds: list[_Round] = []
        self._ended = False
        self._space: TrialSpace | None = None

    @property
    def asked(self) -> int:
        return self._scores.asked

    def at(self, boundary: float) -> torch.Tensor:
        """A picture just above the boundary; the highest one found where none is above it."""
        while not self._ended and (not self._rounds or self._rounds[-1].boundary < boundary):
            before = self._scores.asked
            self._add_round()
            self._ended = self._ended or len(self._rounds) == _ROUNDS
            self._asked_by_rounds += self._scores.asked - before
        for each in self._rounds:
            if each.boundary >= boundary:
                return self._shrunk(each, boundary, self._queries - each.asked)
        return self._start(self._rounds[-1]) if self._rounds else self._frame

    def _add_round(self) -> None:
        origin, last, boundary = self._frame, 0.0, _FIRST_BOUNDARY
        left = self._for_rounds - self._asked_by_rounds
        before = self._scores.asked
        if self._rounds:
            previous = self._rounds[-1]
            origin = self._shrunk(previous, previous.boundary, left)
            last = previous.boundary
            boundary = last + (last - (self._rounds[-2].boundary if len(self._rounds) > 1 else 0.0))
        else:
            self._space = TrialSpace(self._frame)
        found = self._find_start(origin, last, boundary, left - (self._scores.asked - before))
        if found is not None:
            asked = self._asked_by_rounds + self._scores.asked - before
            self._rounds.append(_Round(len(self._rounds), origin, *found, asked))

    def _find_start(self, origin: torch.Tensor, last: float, boundary: float, left: int) -> tuple[_Trial, float] | None:
        """A trial across the boundary, which comes nearer where none is, and goes further where that is easy."""
        draws, trials = self._space.draws(self._generator(len(self._rounds), 0)), []
        more = True
        while True:
            found = _first_above(trials, boundary)
            if found is None:
                most = min(_TRIALS, left - len(trials), _ALL_TRIALS - self._trials_asked)
                trials += self._try(origin, list(itertools.islice(draws, most)), boundary)
                found, more = _first_above(trials, boundary), most == _TRIALS
            if found is not None:
                higher = max(boundary + 2 * (boundary - last), _LEAST_HIGHER_BOUNDARY)
                return found, (boundary + higher) / 2 if found.share > higher else boundary
            if not more or boundary - last <= _SMALLEST_STEP:
                break
            boundary = last + (boundary - last) / 2
        self._ended = True
        best = max(trials, key=lambda trial: trial.share, default=None)
        return (best, math.nextafter(best.share, last)) if best and best.share > last else None

    def _try(self, origin: torch.Tensor, draws: list[tuple[int, float]], boundary: float) -> list[_Trial]:
        shares = self._scores.until_above((self._space.moved(origin, *draw) for draw in draws), boundary)
        self._trials_asked += len(shares)
        return [_Trial(*draw, share) for draw, share in zip(draws, shares, strict=False)]

    def _shrunk(self, one: _Round, boundary: float, most_queries: int) -> torch.Tensor:
        return surfree(
            one.origin,
            self._start(one),
            lambda pictures: [share > boundary for share in self._scores.until_above(pictures, boundary)],
            self._space.allowed,
            self._generator(one.number, 1),
            min(most_queries, MOST_QUERIES),
        )

    def _start(self, one: _Round) -> torch.Tensor:
        return self._space.moved(one.origin, one.trial.pattern, one.trial.factor)

    def _generator(self, number: int, use: int) -> torch.Generator:
        """Of round `number`, so that no strength asked for before changes what is drawn."""
        return torch.Generator().manual_seed((self._seed * _ROUNDS + number) * 2 + use)


def _first_above(trials: list[_Trial], boundary: float) -> _Trial | None:
    return next((trial for trial in trials if trial.share > boundary), None)


class _Climbs(Prepared):
    """Each frame by itself."""

    def __init__(self, frames: torch.Tensor, metric: TargetMetric, *, queries: int, batch: int, seed: int):
        super().__init__(frames, Cost())
        self._queries = queries
        self._climbs = [_Climb(frame, metric, queries=queries, batch=batch, seed=seed) for frame in frames]

    @property
    def cost(self) -> Cost:
        """As for every attack; the frames differ in their queries, so the mean need not be a whole number."""
        asked = sum(climb.asked for climb in self._climbs)
        whole, rest = divmod(asked, len(self._climbs))
        return Cost(metric_forwards=asked / len(self._climbs) if rest else whole)

    def _at(self, strength: float) -> torch.Tensor:
        adversarial = torch.stack([climb.at(strength) for climb in self._climbs])
        if torch.equal(adversarial, self._frames):
            raise NoChange(
                f"{self._info.name}: none of the trials that {self._queries} queries allow raises the score of "
                "a frame; flat frames cannot be attacked. Take more queries, another seed or other frames."
            )
        return adversarial


class ScoreBoundary(Attack):
    """Score boundaries that rise from round to round, each crossed where it is seen least (Yang et al. 2024).

    A boundary b lies the share b of the way from the clean score to the better end of the metric's
    score range; the strength is the boundary to cross, and above 1 it lies beyond that range. Where the way
    is shorter than a tenth of the range, or the clean score beyond its end, a tenth of the range is taken for it.
    A round tries random textures until one is across the next boundary, and SurFree then brings it near to the
    picture that the round came from. All changes stay within 0.38 of the just-noticeable difference.

    Sees scores only, so any metric will do, differentiable or not. Meant for pictures and key frames:
    about 8000 queries a frame where the boundary is high, four orders of magnitude more than IOI; every frame of
    a video is attacked independently. Up to 25 pictures are kept per frame. A strength takes at most `queries`
    queries per frame, the clean score and the rounds up to it included; all strengths of one
    `prepare` share the rounds, so that a further strength costs the last step alone, at most 100
    queries, and does not depend on the ones before. A boundary that is not reached gives the highest
    score found; NoChange is raised where no frame has any. `batch` queries are asked at a time, so that up to
    `batch` - 1 more than needed are asked, and counted, before a trial is taken.

    Differs: always raises the quality, in [0, 1] and for any frame size. The textures are five busy squares of the
    frame itself, tiled, less their mean, not crops of two photographs: with 800 queries on four 128-pixel pictures
    and the demonstration metric they reach b = 0.10, brick, grass and gravel as they are 0.07, Gaussian
    noise 0.05. Saliency is the spectral residual (Hou and Zhang 2007), not MB+. SurFree's points are held within
    the JND limit as they are asked, in place of a clamp afterwards that can fall back below the boundary (it did in
    one round of five). Trials asked at a boundary that is then halved count for the lower one.
    """

    uses_clean_gradient = False

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        height, width = frames.shape[-2:]
        if min(height, width) < _LEAST_SIDE:
            raise InvalidFrames(
                f"{self.info.name} takes its textures from the frames, which must be at least "
                f"{_LEAST_SIDE}x{_LEAST_SIDE} pixels, got {width}x{height}; take larger frames."
            )
        return _Climbs(frames, metric, **self.options)
