"""One attack on one clip at the target gain, closed through the delivery codec."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from attacks import Attack
from stimuli.clean_gradients import CleanGradients
from stimuli.clip import Clip, evenly_spaced
from stimuli.colour import Planes, add_perturbation, display_frames, luma, perturbation_planes
from stimuli.delivery import DeliveryProfile
from stimuli.errors import Unreachable
from stimuli.gain import GainRule
from stimuli.matching import Match, match_strength
from stimuli.metering import MeteredMetric
from stimuli.passes import Delivered
from stimuli.progress import Progress
from stimuli.quality import QualityMeter, projection
from stimuli.rounding import rounding_offsets
from stimuli.spool import PlaneSpool

__all__ = ["ClosedLoop", "MatchedStimulus"]

# Frames that the search before the codec runs on, and that retention is measured on; held in memory.
_SUBSET = 8
# A search before the codec that ends this near to the target is still tried through the codec, on all frames.
_WORTH_ENCODING = 0.8
_LOWEST_STRENGTH = 1e-6
_MOST_ENCODES = 10


@dataclass(frozen=True)
class MatchedStimulus:
    """A delivered file at the target gain.

    gain_frames: 8-bit 4:2:0 frames before the codec, against the clean source. gain_delivered: decoded file against
    the delivered reference. retention, retention_luma: share of the intended perturbation in the decoded file (RGB,
    luma), on at most eight frames; None where nothing was meant to change there. evaluations: gains computed, on the
    subset or on all frames; encodes: those through the codec. metric_cost: forwards and backwards per frame of the
    attack itself; matching_cost: of the whole search.
    """

    path: Path
    strength: float
    gain_frames: float
    gain_delivered: float
    delivered: Delivered
    retention: float | None
    retention_luma: float | None
    evaluations: int
    encodes: int
    metric_cost: tuple[int, int]
    matching_cost: tuple[float, float]


@dataclass
class _Attempt:
    """One encode: the file, what was meant, and what it cost."""

    path: Path
    spool: PlaneSpool
    scores: list[float] = field(default_factory=list)
    intended: list[Tensor] = field(default_factory=list)
    cost: tuple[int, int] = (0, 0)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.spool.remove()
        self.intended.clear()


class ClosedLoop:
    """Matches attacks on one clip.

    clean_scores: of the clip's frames before the codec. reference: the delivered reference and its scores.
    `work` is a folder for temporary files, the caller's to remove.
    """

    def __init__(
        self,
        clip: Clip,
        metric: MeteredMetric,
        *,
        rule: GainRule,
        target: float,
        tolerance: float,
        profile: DeliveryProfile,
        rounding: str,
        seed: int,
        clean_scores: Sequence[float],
        reference: Path,
        reference_scores: Sequence[float],
        work: Path,
        progress: Progress,
    ) -> None:
        self._clip, self._metric, self._rule = clip, metric, rule
        self._target, self._tolerance, self._profile = target, tolerance, profile
        self._clean_scores, self._reference, self._reference_scores = clean_scores, reference, reference_scores
        self._work, self._progress = work, progress
        self._offsets = rounding_offsets(rounding, seed=seed, height=clip.height, width=clip.width, device=clip.device)
        self._subset = evenly_spaced(clip.frames, _SUBSET)
        self._subset_planes: Planes | None = None
        self._gradients = CleanGradients(clip, metric, work / "gradients", self._subset, progress)

    def match(self, attack: Attack, label: str) -> MatchedStimulus:
        """Find the strength, and return the delivered file.

        Raises: Unreachable with the best gain; on delivered frames, where the search came so far.
        """
        before = (self._metric.forwards, self._metric.backwards)
        attempts: dict[float, _Attempt] = {}
        tried = 0

        def through_codec(strength: float) -> float:
            if strength not in attempts:
                step = f"{self._clip.path.stem}: {label} at {strength:.4g}"
                attempts[strength] = self._encode(attack, strength, step, len(attempts))
            attempt = attempts[strength]
            gain = self._rule.mean(self._reference_scores, attempt.scores)
            if abs(gain - self._target) > self._tolerance * self._target:
                attempt.remove()
            return gain

        try:
            try:
                found = self._search_frames(attack)
                tried, start, exponent = len(found.evaluations), found.strength, found.exponent
            except Unreachable as short:
                tried, start, exponent = short.evaluations, short.strength, 1.0
                if short.best_gain < _WORTH_ENCODING * self._target:
                    # The whole delivered clip may have more than a few of its frames.
                    best = through_codec(start) if short.best_gain > 0 else short.best_gain
                    if best < _WORTH_ENCODING * self._target:
                        raise Unreachable(
                            f"{label} cannot reach it on this clip: {short}", best_gain=best, strength=start
                        ) from short
            match = match_strength(
                through_codec,
                self._target,
                start=start,
                low=_LOWEST_STRENGTH,
                high=self._strongest(attack),
                tolerance=self._tolerance,
                exponent=exponent,
                most_evaluations=_MOST_ENCODES,
            )
        except BaseException:
            for attempt in attempts.values():
                attempt.remove()
            raise
        kept = attempts.pop(match.strength)
        for attempt in attempts.values():
            attempt.remove()
        spent = (self._metric.forwards - before[0], self._metric.backwards - before[1])
        return self._measure(kept, match.strength, match.gain, tried, len(match.evaluations), spent)

    def _search_frames(self, attack: Attack) -> Match:
        """Match on a few frames, 8-bit 4:2:0, before the codec."""
        if self._subset_planes is None:
            self._subset_planes = self._clip.pick(self._subset)
        planes = self._subset_planes
        gradients = self._gradients if attack.uses_clean_gradient else None
        clean = [self._clean_scores[index] for index in self._subset]
        prepared, slopes = [], []
        for index in range(0, len(planes), self._clip.chunk):
            part = slice(index, index + self._clip.chunk)
            frames = display_frames(planes[part], self._clip.colour)
            shared = gradients.of_subset(part) if gradients else None
            ready = attack.prepare(frames, self._metric, clean=shared)
            slope = ready.initial_slope()
            slopes += [] if slope is None else slope.tolist()
            prepared.append((planes[part], frames, ready))

        def gain(strength: float) -> float:
            scores = []
            for part, frames, ready in prepared:
                adversarial = self._perturb(part, ready.at(strength) - frames)
                scores += self._metric.values(display_frames(adversarial, self._clip.colour))
            return self._rule.mean(clean, scores)

        slope = self._rule.slope(clean, slopes) if len(slopes) == len(clean) else 0.0
        return match_strength(
            gain,
            self._target,
            start=self._target / slope if slope > 0 else attack.info.strength.low,
            low=_LOWEST_STRENGTH,
            high=self._strongest(attack),
            tolerance=self._tolerance,
            most_evaluations=24,
        )

    def _encode(self, attack: Attack, strength: float, step: str, number: int) -> _Attempt:
        """The whole clip at one strength: attacked, encoded, decoded, scored."""
        clip = self._clip
        path = self._work / f"attempt{number}{self._profile.suffix}"
        spool = PlaneSpool(path.with_suffix(".planes"), height=clip.height, width=clip.width)
        attempt = _Attempt(path, spool)
        gradients = self._gradients if attack.uses_clean_gradient else None

        def adversarial() -> Iterator[Planes]:
            for first, planes in self._progress.frames(clip.chunks(), clip.frames, step):
                frames = display_frames(planes, clip.colour)
                clean = gradients.of_chunk(first) if gradients else None
                ready = attack.prepare(frames, self._metric, clean=clean)
                # The shared gradient belongs to the attack's own cost, where the attack did not take one itself.
                shared = int(gradients is not None and ready.cost.metric_forwards == 0)
                delta = ready.at(strength) - frames
                attempt.cost = (ready.cost.metric_forwards + shared, ready.cost.metric_backwards + shared)
                attempt.intended += [
                    delta[index - first].half().cpu() for index in self._subset if first <= index < first + len(planes)
                ]
                changed = self._perturb(planes, delta)
                spool.add(changed)
                yield changed

        clip.write(path, adversarial(), self._profile)
        for planes in self._progress.frames(clip.delivered(path), clip.frames, step + ", scores"):
            attempt.scores += self._metric.values(display_frames(planes, clip.colour))
        return attempt

    def _measure(
        self, kept: _Attempt, strength: float, gain: float, tried: int, encodes: int, spent: tuple[int, int]
    ) -> MatchedStimulus:
        """All that is reported of the file that was kept; reads source, reference, attack and file side by side."""
        clip, colour = self._clip, self._clip.colour
        meter, frame_scores, sums = QualityMeter(colour), [], np.zeros(4)
        streams = zip(
            clip.chunks(),
            clip.delivered(self._reference),
            kept.spool.chunks(clip.chunk, clip.device),
            clip.delivered(kept.path),
            strict=True,
        )
        intended = dict(zip(self._subset, kept.intended, strict=True))
        for (first, source), reference, attacked, delivered in self._progress.frames(
            streams, clip.frames, f"{clip.path.stem}: measure"
        ):
            frames = display_frames(delivered, colour)
            meter.add(display_frames(source, colour), frames)
            frame_scores += self._metric.values(display_frames(attacked, colour))
            for index in self._subset:
                if first <= index < first + len(source):
                    here = slice(index - first, index - first + 1)
                    change = frames[here] - display_frames(reference[here], colour)
                    meant = intended[index][None].float().to(clip.device)
                    sums += [*projection(change, meant), *projection(luma(change, colour), luma(meant, colour))]
        kept.spool.remove()
        return MatchedStimulus(
            path=kept.path,
            strength=strength,
            gain_frames=self._rule.mean(self._clean_scores, frame_scores),
            gain_delivered=gain,
            delivered=Delivered(kept.scores, meter.result()),
            retention=float(sums[0] / sums[1]) if sums[1] else None,
            retention_luma=float(sums[2] / sums[3]) if sums[3] else None,
            evaluations=tried + encodes,
            encodes=encodes,
            metric_cost=kept.cost,
            matching_cost=(spent[0] / clip.frames, spent[1] / clip.frames),
        )

    def _perturb(self, planes: Planes, delta: Tensor) -> Planes:
        return add_perturbation(planes, perturbation_planes(delta, self._clip.colour), self._offsets)

    def _strongest(self, attack: Attack) -> float:
        """Four times the usual interval, within full scale."""
        return min(1.0, 4 * attack.info.strength.high)
