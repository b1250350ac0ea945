"""IOI against the paper's equations in plain NumPy: full spectrum, sorted magnitudes, explicit windows."""

import numpy as np
import pytest
import torch

from attacks import clean_gradient, create_attack
from attacks.errors import InvalidFrames, InvalidOption, NoChange
from attacks.ioi import contrast_weight, high_frequency_mask


def plain_mask(levels, keep):
    """levels (H, W) -> mask (H, W): magnitudes below the sorted one at floor((1 - keep) H W)."""
    magnitude = np.abs(np.fft.fft2(levels))
    return magnitude < np.sort(magnitude.ravel())[int((1 - keep) * levels.size)]


def oracle_mask(levels, keep):
    """The same without a pair at the threshold that the rounding of the full FFT has torn apart."""
    mask = plain_mask(levels, keep)
    mirrored = np.roll(mask[::-1, ::-1], 1, axis=(0, 1))
    assert (mask ^ mirrored).sum() <= 2
    return mask & mirrored


def oracle_weight(levels, mean_floor=0.0):
    """levels (3, H, W) -> weight (3, H, W)."""
    variation = np.zeros_like(levels)
    for c, y, x in np.ndindex(levels.shape[0], levels.shape[1] - 2, levels.shape[2] - 2):
        window = levels[c, y : y + 3, x : x + 3]
        variation[c, y + 1, x + 1] = window.std() / (max(window.mean(), mean_floor) or 1)
    weight = variation / variation.max() if variation.max() > 0 else variation
    return np.sqrt(np.where(weight < 0.01, 0, weight))


def oracle_attack(levels, sign, strength, keep=0.07, frequency=True, weighting=True):
    stepped = 255 * np.clip(levels / 255 + strength * sign, 0, 1)
    change = stepped - levels
    if frequency:
        pairs = zip(levels, change, strict=True)
        change = np.stack([np.fft.ifft2(oracle_mask(x, keep) * np.fft.fft2(d)).real for x, d in pairs])
    if weighting:
        change = oracle_weight(levels) * change
    return np.clip(levels + change, 0, 255), stepped


