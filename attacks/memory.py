"""Smaller batches where the memory does not hold a whole one."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch

from attacks.errors import OutOfMemory

if TYPE_CHECKING:
    from attacks.metrics.base import TargetMetric

__all__ = ["is_out_of_memory", "within_memory"]

T = TypeVar("T")

# PyTorch's allocators for CPU, CUDA and MPS; cuBLAS and cuDNN, which allocate beside them, raise plain RuntimeErrors.
_WORDS = re.compile(r"out of memory|not enough memory|can't allocate memory|_ALLOC_FAILED", re.IGNORECASE)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether there was too little memory, on a CPU or on any accelerator."""
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and bool(_WORDS.search(str(error))))


def within_memory(
    compute: Callable[[torch.Tensor], T], frames: torch.Tensor, metric: "TargetMetric", purpose: str
) -> list[T]:
    """[compute(frames)], or compute of parts in their order: halves, in whole windows of `metric`, as often as needed.

    frames: (N, 3, H, W). `compute` must treat each window by itself, and is called again for what it failed on. The
    size that fits is kept with the metric for the next frames of this size and `purpose` ("score", "gradient").

    Raises OutOfMemory where one window alone does not fit.
    """
    key = (purpose, *frames.shape[1:])
    most = metric.fitting.get(key, len(frames))
    done, results = 0, []
    while done < len(frames):
        part = frames[done : done + most]
        result = _attempt(compute, part)
        if result is not None:
            results += result
            done += len(part)
            continue
        windows = -(-len(part) // metric.window)
        if windows == 1:
            raise _too_large(part, metric, purpose)
        most = metric.fitting[key] = -(-windows // 2) * metric.window
    return results


def _attempt(compute: Callable[[torch.Tensor], T], part: torch.Tensor) -> tuple[T] | None:
    """compute(part), or None where memory ran out."""
    try:
        return (compute(part),)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    # Only here is the error gone, and with it the tensors that its traceback held.
    if part.is_cuda:
        torch.cuda.empty_cache()
    return None


def _too_large(part: torch.Tensor, metric: "TargetMetric", purpose: str) -> OutOfMemory:
    count, _, height, width = part.shape
    frames, window = ("one frame", "") if count == 1 else (f"{count} frames together", " a smaller --window,")
    return OutOfMemory(
        f"the {purpose} of metric {metric.name!r} needs more memory than {part.device} has for {frames} of "
        f"{width}x{height}; take{window} smaller frames, another metric, or a device with more memory."
    )
