"""Adapters of published picture metrics: the authors' tensors load unchanged and give the authors' scores.

The digests and the scores were computed with the authors' own code (repositories and commits in CASES), fed with the
same formula: tensors from a generator seeded by their names, pictures from sines. Downloads of ImageNet weights were
left out; all else was left as it is.
"""

import hashlib
import importlib
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from attacks import clean_gradient
from attacks.errors import InvalidFrames, MetricUnavailable
from attacks.metrics import create_metric, list_metrics
from attacks.metrics.preprocessing import resized

LINE = {"k": [7.5, 2.0, 3.0], "b": [61.25, 1.0, 2.0]}
SINGLE_STAGES = {"regr6.weight": (1, 64), "regr6.bias": (1,), "regr7.weight": (1, 64), "regr7.bias": (1,)}


class Case(NamedTuple):
    """digest: of the authors' names and shapes. score: of `picture(*size)`. spread: of normalisation's weights, small
    in residual networks, whose numbers explode otherwise. file: what the authors put around the state dict.
    """

    digest: str
    size: tuple[int, int]
    score: float
    spread: float = 1.0
    file: Callable[[dict], dict] = dict
    unused: dict = {}


CASES = {
    # icbcbicc/EONSS-demo @ 7e481ce
    "eonss": Case("b67e5207a36c68c9", (500, 363), -0.13829680, file=lambda s: {"state_dict": parallel(s)}),
    # lidq92/CNNIQA @ fb36830
    "cnniqa-live": Case("210a936008186e5d", (200, 129), 0.23795681),
    # truskovskiyk/nima.pytorch, branch v1 @ 1004620
    "nima-mobilenet": Case("a98a25b3f49f4157", (224, 224), 5.8114136),
    # h4nwei/SPAQ @ 03e2b1c
    "spaq": Case("5924e7acea458def", (340, 224), -3.3736031, 0.7, lambda s: {"state_dict": s, "epoch": 3}),
    # ZhengyuZhao/koniq-PyTorch @ 494a6bb
    "koncept512": Case("26c4e53b89f1eae7", (512, 384), -2.8662827),
    # lidq92/LinearityIQA @ cbed5e8
    "linearity": Case(
        "d79474eb3b5a3c90", (664, 498), 48.939513, 0.7, lambda s: {"model": s, "optimizer": {}, **LINE}, SINGLE_STAGES
    ),
}
SMALL = ("eonss", "cnniqa-live")
ALL = [name if name in SMALL else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
ROWS = {info.name: info for info in list_metrics()}


def parallel(state):
    return {f"module.{name}": tensor for name, tensor in state.items()}


def module_of(name):
    return importlib.import_module(ROWS[name].factory.partition(":")[0])


def authors_shapes(name):
    """Names and shapes of the published state dict, from the adapter's network."""
    state = module_of(name).network().state_dict()
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items() if key not in LINE}
    return shapes | CASES[name].unused


def formula(shapes, spread):
    """Tensors that anybody can make again from their names and shapes."""
    state = {}
    for name, shape in shapes.items():
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        elif name.endswith(("running_var", "gamma", "beta")):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif len(shape) == 1:
            normal = torch.randn(shape, generator=generator)
            state[name] = spread * (1 + 0.2 * normal) if name.endswith("weight") else 0.1 * normal
        else:
            state[name] = torch.randn(shape, generator=generator) * (2 / np.prod(shape[1:])) ** 0.5
    return state


def picture(width, height):
    """(1, 3, H, W) on whole 8-bit levels."""
    y, x = np.mgrid[:height, :width]
    planes = [127.5 + 100 * np.sin(x / (9 + 3 * c) + c) * np.cos(y / (7 + 2 * c)) for c in range(3)]
    return torch.from_numpy(np.round(np.stack(planes)))[None].float() / 255


