"""The score-boundary attack: what it promises about boundaries, limits, queries and seeds."""

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import data

from attacks import clean_gradient, create_attack, scoreboundary, to_uint8
from attacks.errors import InvalidFrames, NoChange, NotDifferentiable
from attacks.metrics import create_metric, wrap_module
from attacks.trials import TrialSpace


class Brightness(torch.nn.Module):
    """50 + 1000 * mean of a smooth weight times the frame, counting what it is asked; or rounded to steps."""

    def __init__(self, steps=None, shift=0.0):
        super().__init__()
        self.asked, self._steps, self._shift = [], steps, shift

    def forward(self, frames):
        self.asked.append(len(frames))
        height, width = frames.shape[-2:]
        weight = torch.sin(torch.arange(height) / 5)[:, None] * torch.cos(torch.arange(width) / 7)
        scores = 50 + self._shift + 1000 * (weight * (frames - 0.5)).mean(dim=(1, 2, 3))
        return scores if self._steps is None else torch.round(scores.detach() / self._steps) * self._steps


def photograph(side=40, row=100, column=200):
    square = torch.from_numpy(data.astronaut()[row : row + side, column : column + side].copy())
    return square.permute(2, 0, 1)[None].float() / 255


def boundary_score(metric, frames, share):
    clean = float(metric.score(frames)[0])
    return clean + share * (metric.score_range[1] - clean)


def limit(frames):
    """0.38 of the just-noticeable difference (H, W), from the equations."""
    colour = to_uint8(frames)[0].permute(1, 2, 0).numpy()
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    edges = cv2.Canny(grey, 50, 150).astype(float)
    grey = grey.astype(float)
    spread = [ndimage.maximum_filter(one, 5) - ndimage.minimum_filter(one, 5) for one in (edges, grey - edges)]
    masking = 0.117 * (spread[0] + 3 * spread[1])
    adaptation = np.where(grey <= 127, 17 * (1 - np.sqrt(grey / 127)) + 3, 3 * (grey - 127) / 128 + 3)
    return 0.38 / 255 * (adaptation + masking - 0.3 * np.minimum(adaptation, masking))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.004, 0.02, 0.05])
def test_it_is_just_across_the_boundary_and_within_the_limit(share):
    frames, metric = photograph(), wrap_module(Brightness())
    prepared = create_attack("scoreboundary", queries=1500).prepare(frames, metric)
    result = prepared.at(share)
    clean, score = float(metric.score(frames)[0]), float(metric.score(result)[0])
    wanted = boundary_score(metric, frames, share)
    assert wanted - 1e-4 <= score <= wanted + 0.1 * (wanted - clean)
    change = (result - frames)[0].abs().amax(dim=0).numpy()
    assert (change <= limit(frames) + 1e-6).all()
    assert change.max() > 0


def test_trials_change_only_edges_and_what_is_salient():
    """Far from edges and from the odd one out, a trial leaves a picture as it is; SurFree spreads it."""
    generator = torch.Generator().manual_seed(0)
    frame = torch.full((3, 80, 160), 0.5)
    frame[:, 30:50, 20:40] = torch.rand(3, 20, 20, generator=generator)
    space = TrialSpace(frame)
    moved = torch.stack([space.moved(frame, pattern, 0.1) for pattern in range(10)])
    change = (moved - frame).abs().amax(dim=(0, 1))
    assert change[30:50, 20:40].max() > 0.01
    assert not change[:, 110:].any()
    assert len({one.numpy().tobytes() for one in moved}) > 1
    for pattern, factor in (next(space.draws(generator)) for _ in range(50)):
        assert 0 <= pattern < 10 and -0.1 <= factor <= 0.1


def test_trials_upon_trials_stay_within_the_limit():
    frames = photograph()
    space, picture, generator = TrialSpace(frames[0]), frames[0], torch.Generator().manual_seed(0)
    for _, draw in zip(range(100), space.draws(generator), strict=False):
        picture = space.moved(picture, draw[0], 10 * draw[1])
    change = (picture - frames[0]).abs().amax(dim=0).numpy()
    assert (change <= limit(frames) + 1e-6).all() and (change > 0.9 * limit(frames)).mean() > 0.01
    assert picture.min() >= 0 and picture.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 7, 64])
@pytest.mark.parametrize("queries", [1, 2, 10, 61, 400])
def test_every_query_is_counted_and_none_is_over_the_budget(queries, batch):
    module = Brightness()
    prepared = create_attack("scoreboundary", queries=queries, batch=batch).prepare(photograph(), wrap_module(module))
    try:
        prepared.at(0.2)
    except NoChange as error:
        assert queries <= 10 and "queries" in str(error)
    assert prepared.cost.metric_forwards == sum(module.asked) <= queries
    assert prepared.cost.metric_backwards == 0
    assert max(module.asked) <= batch
    assert sum(module.asked) >= queries // 2 or queries > 61


