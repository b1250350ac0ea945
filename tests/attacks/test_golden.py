"""Agreement with what the authors' public code printed (the shared folder's golden/README.md)."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional

from attacks import create_attack
from attacks.ioi import contrast_weight, high_frequency_mask
from attacks.metrics import wrap_module

CASES = [("lin", 0.02), ("cnn", 0.1)]


@pytest.fixture(scope="module")
def golden(shared_dir):
    with np.load(shared_dir / "golden" / "reference_attacks.npz") as stored:
        return dict(stored)


class StandInLinear(torch.nn.Module):
    def __init__(self, golden):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.from_numpy(golden["linW_a"]))

    def forward(self, frames):
        return (self.weight * frames).sum(dim=(1, 2, 3))


class StandInNet(torch.nn.Module):
    def __init__(self, golden):
        super().__init__()
        self.weights = {key: torch.from_numpy(golden["cnn_" + key]) for key in ("w1", "b1", "w2", "b2", "w3", "b3")}

    def forward(self, frames):
        w = self.weights
        maps = functional.softplus(functional.conv2d(2 * frames - 1, w["w1"], w["b1"], padding=1))
        maps = functional.softplus(functional.conv2d(maps, w["w2"], w["b2"], stride=2, padding=1))
        return 10 + 80 * torch.sigmoid(maps.mean(dim=(2, 3)) @ w["w3"].T + w["b3"])


def metric_of(golden, kind):
    module = {"lin": StandInLinear, "cnn": StandInNet}[kind](golden)
    return wrap_module(module, name=kind)


def as_frames(picture):
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255


def as_picture(frames):
    return frames[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("kind", "strength"), CASES)
class TestIOI:
    def case(self, golden, kind, strength, key):
        return golden[f"ioi_{kind}_lr{strength}_{key}"]

    def test_mask_bit_for_bit(self, golden, kind, strength):
        picture = golden["im_a"]
        bits = self.case(golden, kind, strength, "hf_mask")
        expected = np.unpackbits(bits)[: picture.size].reshape(picture.shape).astype(bool)
        assert np.array_equal(as_picture(high_frequency_mask(as_frames(picture), full=True)), expected)

    def test_weight(self, golden, kind, strength):
        weight = as_picture(contrast_weight(as_frames(golden["im_a"])))
        assert np.abs(weight - self.case(golden, kind, strength, "weight")).max() < 1e-5

    def test_gradient_sign(self, golden, kind, strength):
        frames, expected = as_frames(golden["im_a"]), self.case(golden, kind, strength, "grad")
        prepared = create_attack("fgsm").prepare(frames, metric_of(golden, kind))
        moved = np.sign(as_picture(prepared.at(strength) - frames))
        free = (golden["im_a"] > 0) & (golden["im_a"] < 255)
        assert (moved == np.sign(expected))[free].mean() > 0.9999

    def test_delta_from_the_notebooks_own_step(self, golden, kind, strength):
        frames = as_frames(golden["im_a"])
        step = as_frames(self.case(golden, kind, strength, "fgsm_uint8")) - frames
        spectrum = torch.fft.rfft2(255 * step) * high_frequency_mask(frames)
        delta = as_picture(torch.fft.irfft2(spectrum, s=step.shape[-2:]) * contrast_weight(frames))
        assert np.abs(delta - self.case(golden, kind, strength, "delta_clean")).max() < 1e-3
        expected = self.case(golden, kind, strength, "adv_float")
        assert np.abs(np.clip(golden["im_a"] + delta, 0, 255) - np.clip(expected, 0, 255)).max() <= 0.81

    def test_the_attack_itself(self, golden, kind, strength):
        """The notebook floors its step, by less than one level; its output lacks the coefficients at the threshold."""
        result = create_attack("ioi").perturb(as_frames(golden["im_a"]), metric_of(golden, kind), strength)
        clean = np.clip(golden["im_a"] + self.case(golden, kind, strength, "delta_clean"), 0, 255)
        assert np.abs(255 * as_picture(result) - clean).max() < 1
        assert np.abs(255 * as_picture(result) - clean).mean() < 0.15
        notebook = np.clip(self.case(golden, kind, strength, "adv_float"), 0, 255)
        assert np.abs(255 * as_picture(result) - notebook).max() < 1.81


@pytest.mark.parametrize(
    ("name", "options", "strength", "key"),
    [("fgsm", {}, 10 / 255, "sign_fgsm"), ("mifgsm", {}, 1 / 255, "sign_mifgsm")],
)
def test_sign_attacks_of_the_benchmark(golden, name, options, strength, key):
    frames, metric = as_frames(golden["sign_im"]), metric_of(golden, "cnn")
    assert float(metric.score(frames)) == pytest.approx(golden["sign_score_clean"].item(), abs=1e-3)
    result = create_attack(name, **options).perturb(frames, metric, strength)
    assert (np.abs(result.numpy() - golden[key]) < 1e-5).mean() >= 0.995