def picture(height, width, seed=0):
    """A smooth scene with texture and noise on whole 8-bit levels, (3, H, W) float64; some values at 0 and 255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    scene = 120 + 90 * np.sin(x / 7 + np.arange(3)[:, None, None]) * np.cos(y / 5) + 30 * ((x // 4 + y // 4) % 2)
    return np.clip(np.round(scene + rng.normal(0, 6, (3, height, width))), 0, 255)


def as_frames(*pictures):
    return torch.from_numpy(np.stack(pictures)).float() / 255


SIZES = [(24, 32), (23, 31), (24, 31), (23, 32), (3, 3), (40, 17)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("keep", [0.07, 0.5, 0.01])
def test_mask_is_the_sorted_full_spectrum(size, keep):
    levels = picture(*size)
    mask = high_frequency_mask(as_frames(levels), keep, full=True)[0].numpy()
    assert np.array_equal(mask, np.stack([oracle_mask(channel, keep) for channel in levels]))


@pytest.mark.parametrize("size", SIZES)
def test_mask_is_symmetric_and_the_half_is_half_of_it(size, seeded_frames):
    frames = seeded_frames(2, *size)
    half, full = high_frequency_mask(frames), high_frequency_mask(frames, full=True)
    assert full.shape == frames.shape
    assert torch.equal(full[..., : size[1] // 2 + 1], half)
    assert torch.equal(full, full.flip(-1, -2).roll((1, 1), dims=(-2, -1)))


def test_threshold_index_of_full_hd():
    """Double precision as the authors compute it: one below the exact product."""
    from attacks.ioi import _threshold_index

    assert _threshold_index(0.07, 1080, 1920) == 1_928_447
    assert _threshold_index(0.0, 10, 10) == 99


@pytest.mark.parametrize("size", SIZES)
def test_weight_is_the_local_coefficient_of_variation(size):
    levels = picture(*size)
    weight = contrast_weight(as_frames(levels))[0].numpy()
    assert np.abs(weight - oracle_weight(levels)).max() < 1e-6


def test_weight_of_values_between_levels():
    levels = picture(24, 32) * 0.937 + 0.31
    weight = contrast_weight(as_frames(levels))[0].numpy()
    assert np.abs(weight - oracle_weight(levels)).max() < 1e-4


@pytest.mark.slow
def test_weight_of_a_mixed_batch_is_that_of_its_frames():
    frames = as_frames(picture(24, 32), picture(24, 32, seed=1) * 0.937 + 0.31)
    alone = torch.cat([contrast_weight(frame[None]) for frame in frames])
    torch.testing.assert_close(contrast_weight(frames), alone, rtol=0, atol=1e-5)


def test_dark_flat_and_bright_flat_areas_get_no_weight():
    levels = np.zeros((3, 12, 12))
    levels[:, :, 6:] = 255
    weight = contrast_weight(as_frames(levels))[0].numpy()
    assert (weight[:, 1:-1, 1:5] == 0).all() and (weight[:, 1:-1, 7:11] == 0).all()
    assert weight.max() == 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("strength", [0.02, 0.1, 0.6])
def test_attack_is_the_equations(size, strength, make_metric):
    levels, metric = picture(*size), make_metric("linear", *size)
    sign = metric._module.weight.detach().sign().numpy()
    expected, stepped = oracle_attack(levels, sign, strength)
    result = 255 * create_attack("ioi").perturb(as_frames(levels), metric, strength)[0].numpy()
    assert np.abs(result - expected).max() < 2e-2
    # Theorem 1's rigorous part: no value changes by more than MAE*, per channel.
    bound = np.abs(np.fft.fft2(stepped - levels)).mean(axis=(1, 2))
    assert (np.abs(result - levels).max(axis=(1, 2)) <= bound + 1e-3).all()


@pytest.mark.parametrize("modules", [{"frequency": False}, {"weighting": False}])
@pytest.mark.parametrize("size", [(24, 32), (23, 31)])
def test_ablations_leave_one_module_out(modules, size, make_metric):
    levels, metric = picture(*size), make_metric("linear", *size)
    expected, _ = oracle_attack(levels, metric._module.weight.detach().sign().numpy(), 0.1, **modules)
    result = 255 * create_attack("ioi", **modules).perturb(as_frames(levels), metric, 0.1)[0].numpy()
    assert np.abs(result - expected).max() < 2e-2


def test_without_both_modules_it_is_refused_as_fgsm():
    with pytest.raises(InvalidOption, match="fgsm"):
        create_attack("ioi", frequency=False, weighting="no")


@pytest.mark.parametrize("modules", [{}, {"frequency": False}, {"weighting": False}])
def test_iterations_walk_in_the_perturbed_picture(modules, make_metric, make_module):
    """x^p gathers the sign steps; gradients are taken at what the modules of the clean picture make of it."""
    levels, module, steps, strength = picture(23, 32), make_module("net").double(), 3, 0.06
    shaped, stepped = levels, levels
    for _ in range(steps):
        leaf = torch.from_numpy(shaped / 255)[None].requires_grad_(True)
        sign = torch.autograd.grad(module(leaf).sum(), leaf)[0].sign()[0].numpy()
        stepped = np.clip(stepped + 255 * strength / steps * sign, 0, 255)
        # A step that leads from the clean picture to `stepped`.
        shaped, reached = oracle_attack(levels, (stepped - levels) / 255, 1.0, **modules)
        assert np.allclose(reached, stepped)
    result = create_attack("ioi", iterations=steps, **modules).perturb(as_frames(levels), make_metric("net"), strength)
    assert (np.abs(255 * result[0].numpy() - shaped) > 2e-2).mean() < 2e-3


def test_the_first_slope_does_not_depend_on_the_iterations(seeded_frames, make_metric):
    frames, metric = seeded_frames(2, 24, 32), make_metric("net")
    clean = clean_gradient(frames, metric)
    before = clean.gradient.clone()
    slopes = [create_attack("ioi", iterations=n).prepare(frames, metric, clean=clean).initial_slope() for n in (1, 3)]
    torch.testing.assert_close(slopes[1], slopes[0], rtol=0.01, atol=0)
    assert torch.equal(clean.gradient, before)


@pytest.mark.parametrize("value", [0.0, 0.37, 128 / 255, 1.0])
@pytest.mark.parametrize("size", [(24, 32), (23, 31)])
def test_constant_frames_stay_as_they_are(value, size, seeded_frames, make_metric):
    flat = torch.full((1, 3, *size), value)
    with pytest.raises(NoChange, match="ioi"):
        create_attack("ioi").perturb(flat, make_metric("net"), 0.1)
    both = torch.cat([flat, seeded_frames(1, *size)])
    assert torch.equal(create_attack("ioi").perturb(both, make_metric("net"), 0.1)[:1], flat)


@pytest.mark.parametrize("value", [0.1, 0.37, 0.62, 0.99])
def test_float32_round_off_is_no_contrast(value):
    frames = torch.full((1, 3, 24, 32), value)
    frames[..., ::2] = torch.nextafter(frames[..., ::2], torch.tensor(1.0))
    assert (contrast_weight(frames) == 0).all()


def test_flat_halves_keep_their_high_frequencies():
    """Nearly all coefficients tie at zero; leaving ties out would leave no high band at all."""
    frames = torch.zeros(1, 3, 24, 32)
    frames[..., 16:] = 0.5
    assert high_frequency_mask(frames, full=True).float().mean() > 0.9


def test_the_strong_coefficients_are_never_touched(make_metric):
    levels = 64 + picture(24, 32) / 2
    frames = as_frames(np.round(levels))
    strong = ~high_frequency_mask(frames, full=True)
    assert strong.float().mean() == pytest.approx(0.07, abs=0.01)
    change = create_attack("ioi", weighting=False).perturb(frames, make_metric("net"), 0.1) - frames
    spectrum = torch.fft.fft2(change).abs()
    assert spectrum[strong].max() < 1e-4 * spectrum.max()


def test_keep_takes_strength_away(seeded_frames, make_metric):
    frames, metric = as_frames(picture(24, 32)), make_metric("net")
    changes = [
        float((create_attack("ioi", keep=keep).perturb(frames, metric, 0.1) - frames).square().mean())
        for keep in (0.0, 0.07, 0.5, 0.9)
    ]
    assert changes == sorted(changes, reverse=True) and changes[-1] < changes[0] / 2


class TestRobustVariants:
    def noisy_dark_pixel(self):
        levels = np.full((3, 24, 32), 100.0) + picture(24, 32) / 50
        levels = np.round(levels)
        levels[:, :6, :6] = 0
        levels[:, 3, 3] = 1
        return as_frames(levels)

    def test_one_dark_pixel_decides_by_default(self):
        weight = contrast_weight(self.noisy_dark_pixel())
        assert weight[..., 10:-1, 10:-1].max() < 0.2

    @pytest.mark.parametrize("mean_floor", [1.0, 80.0])
    def test_mean_floor_is_the_equation(self, mean_floor):
        levels = picture(24, 32)
        weight = contrast_weight(as_frames(levels), mean_floor=mean_floor)[0].numpy()
        assert np.abs(weight - oracle_weight(levels, mean_floor)).max() < 1e-6

    def test_mean_floor(self):
        floored = contrast_weight(self.noisy_dark_pixel(), mean_floor=50.0)
        assert floored[..., 2:5, 2:5].max() < contrast_weight(self.noisy_dark_pixel())[..., 2:5, 2:5].max() / 2

    def test_mean_floor_leaves_brighter_windows_alone(self):
        frames = as_frames(np.maximum(picture(24, 32), 1))
        assert torch.equal(contrast_weight(frames, mean_floor=1.0), contrast_weight(frames))

    def test_peak_quantile(self):
        frames = as_frames(picture(24, 32))
        published, robust = contrast_weight(frames), contrast_weight(frames, peak_quantile=0.9)
        assert (robust == 1).float().mean() == pytest.approx(0.1, abs=0.02)
        assert (robust >= published).all() and robust.max() == 1

    def test_options_reach_the_attack(self, make_metric):
        frames, metric = as_frames(picture(24, 32)), make_metric("net")
        published = create_attack("ioi").perturb(frames, metric, 0.1)
        robust = create_attack("ioi", peak_quantile=0.9).perturb(frames, metric, 0.1)
        assert (robust - frames).abs().mean() > (published - frames).abs().mean()


@pytest.mark.parametrize("options", [{"keep": 1.0}, {"keep": -0.1}, {"peak_quantile": 2}, {"mean_floor": "a"}])
def test_bad_options(options):
    with pytest.raises(InvalidOption, match="must be a number"):
        create_attack("ioi", **options)


def test_frames_without_a_whole_window_are_refused(make_metric):
    with pytest.raises(InvalidFrames, match="3x3"):
        create_attack("ioi").prepare(torch.zeros(1, 3, 2, 8), make_metric("net"))
