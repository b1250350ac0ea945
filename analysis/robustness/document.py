"""Everything that a robustness report says, as one JSON document."""

import pandas as pd

from analysis.report.document import software_versions
from analysis.robustness.numbers import GAINS, MEASURES
from analysis.robustness.score_domains import Domain
from analysis.robustness.score_table import ALL, ITERATIVE, UNIVERSAL

__all__ = ["describe_robustness"]

_MOST_NAMED = 3


def describe_robustness(
    table: pd.DataFrame,
    strengths: pd.DataFrame,
    transfer: pd.DataFrame,
    *,
    domain: Domain,
    title: str,
    level: float,
    seed: int,
) -> dict:
    """The document of the tables of `robustness_numbers`, as plain Python values without NaN.

    Scores are {"mean", "low", "high"} or None. `missing`: metric and attack of which there are no rows.
    """
    overall = table[table["dataset"] == ALL]
    attacks = [attack for attack in table["attack"].unique() if attack not in (ALL, ITERATIVE, UNIVERSAL)]
    return {
        "title": title,
        "answer": _answer(overall, attacks, level),
        "domain": domain.name,
        "domain_reference_metric": domain.reference_metric,
        "domain_sentence": domain.sentence,
        "level": level,
        "seed": seed,
        "metrics": list(table["metric"].unique()),
        "attacks": attacks,
        "datasets": [dataset for dataset in table["dataset"].unique() if dataset != ALL],
        "missing": _missing(overall, attacks),
        "n": int(overall.loc[overall["attack"] == ALL, "n"].sum()),
        "scores": _records(table, MEASURES),
        "strengths": _records(strengths, GAINS),
        "transfer": _records(transfer, GAINS),
        "software": software_versions(),
    }


def _answer(overall: pd.DataFrame, attacks: list[str], level: float) -> str:
    """What a reader should know first. A metric that falls is not called robust: its R is small as well."""
    together = overall[overall["attack"] == ALL].dropna(subset="absolute_gain")
    if together.empty:
        return "No metric has enough clear scores to judge; the notes of the rows say why."
    lowered = together["absolute_gain_high"] < 0
    gaining, losing = together[~lowered], together[lowered]
    under = attacks[0] if len(attacks) == 1 else f"{len(attacks)} attacks"
    if len(together) == 1:
        only = together.iloc[0]
        does = "is lowered by" if len(losing) else "gains"
        sentences = [f"Under {under}, {only['metric']} {does} {_amount(only, level, -1 if len(losing) else 1)}"]
        sentences.append(f"R is {_r(only)}")
    else:
        sentences = [f"Of {len(together)} metrics under {under}, {_gaining(gaining, level)}"]
        if len(losing):
            lowered_by = [f"{row['metric']} (by {_amount(row, level, -1)})" for _, row in losing.iterrows()]
            sentences.append(f"The attacks lower {_few(lowered_by)}")
        most, least = (together.loc[found(together["robustness"])] for found in (pd.Series.idxmax, pd.Series.idxmin))
        sentences.append(
            f"R, which counts moves in either direction, is highest for {most['metric']} ({_r(most)}) and lowest for "
            f"{least['metric']} ({_r(least)})"
        )
    judged = overall[overall["attack"].isin(attacks)].dropna(subset="absolute_gain")["attack"]
    ranked = [attack for attack in attacks if attack in set(judged)]
    if len(ranked) > 1:
        average = "On average over the metrics, the" if len(together) > 1 else "The"
        sentences.append(f"{average} gain is largest under {ranked[0]} and smallest under {ranked[-1]}")
    fewer = list(dict.fromkeys(cell["metric"] for cell in _missing(overall, attacks)))
    if fewer:
        several = "metrics" if len(fewer) > 1 else "metric"
        sentences.append(f"Beware: {len(fewer)} {several} met fewer attacks than the others ({_few(fewer)})")
    return ". ".join(sentences) + "."


def _gaining(gaining: pd.DataFrame, level: float) -> str:
    if gaining.empty:
        return "none gains"
    first, last = gaining.iloc[0], gaining.iloc[-1]
    if len(gaining) == 1:
        return f"only {first['metric']} gains ({_amount(first, level)})"
    return f"{first['metric']} gains least ({_amount(first, level)}) and {last['metric']} most ({_amount(last, level)})"


def _amount(row: pd.Series, level: float, sign: int = 1) -> str:
    """The absolute gain, or with sign -1 the loss, with its interval."""
    gain, *ends = (round(100 * sign * row[f"absolute_gain{end}"]) for end in ("", "_low", "_high"))
    said = f"{gain} % of its clear range, {100 * level:g} % interval {min(ends)} % to {max(ends)} %"
    return said.replace("-", "\N{MINUS SIGN}")


def _few(names: list[str]) -> str:
    """The first of many."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _r(row: pd.Series) -> str:
    return f"{row['robustness']:.2f}".replace("-", "\N{MINUS SIGN}")


def _missing(overall: pd.DataFrame, attacks: list[str]) -> list[dict]:
    there = set(zip(overall["metric"], overall["attack"], strict=True))
    wanted = ((metric, attack) for metric in overall["metric"].unique() for attack in attacks)
    return [{"metric": metric, "attack": attack} for metric, attack in wanted if (metric, attack) not in there]


def _records(table: pd.DataFrame, measures: tuple[str, ...]) -> list[dict]:
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    for record in records:
        for measure in measures:
            mean, low, high = (record.pop(f"{measure}{end}") for end in ("", "_low", "_high"))
            record[measure] = None if mean is None else {"mean": mean, "low": low, "high": high}
    return records
