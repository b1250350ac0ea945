"""Everything that a robustness report says, as one JSON document."""

import pandas as pd

from analysis.document import software_versions
from analysis.robustness_numbers import GAINS, MEASURES
from analysis.score_domains import Domain
from analysis.score_table import ALL, ITERATIVE, UNIVERSAL

__all__ = ["describe_robustness"]


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

    Scores are {"mean", "low", "high"} or None.
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
        "n": int(overall.loc[overall["attack"] == ALL, "n"].sum()),
        "scores": _records(table, MEASURES),
        "strengths": _records(strengths, GAINS),
        "transfer": _records(transfer, GAINS),
        "software": software_versions(),
    }


def _answer(overall: pd.DataFrame, attacks: list[str], level: float) -> str:
    together = overall[overall["attack"] == ALL].dropna(subset="absolute_gain")
    if together.empty:
        return "No metric has enough clear scores to judge; the notes of the rows say why."

    def said(row: pd.Series) -> str:
        low, high = (f"{100 * row[f'absolute_gain_{end}']:.0f} %" for end in ("low", "high"))
        gain = f"{100 * row['absolute_gain']:.0f} %"
        return f"{gain} of its clear range, {100 * level:g} % interval {low} to {high}".replace("-", "\N{MINUS SIGN}")

    first, last = together.iloc[0], together.iloc[-1]
    if len(together) == 1:
        by = attacks[0] if len(attacks) == 1 else f"{len(attacks)} attacks together"
        sentence = f"{first['metric']} gains {said(first)}, under {by}"
    else:
        sentence = (
            f"Of {len(together)} metrics under {_counted(attacks)}, {first['metric']} is moved least "
            f"(gains {said(first)}) and {last['metric']} most ({said(last)})"
        )
    gains = overall[overall["attack"].isin(attacks)].groupby("attack", sort=False)["absolute_gain"].mean().dropna()
    if len(gains) > 1:
        sentence += f"; {gains.idxmax()} is the strongest attack and {gains.idxmin()} the weakest"
    return sentence + "."


def _counted(attacks: list[str]) -> str:
    return attacks[0] if len(attacks) == 1 else f"{len(attacks)} attacks"


def _records(table: pd.DataFrame, measures: tuple[str, ...]) -> list[dict]:
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    for record in records:
        for measure in measures:
            mean, low, high = (record.pop(f"{measure}{end}") for end in ("", "_low", "_high"))
            record[measure] = None if mean is None else {"mean": mean, "low": low, "high": high}
    return records
