"""The adaptive choice of pairs: its time beside ASAP and beside one fit, and whether it ranks better than balance.

    python -m benchmarks.sampling speed [--asap DIR] [--rounds 5]
    python -m benchmarks.sampling accuracy [--seeds 40] [--only NAME]

DIR: the folder `python` of a clone of https://github.com/gfxdisp/asap (MIT), of which nothing is in this project. It
wants networkx below 3; the one function that is gone is put back here.
`accuracy` holds simulated studies in sessions of 12, with people whose tastes differ (0.4 logits), and fits the same
posterior to what was asked either way; the two policies share scores and people, seed by seed.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from analysis import PairPool, choose_pairs
from analysis.planning.sampling import fit_posterior

_SESSION, _TASTE = 12, 0.4


def empty_pool(conditions: int, sources: int) -> PairPool:
    """All pairs of all sources, without a vote."""
    first, second = np.triu_indices(conditions, 1)
    source = np.repeat(np.arange(sources), len(first))
    zeros = (np.zeros(len(source)) for _ in range(3))
    return PairPool(source, np.tile(first, sources), np.tile(second, sources), *zeros)


def answered_pool(conditions: int, sources: int, votes: int, pending: int, seed: int = 0) -> PairPool:
    """That many votes on random pairs, of conditions whose scores have standard deviation 0.7."""
    rng = np.random.default_rng(seed)
    pool = empty_pool(conditions, sources)
    even = np.full(len(pool.source), 1 / len(pool.source))
    utility = rng.normal(0, 0.7, conditions) + rng.normal(0, 0.3, (sources, conditions))
    gap = utility[pool.source, pool.first] - utility[pool.source, pool.second]
    pool.votes[:] = rng.multinomial(votes, even)
    pool.wins[:] = rng.binomial(pool.votes.astype(int), 1 / (1 + np.exp(-gap)))
    pool.pending[:] = rng.multinomial(pending, even)
    return pool


def least_seconds(work, rounds: int) -> float:
    """CPU seconds of the quickest of the rounds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def speed(asap: Path | None, rounds: int) -> None:
    """Print T8 and T9 of the project's targets."""
    pool = answered_pool(10, 8, votes=1200, pending=480)
    fit, session = float("inf"), float("inf")
    for _ in range(rounds):
        fit = min(fit, least_seconds(partial(fit_posterior, pool), 10))
        session = min(session, least_seconds(partial(choose_pairs, pool, _SESSION, seed=1), 10))
    print(f"T9: next session of 12, 8 clips x 10 conditions, 480 votes in flight: {1000 * session:.2f} ms,")
    print(f"    one cold fit of the posterior {1000 * fit:.2f} ms, ratio {session / fit:.2f} (target: at most 6)")
    if asap is None:
        print("T8: give --asap DIR to compare with ASAP")
        return
    scheduler = _asap(asap)
    for conditions, target in ((10, 200), (20, 600)):
        pool = answered_pool(conditions, 1, votes=conditions * (conditions - 1), pending=0)
        wins = np.zeros((conditions, conditions), dtype=int)
        wins[pool.first, pool.second] = pool.wins
        wins[pool.second, pool.first] = pool.votes - pool.wins
        ours, theirs = float("inf"), float("inf")
        for _ in range(rounds):
            ours = min(ours, least_seconds(partial(choose_pairs, pool, conditions - 1, seed=1, balanced_share=0), 10))
            one = scheduler(conditions, selective_eig=True)
            theirs = min(theirs, least_seconds(partial(one.run_asap, wins, mst_mode=True), 1))
        print(
            f"T8: next {conditions - 1} pairs of {conditions} conditions: {1000 * ours:.2f} ms, ASAP "
            f"{1000 * theirs:.0f} ms, {theirs / ours:.0f} times as fast (target: {target})"
        )


def _asap(folder: Path):
    import networkx

    if not hasattr(networkx, "from_numpy_matrix"):
        networkx.from_numpy_matrix = networkx.from_numpy_array
    sys.path.insert(0, str(folder))
    from asap_cpu import ASAP

    return ASAP


