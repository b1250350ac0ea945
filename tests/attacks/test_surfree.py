"""SurFree on boundaries whose nearest point is known."""

import pytest
import torch

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
