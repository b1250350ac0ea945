"""What a report says beside the ranking: the answer in a sentence, who was checked, what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.ranking.counts import LEFT, RIGHT, TIE, code_votes
from analysis.ranking.result import BradleyTerryResult

__all__ = [
    "Verification",
    "answer_sentence",
    "at_most",
    "claim_sentence",
    "counted",
    "kind_of_votes",
    "left_out",
    "left_share",
    "listed",
    "p_value",
    "percent",
    "preference_by_source",
    "simulated_people",
    "thousands",
    "verification",
]

# A sentence that lists more is not read.
_MOST_NAMES = 4
_KINDS = {
    "verification": "verification pairs",
    "training": "practice pairs",
    "repeat": "repeated pairs",
    "null": "pairs of one and the same video",
}


@dataclass(frozen=True)
class Verification:
    """Participants who met a verification pair, and those who answered at least one wrongly (sorted labels)."""

    asked: int
    failed: tuple[str, ...]

    @property
    def passed(self) -> int:
        return self.asked - len(self.failed)


def percent(share: float) -> str:
    """0.414 -> "41 %"."""
    return f"{100 * share:.0f} %"


def counted(count: int, noun: str) -> str:
    """1, "vote" -> "1 vote"; 8220, "vote" -> "8 220 votes"."""
    return f"{thousands(count)} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def thousands(count: int) -> str:
    """8220 -> "8 220"."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def at_most(value: float) -> str:
    """0.0123 -> "0.013": to three digits after the point, and never less than it is."""
    return f"{np.ceil(1000 * value) / 1000:.3f}"


