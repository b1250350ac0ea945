"""Robustness scores of every metric, attack and data set of a score table, as long tables."""

import numpy as np
import pandas as pd

from analysis.errors import InvalidScores
from analysis.robustness.score_table import ALL, ITERATIVE, UNIVERSAL, is_universal
from analysis.robustness.scores import Score, gain_scores, robustness_scores

__all__ = ["GAINS", "MEASURES", "robustness_table", "strength_table", "tabled_rows", "transfer_table"]

# In the order in which they are printed; the gains alone where there are many attacks, strengths and pairs of metrics.
MEASURES = ("absolute_gain", "relative_gain", "robustness", "wasserstein", "energy", "relative_gain_raw")
GAINS = MEASURES[:2]


def tabled_rows(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows of a validated table that robustness is judged on: each attack at its own strength against its own target.

    Raises InvalidScores where there are none.
    """
    rows = scores[(_own_target(scores) & scores["setting"].isin(["default", "set"])).to_numpy()]
    if rows.empty:
        raise InvalidScores(
            "no score is of setting default or set with the metric its own target, so there is nothing to judge; "
            "run the attacks at their default strengths"
        )
    return rows


def robustness_table(scores: pd.DataFrame, *, level: float, seed: int) -> pd.DataFrame:
    """One row for each metric, data set and attack, with the scores of MEASURES and their intervals.

    scores: from `tabled_rows`. Data sets and attacks come with "all", attacks also with "iterative" and "universal"
    where both kinds are there. Metrics are in order of their overall absolute gain, the smallest first; attacks in
    order of their mean gain, the largest first, over the metrics that met all of them (over all, if none did).
    `note` says why a row has no scores.
    """
    datasets = sorted(scores["dataset"].unique())
    attacks = sorted(scores["attack"].unique())
    kinds = [ALL] + ([ITERATIVE, UNIVERSAL] if len({is_universal(attack) for attack in attacks}) == 2 else [])
    found = []
    for metric, of_metric in _with_clusters(scores).groupby("metric", observed=True):
        for dataset in [ALL, *datasets]:
            if dataset != ALL and len(datasets) == 1:
                found += [row | {"dataset": dataset} for row in found if row["metric"] == metric]
                continue
            here = of_metric if dataset == ALL else of_metric[(of_metric["dataset"] == dataset).to_numpy()]
            for attack in [*kinds, *attacks]:
                rows = here[_of_attack(here["attack"], attack)]
                if len(rows):
                    names = {"metric": metric, "dataset": dataset, "attack": attack}
                    found.append(names | _scored(rows, level=level, seed=seed))
    table = pd.DataFrame(found)
    overall = table[(table["dataset"] == ALL) & (table["attack"] == ALL)].set_index("metric")["absolute_gain"]
    single = table[(table["dataset"] == ALL) & table["attack"].isin(attacks)]
    gains = single.pivot(index="attack", columns="metric", values="absolute_gain")
    comparable = gains.dropna(axis="columns")
    strength = (gains if comparable.empty else comparable).mean(axis="columns")
    return _sorted(
        table,
        metric=list(overall.sort_values(kind="stable").index),
        dataset=[ALL, *datasets],
        attack=[*kinds, *strength.sort_values(ascending=False, kind="stable").index],
    )


def strength_table(scores: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Gains at each of an attack's settings: one row for each attack, metric and setting, weakest setting first.

    scores: a validated table. `strength` is the median of the rows', `multiple` that over the median at the setting
    default. Empty unless some attack was run at two settings that have one strength.
    """
    own = scores[(_own_target(scores) & (scores["setting"] != "set") & (scores["strength"] > 0)).to_numpy()]
    own = _with_clusters(own)
    found = []
    for (attack, metric), rows in own.groupby(["attack", "metric"], observed=True):
        strengths = rows.groupby("setting", observed=True)["strength"].median()
        if len(strengths) < 2 or "default" not in strengths:
            continue
        for setting, strength in strengths.sort_values(kind="stable").items():
            names = {"attack": attack, "metric": metric, "setting": setting, "strength": strength}
            names["multiple"] = strength / strengths["default"]
            found.append(names | _gains(rows[(rows["setting"] == setting).to_numpy()], level=level))
    return pd.DataFrame(found)


def transfer_table(scores: pd.DataFrame, *, level: float) -> pd.DataFrame:
    """Gains of each metric on what was made against each target; attack "all" takes all together.

    scores: a validated table. Empty where no metric scored what was made against another.
    """
    if _own_target(scores).all():
        return pd.DataFrame()
    rows = _with_clusters(scores[scores["setting"].isin(["default", "set"]).to_numpy()])
    attacks = sorted(rows["attack"].unique())
    found = []
    for (target, metric), cell in rows.groupby(["target_metric", "metric"], observed=True):
        for attack in [ALL, *attacks] if len(attacks) > 1 else attacks:
            of_attack = cell[_of_attack(cell["attack"], attack)]
            if len(of_attack):
                names = {"attack": attack, "target_metric": target, "metric": metric}
                found.append(names | _gains(of_attack, level=level))
    return _sorted(pd.DataFrame(found), attack=[ALL, *attacks], target_metric=sorted(rows["target_metric"].unique()))


def _own_target(scores: pd.DataFrame) -> pd.Series:
    return scores["target_metric"].astype(str) == scores["metric"].astype(str)


def _of_attack(attacks: pd.Series, name: str) -> np.ndarray:
    if name == ALL:
        return np.ones(len(attacks), dtype=bool)
    if name in (ITERATIVE, UNIVERSAL):
        universal = [attack for attack in attacks.cat.categories if is_universal(attack)]
        return attacks.isin(universal).to_numpy() == (name == UNIVERSAL)
    return (attacks == name).to_numpy()


def _with_clusters(rows: pd.DataFrame) -> pd.DataFrame:
    """With the number of each row's source: frames of one clip are not independent."""
    return rows.assign(cluster=rows.groupby(["dataset", "source"], observed=True).ngroup())


def _about(rows: pd.DataFrame) -> dict:
    return {
        "lower_better": bool(rows["lower_better"].iloc[0]),
        "n": len(rows),
        "sources": int(rows["cluster"].nunique()),
    }


def _scored(rows: pd.DataFrame, *, level: float, seed: int) -> dict:
    record = _about(rows)
    try:
        scores = robustness_scores(
            rows["clear"],
            rows["attacked"],
            lower_better=record["lower_better"],
            level=level,
            groups=rows["cluster"],
            seed=seed,
        )
    except InvalidScores as error:
        return record | {"interval": None, "clear_low": np.nan, "clear_high": np.nan} | _columns({}, str(error))
    found = {measure: getattr(scores, measure) for measure in MEASURES}
    about = {"interval": scores.interval, "clear_low": scores.low, "clear_high": scores.high}
    return record | about | _columns(found, None)


def _gains(rows: pd.DataFrame, *, level: float) -> dict:
    record = _about(rows)
    try:
        scores = gain_scores(
            rows["clear"],
            rows["attacked"],
            lower_better=record["lower_better"],
            level=level,
            groups=rows["cluster"],
        )
    except InvalidScores as error:
        return record | _columns({}, str(error), GAINS)
    return record | _columns(dict(zip(GAINS, scores, strict=True)), None)


def _columns(scores: dict[str, Score | None], note: str | None, measures: tuple[str, ...] = MEASURES) -> dict:
    columns = {}
    for measure in measures:
        score = scores.get(measure) or Score(np.nan, np.nan, np.nan)
        columns |= {measure: score.mean, f"{measure}_low": score.low, f"{measure}_high": score.high}
    return columns | {"note": note}


def _sorted(table: pd.DataFrame, **orders: list[str]) -> pd.DataFrame:
    keys = pd.DataFrame({column: table[column].map(order.index) for column, order in orders.items()})
    return table.loc[keys.sort_values(list(keys), kind="stable").index].reset_index(drop=True)
