"""Time of 1,000 bootstrap refits of a ranking: all at once (ours) beside one refit after the other by other libraries.

    python -m benchmarks.bootstrap [--conditions 10] [--participants 685] [--votes-each 12] [--fastchat CLONE]

Participants are drawn with replacement, from the same arrays of votes and with the same draws for all; FastChat's
procedure, which is timed where CLONE names a copy of its repository, draws votes instead. Peers do `--peer-resamples`
refits in each round, and the time of 1,000 is scaled from them. Prints CPU seconds (best of the rounds), the ratio to
ours, and the largest difference of scores from ours in logits.
"""

import argparse
import importlib.util
import time
from pathlib import Path

import choix
import evalica
import numpy as np
import pandas as pd

from analysis import bootstrap_ranking
from analysis.ranking.counts import CodedVotes

RESAMPLES, SEED = 1000, 1


def simulate(conditions: int, participants: int, votes_each: int) -> tuple[np.ndarray, ...]:
    """left, right, choice (0 left, 1 right), participant: codes (votes,)."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(participants), votes_each)
    worth = rng.normal(0, 0.8, conditions) + rng.normal(0, 0.4, (participants, conditions))
    left = rng.integers(conditions, size=len(person))
    right = (left + rng.integers(1, conditions, size=len(person))) % conditions
    gap = worth[person, left] - worth[person, right]
    return left, right, (rng.random(len(person)) > 1 / (1 + np.exp(-gap))).astype(int), person


def fastchat_module(clone: Path):
    """FastChat's module of rating systems, from its file: the package itself wants a server's libraries."""
    path = clone / "fastchat" / "serve" / "monitor" / "rating_systems.py"
    spec = importlib.util.spec_from_file_location("fastchat_rating_systems", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Refits:
    """The peers: each method refits to resample number k and returns centred scores in logits (n,)."""

    def __init__(self, votes: tuple[np.ndarray, ...], conditions: int, fastchat=None):
        left, right, choice, person = votes
        self.n, self.person, self.fastchat = conditions, person, fastchat
        self.winner, self.loser = np.where(choice == 0, left, right), np.where(choice == 0, right, left)
        people = person.max() + 1
        # The draws that bootstrap_ranking makes with this seed.
        stream = np.random.default_rng(np.random.SeedSequence(SEED).spawn(1)[0])
        self.drawn = stream.integers(people, size=(RESAMPLES, people))
        self.start = np.searchsorted(person, np.arange(people + 1))
        self.index = pd.Index(range(conditions))
        if fastchat:
            frame = pd.DataFrame(
                {"model_a": left, "model_b": right, "winner": np.where(choice == 0, "model_a", "model_b")}
            )
            started = time.process_time()
            self.matchups, self.outcomes, _, self.weights = fastchat.preprocess_for_bt(frame)
            self.preparation = time.process_time() - started
            self.rng = np.random.default_rng(0)

    def rows(self, k: int) -> np.ndarray:
        """The votes of the participants drawn."""
        return np.concatenate([np.arange(self.start[p], self.start[p + 1]) for p in self.drawn[k]])

    def choix_list(self, k: int) -> np.ndarray:
        rows = self.rows(k)
        pairs = list(zip(self.winner[rows].tolist(), self.loser[rows].tolist(), strict=True))
        return choix.ilsr_pairwise(self.n, pairs)

    def choix_dense(self, k: int) -> np.ndarray:
        rows = self.rows(k)
        wins = np.bincount(self.winner[rows] * self.n + self.loser[rows], minlength=self.n**2)
        return choix.ilsr_pairwise_dense(wins.reshape(self.n, self.n).astype(float))

    def evalica_rows(self, k: int, *, method=evalica.newman) -> np.ndarray:
        rows = self.rows(k)
        return self._evalica(method, self.winner[rows], self.loser[rows])

    def evalica_bradley_terry(self, k: int) -> np.ndarray:
        return self.evalica_rows(k, method=evalica.bradley_terry)

    def evalica_counts(self, k: int) -> np.ndarray:
        """Not how its own bootstrap works: each distinct row once, with its count as the weight."""
        rows = self.rows(k)
        wins = np.bincount(self.winner[rows] * self.n + self.loser[rows], minlength=self.n**2)
        seen = np.flatnonzero(wins)
        return self._evalica(evalica.newman, seen // self.n, seen % self.n, wins[seen].astype(float).tolist())

    def _evalica(self, method, winner: np.ndarray, loser: np.ndarray, weights=None) -> np.ndarray:
        first = [evalica.Winner.X] * len(winner)
        found = method(
            winner.tolist(), loser.tolist(), first, index=self.index, weights=weights, tolerance=1e-10, limit=10_000
        )
        return np.log(found.scores.reindex(self.index).to_numpy())

    def fastchat_loop(self, k: int) -> np.ndarray:
        """`compute_bootstrap_bt` without its pool of processes; on the scale of base 10."""
        votes = len(self.person)
        weights = self.rng.multinomial(votes, self.weights / self.weights.sum()) / votes
        return self.fastchat.fit_bt(self.matchups, self.outcomes, weights, self.n, np.log(10))


def main() -> None:
    """Run the comparison and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conditions", type=int, default=10)
    parser.add_argument("--participants", type=int, default=685)
    parser.add_argument("--votes-each", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-resamples", type=int, default=4, help="refits of each peer in a round")
    parser.add_argument("--fastchat", type=Path, help="a clone of FastChat's repository")
    options = parser.parse_args()
    votes = simulate(options.conditions, options.participants, options.votes_each)
    left, right, choice, person = votes

    def ours():
        coded = CodedVotes.from_arrays(left, right, choice, conditions=options.conditions, participant=person)
        return bootstrap_ranking(coded, resamples=RESAMPLES, seed=SEED).distribution

    refits = Refits(votes, options.conditions, fastchat_module(options.fastchat) if options.fastchat else None)
    peers = {
        "choix.ilsr_pairwise, list of votes": refits.choix_list,
        "bincount + choix.ilsr_pairwise_dense": refits.choix_dense,
        "evalica.newman, rows": refits.evalica_rows,
        "evalica.bradley_terry, rows": refits.evalica_bradley_terry,
        "evalica.newman, counts as weights": refits.evalica_counts,
    }
    if options.fastchat:
        peers["FastChat, multinomial on counts"] = refits.fastchat_loop
    exact = ours()
    best, apart = dict.fromkeys(["ours", *peers], np.inf), dict.fromkeys(peers, 0.0)
    for turn in range(options.rounds):
        for _ in range(3):  # the first call of a turn pays for caches and memory that the others used
            started = time.process_time()
            ours()
            best["ours"] = min(best["ours"], time.process_time() - started)
        for name, refit in peers.items():
            these = range(turn * options.peer_resamples, (turn + 1) * options.peer_resamples)
            started = time.process_time()
            found = [refit(k) for k in these]
            best[name] = min(best[name], (time.process_time() - started) / len(these) * RESAMPLES)
            for k, scores in zip(these, found, strict=True):
                apart[name] = max(apart[name], np.abs(scores - scores.mean() - exact[k]).max())
    print(
        f"{RESAMPLES} resamples of {options.participants} participants x {options.votes_each} votes, "
        f"{options.conditions} conditions; CPU seconds, best of {options.rounds} rounds; "
        f"peers scaled from {options.peer_resamples} refits a round"
    )
    print(f"{'ours: all resamples at once':40s} {best['ours']:9.3f} s")
    for name in peers:
        if name.startswith("FastChat"):
            best[name] += refits.preparation
            same = "draws votes, other numbers"
        else:
            same = f"{apart[name]:.0e} logits"
        print(f"{name:40s} {best[name]:9.3f} s {best[name] / best['ours']:8.1f}x   {same}")


if __name__ == "__main__":
    main()