@dataclass(frozen=True)
class Scene:
    """A study to simulate; scores and clip effects are normal with these standard deviations, in logits."""

    name: str
    conditions: int
    sources: int
    scores: float
    clip_effect: float
    in_flight: int
    votes: tuple[int, ...]


SCENES = (
    Scene("10 close", 10, 1, 0.7, 0.0, 1, (180, 360, 720)),
    Scene("10 apart", 10, 1, 2.0, 0.0, 1, (180, 360, 720)),
    Scene("30 apart", 30, 1, 1.5, 0.0, 1, (432, 864)),
    Scene("20 apart, 4 clips", 20, 4, 2.0, 0.3, 1, (800, 1600)),
    Scene("10 close, 8 clips", 10, 8, 0.7, 0.4, 1, (480, 1200, 2400)),
    Scene("10 close, 8 clips, 40 at once", 10, 8, 0.7, 0.4, 40, (480, 1200, 2400)),
    Scene("10 apart, 8 clips, 40 at once", 10, 8, 2.0, 0.4, 40, (480, 1200, 2400)),
    Scene("10 close, 25 clips, 40 at once", 10, 25, 0.7, 0.5, 40, (1200, 2400, 4800)),
)


def accuracy(seeds: int, only: str | None) -> None:
    """Print error and rank correlation of both policies after so many votes."""
    print("| study | votes | RMSE balanced | RMSE adaptive | adaptive / balanced | SROCC balanced | SROCC adaptive |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for scene in SCENES:
        if only is not None and only != scene.name:
            continue
        # (seeds, policies, checkpoints, measures)
        found = np.array([[held(scene, seed, share) for share in (1.0, 0.25)] for seed in range(seeds)])
        for k, votes in enumerate(scene.votes):
            balanced, adaptive = found[:, 0, k, 0], found[:, 1, k, 0]
            ratio = adaptive.mean() / balanced.mean()
            error = np.std(adaptive - ratio * balanced, ddof=1) / np.sqrt(seeds) / balanced.mean()
            ranks = found[:, :, k, 1].mean(axis=0)
            print(
                f"| {scene.name} | {votes} | {balanced.mean():.3f} | {adaptive.mean():.3f} | {ratio:.2f} ± {error:.2f} "
                f"| {ranks[0]:.3f} | {ranks[1]:.3f} |",
                flush=True,
            )


def held(scene: Scene, seed: int, balanced_share: float) -> list[tuple[float, float]]:
    """One study: RMSE and Spearman's correlation with the true scores, after each number of votes."""
    truths = np.random.default_rng([seed, 0])
    scores = truths.normal(0, scene.scores, scene.conditions)
    scores -= scores.mean()
    effects = truths.normal(0, scene.clip_effect, (scene.sources, scene.conditions))
    pool = empty_pool(scene.conditions, scene.sources)
    waiting: list[list[int]] = []
    measured, given, person = [], 0, 0
    while len(measured) < len(scene.votes):
        chosen = choose_pairs(pool, _SESSION, seed=1000 * seed + person, balanced_share=balanced_share)
        pool.pending[chosen] += 1
        waiting.append(chosen)
        person += 1
        if len(waiting) < scene.in_flight:
            continue
        answered = waiting.pop(0)
        rng = np.random.default_rng([seed, 1, person])
        utility = scores + effects + rng.normal(0, _TASTE, scene.conditions)
        gap = (
            utility[pool.source[answered], pool.first[answered]] - utility[pool.source[answered], pool.second[answered]]
        )
        pool.pending[answered] -= 1
        pool.votes[answered] += 1
        pool.wins[answered] += rng.random(len(answered)) < 1 / (1 + np.exp(-gap))
        given += len(answered)
        if given >= scene.votes[len(measured)]:
            estimate = fit_posterior(pool).scores
            measured.append((float(np.sqrt(np.mean((estimate - scores) ** 2))), float(spearmanr(estimate, scores)[0])))
    return measured


def main() -> None:
    """Run what was asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("speed", "accuracy"))
    parser.add_argument("--asap", type=Path, metavar="DIR", help="folder `python` of a clone of gfxdisp/asap")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--only", choices=[scene.name for scene in SCENES])
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.asap, options.rounds)
    else:
        accuracy(options.seeds, options.only)


if __name__ == "__main__":
    main()
