"""IOI, the Invisible One-Iteration attack (Shumitskaya, Antsiferova, Vatolin, ICML 2024).

One sign step whose strong (low-frequency) coefficients are taken out and which is
weighted by the local contrast of the picture:

    x_adv = Clip(x + w * IFFT(1_HF * FFT(Clip(x + strength * sign(gradient)) - x)))
"""

import torch
import torch.nn.functional as functional

from attacks.base import Attack, Prepared
from attacks.errors import InvalidFrames, InvalidOption
from attacks.frames import levels
from attacks.gradients import CleanGradient
from attacks.iterated import GradientAt, Iterated, Start
from attacks.metrics.base import TargetMetric
from attacks.options import OptionValue
from attacks.table import AttackInfo

__all__ = ["IOI", "contrast_weight", "high_frequency_mask"]

# Constants of the paper's weighting module.
_LEAST_WEIGHT = 0.01

# Coefficients that are equal in exact arithmetic differ by some 1e-15 of the largest
# after a float64 FFT; distinct ones of real pictures differ by far more than 1e-12.
_TIE_TOLERANCE = 1e-12
_LARGEST_TIE = 0.01
# Below this squared coefficient of variation a 3x3 window of values that are no
# 8-bit levels is constant up to float32 round-off.
_FLAT_TOLERANCE = 1e-10


def high_frequency_mask(frames: torch.Tensor, keep: float = 0.07, *, full: bool = False) -> torch.Tensor:
    """Which Fourier coefficients the perturbation may use: those that are weak in the clean picture.

    frames: (N, 3, H, W) float32 in [0, 1]. Per frame and channel, the threshold is the
    magnitude at index floor((1 - keep) H W) of the ascending magnitudes of the full
    unnormalised spectrum; the mask is True where the magnitude is below the threshold.

    Returns a bool tensor: the half spectrum (N, 3, H, W // 2 + 1) of rfft2, or with
    `full` the whole (N, 3, H, W) of fft2.

    Differs: the mask is symmetric by construction. Flat and synthetic pictures can have
    thousands of coefficients that equal the threshold (zero, often); where leaving them
    out would cost more than 1 % of the spectrum, they belong to the mask.
    """
    height, width = frames.shape[-2:]
    # In float64: neighbouring magnitudes of a large picture are closer than float32 rounding.
    spectrum = torch.fft.rfft2(levels(frames).double())
    power = spectrum.real.square().add_(spectrum.imag.square())
    index = _threshold_index(keep, height, width)
    threshold = _kth_smallest(power, index, width).sqrt()[..., None, None]
    tolerance = _TIE_TOLERANCE * power.amax(dim=(-2, -1), keepdim=True).sqrt()
    mask = power < (threshold - tolerance).clamp_(min=0).square_()
    tied = index - _count(mask, width) > _LARGEST_TIE * height * width
    if tied.any():
        mask = torch.where(tied[..., None, None], power <= (threshold + tolerance).square_(), mask)
    return _full_spectrum(mask, width) if full else mask


def contrast_weight(frames: torch.Tensor, *, mean_floor: float = 0.0, peak_quantile: float = 1.0) -> torch.Tensor:
    """Weight of the perturbation at each value: (N, 3, H, W) float32, 0 or within [0.1, 1].

    The coefficient of variation of the 3x3 window (standard deviation / mean, of 8-bit
    levels, 0 where the mean is 0), zero on the border, divided by its maximum over the
    pixels and channels of the frame, set to 0 below 0.01, square root.

    mean_floor: least mean, in levels, to divide by. peak_quantile: quantile that replaces
    the maximum; larger values count as 1. The paper has 0 and 1.

    Differs: a frame without any contrast gets the weight 0 (the authors' code divides 0 by 0).
    """
    variation = functional.pad(_coefficient_of_variation(levels(frames), mean_floor), (1, 1, 1, 1))
    values = variation.flatten(1)
    if peak_quantile < 1:
        index = min(int(peak_quantile * values.shape[1]), values.shape[1] - 1)
        peak = values.kthvalue(index + 1, dim=1).values
    else:
        peak = values.amax(dim=1)
    peak = peak.view(-1, 1, 1, 1)
    weight = torch.where(peak > 0, variation / peak, 0).clamp_(max=1)
    return weight.masked_fill_(weight < _LEAST_WEIGHT, 0).sqrt_()


class PreparedIOI(Iterated):
    """IOI on certain frames: the gradient's sign, and the clean frames' mask and weight (None: that module is off)."""

    def __init__(
        self,
        start: Start,
        *,
        iterations: int,
        mask: torch.Tensor | None,
        weight: torch.Tensor | None,
    ):
        super().__init__(start, iterations=iterations)
        self._mask = mask
        self._weight = weight

    def _walk(self, strength: float, gradient_at: GradientAt) -> torch.Tensor:
        step = strength / self._iterations
        stepped = torch.add(self._frames, self._clean.sign, alpha=step).clamp_(0, 1)
        for _ in range(self._iterations - 1):
            stepped.add_(gradient_at(self._shaped(stepped)).sign(), alpha=step).clamp_(0, 1)
        return self._shaped(stepped)

    def _shaped(self, stepped: torch.Tensor) -> torch.Tensor:
        """Clip(x + w * Re IFFT(1_HF * FFT(stepped - x))), the paper's output with one inverse transform."""
        perturbation = stepped - self._frames
        if self._mask is not None:
            spectrum = torch.fft.rfft2(perturbation).mul_(self._mask)
            perturbation = torch.fft.irfft2(spectrum, s=perturbation.shape[-2:])
        if self._weight is not None:
            perturbation.mul_(self._weight)
        return perturbation.add_(self._frames).clamp_(0, 1)


