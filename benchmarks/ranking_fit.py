"""Time of a ranking from the same arrays of votes: this project beside choix, interleaved in one process.

    python benchmarks/ranking_fit.py [--votes 100000] [--conditions 10] [--participants 1000] [--rounds 7]

Ours is timed with the counts, the fit and the covariance clustered by participant; choix gives the scores alone.
Prints CPU milliseconds (best of the rounds), the ratio to ours, and the largest difference of scores in logits.
"""

import argparse
import sys
import time
from pathlib import Path

import choix
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from analysis.counts import cell_codes, count_cells, pool, wins_and_ties
from analysis.covariance import clustered_covariance
from analysis.existence import require_finite_scores
from analysis.likelihood import inverse_information, maximise_likelihood


def simulate(votes: int, conditions: int, participants: int, seed: int = 0):
    """left, right, choice (0 left, 1 right), participant: int arrays (votes,)."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 0.8, conditions)
    left = rng.integers(conditions, size=votes)
    right = (left + rng.integers(1, conditions, size=votes)) % conditions
    chosen = rng.random(votes) < 1 / (1 + np.exp(scores[right] - scores[left]))
    return left, right, np.where(chosen, 0, 1), np.arange(votes) % participants


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=100_000)
    parser.add_argument("--conditions", type=int, default=10)
    parser.add_argument("--participants", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    n = options.conditions
    left, right, choice, participant = simulate(options.votes, n, options.participants)

    conditions = tuple(map(str, range(n)))

    def ours():
        cell = cell_codes(left, right, choice, n)
        counts = count_cells(cell, participant, n_conditions=n, n_clusters=options.participants)
        wins, ties = wins_and_ties(pool(counts))
        wins = wins + ties / 2
        require_finite_scores(wins, None, conditions)
        estimate = maximise_likelihood(wins)
        clustered_covariance(counts, estimate, inverse_information(estimate, wins, None))
        return estimate.scores

    def choix_dense():
        winner, loser = np.where(choice == 0, left, right), np.where(choice == 0, right, left)
        wins = np.bincount(winner * n + loser, minlength=n * n).reshape(n, n).astype(float)
        return choix.ilsr_pairwise_dense(wins)

    def choix_list():
        winner, loser = np.where(choice == 0, left, right), np.where(choice == 0, right, left)
        return choix.ilsr_pairwise(n, list(zip(winner.tolist(), loser.tolist(), strict=True)))

    methods = {
        "ours: counts, Newton, clustered covariance": ours,
        "bincount + choix.ilsr_pairwise_dense": choix_dense,
        "choix.ilsr_pairwise (list of votes)": choix_list,
    }
    best, scores = dict.fromkeys(methods, np.inf), {}
    for _ in range(options.rounds):
        for name, method in methods.items():
            for _ in range(3):  # the first call of a turn pays for caches and memory that the others used
                started = time.process_time()
                scores[name] = method()
                best[name] = min(best[name], time.process_time() - started)
    first = next(iter(methods))
    print(
        f"{options.votes} votes, {n} conditions, {options.participants} participants; "
        f"CPU time, best of {options.rounds} rounds"
    )
    for name in methods:
        apart = np.abs(scores[name] - scores[name].mean() - scores[first]).max()
        print(f"{name:45s} {1000 * best[name]:9.2f} ms {best[name] / best[first]:8.1f}x   {apart:.0e} logits")


if __name__ == "__main__":
    main()
