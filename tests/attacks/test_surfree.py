"""SurFree on boundaries whose nearest point is known."""

import math

import numpy as np
import pytest
import torch
from scipy.fft import dctn

from attacks import surfree as module
from attacks.surfree import surfree


class HalfSpace:
    """Across: (x - origin) w > 1; the nearest point across is at distance 1 / |w|."""

    def __init__(self, stop_at_first=False):
        generator = torch.Generator().manual_seed(0)
        self.origin = torch.rand(3, 12, 16, generator=generator) * 0.2 + 0.4
        rows, columns = torch.meshgrid(torch.arange(12) / 12, torch.arange(16) / 16, indexing="ij")
        self.weight = (torch.sin(3 * rows) * torch.cos(2 * columns)).expand(3, -1, -1)
        self.start = self.origin + 0.02 * torch.randn(3, 12, 16, generator=generator) + 0.001 * self.weight
        self.start = self.origin + (self.start - self.origin) * 1.5 / float(self.value(self.start))
        self.asked, self._stop = 0, stop_at_first

    def value(self, point):
        return ((point - self.origin) * self.weight).sum()

    def crosses(self, points):
        sides = []
        for point in points:
            self.asked += 1
            sides.append(bool(self.value(point) > 1))
            if self._stop and sides[-1]:
                break
        return sides

    def run(self, most_queries, seed=0, project=lambda point: point):
        generator = torch.Generator().manual_seed(seed)
        return surfree(self.origin, self.start, self.crosses, project, generator, most_queries)

    def distance(self, point):
        return float((point - self.origin).norm())


@pytest.mark.parametrize("stop_at_first", [False, True])
def test_it_comes_nearer_than_the_line_and_stays_across(stop_at_first):
    space = HalfSpace(stop_at_first)
    result = space.run(1000)
    on_the_line = space.distance(space.start) / 1.5
    assert space.value(result) > 1
    assert 1 / float(space.weight.norm()) <= space.distance(result) < 0.97 * on_the_line
    assert space.distance(space.run(1000, seed=3)) < 0.97 * on_the_line


@pytest.mark.parametrize("most", [0, 1, 2, 11, 12, 13, 20, 40])
def test_never_more_queries_than_allowed_and_never_worse(most):
    space = HalfSpace()
    result = space.run(most)
    assert space.asked <= most
    assert space.asked >= most - 1  # two are asked at a time
    assert space.value(result) > 1
    assert space.distance(result) <= space.distance(space.start)


def test_the_line_search_alone_finds_the_boundary_on_the_line():
    """One query at 0.8 of the way and ten halvings: within 1/1024 of the start's distance."""
    space = HalfSpace()
    result = space.run(11)
    torch.testing.assert_close(
        (result - space.origin) / (space.start - space.origin).norm(),
        (space.start - space.origin) / (space.start - space.origin).norm() / 1.5,
        atol=1e-3,
        rtol=0,
    )
    assert space.distance(result) / space.distance(space.start) == pytest.approx(1 / 1.5, abs=1 / 1024)


def test_every_point_asked_and_given_is_an_allowed_one():
    space = HalfSpace()
    low, high = torch.minimum(space.origin, space.start) - 0.001, torch.maximum(space.origin, space.start) + 0.001
    inner = space.crosses

    def crosses(points):
        assert all((point >= low).all() and (point <= high).all() for point in points)
        return inner(points)

    space.crosses = crosses
    result = space.run(200, project=lambda point: point.clamp(low, high))
    assert (result >= low).all() and (result <= high).all() and space.value(result) > 1


def test_same_seed_same_bytes():
    assert torch.equal(HalfSpace().run(100), HalfSpace().run(100))
    assert not torch.equal(HalfSpace().run(100), HalfSpace().run(100, seed=1))


def test_where_it_looks_when_nothing_is_across():
    """The first mixture, then both sides of circles through the origin whose planes are new each time."""
    space, asked = HalfSpace(), []

    def never(points):
        asked.extend(points)
        return [False] * len(points)

    space.crosses = never
    assert torch.equal(space.run(1000), space.start)
    step = (space.start - space.origin).double()
    mixtures = [float(((point - space.origin).double() * step).sum() / step.square().sum()) for point in asked[:11]]
    assert mixtures[:3] == pytest.approx([0.8, 0.9, 0.95], abs=1e-5)
    sides = [(point - space.origin).double() for point in asked[11:31]]
    assert len(asked) == 2 * 11 + 20
    across = [(one - other).flatten() for one, other in zip(sides[::2], sides[1::2], strict=True)]
    for number, (one, other) in enumerate(zip(sides[::2], sides[1::2], strict=True)):
        angle = math.radians(30) * 0.98**number
        middle = (one + other) / 2
        torch.testing.assert_close(middle, math.cos(angle) ** 2 * step, rtol=1e-3, atol=1e-5)
        assert float((one - other).norm()) == pytest.approx(math.sin(2 * angle) * float(step.norm()), rel=1e-3)
        for earlier in across[:number]:
            assert abs(float(across[number] @ earlier)) < 1e-3 * float(earlier.norm() * across[number].norm())


def test_after_a_circle_that_met_the_far_side_the_next_angle_is_wider():
    """Across at +30 degrees of the first circle alone: 60 is not, nor is what five halvings ask."""
    space, calls = HalfSpace(), []

    def crosses(points):
        calls.append(list(points))
        return [len(calls) == 12 and point is points[0] for point in points]

    space.crosses = crosses
    result = space.run(1000)
    distance = space.distance(space.start) * math.cos(math.radians(30))
    assert space.distance(result) == pytest.approx(distance, rel=1e-4)
    assert [len(points) for points in calls[11:20]] == [2, 1, 2, 2, 2, 2, 2, 2, 2]
    one, other = calls[18]
    assert float((one - other).norm()) == pytest.approx(distance * math.sin(math.radians(60 / 0.98)), rel=1e-3)


@pytest.mark.parametrize("limit", [31, 44, 50, 61, 75, 89])
@pytest.mark.parametrize("side", [1, -1])
def test_the_angle_found_is_the_largest_across_to_a_hundredth_of_its_cosine(limit, side):
    """Points are their angles here; those from 0 to the limit lie across."""

    class Angles:
        def at(self, angle):
            return angle

    def crosses(points):
        return [0 < point * side <= math.radians(limit) for point in points]

    search = module._Search(0.0, 1.0, crosses, None, 1000)
    found = side * search._far_angle(Angles(), side * math.radians(30))
    assert math.radians(30) <= found <= math.radians(limit)
    assert math.cos(found) - math.cos(math.radians(limit)) <= 0.01


def test_directions_are_signs_of_the_lower_half_of_the_spectrum():
    picture = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    draw = module._directions(picture, torch.Generator().manual_seed(0))
    spectra = np.stack([dctn(next(draw).numpy(), axes=(1, 2), norm="ortho") for _ in range(20)])
    signs = spectra.round()
    np.testing.assert_allclose(spectra, signs, atol=1e-4)
    diagonals = np.add.outer(np.arange(24), np.arange(32))
    used = np.abs(signs).max(axis=0) > 0
    whole = max(count for count in range(56) if (diagonals < count).sum() <= 24 * 32 / 2)
    assert used[:, diagonals < whole].mean() > 0.999 and not used[:, diagonals > whole].any()
    for sign in (-1, 0, 1):
        assert (signs[:, :, diagonals < whole] == sign).mean() == pytest.approx(1 / 3, abs=0.01)
