"""The search for a strength before the codec, on a few frames of the clip."""

from collections.abc import Sequence

from torch import Tensor

from attacks import Attack
from attacks.errors import NoChange, ZeroGradient
from stimuli.attacked_clip import AttackedClip
from stimuli.clip import evenly_spaced
from stimuli.colour import Planes, display_frames
from stimuli.errors import Unreachable
from stimuli.matching import Match
from stimuli.targets import Target

__all__ = ["FrameSearch", "largest_change", "searched_frames"]

# At most this many frames, held in memory, and this share of the clip, so that an evaluation costs little.
_MOST_FRAMES = 8
_SHARE = 4
# Nearer is of no use: the encoder moves the gain by more, and the frames left out differ by more.
_TOLERANCE = 0.05
_MOST_EVALUATIONS = 24


class FrameSearch:
    """8-bit 4:2:0 frames of a clip, whole windows of the metric; the answer for each attack is kept."""

    def __init__(self, attacked: AttackedClip, target: Target, clean_scores: Sequence[float]) -> None:
        self._attacked, self._target = attacked, target
        self.frames = searched_frames(attacked.clip.frames, attacked.metric.window)
        self.clean_scores = [clean_scores[index] for index in self.frames]
        self._planes: Planes | None = None
        self._answers: dict[Attack, Match | Unreachable | NoChange | ZeroGradient] = {}

    def find(self, attack: Attack) -> Match:
        """Raises: Unreachable; NoChange or ZeroGradient where the attack changes none of these frames."""
        if attack not in self._answers:
            with self._attacked.spending(attack):
                try:
                    self._answers[attack] = self._search(attack)
                except (Unreachable, NoChange, ZeroGradient) as error:
                    self._answers[attack] = error
        answer = self._answers[attack]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tried(self, attack: Attack) -> int:
        """How many strengths that took."""
        answer = self._answers.get(attack)
        if isinstance(answer, Match):
            return len(answer.evaluations)
        return answer.evaluations if isinstance(answer, Unreachable) else 0

    def _search(self, attack: Attack) -> Match:
        attacked, target = self._attacked, self._target
        clip = attacked.clip
        if self._planes is None:
            self._planes = clip.pick(self.frames)
        prepared, slopes = [], []
        for index in range(0, len(self._planes), clip.chunk):
            part = slice(index, index + clip.chunk)
            clean = attacked.gradients.of_subset(part) if attack.uses_clean_gradient else None
            prepared.append((self._planes[part], attacked.prepare(attack, self._planes[part], clean)))
            slopes += prepared[-1][1].slopes() or []

        def reached(strength: float) -> float:
            values, alive = [], False
            for planes, chunk in prepared:
                try:
                    delta = chunk.delta(strength)
                    alive = True
                except (NoChange, ZeroGradient) as error:
                    refusal, changed = error, planes
                else:
                    changed = attacked.perturb(planes, delta)
                    if target.linf:
                        values.append(largest_change(delta))
                if not target.linf:
                    values += attacked.metric.values(display_frames(changed, clip.colour))
            if not alive:
                raise refusal
            return max(values) if target.linf else target.rule.mean(self.clean_scores, values)

        slope = None
        if not target.linf and len(slopes) == len(self.clean_scores):
            slope = max(target.rule.slope(self.clean_scores, slopes), 0.0)
        return target.search(
            reached,
            attack,
            start=target.first_strength(attack, slope),
            tolerance=max(target.tolerance, _TOLERANCE),
            slope=slope,
            most_evaluations=_MOST_EVALUATIONS,
        )


def largest_change(delta: Tensor) -> float:
    """Of any value, in 8-bit levels."""
    return 255 * float(delta.abs().max())


def searched_frames(frames: int, window: int) -> tuple[int, ...]:
    """Indices of the frames to search on: whole windows, the middles of equal parts of the clip."""
    most = max(min(frames // _SHARE, _MOST_FRAMES) // window, 1)
    return tuple(
        index
        for chosen in evenly_spaced(-(-frames // window), most)
        for index in range(chosen * window, min((chosen + 1) * window, frames))
    )
