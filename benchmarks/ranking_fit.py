"""Time of a ranking from the same arrays of votes: ours beside choix and evalica, in turns in one process.

    OMP_NUM_THREADS=1 python -m benchmarks.ranking_fit [--sizes 10x2000,100x100000,…] [--rounds 7] [--large]

Each method starts from the same three arrays of 32-bit codes (left, right, choice). Ours ends with scores and their
covariance, the others with scores alone; `participants` adds standard errors clustered by 1,000 participants. The pass
is one np.bincount over codes that are ready: what no fit can be faster than. Prints CPU milliseconds (best of the
rounds), the ratio to ours, and the largest difference of scores from ours in logits. --large: 10 million votes on
1,000 conditions, ours alone, from the codes and after counting. One thread for all, so that CPU time can be compared.
"""

import argparse
import importlib.metadata
import time
from collections.abc import Callable

import choix
import evalica
import numpy as np

from analysis import CodedVotes, fit_bradley_terry
from analysis.ranking.existence import require_finite_scores
from analysis.ranking.fit import modelled_pairs
from analysis.ranking.likelihood import inverse_information, maximise_likelihood

PARTICIPANTS = 1000
OURS, PASS, WITH_PEOPLE = "ours", "np.bincount alone", "ours, participants"
WIDE, WIDE_PASS = "ours, 64-bit codes", "np.bincount alone, 64-bit codes"
DENSE, LISTS = "bincount + choix.ilsr_pairwise_dense", "choix.ilsr_pairwise"
NEWMAN, ZERMELO = "evalica.newman", "evalica.bradley_terry"
# The project's targets: at least so many times faster than the lists of choix and than the better half of evalica.
TARGETS = {(10, 100_000): (150, 25), (100, 100_000): (80, 10), (1000, 1_000_000): (10, 2)}


def simulate(votes: int, conditions: int) -> tuple[np.ndarray, ...]:
    """left, right, choice (0 left, 1 right), participant: codes (votes,)."""
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.9, conditions)
    left = rng.integers(conditions, size=votes)
    right = (left + rng.integers(1, conditions, size=votes)) % conditions
    choice = (rng.random(votes) > 1 / (1 + np.exp(scores[right] - scores[left]))).astype(int)
    return *(codes.astype(np.int32) for codes in (left, right, choice)), np.arange(votes) % PARTICIPANTS


def methods(votes: tuple[np.ndarray, ...], n: int) -> dict[str, Callable]:
    """What is timed, by name; each returns scores (n,) in logits, or None."""
    left, right, choice, person = votes
    key = (left * n + right) * 3 + choice
    index = evalica.pd.Index(range(n))
    answers = np.array([evalica.Winner.X, evalica.Winner.Y])

    def ours() -> np.ndarray:
        return fit_bradley_terry(CodedVotes.from_arrays(left, right, choice, conditions=n), cluster=None).estimates

    wide = tuple(codes.astype(np.int64) for codes in (left, right, choice))
    wide_key = key.astype(np.int64)

    def ours_wide() -> np.ndarray:
        return fit_bradley_terry(CodedVotes.from_arrays(*wide, conditions=n), cluster=None).estimates

    def with_people() -> np.ndarray:
        codes = CodedVotes.from_arrays(left, right, choice, conditions=n, participant=person)
        return fit_bradley_terry(codes).estimates

    def one_pass() -> None:
        np.bincount(key, minlength=3 * n * n)

    def wide_pass() -> None:
        np.bincount(wide_key, minlength=3 * n * n)

    def dense() -> np.ndarray:
        winner, loser = np.where(choice == 0, left, right), np.where(choice == 0, right, left)
        return choix.ilsr_pairwise_dense(np.bincount(winner * n + loser, minlength=n * n).reshape(n, n).astype(float))

    def lists() -> np.ndarray:
        winner, loser = np.where(choice == 0, left, right), np.where(choice == 0, right, left)
        return choix.ilsr_pairwise(n, list(zip(winner.tolist(), loser.tolist(), strict=True)))

    def evalica_by(name: str) -> Callable:
        fit = getattr(evalica, name)

        def run() -> np.ndarray:
            winners = answers[choice].tolist()
            found = fit(left.tolist(), right.tolist(), winners, index=index, tolerance=1e-10, limit=10_000)
            return np.log(found.scores.sort_index().to_numpy())

        return run

    return {
        OURS: ours,
        WITH_PEOPLE: with_people,
        WIDE: ours_wide,
        PASS: one_pass,
        WIDE_PASS: wide_pass,
        DENSE: dense,
        NEWMAN: evalica_by("newman"),
        ZERMELO: evalica_by("bradley_terry"),
        LISTS: lists,
    }


def compare(votes: int, n: int, rounds: int) -> None:
    """Time all methods in turns and print one table."""
    contestants = methods(simulate(votes, n), n)
    best, scores = dict.fromkeys(contestants, np.inf), {}
    for turn in range(rounds):
        for name, method in contestants.items():
            # A second of a slow method says as much as many runs of a quick one.
            repeats = 1 if not turn or best[name] > 0.2 else 5 if best[name] > 0.005 else 100
            for _ in range(repeats):
                started = time.process_time()
                scores[name] = method()
                best[name] = min(best[name], time.process_time() - started)
    print(f"\n{n} conditions, {votes:,} votes")
    for name, seconds in best.items():
        found = scores[name]
        apart = "" if found is None else f"{np.abs(found - found.mean() - scores[OURS]).max():.0e} logits"
        print(f"  {name:38s}{1000 * seconds:10.2f} ms {seconds / best[OURS]:8.2f}x   {apart}")
    peer = min(best[NEWMAN], best[ZERMELO])
    wanted_lists, wanted_peer = TARGETS.get((n, votes), (None, None))
    print(
        f"  T1 lists / ours {best[LISTS] / best[OURS]:.0f} (target {wanted_lists}); "
        f"T2 better of evalica / ours {peer / best[OURS]:.1f} (target {wanted_peer}); "
        f"T3 dense / ours {best[DENSE] / best[OURS]:.2f} (target 1); T4 ours / pass {best[OURS] / best[PASS]:.2f} "
        f"(target {'4' if (n, votes) == (10, 100_000) else 'none'})"
    )


def large() -> None:
    """10 million votes on 1,000 conditions: counting them, and everything after it."""
    n = 1000
    left, right, choice, _ = simulate(10_000_000, n)
    started = time.process_time()
    codes = CodedVotes.from_arrays(left, right, choice, conditions=n)
    pooled = codes.pooled()
    counted = time.process_time()
    pairs, family = modelled_pairs(pooled, ties="davidson", model="bradley-terry", position=False)
    require_finite_scores(pairs, codes.conditions, family=family)
    estimate = maximise_likelihood(pairs, family=family)
    inverse_information(estimate, pairs)
    done = time.process_time()
    print(
        f"\n1000 conditions, 10,000,000 votes: counted in {counted - started:.2f} s, "
        f"fit and covariance {done - counted:.2f} s (target 1 s)"
    )


def main() -> None:
    """Run the comparison at all sizes and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="10x2000,10x100000,100x100000,1000x1000000")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    packages = ("numpy", "scipy", "choix", "evalica")
    print("; ".join(f"{name} {importlib.metadata.version(name)}" for name in packages))
    for size in options.sizes.split(",") if options.sizes else []:
        n, votes = map(int, size.split("x"))
        compare(votes, n, options.rounds)
    if options.large:
        large()


if __name__ == "__main__":
    main()
