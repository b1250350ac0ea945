"""What encoders leave of a perturbation, tried on the beginning of a clip."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from attacks import Attack
from attacks.errors import NoChange, ZeroGradient
from stimuli.attacked_clip import AttackedClip
from stimuli.clip import Clip
from stimuli.colour import display_frames, luma
from stimuli.delivery import DeliveryProfile
from stimuli.progress import Progress
from stimuli.quality import projection
from stimuli.spool import ChangeSpool, PlaneSpool

__all__ = ["probe_retention"]


def probe_retention(
    attacked: AttackedClip,
    attack: Attack,
    strength: float,
    frames: int,
    profiles: Sequence[DeliveryProfile],
    work: Path,
    progress: Progress,
) -> Iterator[tuple[DeliveryProfile, float | None]]:
    """Attack the first `frames` frames once and encode them at one profile after the other, as far as it is asked for.

    Yields each profile with the share of the intended change of luma that is in the decoded file, against the clean
    frames encoded the same way (projection; 1: all, 0: none; None where nothing is changed). The clean files stay in
    `work` for the next attack.
    """
    part = replace(attacked.clip, frames=min(frames, attacked.clip.frames))
    size = {"height": part.height, "width": part.width}
    spool, intended = PlaneSpool(work / "probe.planes", **size), ChangeSpool(work / "probe.intended", **size)
    try:
        with attacked.spending(attack):
            try:
                for chunk in attacked.chunks(attack, strength, part):
                    spool.add(chunk.attacked)
                    for index, delta in enumerate(chunk.delta, chunk.first):
                        intended.add(index, delta)
            except (NoChange, ZeroGradient):
                intended = None
        for profile in profiles:
            retained = None if intended is None else _retained(part, spool, intended, profile, work, progress)
            yield profile, retained
    finally:
        spool.remove()
        (work / "probe.intended").unlink(missing_ok=True)


def _retained(
    part: Clip, spool: PlaneSpool, intended: ChangeSpool, profile: DeliveryProfile, work: Path, progress: Progress
) -> float | None:
    clean = work / f"probe-clean-{part.frames}-{profile.name}{profile.suffix}"
    probe = work / f"probe{profile.suffix}"
    step = f"{part.path.stem}: try {profile.name}"
    if not clean.exists():
        part.write(probe, (planes for _, planes in part.chunks()), profile)
        probe.replace(clean)
    try:
        part.write(probe, spool.chunks(part.chunk, part.device), profile)
        sums, index = np.zeros(2), 0
        pairs = zip(part.delivered(clean), part.delivered(probe), strict=True)
        for before, after in progress.frames(pairs, part.frames, step):
            change = display_frames(after, part.colour) - display_frames(before, part.colour)
            for frame in change:
                meant = luma(intended.read(index, part.device), part.colour)
                sums += projection(luma(frame[None], part.colour), meant)
                index += 1
    finally:
        probe.unlink(missing_ok=True)
    return float(sums[0] / sums[1]) if sums[1] else None