@pytest.mark.slow
def test_a_further_strength_costs_the_last_step_alone():
    module = Brightness()
    prepared = create_attack("scoreboundary", queries=2000).prepare(photograph(), wrap_module(module))
    prepared.at(0.05)
    for share in (0.03, 0.04, 0.012):
        before = prepared.cost.metric_forwards
        prepared.at(share)
        assert 0 < prepared.cost.metric_forwards - before <= 100


@pytest.mark.slow
def test_the_order_of_strengths_does_not_matter_and_the_seed_does():
    def prepare(seed=0):
        attack = create_attack("scoreboundary", queries=600, seed=seed)
        return attack.prepare(photograph(), wrap_module(Brightness()))

    up, down = prepare(), prepare()
    shares = (0.01, 0.03, 0.2)
    rising = [up.at(share) for share in shares]
    falling = [down.at(share) for share in reversed(shares)][::-1]
    assert all(torch.equal(one, other) for one, other in zip(rising, falling, strict=True))
    assert not torch.equal(prepare(seed=1).at(0.01), rising[0])


@pytest.mark.slow
def test_scores_rise_with_the_strength_up_to_what_is_reached():
    frames, metric = photograph(), wrap_module(Brightness())
    prepared = create_attack("scoreboundary", queries=1000).prepare(frames, metric)
    shares = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08)
    scores = [float(metric.score(prepared.at(share))[0]) for share in shares]
    assert scores == sorted(scores)
    top = [prepared.at(share) for share in (0.9, 1.0, 5.0)]
    assert float(metric.score(top[0])[0]) >= scores[-1]
    assert torch.equal(top[0], top[1]) and torch.equal(top[1], top[2])


def test_surfree_makes_the_change_smaller(monkeypatch):
    frames, metric = photograph(), wrap_module(Brightness())
    attack = create_attack("scoreboundary", queries=300)
    near = attack.perturb(frames, metric, 0.008)
    monkeypatch.setattr("attacks.scoreboundary.surfree", lambda origin, start, *_: start)
    assert (near - frames).norm() < 0.95 * (attack.perturb(frames, metric, 0.008) - frames).norm()


def test_a_metric_without_a_gradient_will_do():
    frames, metric = photograph(), wrap_module(Brightness(steps=0.25))
    with pytest.raises(NotDifferentiable, match="scoreboundary"):
        clean_gradient(frames, metric)
    result = create_attack("scoreboundary", queries=600).perturb(frames, metric, 0.02)
    assert metric.score(result) >= boundary_score(metric, frames, 0.02)


def test_lower_better_goes_down():
    frames, metric = photograph(), wrap_module(Brightness(), lower_better=True)
    result = create_attack("scoreboundary", queries=1000).perturb(frames, metric, 0.02)
    clean = metric.score(frames)
    assert clean - 0.022 * clean < metric.score(result) <= clean - 0.02 * clean + 1e-4


@pytest.mark.parametrize("shift", [55.0, 80.0])
def test_a_clean_score_at_or_beyond_the_end_of_the_range_takes_a_tenth_of_it_for_the_way(shift):
    frames, metric = photograph(), wrap_module(Brightness(shift=shift))
    clean = metric.score(frames)
    assert clean > 90
    score = metric.score(create_attack("scoreboundary", queries=1000).perturb(frames, metric, 0.1))
    assert clean + 1 <= score < clean + 1.2


@pytest.mark.slow
def test_frames_of_a_batch_are_attacked_one_by_one():
    pair = torch.cat([photograph(), photograph(row=300)])
    module = Brightness()
    attack = create_attack("scoreboundary", queries=300)
    prepared = attack.prepare(pair, wrap_module(module))
    together = prepared.at(0.02)
    assert prepared.cost.metric_forwards == sum(module.asked) / 2
    for index in range(2):
        assert torch.equal(attack.perturb(pair[index][None], wrap_module(Brightness()), 0.02)[0], together[index])


def test_flat_and_tiny_frames_are_named():
    metric = wrap_module(Brightness())
    with pytest.raises(NoChange, match="flat"):
        create_attack("scoreboundary", queries=300).perturb(torch.full((1, 3, 16, 16), 0.5), metric, 0.05)
    with pytest.raises(InvalidFrames, match="at least 8x8"):
        create_attack("scoreboundary").prepare(torch.rand(1, 3, 7, 40), metric)