def p_value(p: float) -> str:
    """0.0123 -> "0.012"; below a thousandth only that it is."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def answer_sentence(result: BradleyTerryResult, *, reference: str | None, level: float) -> str:
    """The ranking in one sentence with its uncertainty.

    Where `reference` is ranked, the other conditions are attacks and a higher score means less visible; elsewhere the
    sentence speaks of preference alone. "Told apart" is the Holm-adjusted comparison at 1 - level.
    """
    order = [condition for condition in result.to_frame().index if condition != reference]
    comparisons = result.compare(level=level)
    alike = comparisons[comparisons["p_adjusted"] >= 1 - level]
    votes = kind_of_votes(result)

    def preferred(row: pd.Series, over: str) -> str:
        share = f"{percent(row['probability'])} of {votes}, {100 * level:g} % interval {_between(row)}"
        return f"preferred over {over} in {share}"

    def place(condition: str, where: str, extreme: str, figures: str = "") -> str:
        rivals = _partners(alike, condition, order)
        if rivals:
            return f"{condition} has the {extreme} score{figures} but is not told apart from {_joined(rivals)}"
        return f"{condition} is {where}{figures}"

    if reference is None:
        best, worst = order[0], order[-1]
        widest = comparisons[(comparisons["first"] == best) & (comparisons["second"] == worst)].iloc[0]
        if len(order) == 2:
            return f"{best} was {preferred(widest, worst)}{_verdict(alike, best, worst)}."
        ends = f"{place(best, 'preferred most', 'highest')}; {place(worst, 'preferred least', 'lowest')}"
        return f"Of {len(order)} conditions, {ends}; {best} is {preferred(widest, worst)}."
    against = result.probability_against(reference, level=level)
    if len(order) == 1:
        figures = preferred(against.loc[order[0]], f"the {reference}")
        return f"{order[0]} was {figures}{_verdict(alike, order[0], reference)}."
    last = against.loc[order[-1]]
    # What the second pair of figures means is said with the first.
    figures = (
        f" ({preferred(against.loc[order[0]], f'the {reference}')})",
        f" ({percent(last['probability'])}, {_between(last)})",
    )
    if all(len(_partners(alike, condition, order)) == len(order) - 1 for condition in order):
        two = f"The attacks {order[0]} and {order[1]} are not"
        those = two if len(order) == 2 else f"No two of the {len(order)} attacks are"
        return f"{those} told apart: {order[0]} has the highest score{figures[0]}, {order[-1]} the lowest{figures[1]}."
    best = place(order[0], "the least visible", "highest", figures[0])
    worst = place(order[-1], "the most visible", "lowest", figures[1])
    return f"Of {len(order)} attacks, {best}; {worst}."


def kind_of_votes(result: BradleyTerryResult) -> str:
    """What the probabilities of a result are shares of: depends on the model of ties."""
    if result.n_ties == 0:
        return "votes"
    return {"davidson": "decided votes", "rao-kupper": "forced choices", "half": "votes, ties counted half"}[
        result.ties
    ]


def claim_sentence(result: BradleyTerryResult, *, generalise: str) -> str:
    """Whom and what the intervals speak of."""
    if generalise == "sources":
        return "The intervals hold for other people judging other clips like these."
    clips = f"these {result.n_sources} clips" if result.n_sources > 1 else "this one clip"
    return f"The intervals hold for other people judging {clips}; other clips may give another ranking."


def verification(votes: pd.DataFrame) -> Verification | None:
    """How participants answered the verification pairs; None where the votes hold none."""
    if "kind" not in votes:
        return None
    checks = votes[(votes["kind"] == "verification").to_numpy()]
    if len(checks) == 0:
        return None
    wrong = checks["choice"].astype(str).to_numpy() != checks["expected"].astype(str).to_numpy()
    people = checks["participant"].astype(str).to_numpy()
    return Verification(asked=len(np.unique(people)), failed=tuple(sorted(set(people[wrong]))))


def simulated_people(votes: pd.DataFrame) -> int:
    """Participants whose `origin` is `simulated`; 0 where the votes do not say."""
    if "origin" not in votes:
        return 0
    return votes.loc[(votes["origin"] == "simulated").to_numpy(), "participant"].nunique()


def left_out(votes: pd.DataFrame) -> list[tuple[str, int]]:
    """Votes that the ranking does not count, as (why, how many), most first."""
    why = pd.Series("", index=range(len(votes)))
    if "use" in votes:
        unused = ~votes["use"].to_numpy()
        reasons = (
            votes["reason"].astype("string").fillna("").to_numpy(dtype=str)
            if "reason" in votes
            else np.full(len(votes), "")
        )
        why[unused] = [f"set aside: {reason}" if reason else "set aside" for reason in reasons[unused]]
    if "kind" in votes:
        other = (votes["kind"] != "test").to_numpy()
        kinds = votes["kind"].astype(str).map(lambda kind: _KINDS.get(kind, f"of the kind {kind}"))
        why[other] = kinds.to_numpy()[other]
    counts = why[why != ""].value_counts()
    return sorted(((reason, int(count)) for reason, count in counts.items()), key=lambda item: (-item[1], item[0]))


def left_share(votes: pd.DataFrame) -> tuple[float, int]:
    """Share of `left` among the decided votes, and how many those are."""
    choice = votes["choice"].cat.codes.to_numpy()
    decided = int((choice != TIE).sum())
    return (float((choice == LEFT).sum() / decided) if decided else 0.5), decided


def preference_by_source(votes: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Number of votes per source, and the share of them that each condition won (ties half; NaN if not shown).

    A Series over sources, and a DataFrame of sources by conditions. Observed shares and no model: they hang on who
    met whom.
    """
    coded = code_votes(votes)
    counts = coded.count_by(coded.source, coded.n_sources)
    dense = counts if isinstance(counts, np.ndarray) else counts.toarray()
    n = len(coded.conditions)
    table = dense.reshape(-1, n, n, 3)
    halves = table[..., TIE] / 2
    on_left, on_right = table[..., LEFT] + halves, table[..., RIGHT] + halves
    won = on_left.sum(axis=2) + on_right.sum(axis=1)
    shown = won + on_right.sum(axis=2) + on_left.sum(axis=1)
    share = np.divide(won, shown, out=np.full_like(won, np.nan), where=shown > 0)
    sources = votes["source"].cat.remove_unused_categories().cat.categories
    index = pd.Index(sources, name="source")
    total = pd.Series((shown.sum(axis=1) / 2).astype(int), index=index, name="votes")
    return total, pd.DataFrame(share, index=index, columns=list(coded.conditions))


def _between(row: pd.Series) -> str:
    return f"{percent(row['low'])} to {percent(row['high'])}"


def _partners(alike: pd.DataFrame, condition: str, among: list[str]) -> list[str]:
    pairs = zip(alike["first"], alike["second"], strict=True)
    partners = {b if a == condition else a for a, b in pairs if condition in (a, b)}
    return [other for other in among if other in partners]


def _verdict(alike: pd.DataFrame, condition: str, reference: str) -> str:
    return (
        ", not told apart from an even choice"
        if _partners(alike, condition, [reference])
        else ", clearly not an even choice"
    )


def _joined(names: list[str]) -> str:
    if len(names) > _MOST_NAMES:
        return f"{', '.join(names[: _MOST_NAMES - 1])} and {len(names) - _MOST_NAMES + 1} others"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
