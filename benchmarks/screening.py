"""Screening rules on simulated crowds: how near to the truth the ranking comes, and how fast, beside crowd-kit.

    python -m benchmarks.screening [--seeds 40] [--rounds 5] [--skip accuracy|speed]

Accuracy: root mean square error of the scores, in logits, to those of infinitely many honest people, over that of
knowing who is honest; honest people who lose more than half of their weight, and others who do. The crowds of HASTY
have ties and response times besides. Speed: CPU seconds of 8,220 votes, least of the rounds, in turns with crowd-kit's
NoisyBradleyTerry(n_iter=20) (benchmarks/requirements.txt).
"""

import argparse
import itertools
import sys
import time

import numpy as np
import pandas as pd

from analysis.crowd_scores import crowd_scores
from analysis.errors import AnalysisError
from analysis.participants.crowd import gather_crowd
from analysis.participants.latent_class import latent_classes
from analysis.participants.screening import SCREENING_RULES, apply_rule, screen_participants
from analysis.ranking.fit import fit_bradley_terry
from analysis.simulation import simulate_votes

DESIGNS = ((685, 12), (100, 45))
CROWDS = ((0.0, "mix"), (0.1, "mix"), (0.1, "hostile"), (0.3, "mix"), (0.3, "hostile"))
# Half of the others click at random as fast as they can, half see no difference in 19 of 20 pairs.
HASTY = ((0.0, "hasty"), (0.1, "hasty"), (0.3, "hasty"))
TASTE, ITEMS, SOURCES, VERIFICATIONS = 0.4, 10, 8, 3
# Davidson's nu: honest people tie in about a quarter of the pairs.
TIE_STRENGTH = 0.7
# Median response time of the crowd and of those who only click; spread of the logarithm between people, and within.
HONEST_MS, CLICKING_MS, BETWEEN, WITHIN = 3000, 300, 0.4, 0.5
# Nothing is set aside in these crowds; without ties and times two more rules have nothing to judge by.
IDLE, IDLE_WITHOUT_TIMES = {"everybody"}, {"speed", "ties"}