@pytest.mark.parametrize(
    ("last", "boundary", "shares", "asked", "found", "crossed"),
    [
        (0.0, 0.01, [0.005, 0.015, 0.02], 200, 0.015, 0.01),  # the first across, not the best
        (0.0, 0.01, [0.031], 200, 0.031, 0.02),  # above b + 2 (b - last) = 0.03: half-way there
        (0.05, 0.06, [0.079], 200, 0.079, 0.06),
        (0.05, 0.06, [0.081], 200, 0.081, 0.07),
        (0.0, 0.01, [0.004], 400, 0.004, 0.0025),  # halved twice; what was asked counts for the lower boundary
        (0.04, 0.05, [0.046], 200, 0.046, 0.045),
        (0.0, 0.01, [0.001, 0.002], 600, 0.002, 0.002),  # never across: the best is the end
        (0.1, 0.1025, [0.05], 200, None, None),
        (0.1, 0.104, [0.05], 400, None, None),
    ],
)
def test_the_next_boundary_follows_the_trials(last, boundary, shares, asked, found, crossed, monkeypatch):
    """`shares` are the scores of the first trials, over and over, worked through by hand."""
    climb = scoreboundary._Climb(photograph()[0], wrap_module(Brightness()), queries=8000, batch=16, seed=0)
    climb._space, wanted = TrialSpace(photograph()[0]), []

    def ask(origin, draws, boundary):
        wanted.extend(draws)
        return [scoreboundary._Trial(*draw, shares[index % len(shares)]) for index, draw in enumerate(draws)]

    monkeypatch.setattr(climb, "_try", ask)
    result = climb._find_start(photograph()[0], last, boundary, 8000)
    assert len(wanted) == asked
    if found is None:
        assert result is None
        return
    assert result[0].share == found
    assert result[1] == pytest.approx(crossed) and result[1] < found
    assert len(set(wanted)) == asked


def test_a_round_goes_as_far_as_the_one_before(monkeypatch):
    """Boundaries b' of three rounds, and those that follow: b' + (b' - the one before)."""
    climb = scoreboundary._Climb(photograph()[0], wrap_module(Brightness()), queries=8000, batch=16, seed=0)
    crossed, wanted = iter([0.02, 0.03, 0.034]), []

    def find(origin, last, boundary, left):
        wanted.append((last, boundary))
        return scoreboundary._Trial(0, 0.01, 1.0), next(crossed)

    monkeypatch.setattr(climb, "_find_start", find)
    for _ in range(3):
        climb._add_round()
    assert wanted == [(0.0, 0.01), (0.02, pytest.approx(0.04)), (0.03, pytest.approx(0.04))]


def test_trials_and_rounds_come_to_an_end(monkeypatch):
    """6000 trials in all, and 20 rounds."""
    climb = scoreboundary._Climb(photograph()[0], wrap_module(Brightness()), queries=10**6, batch=16, seed=0)
    climb._space, climb._trials_asked, wanted = TrialSpace(photograph()[0]), 5950, []
    monkeypatch.setattr(climb, "_try", lambda _, draws, __: wanted.extend(draws) or [])
    assert climb._find_start(photograph()[0], 0.0, 0.01, 10**6) is None
    assert len(wanted) == 50 and climb._ended

    climb = scoreboundary._Climb(photograph()[0], wrap_module(Brightness()), queries=10**6, batch=16, seed=0)
    climb._space, frame = TrialSpace(photograph()[0]), photograph()[0]

    def add_round():
        trial = scoreboundary._Trial(0, 0.01, 1.0)
        climb._rounds.append(scoreboundary._Round(len(climb._rounds), frame, trial, 0.01 * len(climb._rounds), 1))

    monkeypatch.setattr(climb, "_add_round", add_round)
    climb.at(9.0)
    assert len(climb._rounds) == 20


def test_patterns_are_busy_squares_and_their_mirror_images_less_their_mean():
    frame = photograph()[0]
    space = TrialSpace(frame)
    space._region = torch.ones(1, 40, 40, dtype=torch.bool)
    patterns = [space._pattern(number) for number in range(10)]
    squares = frame.unfold(1, 20, 5).unfold(2, 20, 5).flatten(1, 2).transpose(0, 1)  # (place, 3, 20, 20)
    busiest = squares.mean(dim=1).flatten(1).var(dim=1).argsort(descending=True)[:5]
    for number, pattern in enumerate(patterns):
        assert pattern.mean(dim=(1, 2)).abs().max() < 1e-6
        square = squares[busiest[number // 2]]
        expected = square.flip(-1) if number % 2 else square
        expected = torch.cat([expected, expected.flip(1)], 1)
        expected = torch.cat([expected, expected.flip(2)], 2)
        torch.testing.assert_close(pattern, expected - expected.mean(dim=(1, 2), keepdim=True), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_demonstration_metric_is_fooled_within_500_queries():
    frames, metric = photograph(side=96, row=300, column=100), create_metric("demo")
    prepared = create_attack("scoreboundary", queries=500).prepare(frames, metric)
    rounded = to_uint8(prepared.at(0.05)).float() / 255
    assert prepared.cost.metric_forwards <= 500
    assert metric.score(rounded) > metric.score(frames) + 1
    assert (rounded - frames).square().mean().sqrt() < 6 / 255
