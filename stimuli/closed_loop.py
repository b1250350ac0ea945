"""One attack on one clip at the target, closed through the delivery codec."""

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from attacks import Attack
from attacks.errors import NoChange, ZeroGradient
from stimuli.attacked_clip import AttackedClip
from stimuli.attempts import Attempts
from stimuli.clean_gradients import CleanGradients
from stimuli.clip import Clip
from stimuli.delivery import DeliveryProfile
from stimuli.errors import Unreachable
from stimuli.frame_search import FrameSearch, searched_frames
from stimuli.gain import GainRule
from stimuli.matching import Match
from stimuli.measuring import measure_attempt
from stimuli.metering import MeteredMetric
from stimuli.passes import Delivered
from stimuli.progress import Progress
from stimuli.retention import probe_retention
from stimuli.rounding import rounding_offsets
from stimuli.targets import Target

__all__ = ["ClosedLoop", "MatchedStimulus"]

# A search before the codec that ends this near to the target is still tried through the codec, on all frames.
WORTH_ENCODING = 0.8


@dataclass(frozen=True)
class MatchedStimulus:
    """A delivered file at the target.

    gain_frames: 8-bit 4:2:0 frames before the codec, against the clean source. gain_delivered: decoded file against
    the delivered reference. linf: largest change of any RGB value by the attack, 8-bit levels, before 4:2:0 and
    rounding. retention, retention_luma: share of the intended perturbation in the decoded file (RGB, luma), on at most
    eight frames; None where nothing was meant to change there. evaluations: strengths tried, on a few frames or on all;
    encodes: those through the codec. metric_cost: forwards and backwards per frame of the attack itself;
    matching_cost: of finding the strength, beyond the clean gradient that all attacks of a clip share; what is measured
    of the finished file alone is not in it.
    """

    path: Path
    strength: float
    gain_frames: float
    gain_delivered: float
    linf: float
    delivered: Delivered
    retention: float | None
    retention_luma: float | None
    evaluations: int
    encodes: int
    metric_cost: tuple[float, float]
    matching_cost: tuple[float, float]


class ClosedLoop:
    """Matches attacks on one clip.

    target, tolerance: see Target; match: "clip" for the gain, "linf" for the largest change. clean_scores: of the
    clip's frames before the codec. reference: the delivered reference, with its scores; None where nothing is to be
    matched yet. `work` is a folder for temporary files, the caller's to remove.
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
        reference: Path | None,
        reference_scores: Sequence[float],
        work: Path,
        progress: Progress,
        match: str = "clip",
    ) -> None:
        clip = clip.in_windows(metric.window)
        self.target = Target(target, tolerance, rule, linf=match == "linf")
        self._progress, self._clean_scores = progress, clean_scores
        subset = searched_frames(clip.frames, metric.window)
        gradients = CleanGradients(clip, metric, work / "gradients", subset, progress)
        offsets = rounding_offsets(rounding, seed=seed, height=clip.height, width=clip.width, device=clip.device)
        self._attacked = AttackedClip(clip, metric, gradients, offsets)
        self._search = FrameSearch(self._attacked, self.target, clean_scores)
        self._deliver_as(profile, reference, reference_scores, work)

    def with_profile(
        self, profile: DeliveryProfile, reference: Path, reference_scores: Sequence[float], work: Path
    ) -> "ClosedLoop":
        """A loop for another delivery of the clip, which shares the gradients and the searches before the codec.

        The first loop's folder must stay while the second is at work.
        """
        other = copy(self)
        other._deliver_as(profile, reference, reference_scores, work)
        return other

    def search_frames(self, attack: Attack) -> Match:
        """The match before the codec, on a few frames; searched once for each attack.

        Raises: Unreachable; NoChange or ZeroGradient where the attack changes none of these frames.
        """
        return self._search.find(attack)

    def probe_retention(
        self, attack: Attack, strength: float, frames: int, profiles: Sequence[DeliveryProfile]
    ) -> Iterator[tuple[DeliveryProfile, float | None]]:
        """See `stimuli.retention.probe_retention`."""
        return probe_retention(self._attacked, attack, strength, frames, profiles, self._work, self._progress)

    def match(self, attack: Attack, label: str) -> MatchedStimulus:
        """Find the strength, and return the delivered file.

        Raises: Unreachable with the best that was reached, on the delivered file where the search came so far;
        NoChange or ZeroGradient where no frame changes, or none is left changed by the rounding to 8 bits.
        """
        attempts = self.attempts(attack, label)

        def through_codec(strength: float) -> float:
            reached = attempts.reached(strength)
            if not self.target.met(reached):
                attempts.drop(strength)
            return reached

        try:
            start, exponent = self._first_guess(attack, label, through_codec)
            match = self.target.search_delivered(through_codec, attack, start, exponent)
            return self.deliver(attempts, match.strength)
        except Unreachable as short:
            if not attempts.changed:
                raise self._silent(label) from short
            raise
        finally:
            attempts.remove()

    def attempts(self, attack: Attack, label: str) -> Attempts:
        """No file yet, but all that is needed to make them; `label` names the attack in the progress."""
        return Attempts(
            self._attacked,
            attack,
            target=self.target,
            profile=self._profile,
            reference_scores=self._reference_scores,
            work=self._work,
            progress=self._progress,
            label=label,
        )

    def deliver(self, attempts: Attempts, strength: float) -> MatchedStimulus:
        """Measure one of the attempts; its file is the caller's from then on.

        Raises: NoChange where it is the reference's own frames.
        """
        attempt = attempts.held(strength)
        if not attempt.changed:
            raise self._silent(attempts.label)
        measured = measure_attempt(self._attacked, attempt, self._reference, self._progress)
        return MatchedStimulus(
            path=attempts.deliver(strength),
            strength=strength,
            gain_frames=self.target.rule.mean(self._clean_scores, measured.frame_scores),
            gain_delivered=attempts.gain(measured.delivered.scores),
            linf=attempt.linf,
            delivered=measured.delivered,
            retention=measured.retention,
            retention_luma=measured.retention_luma,
            evaluations=self._search.tried(attempts.attack) + attempts.count,
            encodes=attempts.count,
            metric_cost=attempt.passes,
            matching_cost=self._attacked.spent(attempts.attack),
        )

    def _deliver_as(
        self, profile: DeliveryProfile, reference: Path | None, reference_scores: Sequence[float], work: Path
    ) -> None:
        self._profile, self._reference, self._reference_scores, self._work = profile, reference, reference_scores, work

    def _first_guess(self, attack: Attack, label: str, through_codec: Callable) -> tuple[float, float]:
        """Strength, and the power law of the gain there, from the frames before the codec."""
        try:
            found = self.search_frames(attack)
        except Unreachable as short:
            # The whole delivered clip may have more than a few of its frames.
            best = through_codec(short.strength)
            if best < WORTH_ENCODING * self.target.value:
                raise Unreachable(
                    f"{label} cannot reach it on this clip, {best:.4g} once delivered: before the encoder {short}",
                    best_gain=best,
                    strength=short.strength,
                ) from short
            return short.strength, 1.0
        except (NoChange, ZeroGradient):
            return self.target.first_strength(attack, None), 1.0
        return found.strength * (self.target.value / found.gain) ** (1 / found.exponent), found.exponent

    def _silent(self, label: str) -> NoChange:
        return NoChange(
            f"{label} changes no 8-bit value of {self._attacked.clip.path.name} at any strength tried; take another "
            f"attack, another clip, or --rounding dither."
        )
