"""Who answers with attention: a mixture of a few characters of participants, fitted by EM.

Each participant has one character throughout (after Dawid & Skene 1979, Applied Statistics 28, 20-28, with characters
in place of error rates per person). With d the score of the condition on the left minus that of the one on the right,
and answers that are ties left aside:

    attentive   P(left) = 1 / (1 + exp(-d)) with d of the person's own taste, which spreads about the crowd's
    random      P(left) = 1/2
    left        P(left) = 1 - SLIP, whatever is shown
    right       P(left) = SLIP
    lapsing     every other answer is a guess
    reversed    P(left) = 1 / (1 + exp(d)): keys or question mistaken

Verification answers enter the same likelihood: attentive people miss a share of them that is estimated, a guesser half
of those that have a side as the right answer, and so on. Ties of test pairs say nothing about the character, because
honest people differ much in how often they see no difference; a tie in a verification pair is wrong like any other.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, softmax

from analysis.ranking.counts import LEFT, TIE
from analysis.ranking.fit import modelled_pairs
from analysis.ranking.likelihood import maximise_likelihood

__all__ = ["CHARACTERS", "SLIP", "LatentClasses", "latent_classes"]

CHARACTERS = ("attentive", "random", "left", "right", "lapsing", "reversed")
# Share of answers for the other side of people who always choose one.
SLIP = 0.05
# Dirichlet prior of the shares, in participants beyond the data: most people attend, and no share becomes zero.
_PRIOR_PEOPLE = np.array([20.0, 1.0, 0.5, 0.5, 1.0, 0.5])
# Beta prior of an attentive person's misses: 1 in 20 verification answers.
_PRIOR_MISSES, _PRIOR_ANSWERS = 1.0, 20.0
# Normal prior of the scores with a standard deviation of 10 logits: scores are finite whatever the votes.
_RIDGE = 0.01
# With fewer in all, ties being infinitely likelier would be no numbers any more.
_LEAST_PREFERENCES = 1e-6
# Averaging over a normal spread of d, of variance v, divides d by sqrt(1 + v * this): (16 sqrt(3) / (15 pi))^2, Zeger,
# Liang & Albert (1988), Biometrics 44, 1049-1060.
_ATTENUATION = (16 * np.sqrt(3) / (15 * np.pi)) ** 2
# Variance of tastes, at most, as a share of that of the conditions' scores: a wider one would explain people who answer
# the wrong way round.
_WIDEST_TASTES = 0.5
# No probability is nearer to 0 or 1, wherever an extrapolation leads.
_LEAST = 1e-12
_TOLERANCE = 2e-4
_MAX_STEPS, _EXTRAPOLATED_STEPS = 500, 60


@dataclass(frozen=True, eq=False)
class LatentClasses:
    """membership: (P, 6), each participant's probability of each of CHARACTERS; rows sum to one. shares: (6,), of the
    crowd. scores: (n,) of the attentive, sum zero. taste: standard deviation of their tastes, in logits. misses: their
    share of wrong verification answers. converged: whether the last step moved no P(attentive) by 2e-4.
    """

    membership: np.ndarray
    shares: np.ndarray
    scores: np.ndarray
    taste: float
    misses: float
    steps: int
    converged: bool

    @property
    def attentive(self) -> np.ndarray:
        """(P,) probability of each participant to be attentive."""
        return self.membership[:, 0]


def latent_classes(counts: csr_array, *, asked: np.ndarray, right: np.ndarray) -> LatentClasses:
    """Fit the mixture to each participant's votes and verification answers.

    counts: (P, 3 n^2) test votes of each participant in each cell, as `counts.count_cells` makes them, at least one.
    asked, right: (P, 3) verification pairs whose right answer was left, right or a tie, and how many were answered so.

    E step: Bayes' rule. The attentive likelihood is averaged over tastes N(0, taste^2) per condition to second order
    (Laplace's approximation with the diagonal of the information) about the scores of a typical person, which are
    farther apart than those of the crowd. M step: `maximise_likelihood` of the votes weighted by P(attentive), ties
    after Davidson; shares, misses and taste (by the method of moments) likewise. Pairs of steps are extrapolated
    (SQUAREM, scheme S3: Varadhan & Roland 2008, Scandinavian Journal of Statistics 35, 335-353).
    Differs from EM to the letter in that the scores use no votes of lapsing and reversed people, so that the scores are
    those of `fit_bradley_terry` with P(attentive) as weights: the score equations hold in expectation all the same.
    """
    crowd = _Crowd(counts, asked, right)
    shares, misses = _PRIOR_PEOPLE / _PRIOR_PEOPLE.sum(), _PRIOR_MISSES / _PRIOR_ANSWERS
    start = crowd.scores(np.ones(counts.shape[0])), np.log(shares), np.log(misses / (1 - misses)), 0.0
    parameters, longest = np.hstack(start), 4.0
    for steps in range(2, _MAX_STEPS + 1, 2):
        once, before = _step(crowd, parameters)
        twice, membership = _step(crowd, once)
        converged = bool(np.abs(membership[:, 0] - before[:, 0]).max() < _TOLERANCE)
        scores, shares, misses, taste_variance = _read(twice)
        found = LatentClasses(membership, shares, scores, float(np.sqrt(taste_variance)), misses, steps, converged)
        if converged:
            break
        change = once - parameters
        bend = twice - once - change
        length = np.sqrt((change @ change) / max(bend @ bend, 1e-30))
        if length >= longest:
            length, longest = longest, 4 * longest
        # Where that leads round in circles, shorter steps arrive.
        length = max(length, 1.0) if steps < _EXTRAPOLATED_STEPS else 0.3
        parameters = parameters + 2 * length * change + length**2 * bend
    return found


def _read(parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Scores, shares, misses and variance of taste of a point that may be extrapolated."""
    return (
        parameters[: -len(CHARACTERS) - 2],
        np.maximum(softmax(parameters[-len(CHARACTERS) - 2 : -2]), _LEAST),
        float(np.clip(expit(parameters[-2]), _LEAST, 1 - _LEAST)),
        float(max(parameters[-1], 0)),
    )


def _step(crowd: "_Crowd", parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One E step and one M step: the next parameters, and the membership (P, 6) by the given ones."""
    scores, shares, misses, taste_variance = _read(parameters)
    # An extrapolated point may lie beyond.
    taste_variance = min(taste_variance, _WIDEST_TASTES * scores.var())
    typical = scores * np.sqrt(1 + 2 * _ATTENUATION * taste_variance)
    log_joint = crowd.log_likelihood(scores, typical, misses) + np.log(shares)
    if taste_variance > 0:
        log_joint[:, 0] += _averaged_over_tastes(taste_variance, *crowd.moments(typical))
    membership = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
    membership /= membership.sum(axis=1, keepdims=True)
    weight = membership[:, 0]
    scores = crowd.scores(weight)
    misses = (weight @ crowd.wrong.sum(axis=1) + _PRIOR_MISSES) / (
        weight @ (crowd.wrong + crowd.hits).sum(axis=1) + _PRIOR_ANSWERS
    )
    following = (
        scores,
        np.log(membership.sum(axis=0) + _PRIOR_PEOPLE) - np.log(len(weight) + _PRIOR_PEOPLE.sum()),
        np.log(misses / (1 - misses)),
        _taste_variance(scores, weight, *crowd.moments(scores)),
    )
    return np.hstack(following), membership


class _Crowd:
    """The data of a fit, arranged for many passes: K cells that occur, V stored counts of a participant in a cell."""

    def __init__(self, counts: csr_array, asked: np.ndarray, right: np.ndarray):
        self.n = round((counts.shape[1] / 3) ** 0.5)
        total = counts.sum(axis=0)
        self.tie_share = float(total[TIE::3].sum() / total.sum())
        self.used = np.flatnonzero(total)
        self.votes = csr_array(counts[:, self.used])
        self.left, self.right, answer = self.used // (3 * self.n), self.used // 3 % self.n, self.used % 3
        self.chose_left, self.decided = answer == LEFT, answer != TIE
        self.hits, self.wrong = right, asked - right
        one_sided = np.where(self.chose_left, 1 - SLIP, SLIP)
        self.unseeing = self._by_person(np.full_like(one_sided, 0.5), one_sided, 1 - one_sided)
        self.cell = self.votes.indices
        person = np.repeat(np.arange(len(asked)) * self.n, np.diff(self.votes.indptr))
        self.sides = person + self.left[self.cell], person + self.right[self.cell]

    def scores(self, weight: np.ndarray) -> np.ndarray:
        """Scores (n,) of the votes, each counted as much as its participant's weight (P,)."""
        pooled = np.zeros(3 * self.n**2)
        pooled[self.used] = weight @ self.votes
        if pooled[self.used[self.decided]].sum() < _LEAST_PREFERENCES:
            return np.zeros(self.n)
        pairs, family = modelled_pairs(pooled, ties="davidson", model="bradley-terry", position=False)
        return maximise_likelihood(pairs, family=family, ridge=_RIDGE).scores

    def log_likelihood(self, scores: np.ndarray, typical: np.ndarray, misses: float) -> np.ndarray:
        """(P, 6) log-probability of each participant's answers under each character.

        scores: (n,) of the crowd; typical: (n,) of the attentive person who is meant, all of whom are alike here.
        """
        attended, chosen = self._probability_of_answer(typical), self._probability_of_answer(scores)
        seeing = self._by_person(attended, chosen / 2 + 0.25, 1 - chosen)
        # Nobody who guesses is taken to tie always, or never.
        tie = min(max(self.tie_share, 0.01), 0.99)
        guess = np.array([(1 - tie) / 2, (1 - tie) / 2, tie])
        attentive = np.full(3, 1 - misses)
        hit = np.array(
            [
                attentive,
                guess,
                [1 - SLIP, SLIP, SLIP],
                [SLIP, 1 - SLIP, SLIP],
                (attentive + guess) / 2,
                1 - attentive,
            ]
        )
        by_votes = np.column_stack([seeing[:, 0], self.unseeing, seeing[:, 1:]])
        return by_votes + self.hits @ np.log(hit).T + self.wrong @ np.log1p(-hit).T

    def moments(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of each participant's log-likelihood by their score of each condition, information: (P, n) each."""
        chance = self._probability_of_left(scores)
        surprise = self._per_side(np.where(self.decided, self.chose_left - chance, 0))
        spread = self._per_side(np.where(self.decided, chance * (1 - chance), 0))
        return surprise[0] - surprise[1], spread[0] + spread[1]

    def _per_side(self, by_cell: np.ndarray) -> list[np.ndarray]:
        """Sums over each participant's votes, by the condition on the left and by that on the right: (P, n) each."""
        shape = len(self.wrong), self.n
        each = self.votes.data * by_cell[self.cell]
        return [np.bincount(side, each, shape[0] * shape[1]).reshape(shape) for side in self.sides]

    def _by_person(self, *probabilities: np.ndarray) -> np.ndarray:
        """(P, m) log-probability of each participant's preferences, from that of each cell's answer (K,)."""
        return self.votes @ np.where(self.decided[:, None], np.log(np.column_stack(probabilities)), 0)

    def _probability_of_answer(self, scores: np.ndarray) -> np.ndarray:
        chance = self._probability_of_left(scores)
        return np.where(self.chose_left, chance, 1 - chance)

    def _probability_of_left(self, scores: np.ndarray) -> np.ndarray:
        return np.clip(expit(scores[self.left] - scores[self.right]), _LEAST, 1 - _LEAST)


def _taste_variance(scores: np.ndarray, weight: np.ndarray, residual: np.ndarray, information: np.ndarray) -> float:
    """By moments: the squared gradients expect information + variance * information^2."""
    excess = weight @ (residual**2 - information).sum(axis=1)
    scale = weight @ (information**2).sum(axis=1)
    return float(np.clip(excess / scale, 0, _WIDEST_TASTES * scores.var())) if scale > 0 else 0.0


def _averaged_over_tastes(variance: float, residual: np.ndarray, information: np.ndarray) -> np.ndarray:
    """What averaging over tastes adds to the log-likelihood of each participant: (P,)."""
    growth = variance * information
    return ((variance * residual**2 / (1 + growth) - np.log1p(growth)) / 2).sum(axis=1)
