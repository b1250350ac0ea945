"""Train an attack: pictures and a metric in, a trained file out; a training that was stopped continues where it was."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from attacks.errors import InvalidOption, TrainedFileError
from attacks.gain import relative_gain
from attacks.gradients import check_nonzero, quality_gradient
from attacks.learners import LEARNERS, Learner
from attacks.metrics.base import TargetMetric
from attacks.options import OptionValue
from attacks.seeds import derived_seed
from attacks.trained_file import save_trained
from attacks.trained_header import TrainedHeader, read_header
from attacks.training_checkpoint import Checkpoint
from attacks.training_pictures import TrainingPictures, read_training_pictures
from attacks.training_settings import TrainingSettings, training_settings

__all__ = ["TrainingProgress", "train_attack"]


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training is: in reading its "pictures" or in its "steps" (stage).

    gain: on held-out pictures after the last whole epoch.
    """

    stage: str
    done: int
    total: int
    gain: float | None = None


def train_attack(
    attack: str,
    metric: TargetMetric,
    images: Path,
    out: Path,
    *,
    limit: int | None = None,
    replace: bool = False,
    progress: Callable[[TrainingProgress], None] | None = None,
    checkpoint_seconds: float = 60,
    **settings: OptionValue | None,
) -> TrainedHeader:
    """Train `attack` against `metric` on the pictures of the folder `images`, and write the file `out`.

    settings: fields of TrainingSettings; those not given, or None, are the papers'. limit: the first so many pictures.
    A metric of clips is asked about each picture as a clip of one frame.
    About every `checkpoint_seconds` the state goes to a file beside `out`, from which the next call with the same
    arguments continues; on the CPU the file then has the same bytes as without the stop. A finished file of the same
    training is left as it is; one of another training is an error, unless `replace`.

    Returns the header of the file. Raises UnknownName, InvalidOption, TrainingDataError, TrainedFileError, and what a
    metric without a usable gradient raises: NotDifferentiable, ZeroGradient or NonFiniteScore.
    """
    chosen = training_settings(attack, **settings)
    if not isinstance(metric, TargetMetric):
        raise InvalidOption(f"metric must be a target metric, got {type(metric).__name__}; see attacks.metrics.")
    report = progress or (lambda _: None)
    pictures = read_training_pictures(
        Path(images),
        crop=chosen.crop,
        seed=chosen.seed,
        limit=limit,
        progress=lambda done, total: report(TrainingProgress("pictures", done, total)),
    )
    header = TrainedHeader(
        attack=attack,
        metric=metric.name,
        weights_sha256=metric.weights_sha256,
        score_range=metric.score_range,
        lower_better=metric.lower_better,
        data=pictures.describe(),
        settings={name: value for name, value in vars(chosen).items() if value is not None},
        history={},
        torch=torch.__version__,
    )
    out = Path(out)
    if out.exists():
        there = read_header(out)
        if _same_training(there, header):
            return there
        if not replace:
            raise TrainedFileError(
                f"{out} is the result of another training ({there.attack} against {there.metric!r}); choose another "
                "--out, or replace it with --replace."
            )
    checkpoint = Checkpoint(out, header, replace=replace)
    learner = LEARNERS[attack](chosen, metric.device)
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=torch.backends.cudnn.allow_tf32
    ):
        gains = _learn(learner, metric, pictures, chosen, checkpoint, checkpoint_seconds, report)
    header = dataclasses.replace(header, history={"gain": gains})
    save_trained(out, header, learner.result())
    checkpoint.remove()
    return header


def _learn(
    learner: Learner,
    metric: TargetMetric,
    pictures: TrainingPictures,
    settings: TrainingSettings,
    checkpoint: Checkpoint,
    checkpoint_seconds: float,
    report: Callable[[TrainingProgress], None],
) -> list[float]:
    """All steps that are left; returns the gain on held-out pictures after each epoch."""
    held_out = _HeldOut(pictures, metric, settings.batch)
    per_epoch = -(-len(pictures.training) // settings.batch)
    total = settings.epochs * per_epoch
    done, gains = checkpoint.restore(learner)
    saved = time.monotonic()
    random = torch.Generator(metric.device)
    for step in range(done, total):
        epoch, place = divmod(step, per_epoch)
        order = torch.randperm(
            len(pictures.training), generator=torch.Generator().manual_seed(derived_seed(settings.seed, "order", epoch))
        )
        batch = pictures.training[order[place * settings.batch : (place + 1) * settings.batch]]
        # Seeded anew for each step, so that a training which continues draws the same numbers.
        random.manual_seed(derived_seed(settings.seed, "dropout", step))
        gradient = _step(learner, metric, pictures.as_frames(batch, metric.device), random)
        if step == 0:
            check_nonzero(gradient, metric)
        if place == per_epoch - 1:
            gains.append(held_out.gain(learner))
        if time.monotonic() - saved >= checkpoint_seconds:
            checkpoint.save(learner, step + 1, gains)
            saved = time.monotonic()
        report(TrainingProgress("steps", step + 1, total, gains[-1] if gains else None))
    return gains


def _step(learner: Learner, metric: TargetMetric, pictures: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """One step on a batch of frames; returns the gradient dJ/d(perturbation) that it took."""
    low, high = metric.score_range
    with torch.enable_grad():
        perturbation = learner.perturbation(pictures, random)
    moved = pictures + perturbation.detach()
    scored_together = moved.clamp(0, 1).split(len(moved) if metric.window == 1 else 1)
    gradient = torch.cat([quality_gradient(part, metric)[1] for part in scored_together])
    if learner.true_clip:
        gradient = gradient * ((moved >= 0) & (moved <= 1))
    gradient = gradient.div(-len(pictures) * (high - low)).sum_to_size(perturbation.shape)
    learner.descend(perturbation, gradient)
    return gradient


class _HeldOut:
    """The gain that the attack has at strength 1 on pictures which it does not learn from."""

    def __init__(self, pictures: TrainingPictures, metric: TargetMetric, batch: int):
        self._batches = pictures.held_out.split(batch if metric.window == 1 else 1)
        self._as_frames = pictures.as_frames
        self._metric = metric
        self._clean = self._scores(lambda frames: frames)

    def gain(self, learner: Learner) -> float:
        scores = self._scores(lambda frames: (frames + learner.applied(frames)).clamp(0, 1))
        metric = self._metric
        return relative_gain(self._clean, scores, lower_better=metric.lower_better, score_range=metric.score_range).mean

    @torch.no_grad()
    def _scores(self, change: Callable[[torch.Tensor], torch.Tensor]) -> list[float]:
        frames = (self._as_frames(batch, self._metric.device) for batch in self._batches)
        return [score for part in frames for score in self._metric.values(change(part))]


def _same_training(one: TrainedHeader, other: TrainedHeader) -> bool:
    def aside(header: TrainedHeader) -> TrainedHeader:
        return dataclasses.replace(header, history={}, torch="")

    return aside(one) == aside(other)
