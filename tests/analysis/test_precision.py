"""How sure a ranking can be: the planning formula."""

import math

import numpy
import pytest

from analysis import clips_needed, half_width, votes_needed


@pytest.mark.parametrize(
    ("votes", "expected"), [(10, 0.55), (20, 0.39), (30, 0.32), (50, 0.25), (100, 0.18), (200, 0.12), (400, 0.09)]
)
def test_the_table_of_clips_that_agree(votes, expected):
    """Ten conditions, all votes of a pair on one clip or spread over many: the same."""
    assert half_width(conditions=10, clips=1, votes=votes, clip_effect=0) == pytest.approx(expected, abs=0.006)
    assert half_width(conditions=10, clips=5, votes=votes / 5, clip_effect=0) == pytest.approx(expected, abs=0.006)


def test_what_is_needed_is_just_enough():
    for effect, votes, wanted in [(0.5, 10, 0.3), (0, 10, 0.3), (0.8, 6, 0.2)]:
        needed = clips_needed(conditions=10, votes=votes, clip_effect=effect, wanted=wanted)
        widths = [half_width(conditions=10, clips=n, votes=votes, clip_effect=effect) for n in (needed, needed - 1)]
        assert widths[0] <= wanted < widths[1]
    assert clips_needed(conditions=10, votes=10, clip_effect=0.5, wanted=0.3) == 25


def test_votes_make_up_for_clips_only_so_far():
    needed = votes_needed(conditions=10, clips=24, clip_effect=0.5, wanted=0.3)
    assert half_width(conditions=10, clips=24, votes=needed, clip_effect=0.5) <= 0.3
    assert half_width(conditions=10, clips=24, votes=needed - 1, clip_effect=0.5) > 0.3
    assert votes_needed(conditions=10, clips=20, clip_effect=0.5, wanted=0.3) is None


def pooled_fit(wins: numpy.ndarray) -> numpy.ndarray:
    """Bradley-Terry log-strengths, their mean 0, of (K,K) wins: Newton's method on the likelihood."""
    strengths = numpy.zeros(len(wins))
    games = wins + wins.T
    for _ in range(20):
        chance = 1 / (1 + numpy.exp(strengths[None] - strengths[:, None]))
        slope = (wins - games * chance).sum(1)
        weights = games * chance * (1 - chance)
        hessian = numpy.diag(weights.sum(1)) - weights
        strengths = strengths + numpy.linalg.pinv(hessian) @ slope
    return strengths


@pytest.mark.slow
@pytest.mark.parametrize(("clips", "votes", "effect"), [(10, 10, 0.5), (20, 10, 0.5), (40, 5, 0.5), (20, 10, 0.0)])
def test_simulated_studies_have_the_half_width(clips, votes, effect):
    """The designs of the planning table: the spread of the fitted differences over many studies is the formula's."""
    rng, conditions = numpy.random.default_rng(clips), 10
    true = numpy.linspace(-0.2, 0.2, conditions)
    differences = []
    for _ in range(400):
        per_clip = true + rng.normal(0, effect, (clips, conditions)) if effect else numpy.tile(true, (clips, 1))
        chance = 1 / (1 + numpy.exp(per_clip[:, None, :] - per_clip[:, :, None]))
        won = numpy.triu(rng.binomial(votes, chance).sum(0), 1)
        wins = won + numpy.tril((clips * votes - won).T, -1)
        differences.append(numpy.diff(pooled_fit(wins)))
    measured = 1.96 * numpy.std(differences, axis=0).mean()
    formula = half_width(conditions=conditions, clips=clips, votes=votes, clip_effect=effect)
    drawn_together = 1 / math.sqrt(1 + 0.346 * 2 * effect**2)
    assert measured == pytest.approx(formula * drawn_together, rel=0.05)
    assert measured <= formula * 1.03
