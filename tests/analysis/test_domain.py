"""Maps between the domains of metrics: quantiles against the assignment problem, the published maps against torch."""

import io
import os
import pickle
import pickletools

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from analysis import QuantileMap, read_scores, read_transports, robustness_scores
from analysis.errors import ConstantScores, InvalidOption, InvalidTransport, TooFewScores
from analysis.robustness.score_domains import transformed

RNG = np.random.default_rng(11)


def test_clear_scores_go_to_the_quantiles_of_the_reference_at_the_least_cost():
    for _ in range(20):
        x, y = RNG.normal(50, 10, 12), RNG.gamma(2, 1, 12)
        mapped = QuantileMap.fit(x, y)(x)
        np.testing.assert_allclose(np.sort(mapped), np.sort(y), atol=1e-12)
        cost = (x[:, None] - y[None, :]) ** 2
        rows, columns = linear_sum_assignment(cost)
        assert ((x - mapped) ** 2).sum() == pytest.approx(cost[rows, columns].sum(), rel=1e-12)
        np.testing.assert_allclose(mapped[rows], y[columns], atol=1e-12)


def test_between_other_sizes_and_ties_it_is_monotone_and_keeps_the_distribution():
    x, y = RNG.integers(0, 5, 40).astype(float), RNG.random(400)
    carry = QuantileMap.fit(x, y)
    assert (np.diff(carry(np.linspace(-3, 9, 500))) >= 0).all()
    assert carry(x).mean() == pytest.approx(y.mean(), abs=0.005)
    same = QuantileMap.fit(y, y)
    np.testing.assert_allclose(same(y), y, atol=1e-12)


def test_directions():
    x, y = RNG.random(30), RNG.random(30)
    best = {False: np.argmax, True: np.argmin}
    for metric in (False, True):
        for reference in (False, True):
            mapped = QuantileMap.fit(x, y, lower_better=metric, reference_lower_better=reference)(x)
            assert best[metric](x) == best[reference](mapped)
            np.testing.assert_allclose(np.sort(mapped), np.sort(y), atol=1e-12)


def test_beyond_the_clear_range_the_share_of_the_range_is_kept():
    x, y = RNG.random(30) * 80, 5 + RNG.random(30)
    carry = QuantileMap.fit(x, y)
    for out in (x.max() + 0.3 * np.ptp(x), x.max() + 1e-9, x.min() - 0.7 * np.ptp(x)):
        share = (out - x.min()) / np.ptp(x)
        mapped = (carry(out) - y.min()) / np.ptp(y)
        assert mapped == pytest.approx(share, abs=1e-6)


def test_maps_that_cannot_be_fitted():
    with pytest.raises(ConstantScores, match="all clear scores of the metric are 1"):
        QuantileMap.fit([1, 1], [1, 2])
    with pytest.raises(TooFewScores, match="of the reference metric or more, got 1"):
        QuantileMap.fit([1, 2], [1])


class Scaler:
    def __init__(self, low, high):
        self.data_min_, self.data_max_ = np.array([low]), np.array([high])


def published_file(path, names=("maniqa", "koncept"), low=10.0):
    """As the benchmark's file: a pickle of networks and scalers; returns the networks."""
    torch.manual_seed(2)
    layers = [torch.nn.Linear(2, 7), torch.nn.ReLU(), torch.nn.Linear(7, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)]
    models = {name: torch.nn.Sequential(*layers) for name in names}
    scalers = {name: {"X": Scaler(low, 30.0), "Y": Scaler(0.4, 0.7)} for name in names}
    path.write_bytes(pickle.dumps({"domain": "mdtvsfa", "models": models, "scalers": scalers}, protocol=4))
    return models


def test_published_maps_are_what_torch_makes_of_them(tmp_path):
    network = published_file(tmp_path / "maps.pth")["maniqa"].double()
    scores = np.array([[12.0, 25.0], [33.0, 12.0]])
    found = read_transports(tmp_path / "maps.pth")["maniqa"](scores)
    noise = 0.1 * torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        for at in np.ndindex(2, 2):
            scaled = torch.full_like(noise, (scores[at] - 10) / 20)
            assert found[at] == pytest.approx(network(torch.stack((scaled, noise), 1)).mean().item(), abs=2e-4)
    assert found[0, 0] == found[1, 1]


