"""Which pairs to ask next: those whose votes would sharpen the ranking most.

Condition c on source s has the utility theta_c + delta_sc, with theta ~ N(0, sigma^2), delta ~ N(0, tau^2) and the
Bradley-Terry probability of a vote; both variances are estimated from the votes (empirical Bayes), and the posterior
is Gaussian about its mode (Laplace). A pair is worth what one vote on it takes off the summed variance of theta in
the gauge of sum zero (A-optimality); votes still to come count as if given, since they will be whatever they say.
"""

from dataclasses import dataclass

import numpy as np

from analysis.errors import InvalidOption

__all__ = ["PairPool", "Posterior", "choose_pairs", "fit_posterior"]

_ITERATIONS, _TOLERANCE, _LONGEST_STEP = 40, 1e-3, 2.0
# Prior guesses of the two variances, and how many values each guess is worth beside those of the data.
_SIGMA2, _TAU2, _GUESS_WEIGHT = 1.0, 0.1, 2.0
_LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class PairPool:
    """Pairs of conditions and what is known of each; every field (P,).

    source, first, second: codes from 0. wins: votes for `first`, ties as half a vote. votes: all that count.
    pending: votes that people under way are about to give.
    """

    source: np.ndarray
    first: np.ndarray
    second: np.ndarray
    wins: np.ndarray
    votes: np.ndarray
    pending: np.ndarray


@dataclass(frozen=True)
class Posterior:
    """scores: theta (K,), sum zero; effects: delta (S, K); sigma2, tau2: their prior variances."""

    scores: np.ndarray
    effects: np.ndarray
    sigma2: float
    tau2: float


def choose_pairs(
    pool: PairPool,
    count: int,
    *,
    seed: int,
    open_pairs: np.ndarray | None = None,
    balanced_share: float = 0.25,
) -> list[int]:
    """Return `count` different pairs of the pool by index, fewer where not so many are open.

    `balanced_share` of them are the pairs with the fewest votes given and pending, equal ones by lot: they keep
    exploration alive and the fit testable. The rest are chosen one by one by A-optimality. open_pairs: (P,) bool,
    which may be asked (all). seed: the same pool and seed give the same pairs. Raises InvalidOption.
    """
    if count < 0 or not 0 <= balanced_share <= 1:
        raise InvalidOption(
            f"count is {count} and balanced_share {balanced_share}; expected count >= 0 and a share from 0 to 1"
        )
    allowed = np.ones(len(pool.source), dtype=bool) if open_pairs is None else np.array(open_pairs, dtype=bool)
    count = min(count, int(allowed.sum()))
    # A lot for every pair, which decides between equals.
    lots = np.random.default_rng(seed).permutation(len(allowed))
    taken = pool.votes + pool.pending
    order = np.lexsort((lots, taken, ~allowed))
    chosen = [int(pair) for pair in order[: round(balanced_share * count)]]
    if len(chosen) == count:
        return chosen
    allowed[chosen] = False
    state = _Information(pool, fit_posterior(pool), pool.pending + np.bincount(chosen, minlength=len(allowed)))
    while True:
        worth = np.where(allowed, state.worth(), -1.0)
        best = np.flatnonzero(worth >= worth.max() * (1 - 1e-9))
        pair = int(best[np.argmin(lots[best])])
        chosen.append(pair)
        if len(chosen) == count:
            return chosen
        allowed[pair] = False
        state.add(pair)


def fit_posterior(pool: PairPool) -> Posterior:
    """Return the mode of the scores and effects, with the variances found on the way by expectation-maximisation."""
    n_sources, n_conditions = _sizes(pool)
    eye = np.eye(n_conditions)
    scores, effects = np.zeros(n_conditions), np.zeros((n_sources, n_conditions))
    cells = np.concatenate([pool.source * n_conditions + pool.first, pool.source * n_conditions + pool.second])
    sigma2, tau2 = _SIGMA2, _TAU2
    for _ in range(_ITERATIONS):
        chance = _expit(_differences(pool, scores, effects))
        residual = pool.wins - pool.votes * chance
        slope = np.bincount(cells, np.concatenate([residual, -residual]), effects.size).reshape(effects.shape)
        weight = _laplacians(pool, pool.votes * chance * (1 - chance))
        within, share, covariance = _blocks(weight, sigma2, tau2)
        of_effects = slope - effects / tau2
        of_scores = slope.sum(axis=0) - scores / sigma2
        # weight @ within = eye - share, which is symmetric; the same below.
        shared = (of_effects - _each(share, of_effects)).sum(axis=0)
        step = covariance @ (of_scores - shared)
        effect_step = _each(within, of_effects - weight @ step)
        longest = max(np.abs(step).max(), np.abs(effect_step).max())
        short = min(1.0, _LONGEST_STEP / longest) if longest else 1.0
        scores, effects = scores + short * step, effects + short * effect_step
        cross = eye - share
        spread = np.trace(within.sum(axis=0)) + np.vdot(cross @ covariance, cross)
        sigma2 = _variance(_SIGMA2, scores @ scores + np.trace(covariance), n_conditions)
        tau2 = _variance(_TAU2, np.sum(effects**2) + spread, effects.size)
        if longest < _TOLERANCE:
            break
    return Posterior(scores - scores.mean(), effects, sigma2, tau2)


