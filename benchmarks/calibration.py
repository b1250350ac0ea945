"""How often nominal 95 % intervals hold the truth, by simulation: docs/calibration.md shows what it prints.

    python -m benchmarks.calibration [--replicates 300] [--resamples 400] [--seed 0] [--only TEXT]

The truth is what infinitely many honest people would give, on infinitely many sources where these are new. Each study
gives the share of its intervals (all differences of two conditions; all scores) that hold the truth; printed are the
means over the studies and, after ±, twice their standard error.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.crowd_scores import crowd_scores
from analysis.errors import AnalysisError
from analysis.participants.screening import screen_participants
from analysis.ranking.bootstrap import Bootstrap, bootstrap_ranking
from analysis.ranking.counts import code_votes
from analysis.ranking.fit import fit_bradley_terry
from analysis.ranking.result import BradleyTerryResult
from analysis.report.main_ranking import rank_votes
from analysis.simulation import simulate_votes
from analysis.votes import counted_votes

LEVEL = 0.95
TEN = {f"attack{k}": score for k, score in enumerate(np.linspace(-1.2, 1.2, 10))}
# Which of two intervals, differences and scores, holds the truth: each a share of this study's.
Coverage = tuple[float, float]


@dataclass(frozen=True)
class Scenario:
    """A kind of study: options of `simulate_votes`, and what is done with its votes."""

    name: str
    options: dict
    methods: tuple[str, ...] = ("votes independent", "by participant", "bootstrap, percentile", "bootstrap, basic")


def study(participants: int, votes_each: int, *, sources: int = 1, taste: float = 0.5, **options) -> dict:
    return {"participants": participants, "votes_each": votes_each, "sources": sources, "taste": taste} | options


_CLIPS = (
    "votes independent",
    "by participant",
    "by source",
    "two-way",
    "as in the report",
    "bootstrap of both, percentile",
)
_SPAM = ("by participant", "screened: verification", "screened: lapse")
SCENARIOS = (
    Scenario("tastes differ, 685 x 12", study(685, 12)),
    Scenario("tastes differ, 100 x 20", study(100, 20)),
    Scenario("tastes differ, 30 x 60", study(30, 60)),
    Scenario("tastes differ, 15 x 45", study(15, 45)),
    Scenario("tastes differ much (1.0), 30 x 180", study(30, 180, taste=1.0)),
    Scenario("8 new clips, 200 x 20", study(200, 20, sources=8, source_effect=0.4), _CLIPS),
    Scenario("20 new clips, 200 x 20", study(200, 20, sources=20, source_effect=0.4), _CLIPS),
    Scenario("5 new clips, 200 x 20", study(200, 20, sources=5, source_effect=0.4), _CLIPS),
    Scenario("8 clips that do not matter, 200 x 20", study(200, 20, sources=8), _CLIPS),
    Scenario("10 % spammers, 685 x 12", study(685, 12, spammers=0.1, verifications=3), _SPAM),
    Scenario("10 % spammers, 100 x 45", study(100, 45, spammers=0.1, verifications=3), _SPAM),
    Scenario("10 % hostile spammers, 685 x 12", study(685, 12, spammers=0.1, spam="hostile", verifications=3), _SPAM),
    Scenario("no spammers, 685 x 12", study(685, 12, verifications=3), _SPAM),
    Scenario("ties, 100 x 20", study(100, 20, tie_strength=0.5)),
    Scenario("ties, 30 x 60", study(30, 60, tie_strength=0.5)),
)


def measured(scenario: Scenario, *, seed: int, resamples: int) -> Iterator[tuple[str, Coverage]]:
    """One study: what each method covers; a method that refuses the votes is left out."""
    options = scenario.options
    wanted = crowd_scores(TEN, **{name: options.get(name, 0.0) for name in ("taste", "source_effect", "tie_strength")})
    table = simulate_votes(TEN, seed=seed, **options)
    codes = code_votes(counted_votes(table))
    truth = wanted[list(codes.conditions)].to_numpy()
    clusters = {"votes independent": None, "by participant": "participant", "by source": "source", "two-way": "two-way"}
    drawn: dict[str, Bootstrap] = {}
    for method in scenario.methods:
        try:
            if method in clusters:
                found = by_standard_error(fit_bradley_terry(codes, cluster=clusters[method]), truth)
            elif method == "as in the report":
                found = by_standard_error(rank_votes(codes).result, truth)
            elif method.startswith("screened: "):
                weights = screen_participants(table, method.removeprefix("screened: ")).weights
                found = by_standard_error(fit_bradley_terry(table, weights=weights), truth)
            else:
                over = "both" if "both" in method else "participant"
                if over not in drawn:
                    drawn[over] = bootstrap_ranking(codes, over=over, resamples=resamples, seed=seed)
                again = drawn[over]
                found = by_quantiles(again.estimates, again.distribution, truth, method.endswith("basic"))
        except AnalysisError:
            continue
        yield method, found


def by_standard_error(result: BradleyTerryResult, truth: np.ndarray) -> Coverage:
    scores = result.interval(LEVEL)
    held = (scores["low"] < truth) & (truth < scores["high"])
    table = result.compare(level=LEVEL, method=None)
    first, second = (pd.Index(result.conditions).get_indexer(table[side]) for side in ("first", "second"))
    wanted = result.preference(truth[first] - truth[second])
    return float(((table["low"] < wanted) & (wanted < table["high"])).mean()), float(held.mean())


def by_quantiles(estimates: np.ndarray, distribution: np.ndarray, truth: np.ndarray, basic: bool) -> Coverage:
    first, second = np.triu_indices(len(truth), 1)

    def held(estimate: np.ndarray, drawn: np.ndarray, wanted: np.ndarray) -> float:
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        if basic:
            low, high = 2 * estimate - high, 2 * estimate - low
        return float(((low < wanted) & (wanted < high)).mean())

    def differences(values: np.ndarray) -> np.ndarray:
        return values[..., first] - values[..., second]

    return held(*map(differences, (estimates, distribution, truth))), held(estimates, distribution, truth)


def main() -> None:
    """Simulate, and print one table row per scenario and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replicates", type=int, default=300, help="studies of each kind")
    parser.add_argument("--resamples", type=int, default=400, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the first study of each kind")
    parser.add_argument("--only", default="", help="scenarios whose name holds this text")
    options = parser.parse_args()
    print(f"{options.replicates} studies of each kind, {options.resamples} resamples, seed {options.seed}\n")
    print("| study | intervals | differences, % | scores, % | studies |")
    print("| --- | --- | ---: | ---: | ---: |")
    for scenario in SCENARIOS:
        if options.only in scenario.name:
            _print_rows(scenario, options)


def _print_rows(scenario: Scenario, options: argparse.Namespace) -> None:
    covered: dict[str, list[Coverage]] = {method: [] for method in scenario.methods}
    for replicate in range(options.replicates):
        for method, found in measured(scenario, seed=options.seed + replicate, resamples=options.resamples):
            covered[method].append(found)
    for method, found in covered.items():
        differences, scores = map(_percent, np.array(found).T)
        print(f"| {scenario.name} | {method} | {differences} | {scores} | {len(found)} |", flush=True)


def _percent(shares: np.ndarray) -> str:
    return f"{100 * shares.mean():.1f} ± {200 * shares.std(ddof=1) / np.sqrt(len(shares)):.1f}"


if __name__ == "__main__":
    main()