def study(people: int, votes_each: int, spammers: float, spam: str, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """A vote table, and the scores of its honest population."""
    scores = {f"c{k}": score for k, score in enumerate(np.random.default_rng(seed).normal(0, 0.8, ITEMS))}
    crowd = {"participants": people, "votes_each": votes_each, "sources": SOURCES, "taste": TASTE, "seed": seed}
    if spam == "hasty":
        table = simulate_votes(scores, **crowd, tie_strength=TIE_STRENGTH, verifications=VERIFICATIONS)
        table = with_haste(table, round(spammers * people), np.random.default_rng([seed, 1]))
        return table, crowd_scores(scores, taste=TASTE, tie_strength=TIE_STRENGTH)
    table = simulate_votes(scores, **crowd, spammers=spammers, spam=spam, verifications=VERIFICATIONS)
    return table, crowd_scores(scores, taste=TASTE)


def with_haste(table: pd.DataFrame, others: int, rng: np.random.Generator) -> pd.DataFrame:
    """The table with response times, and so many of its people answering as HASTY says."""
    person = table["participant"].cat.codes.to_numpy()
    people = len(table["participant"].cat.categories)
    role = rng.permutation(np.repeat([0, 1, 2], [people - others, others - others // 2, others // 2]))
    clicks, ties = role[person] == 1, (role[person] == 2) & (rng.random(len(table)) < 0.95)
    codes = np.where(ties, 2, np.where(clicks, rng.integers(2, size=len(table)), table["choice"].cat.codes))
    usual = np.where(role == 1, CLICKING_MS, HONEST_MS) * np.exp(rng.normal(0, BETWEEN, people))
    return table.assign(
        choice=pd.Categorical.from_codes(codes, dtype=table["choice"].dtype),
        response_ms=usual[person] * np.exp(rng.normal(0, WITHIN, len(table))),
        honest=role[person] == 0,
    )


def weights_of(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Weight of each participant under each rule, beside knowing who is honest and no verification answers."""
    crowd = gather_crowd(table)
    people = pd.Index(crowd.participants)
    blind = np.zeros_like(crowd.asked)
    found = {"who is honest is known": table.groupby("participant", observed=True)["honest"].first().astype(float)}
    idle = IDLE if "response_ms" in table else IDLE | IDLE_WITHOUT_TIMES
    for name, rule in SCREENING_RULES.items():
        if name not in idle:
            found[f"`{name}`"] = pd.Series(apply_rule(rule, crowd).participants["weight"].to_numpy(), people)
    without = latent_classes(crowd.counts, asked=blind, right=blind)
    found["`lapse` without verification pairs"] = pd.Series(without.attentive, people)
    return found


def accuracy(seeds: int) -> None:
    """Print the tables of errors."""
    for crowds, (people, votes_each) in itertools.product((CROWDS, HASTY), DESIGNS):
        print(f"\n{people} participants x {votes_each} votes, {seeds} seeds: error in logits (ratio to knowing); ")
        print("honest people lost / others found, in %\n")
        columns = {}
        for spammers, spam in crowds:
            errors, lost, caught = {}, {}, {}
            for seed in range(seeds):
                table, truth = study(people, votes_each, spammers, spam, seed)
                weights = weights_of(table)
                honest = next(iter(weights.values())) > 0
                for name, weight in weights.items():
                    try:
                        scores = fit_bradley_terry(table, cluster=None, weights=weight.to_dict()).scores
                    except AnalysisError:
                        continue
                    errors.setdefault(name, []).append(scores[truth.index] - truth)
                    lost.setdefault(name, []).append((weight[honest] < 0.5).mean())
                    caught.setdefault(name, []).append((weight[~honest] < 0.5).mean() if spammers else np.nan)
            rmse = {name: float(np.sqrt(np.mean(np.square(found)))) for name, found in errors.items()}
            best = next(iter(rmse.values()))
            columns[f"{spammers:.0%} {spam if spammers else ''}"] = {
                name: f"{value:.3f} ({value / best:.2f}); {100 * np.mean(lost[name]):.1f}"
                + (f" / {100 * np.mean(caught[name]):.0f}" if spammers else "")
                for name, value in rmse.items()
            }
        print("| rule | " + " | ".join(columns) + " |")
        print("| --- |" + " --- |" * len(columns))
        for name in next(iter(columns.values())):
            print(f"| {name} | " + " | ".join(column[name] for column in columns.values()) + " |")


def speed(rounds: int) -> None:
    """Print CPU times of 8,220 votes, in turns."""
    try:
        from crowdkit.aggregation import NoisyBradleyTerry
    except ModuleNotFoundError:
        sys.exit("crowd-kit is not installed; benchmarks/requirements.txt has it, --skip speed leaves it out")

    for spammers, spam in CROWDS:
        table, _ = study(685, 12, spammers, spam, 0)
        tests = table[(table["kind"] == "test").to_numpy()]
        pairs = pd.DataFrame({side: tests[side].astype(str) for side in ("left", "right")})
        pairs["worker"] = tests["participant"].astype(str)
        pairs["label"] = np.where(tests["choice"] == "left", pairs["left"], pairs["right"])
        crowd = gather_crowd(table)
        contestants = {
            "latent classes from counts": lambda c=crowd: latent_classes(c.counts, asked=c.asked, right=c.hit),
            "screen_participants(table, 'lapse')": lambda t=table: screen_participants(t, "lapse"),
            "NoisyBradleyTerry(n_iter=20)": lambda p=pairs: NoisyBradleyTerry(n_iter=20).fit(p),
        }
        least = dict.fromkeys(contestants, np.inf)
        for _ in range(rounds):
            for name, contestant in contestants.items():
                started = time.process_time()
                contestant()
                least[name] = min(least[name], time.process_time() - started)
        slowest = least["NoisyBradleyTerry(n_iter=20)"]
        said = "; ".join(f"{name} {1000 * value:.0f} ms ({slowest / value:.0f}x)" for name, value in least.items())
        print(f"{spammers:.0%} {spam if spammers else ''}: {said}")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--skip", choices=("accuracy", "speed"))
    options = parser.parse_args()
    if options.skip != "accuracy":
        accuracy(options.seeds)
    if options.skip != "speed":
        speed(options.rounds)


if __name__ == "__main__":
    main()
