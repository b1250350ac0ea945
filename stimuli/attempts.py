"""Files of one clip under one attack at different strengths: attacked, encoded, decoded and scored, each once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from attacks import Attack
from stimuli.attacked_clip import AttackedClip
from stimuli.clip import evenly_spaced
from stimuli.colour import Planes, display_frames
from stimuli.delivery import DeliveryProfile
from stimuli.frame_search import largest_change
from stimuli.progress import Progress
from stimuli.spool import ChangeSpool, PlaneSpool
from stimuli.targets import Target

__all__ = ["Attempt", "Attempts"]

# Frames that the share of the perturbation in the file is measured on.
_PROBED = 8


@dataclass
class Attempt:
    """One encode: the file, what went into it, what was meant on the frames `probed`, and what it came to.

    linf: largest change of any RGB value, 8-bit levels. changed: whether any 8-bit plane differs from the source's.
    passes: the attack's forwards and backwards per frame. scores: of the decoded file, where they were needed.
    """

    path: Path
    spool: PlaneSpool
    intended: ChangeSpool
    probed: tuple[int, ...]
    linf: float = 0.0
    changed: bool = False
    passes: tuple[float, float] = (0, 0)
    scores: list[float] | None = None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.spool.remove()
        self.intended.remove()


class Attempts:
    """All attempts of an attack on a clip; those not dropped still have their file in `work`."""

    def __init__(
        self,
        attacked: AttackedClip,
        attack: Attack,
        *,
        target: Target,
        profile: DeliveryProfile,
        reference_scores: Sequence[float],
        work: Path,
        progress: Progress,
        label: str,
    ) -> None:
        self._attacked, self.attack, self.label = attacked, attack, label
        self._target, self._profile, self._reference_scores = target, profile, reference_scores
        self._work, self._progress = work, progress
        self._held: dict[float, Attempt] = {}
        self._reached: dict[float, float] = {}
        self.changed = False

    @property
    def count(self) -> int:
        return len(self._reached)

    def reached(self, strength: float) -> float:
        """The gain of the delivered file, or the largest change, whichever is matched."""
        if strength not in self._reached:
            step = f"{self._attacked.clip.path.stem}: {self.label} at {strength:.4g}"
            with self._attacked.spending(self.attack):
                attempt = self._encode(strength, step)
                if not self._target.linf:
                    attempt.scores = self._score(attempt.path, step)
            self.changed |= attempt.changed
            self._reached[strength] = attempt.linf if self._target.linf else self.gain(attempt.scores)
        return self._reached[strength]

    def gain(self, scores: Sequence[float]) -> float:
        """Of a delivered file over the delivered reference."""
        return self._target.rule.mean(self._reference_scores, scores)

    def drop(self, strength: float) -> None:
        """This one will not be delivered."""
        if strength in self._held:
            self._held.pop(strength).remove()

    def remove(self) -> None:
        for strength in list(self._held):
            self.drop(strength)

    def held(self, strength: float) -> Attempt:
        return self._held[strength]

    def deliver(self, strength: float) -> Path:
        """Give the file of this attempt away; all else that belongs to it is removed."""
        kept = self._held.pop(strength)
        kept.spool.remove()
        kept.intended.remove()
        return kept.path

    def _encode(self, strength: float, step: str) -> Attempt:
        clip = self._attacked.clip
        path = self._work / f"attempt{self.count}{self._profile.suffix}"
        size = {"height": clip.height, "width": clip.width}
        attempt = Attempt(
            path,
            PlaneSpool(path.with_suffix(".planes"), **size),
            ChangeSpool(path.with_suffix(".intended"), **size),
            evenly_spaced(clip.frames, _PROBED),
        )
        self._held[strength] = attempt

        def adversarial() -> Iterator[Planes]:
            passes = [0.0, 0.0]
            for chunk in self._attacked.chunks(self.attack, strength):
                count = len(chunk.planes)
                passes = [total + count * more for total, more in zip(passes, chunk.passes, strict=True)]
                attempt.linf = max(attempt.linf, largest_change(chunk.delta))
                attempt.changed |= not chunk.attacked.equal(chunk.planes)
                for frame in attempt.probed:
                    if chunk.first <= frame < chunk.first + count:
                        attempt.intended.add(frame, chunk.delta[frame - chunk.first])
                # Once from the device to memory, for the spool and for the encoder.
                planes = chunk.attacked.to("cpu")
                attempt.spool.add(planes)
                yield planes
            attempt.passes = tuple(total / clip.frames for total in passes)

        clip.write(path, self._progress.frames(adversarial(), clip.frames, step), self._profile)
        return attempt

    def _score(self, path: Path, step: str) -> list[float]:
        clip, scores = self._attacked.clip, []
        for planes in self._progress.frames(clip.delivered(path), clip.frames, step + ", scores"):
            scores += self._attacked.metric.values(display_frames(planes, clip.colour))
        return scores
