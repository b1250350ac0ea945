"""The gradient of a metric with respect to the frames: what every white-box attack starts from."""

from dataclasses import dataclass

import torch

from attacks.errors import NotDifferentiable, ZeroGradient
from attacks.memory import within_memory
from attacks.metrics.base import TargetMetric
from attacks.table import ATTACKS

__all__ = ["CleanGradient", "check_nonzero", "clean_gradient", "quality_gradient"]


@dataclass(frozen=True)
class CleanGradient:
    """Scores of the clean frames and the direction in which each value raises the quality.

    scores: (N,) float32, the metric's own scores. sign: (N, 3, H, W) int8 in {-1, 0, 1}.
    gradient: (N, 3, H, W) float32 d(quality)/d(frames), or None where only the sign was kept.
    Several attacks on the same frames may share one.
    """

    scores: torch.Tensor
    sign: torch.Tensor
    gradient: torch.Tensor | None = None


def quality_gradient(frames: torch.Tensor, metric: TargetMetric) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (N,) and d(quality)/d(frames) (N, 3, H, W); one forward and one backward of each frame.

    Quality is the score, or minus the score where lower is better. The batch is reduced
    by a sum, so no frame influences another's gradient. Only the frames get a gradient:
    the metric's parameters and the caller's tensor are left as they are. Where memory runs out, smaller batches are
    taken, down to one window of the metric.

    Raises NotDifferentiable when the metric gives no gradient, or not a finite one; OutOfMemory.
    """
    parts = within_memory(lambda part: _gradient_of_batch(part, metric), frames, metric, "gradient")
    scores, gradient = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
    if not torch.isfinite(gradient.sum()):
        bad = (~torch.isfinite(gradient)).flatten(1).any(dim=1).nonzero().flatten().tolist()
        if bad:
            raise NotDifferentiable(
                f"the gradient of metric {metric.name!r} is NaN or infinite in frame {bad[0]} of the batch; look for "
                f"roots, divisions and logarithms at 0 in it, or leave out that frame. {_what_remains()}"
            )
    return scores, -gradient if metric.lower_better else gradient


def _gradient_of_batch(frames: torch.Tensor, metric: TargetMetric) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores and d(score)/d(frames) of all frames at once."""
    with torch.inference_mode(False), torch.enable_grad():
        leaf = (frames.clone() if frames.is_inference() else frames.detach()).requires_grad_(True)
        scores = metric.score(leaf)
        if not scores.requires_grad:
            raise NotDifferentiable(
                f"metric {metric.name!r} gives no gradient with respect to the frames; "
                "it must compute its score from them with differentiable operations and without torch.no_grad(). "
                + _what_remains()
            )
        (gradient,) = torch.autograd.grad(scores.sum(), leaf, allow_unused=True)
    if gradient is None:
        raise NotDifferentiable(
            f"the score of metric {metric.name!r} does not depend on the frames; it must be computed from them. "
            + _what_remains()
        )
    return scores.detach(), gradient


def clean_gradient(frames: torch.Tensor, metric: TargetMetric) -> CleanGradient:
    """The CleanGradient of `frames` (N, 3, H, W) float32 in [0, 1]; one forward and one backward.

    Raises ZeroGradient when no value of any frame has a gradient, NotDifferentiable as
    `quality_gradient` does. A single frame without gradient in a batch stays unchanged.
    """
    scores, gradient = quality_gradient(frames, metric)
    sign = gradient.sign().to(torch.int8)
    check_nonzero(sign, metric)
    return CleanGradient(scores=scores, sign=sign, gradient=gradient)


def check_nonzero(gradient: torch.Tensor, metric: TargetMetric) -> None:
    """Raise ZeroGradient when the `gradient` of `metric`, or its sign, is zero in every value of every frame."""
    # A fortieth of the time of `gradient.any()` on a CPU.
    if not torch.stack(torch.aminmax(gradient)).any():
        raise ZeroGradient(
            f"the gradient of metric {metric.name!r} is zero everywhere, so an attack would change nothing; "
            "check that its last layer is not saturated and that nothing in it rounds."
        )


def _what_remains() -> str:
    names = ", ".join(info.name for info in ATTACKS.values() if info.access != "white-box")
    return f"Without a gradient these attacks remain: {names}."
