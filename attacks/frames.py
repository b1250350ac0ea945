"""What every attack and metric asks of frames, checked once at the edge, and their 8-bit levels."""

import torch

from attacks.errors import InvalidFrames

__all__ = ["check_frames", "check_layout", "levels", "to_uint8"]

# 8-bit levels survive /255 and *255 in float32 to about 2e-5 of a level.
_LEVEL_TOLERANCE = 1e-3

_OTHER_CHANNELS = {
    1: "repeat the channel of grey frames with frames.expand(-1, 3, -1, -1)",
    4: "flatten frames with an alpha channel on a background, black with frames[:, :3] * frames[:, 3:]",
}


def check_frames(frames: torch.Tensor) -> None:
    """Raise InvalidFrames unless `frames` is (N, 3, H, W) float32 RGB in [0, 1], N, H, W >= 1.

    Costs one pass over the frames and one device synchronisation per batch.
    """
    check_layout(frames)
    low, high = torch.stack(torch.aminmax(frames.detach())).tolist()
    if not (low >= 0 and high <= 1):
        raise InvalidFrames(
            f"frames must lie in [0, 1], got values from {low:g} to {high:g}; divide 8-bit levels by 255."
        )


def check_layout(frames: torch.Tensor) -> None:
    """Raise InvalidFrames unless `frames` is (N, 3, H, W) float32, N, H, W >= 1; no value is looked at."""
    if not isinstance(frames, torch.Tensor):
        raise InvalidFrames(f"frames must be a torch tensor (N, 3, H, W), got {type(frames).__name__}.")
    if frames.ndim != 4 or frames.shape[1] != 3 or 0 in frames.shape:
        channels = frames.shape[1] if frames.ndim == 4 and 0 not in frames.shape else None
        remedy = _OTHER_CHANNELS.get(
            channels, "add the batch axis with frames[None] or move the channels with frames.permute(0, 3, 1, 2)"
        )
        raise InvalidFrames(f"frames must have the shape (N, 3, H, W), got {tuple(frames.shape)}; {remedy}.")
    if frames.dtype != torch.float32:
        raise InvalidFrames(
            f"frames must be float32 in [0, 1], got {frames.dtype}; 8-bit frames become frames.float() / 255."
        )


def levels(frames: torch.Tensor) -> torch.Tensor:
    """255 x of (N, C, H, W); exact whole numbers for each frame that comes from 8 bits."""
    exact = frames * 255
    nearest = exact.round()
    eight_bit = (exact - nearest).abs_().amax(dim=(1, 2, 3), keepdim=True) < _LEVEL_TOLERANCE
    return torch.where(eight_bit, nearest, exact)


def to_uint8(frames: torch.Tensor) -> torch.Tensor:
    """Round (N, 3, H, W) in [0, 1] to the nearest level, floor(255 x + 0.5), as uint8.

    Rounded, never truncated: truncation turns any negative change, however tiny, into a full -1, so a strength
    would mean nothing below about 3/255.
    """
    return frames.mul(255).add_(0.5).floor_().clamp_(0, 255).to(torch.uint8)