def test_nothing_in_a_file_of_maps_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'ran'}",)

    (tmp_path / "maps.pth").write_bytes(pickle.dumps({"models": {"maniqa": Evil()}, "scalers": {"maniqa": Evil()}}))
    with pytest.raises(InvalidTransport, match="cannot be read as the benchmark's maps"):
        read_transports(tmp_path / "maps.pth")
    assert not (tmp_path / "ran").exists()


def test_damaged_files_of_maps(tmp_path):
    published_file(tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, buffer)
    position = next(at for op, _, at in pickletools.genops(whole) if op.name == "BINBYTES")
    nothing = pickle.dumps({"models": {}, "scalers": {}})
    published_file(tmp_path / "reversed.pth", low=40.0)
    published_file(tmp_path / "infinite.pth", low=-np.inf)
    others = [(tmp_path / name).read_bytes() for name in ("reversed.pth", "infinite.pth")]
    for content in (nothing, *others, b"", whole[: len(whole) // 2], buffer.getvalue(), b"text", whole[:position]):
        (tmp_path / "maps.pth").write_bytes(content)
        with pytest.raises(InvalidTransport, match=r"maps\.pth cannot be read") as caught:
            read_transports(tmp_path / "maps.pth")
        assert "\n" not in str(caught.value)
    with pytest.raises(InvalidTransport, match="No such file"):
        read_transports(tmp_path / "none.pth")


def test_a_table_in_the_domain_of_a_reference(score_file):
    scores = read_scores(score_file(metrics=("maniqa", "niqe")))
    mapped, domain = transformed(scores, "quantile", reference_metric="maniqa")
    assert (domain.reference_metric, mapped["lower_better"].any()) == ("maniqa", False)
    own, other = (mapped[mapped["metric"] == metric] for metric in ("maniqa", "niqe"))
    np.testing.assert_array_equal(own["attacked"], scores.loc[own.index, "attacked"])
    # The fixture's metrics see the same frames and differ in scale and direction alone.
    gains = [robustness_scores(rows["clear"], rows["attacked"]).absolute_gain.mean for rows in (own, other)]
    assert gains[0] == pytest.approx(gains[1], abs=0.02)
    assert gains[0] > 0


def test_domains_that_do_not_fit_are_refused(score_file, tmp_path):
    scores = read_scores(score_file(metrics=("maniqa", "niqe")))
    maps = tmp_path / "maps.pth"
    published_file(maps)
    for options, error, says in (
        ({"domain": "other"}, InvalidOption, "expected raw, quantile or neural"),
        ({"domain": "quantile"}, InvalidOption, "needs a reference metric; choose one of the scores': maniqa, niqe"),
        ({"domain": "quantile", "reference_metric": "x"}, InvalidOption, "has no metric 'x'"),
        ({"domain": "raw", "reference_metric": "niqe"}, InvalidOption, "leave it out"),
        ({"domain": "raw", "transport": maps}, InvalidOption, "leave it out"),
        ({"domain": "neural"}, InvalidOption, "models_to_mdtvsfa_1d.pth"),
        ({"domain": "neural", "transport": maps}, InvalidTransport, "no map for niqe, only for koncept512, maniqa"),
    ):
        with pytest.raises(error, match=says):
            transformed(scores, **options)
    one = scores[scores["metric"] == "maniqa"]
    with pytest.raises(InvalidTransport, match="fitted on scores from 10 to 30"):
        transformed(one, "neural", transport=maps)
    shifted = one.assign(clear=one["clear"] + 20, attacked=one["attacked"] + 20)
    mapped, domain = transformed(shifted, "neural", transport=maps)
    assert domain.reference_metric == "mdtvsfa"
    np.testing.assert_allclose(mapped["clear"], read_transports(maps)["maniqa"](shifted["clear"]))
