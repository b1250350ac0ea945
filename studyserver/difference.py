"""Amplified differences between a stimulus and its reference, as pictures to look at."""

import itertools
from pathlib import Path

__all__ = ["AMPLIFICATIONS", "KINDS", "default_amplification", "difference_pictures"]

# frame: of one frame, in colour around mid-grey. mean, max: over all frames, the largest change of the three planes.
KINDS = ("frame", "mean", "max")
AMPLIFICATIONS = (1, 2, 4, 8, 16, 32, 64)
_GREY = 128


def default_amplification(linf: float | None) -> int:
    """The largest factor at which a change of `linf` 8-bit levels still fits between grey and white."""
    return max(factor for factor in AMPLIFICATIONS if factor * max(linf or _GREY, 1) <= _GREY or factor == 1)


def difference_pictures(reference: Path, stimulus: Path, *, kinds: tuple[str, ...], frame: int, amplification: int):
    """Return uint8 pictures by kind: `frame` (H,W,3), `mean` and `max` (H,W), differences times `amplification`.

    A signed difference of 0 is mid-grey (128); an absolute one is black. One pass over both files.
    Raises: stimuli.errors.InvalidSource where a file cannot be decoded, IndexError where there is no such frame.
    """
    # Imported here: participants' pages never decode anything.
    import numpy as np

    from stimuli import delivered_pictures

    pictures, total, largest, count = {}, None, None, 0
    whole = "mean" in kinds or "max" in kinds
    pairs = zip(delivered_pictures(reference), delivered_pictures(stimulus), strict=False)
    for index, (clean, shown) in enumerate(pairs if whole else itertools.islice(pairs, frame, frame + 1)):
        if "frame" in kinds and (not whole or index == frame):
            signed = (shown.rgb() - clean.rgb()) * amplification
            pictures["frame"] = (signed + _GREY).round().clip(0, 255).astype(np.uint8)
        if whole:
            change = np.abs(shown.levels() - clean.levels()).max(axis=0)
            total = change.astype(np.int64) if total is None else total + change
            largest = change if largest is None else np.maximum(largest, change)
            count += 1
    if "frame" in kinds and "frame" not in pictures:
        raise IndexError(f"there is no frame {frame}")
    for kind, values in (("mean", total / count if count else None), ("max", largest)):
        if kind in kinds:
            pictures[kind] = (values * amplification).round().clip(0, 255).astype(np.uint8)
    return pictures