@pytest.mark.parametrize("name", ALL)
def test_the_authors_tensors_give_the_authors_score(name, tmp_path):
    case, shapes = CASES[name], authors_shapes(name)
    lines = sorted(f"{key} {shape}" for key, shape in shapes.items() if not key.endswith("num_batches_tracked"))
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == case.digest
    path = tmp_path / ROWS[name].weights.name
    torch.save(case.file(formula(shapes, case.spread)), path)
    with torch.no_grad():
        score = create_metric(name, weights=path).score(picture(*case.size))
    assert score.item() == pytest.approx(case.score, rel=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_a_checkpoint_of_another_metric_is_refused(name, tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(64, 3, 7, 7)}}, path)
    with pytest.raises(MetricUnavailable, match=r"not a checkpoint of .*missing .*unknown \(backbone.conv1.weight\)"):
        create_metric(name, weights=path)


@pytest.mark.parametrize(
    ("name", "least"), [("eonss", 236), ("cnniqa-live", 33), pytest.param("spaq", 224, marks=pytest.mark.slow)]
)
def test_smaller_frames_are_refused(name, least):
    network = module_of(name).network().eval()
    assert network(torch.rand(1, 3, least, least)).isfinite().all()
    for size in ((least, least - 1), (least - 1, least)):
        with pytest.raises(InvalidFrames, match=f"{least}x{least}, got {size[1]}x{size[0]}"):
            network(torch.rand(1, 3, *size))


def test_real_weights_of_eonss_give_the_authors_score(shared_dir, monkeypatch):
    """Found under the name of the shared folder; the score is from the authors' code and EONSS_model.pt."""
    monkeypatch.setenv("METRIC_WEIGHTS_DIR", str(shared_dir / "weights"))
    with torch.no_grad():
        assert create_metric("eonss").score(picture(600, 400)).item() == pytest.approx(6.3598194, rel=1e-5)


@pytest.mark.slow
def test_rounding_of_the_grey_value_has_slope_one(tmp_path):
    """One step of gradient raises or lowers all channels in the proportion of their luma weights."""
    torch.save(formula(authors_shapes("cnniqa-live"), 1), tmp_path / "CNNIQA-LIVE")
    gradient = clean_gradient(picture(70, 70), create_metric("cnniqa-live", weights=tmp_path / "CNNIQA-LIVE")).gradient
    red, green, blue = gradient[0]
    assert green.abs().max() > 0
    torch.testing.assert_close(red * 38470, green * 19595, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(blue * 38470, green * 7471, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(97, 131), (33, 200), (300, 401)])
def test_resizing_is_pillows_but_for_rounding(size):
    noise = np.random.default_rng(0).integers(0, 40, (120, 160, 3))
    levels = (np.round(picture(160, 120)[0].permute(1, 2, 0).numpy() * 200) + noise).astype(np.uint8)
    expected = np.asarray(Image.fromarray(levels).resize(size[::-1], Image.Resampling.BILINEAR), dtype=float)
    ours = resized(torch.from_numpy(levels).permute(2, 0, 1)[None].float(), *size)[0].permute(1, 2, 0).numpy()
    assert np.abs(ours - expected).max() <= 1.01
    assert np.abs(ours - expected).mean() < 0.35


class Cubes(torch.nn.Module):
    def forward(self, squares):
        return squares.pow(3).flatten(1).mean(1)


# Width, height and the mean over the squares that Prepare_image.py gives, cubed.
SQUARES = (
    (600, 800, 0.0452984),
    (700, 512, 0.0531223),
    (511, 700, 0.0468303),
    (448, 336, 0.0486843),
    (224, 1000, 0.0561862),
)


@pytest.mark.slow
def test_spaq_takes_the_authors_squares():
    """Sizes that are resized and others, with the same stand-in for the network."""
    network = module_of("spaq").network()
    network.backbone = Cubes()
    for width, height, expected in SQUARES:
        y, x = np.mgrid[:height, :width]
        plane = torch.from_numpy(np.round(255 * (x / width) * (1 - y / height))).float() / 255
        assert network(plane.expand(1, 3, -1, -1)).item() == pytest.approx(expected, rel=1e-3), (width, height)