class _Information:
    """What is known when so many votes more are counted as given, and what one more on each pair would add.

    A vote on a pair changes every covariance by a product of two vectors (Sherman & Morrison 1950, Annals of
    Mathematical Statistics 21, 124-127), so that nothing is inverted between one choice and the next.
    """

    def __init__(self, pool: PairPool, posterior: Posterior, pending: np.ndarray):
        self._pool = pool
        sigma2, tau2 = posterior.sigma2, posterior.tau2
        difference = _differences(pool, posterior.scores, posterior.effects)
        chance = _expit(difference)
        weight = _laplacians(pool, pool.votes * chance * (1 - chance))
        # Information of one vote at the posterior's mean chance, not at its mode (MacKay 1992, equation 10).
        variance = self._variances(*_blocks(weight, sigma2, tau2))
        chance = _expit(difference / np.sqrt(1 + np.pi * variance / 8))
        self._vote = chance * (1 - chance)
        self._within, self._share, covariance = _blocks(weight + _laplacians(pool, pending * self._vote), sigma2, tau2)
        self._variance = self._variances(self._within, self._share, covariance)
        # Covariance of the scores, and of the centred scores, with each source's utilities: (S, K, K).
        self._shared = covariance @ self._share
        centred = self._shared - self._shared.mean(axis=1, keepdims=True)
        self._reach = centred[pool.source, :, pool.first] - centred[pool.source, :, pool.second]
        self._added: list[np.ndarray] = []

    def worth(self) -> np.ndarray:
        """Return (P,) by how much one vote on each pair lowers the summed variance of the centred scores."""
        return np.einsum("pk,pk->p", self._reach, self._reach) * self._vote / (1 + self._vote * self._variance)

    def add(self, pair: int) -> None:
        """Count one vote on a pair as given."""
        pool = self._pool
        source, first, second = pool.source[pair], pool.first[pair], pool.second[pair]
        # Covariance of all utilities (S, K) with the pair's difference, less what the votes counted before took off.
        column = self._share @ (self._shared[source, :, first] - self._shared[source, :, second])
        column[source] += self._within[source, :, first] - self._within[source, :, second]
        for earlier in self._added:
            column -= earlier * (earlier[source, first] - earlier[source, second])
        scale = self._vote[pair] / (1 + self._vote[pair] * self._variance[pair])
        self._added.append(column * np.sqrt(scale))
        along = column[pool.source, pool.first] - column[pool.source, pool.second]
        self._reach -= np.outer(scale * along, self._reach[pair])
        self._variance -= scale * along**2

    def _variances(self, within: np.ndarray, share: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Posterior variance of each pair's difference, (P,)."""
        utilities = share @ covariance @ share + within
        at, first, second = self._pool.source, self._pool.first, self._pool.second
        own = utilities.diagonal(axis1=1, axis2=2)
        return own[at, first] + own[at, second] - 2 * utilities[at, first, second]


def _blocks(weight: np.ndarray, sigma2: float, tau2: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inverse of the joint precision of scores and effects, by blocks; weight: (S, K, K).

    Returns each source's covariance given the scores, what that leaves of a change of the scores (both symmetric,
    (S, K, K)), and the covariance of the scores (K, K).
    """
    eye = np.eye(weight.shape[-1])
    within = np.linalg.inv(weight + eye / tau2)
    share = within / tau2
    # weight @ within = eye - share.
    covariance = np.linalg.inv(eye / sigma2 + (len(weight) * eye - share.sum(axis=0)) / tau2)
    return within, share, covariance


def _each(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Products (S, K) of matrices (S, K, K) and vectors (S, K)."""
    return (matrices @ vectors[..., None])[..., 0]


def _sizes(pool: PairPool) -> tuple[int, int]:
    return int(pool.source.max()) + 1, int(max(pool.first.max(), pool.second.max())) + 1


def _differences(pool: PairPool, scores: np.ndarray, effects: np.ndarray) -> np.ndarray:
    utility = scores + effects
    return utility[pool.source, pool.first] - utility[pool.source, pool.second]


def _laplacians(pool: PairPool, weight: np.ndarray) -> np.ndarray:
    """Information (S, K, K) about each source's utilities from votes of these weights (P,)."""
    n_sources, n = _sizes(pool)
    cells = (pool.source * n + pool.first) * n + pool.second
    joint = np.bincount(cells, weight, n_sources * n * n).reshape(n_sources, n, n)
    joint = joint + joint.swapaxes(1, 2)
    return joint.sum(axis=2)[..., None] * np.eye(n) - joint


def _variance(guess: float, squares: float, values: int) -> float:
    return max((_GUESS_WEIGHT * guess + squares) / (_GUESS_WEIGHT + values), _LEAST_VARIANCE)


def _expit(x: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(x / 2)) / 2
