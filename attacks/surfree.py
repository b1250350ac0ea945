"""SurFree: bring a point on the far side of a boundary nearer to where one started, by its side alone."""

import contextlib
import math
from collections.abc import Callable, Sequence

import torch

from attacks.dct import dct, inverse_dct, low_frequencies

__all__ = ["MOST_QUERIES", "surfree"]

# The constants of Yang et al. 2024.
MOST_QUERIES = 100
_ITERATIONS = 10
_FIRST_ANGLE = math.radians(30)
_ANGLE_FACTOR = 0.98
_ORTHOGONAL_TO = 10
_COSINE_TOLERANCE = 0.01
_BISECTIONS = 10
_FIRST_MIX = 0.8
_LOW_FREQUENCIES = 0.5

# Coefficients below this share of the largest are rounding.
_ZERO = 1e-6

Crosses = Callable[[Sequence[torch.Tensor]], list[bool]]


class _Spent(Exception):
    """No query is left; what was found so far stands."""


def surfree(
    origin: torch.Tensor,
    start: torch.Tensor,
    crosses: Crosses,
    project: Callable[[torch.Tensor], torch.Tensor],
    generator: torch.Generator,
    most_queries: int = MOST_QUERIES,
) -> torch.Tensor:
    """A point across the boundary that is nearer to `origin` than `start` is, or `start` itself.

    `origin` is a picture (3, H, W) on the near side, `start` one across. `crosses(pictures)` asks which of them lie
    across, in their order; it may leave off those after the first that does. Every answer is one query.
    `project` brings a picture into the set of those allowed, which holds origin and start. `generator` (on the CPU)
    draws the directions.

    Maho, Furon and Le Merrer 2021, in the form of Yang et al. 2024: a line search to the boundary, then 10 circles
    through origin, each in the plane of the present direction and of a random one from the lower half of the cosine
    spectrum, and a last line search.
    """
    search = _Search(origin, start, crosses, project, most_queries)
    with contextlib.suppress(_Spent):
        search.run(generator)
    return search.best


class _Search:
    def __init__(self, origin, start, crosses, project, most_queries):
        self._origin, self.best = origin, start
        self._crosses, self._project, self._left = crosses, project, most_queries

    def run(self, generator: torch.Generator) -> None:
        self._line_search()
        draw = _directions(self._origin, generator)
        angle, earlier = _FIRST_ANGLE, []
        for _ in range(_ITERATIONS):
            step = self.best - self._origin
            distance = step.norm()
            if not distance > 0:
                return
            along = step / distance
            across = _orthogonal(next(draw), [along, *earlier])
            if across is None:
                return
            earlier = [*earlier, across][-_ORTHOGONAL_TO:]
            circle = _Circle(self._origin, distance, along, across, self._project)
            sides = self._ask([circle.at(angle), circle.at(-angle)])
            if not any(sides):
                angle *= _ANGLE_FACTOR
                continue
            found = self._far_angle(circle, angle if sides[0] else -angle)
            angle /= _ANGLE_FACTOR
            self._take(circle.at(found))
        self._line_search()

    def _far_angle(self, circle: "_Circle", lower: float) -> float:
        """The largest angle found across, from `lower`, which is. The other side of `origin` mirrors this one."""
        step, upper, end = lower, 2 * lower, math.copysign(math.pi / 2, lower)
        try:
            while abs(upper) < math.pi / 2 and self._ask([circle.at(upper)])[0]:
                lower, upper = upper, upper + step
            if abs(upper) > math.pi / 2:
                upper = end
            for _ in range(_BISECTIONS):
                if math.cos(lower) - math.cos(upper) <= _COSINE_TOLERANCE:
                    break
                middle = (lower + upper) / 2
                both = [middle, -middle] if middle > 0 else [middle]
                sides = self._ask([circle.at(one) for one in both])
                if not any(sides):
                    upper = middle
                elif sides[0]:
                    lower = middle
                else:
                    lower, upper = -middle, -upper
        except _Spent:
            self._take(circle.at(lower))
            raise
        return lower

    def _line_search(self) -> None:
        """Nearest point across on the line from the origin to the best point."""
        far, near = self.best, 0.0
        share = 1.0
        for step in range(_BISECTIONS + 1):
            middle = _FIRST_MIX if step == 0 else (near + share) / 2
            point = self._project(self._origin + middle * (far - self._origin))
            if self._ask([point])[0]:
                share = middle
                self._take(point)
            else:
                near = middle

    def _ask(self, points: list[torch.Tensor]) -> list[bool]:
        if self._left < len(points):
            raise _Spent
        sides = self._crosses(points)
        self._left -= len(sides)
        return sides

    def _take(self, point: torch.Tensor) -> None:
        if (point - self._origin).norm() < (self.best - self._origin).norm():
            self.best = point


class _Circle:
    """origin + d cos(t) (cos(t) u + sin(t) v): the points from which the way to u d is seen under a right angle."""

    def __init__(self, origin, distance, along, across, project):
        self._origin, self._distance, self._along, self._across = origin, distance, along, across
        self._project = project

    def at(self, angle: float) -> torch.Tensor:
        radius = self._distance * math.cos(angle)
        point = self._origin + radius * (math.cos(angle) * self._along + math.sin(angle) * self._across)
        return self._project(point)


def _directions(picture: torch.Tensor, generator: torch.Generator):
    """Random pictures from the lower half of the spectrum, of frequencies that `picture` has."""
    spectrum = dct(picture).abs()
    there = (spectrum > _ZERO * spectrum.max()) & low_frequencies(*picture.shape[-2:], _LOW_FREQUENCIES).to(
        picture.device
    )
    while True:
        signs = torch.randint(-1, 2, picture.shape, generator=generator, dtype=torch.int8)
        yield inverse_dct(signs.to(picture.device) * there)


def _orthogonal(direction: torch.Tensor, others: list[torch.Tensor]) -> torch.Tensor | None:
    """Unit vector along what `direction` has beside `others`; None where that is nothing."""
    before = direction.norm()
    for other in others:
        direction = direction - (direction * other).sum() * other
    size = direction.norm()
    return direction / size if size > 1e-4 * before else None