class IOI(Attack):
    """One forward and one backward of the metric; every further strength is one pair of FFTs.

    The paper's ablations: without `frequency` the step is weighted but not filtered, without
    `weighting` filtered but not weighted. Raises InvalidOption with neither, which is FGSM.

    Differs from the authors' code: nothing is truncated to 8 bits on the way, the caller
    rounds the result; constant frames have no weight, instead of turning black; the low band
    is not transformed forth and back, so no coefficient of the picture is lost. More than one
    of the `iterations` is ours: sign steps of strength / iterations add up in the perturbed
    picture that the modules shape, each gradient is taken at the shaped picture, and mask and
    weight stay those of the clean one.
    """

    def __init__(self, info: AttackInfo, options: dict[str, OptionValue]):
        super().__init__(info, options)
        if not (options["frequency"] or options["weighting"]):
            raise InvalidOption("ioi without frequency and without weighting is fgsm; take that, or leave one of them.")

    def _prepare(self, frames: torch.Tensor, metric: TargetMetric, clean: CleanGradient | None) -> Prepared:
        options = self.options
        if min(frames.shape[-2:]) < 3:
            raise InvalidFrames(f"ioi needs frames of at least 3x3 pixels, got {frames.shape[-1]}x{frames.shape[-2]}.")
        start = Start(frames, metric, *self._clean(frames, metric, clean))
        mask = weight = None
        with torch.no_grad():
            if options["frequency"]:
                mask = high_frequency_mask(frames, options["keep"])
            if options["weighting"]:
                weight = contrast_weight(
                    frames, mean_floor=options["mean_floor"], peak_quantile=options["peak_quantile"]
                )
        return PreparedIOI(start, iterations=self.iterations, mask=mask, weight=weight)


def _threshold_index(keep: float, height: int, width: int) -> int:
    """0-based index of the threshold; in double precision, as the authors compute it."""
    return min(int((1 - keep) * (height * width)), height * width - 1)


def _kth_smallest(half: torch.Tensor, index: int, width: int) -> torch.Tensor:
    """Value at the 0-based `index` of the ascending full spectrum; half is (..., H, W // 2 + 1), the result (...)."""
    everything = torch.cat([half.flatten(-2), half[..., _paired(width)].flatten(-2)], dim=-1)
    return everything.kthvalue(index + 1, dim=-1).values


def _count(half: torch.Tensor, width: int) -> torch.Tensor:
    """How many coefficients of the full spectrum a half mask (..., H, W // 2 + 1) stands for: (...)."""
    return half.sum(dim=(-2, -1)) + half[..., _paired(width)].sum(dim=(-2, -1))


def _paired(width: int) -> slice:
    """The columns of the half spectrum that stand for two of the full one: all but 0 and, for an even width, W / 2."""
    return slice(1, (width + 1) // 2)


def _full_spectrum(mask: torch.Tensor, width: int) -> torch.Tensor:
    """The mask at (-u, -v) is the mask at (u, v)."""
    mirrored = mask[..., _paired(width)].flip(-2, -1).roll(1, dims=-2)
    return torch.cat([mask, mirrored], dim=-1)


def _coefficient_of_variation(levels: torch.Tensor, mean_floor: float) -> torch.Tensor:
    """Standard deviation / mean of each 3x3 window that lies inside: (N, 3, H - 2, W - 2) float32.

    With S1, S2 the sums of the values and of their squares it is sqrt(9 S2 - S1^2) / S1.
    For 8-bit levels these are whole numbers below 2^24, so float32 is exact; other values
    take float64, and differences that are only the frames' float32 round-off count as none.
    """
    exact = bool((levels == levels.round()).all())
    values = levels if exact else levels.double()
    total = _window_sum(values)
    spread = _window_sum(values.square()).mul_(9).sub_(total.square())
    if not exact:
        spread.masked_fill_(spread <= _FLAT_TOLERANCE * total.square(), 0)
    if mean_floor:
        total = total.clamp(min=9 * mean_floor)
    spread.sqrt_().div_(total)
    # Only an all-zero window has a zero sum; its variation is defined as 0.
    return spread.nan_to_num_(nan=0.0).float()


def _window_sum(values: torch.Tensor) -> torch.Tensor:
    """Sums over the 3x3 windows that lie inside: (..., H, W) -> (..., H - 2, W - 2)."""
    rows = values[..., :-2, :] + values[..., 1:-1, :] + values[..., 2:, :]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
