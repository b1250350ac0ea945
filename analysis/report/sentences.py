"""Sentences of a report that need more than one number, made from its document."""

import math

from analysis.drawing import signed
from analysis.report.summary import counted, listed, p_value, percent, thousands
from analysis.tables import NOTHING

__all__ = [
    "agreement_gaps",
    "agreement_points",
    "content_sentence",
    "fit_sentence",
    "flip_sentence",
    "limits",
    "objective_sentence",
]

# Below, intervals that rest on the spread between people or between clips are a rough guide.
_FEW_PARTICIPANTS, _FEW_SOURCES, _FEW_VOTES_A_PAIR = 20, 10, 10


def flip_sentence(flip: dict) -> str:
    """How few votes the first rank hangs on."""
    parts: list[str] = []
    for name, words in {"dropped": "were left out", "reversed": "were answered the other way"}.items():
        if flip[name] is not None:
            of = "" if parts else f" of the {thousands(flip['n_votes'])} votes"
            parts.append(f"{thousands(flip[name])}{of} ({_share(flip[f'{name}_share'])}) {words}")
    if not parts:
        return f"No number of votes left out or reversed puts {flip['second']} before {flip['first']}."
    return (
        f"{flip['second']} would come before {flip['first']} if {' or '.join(parts)}: those that speak most for "
        f"{flip['first']}."
    )


def content_sentence(content: dict, level: float) -> str:
    """How much ranks depend on the clip."""
    at = f"{100 * level:g} % interval"
    high = "unbounded" if content["tau_high"] is None else f"{_decimals(content['tau_high'])}"
    test = content["heterogeneity"]
    p = test["p"] if test["p_clustered"] is None else test["p_clustered"]
    verdict = "differ from clip to clip" if p < 1 - level else "do not show a dependence on the clip"
    return (
        f"The scores {verdict} (test of equal scores on all clips: p {_equals(p)}). A clip moves a condition's score "
        f"by {_decimals(content['tau'])} logits (standard deviation; {at} {_decimals(content['tau_low'])} to {high}), "
        f"{_percent(content['share_of_variance'])} of the variance of scores. On a new clip the order is expected to "
        f"agree with this one at Kendall's τ = {_decimals(content['kendall'])} ({_decimals(content['kendall_low'])} to "
        f"{_decimals(content['kendall_high'])})."
    )


def fit_sentence(fit: dict, level: float) -> str:
    """Whether one score per condition describes the votes."""
    p = fit["p"] if fit["p_clustered"] is None else fit["p_clustered"]
    if p is None:
        return "the model has as many parameters as the votes have answers, so its fit cannot be tested"
    worst = [row for row in fit["residuals"] if row["p_adjusted"] is not None and row["p_adjusted"] < 1 - level]
    pairs = (
        f"; {len(worst)} pair{'s' if len(worst) > 1 else ''} stand{'' if len(worst) > 1 else 's'} out"
        if worst
        else "; no single pair stands out"
    )
    says = "does not describe the votes" if p < 1 - level else "describes the votes of all clips together well enough"
    return (
        f"one score per condition {says} (deviance {fit['deviance']:.1f} on {fit['degrees_of_freedom']} "
        f"degrees of freedom, p "
        f"{_equals(p)}{' with votes of one person hanging together' if fit['p_clustered'] else ''})"
        f"{pairs}"
    )


def objective_sentence(record: dict) -> str:
    """Which objective measure orders the attacks most as people do; empty where none leads."""
    lead = record["lead"]
    if lead is None:
        return ""
    rows = {row["measure"]: row for row in record["table"] if row["over"] == "conditions"}
    best, second = rows[lead["best"]], rows[lead["second"]]
    # Rounded, since measures that order the conditions alike differ in the last digit.
    top = round(best["srocc"], 9)
    alike = [row["heading"] for row in rows.values() if row["leads"] and round(row["srocc"], 9) == top]
    if len(alike) > 1:
        return f"No measure leads alone: {listed(alike)} have the same SROCC ({_signed(best['srocc'])})."
    bounds = (
        ""
        if best["srocc_low"] is None
        else f", {_level(record['level'])} {_signed(best['srocc_low'])} to {_signed(best['srocc_high'])}"
    )
    verdict = "and is told apart from" if lead["told_apart"] else "but is not told apart from"
    return (
        f"{best['heading']} orders the attacks most as people do (SROCC {_signed(best['srocc'])}{bounds}) {verdict} "
        f"{second['heading']} ({_signed(second['srocc'])})."
    )


def limits(document: dict) -> list[str]:
    """What a reader must not conclude."""
    found = []
    if document["n_simulated_participants"]:
        count = document["n_simulated_participants"]
        found.append(f"{thousands(count)} of the participants were simulated: these are no findings about people.")
    if document["n_participants"] < _FEW_PARTICIPANTS:
        found.append(
            f"Only {document['n_participants']} participants: the intervals rest on how much people differ from each "
            "other, which so few show poorly."
        )
    if document["generalise"]["to"] != "sources":
        found.append(f"Nothing is said about other clips: {document['generalise']['why_not']}.")
    elif document["n_sources"] < _FEW_SOURCES:
        found.append(
            f"{document['n_sources']} clips are a small sample of clips; what is said about others rests on their "
            f"spread "
            f"(t with {document['degrees_of_freedom']:.0f} degrees of freedom), and only on clips chosen as these were."
        )
    each = document["n_votes"] / max(len(document["comparisons"]["pairs"]), 1)
    if each < _FEW_VOTES_A_PAIR:
        found.append(f"There are {each:.1f} votes per pair of conditions: intervals from so few are approximate.")
    failed = document["verification"]["counted_failed"] if document["verification"] else 0
    if failed:
        verb = "is" if failed == 1 else "are"
        found.append(
            f"{counted(failed, 'participant')} who failed a verification pair {verb} counted; the ranking without "
            "them is among those by other screening rules."
        )
    if document["verification"] is None:
        found.append("No verification pair was asked, so careless participants could hardly be found.")
    if len(document["target_metrics"]) > 1:
        found.append(
            "Conditions are pooled over target metrics: the same attack on another metric is another picture, and the "
            "pooled score is an average over them."
        )
    found.append("Scores rank what was shown to those who took part; they do not measure absolute quality.")
    found.append(
        "One score per condition assumes preferences that are consistent across clips and people; the sections on "
        "trust and on clips show how far that holds."
    )
    return found


def agreement_points(agreement: dict, level: float) -> list[tuple[str, str]]:
    """(heading, sentence) for each measure of agreement that the votes allow."""
    repeats, swapped = agreement["repeats"], agreement["reversed_repeats"]
    # Where every repeat has its sides swapped, they are not told twice.
    told = "repeats" if swapped and swapped["same"]["of"] == repeats["same"]["of"] else None
    return [
        (heading, make(agreement[name], level))
        for name, (heading, make) in _MAKERS.items()
        if agreement[name] and name != told
    ]


def agreement_gaps(agreement: dict) -> list[tuple[str, str]]:
    """(heading, reason) for each measure that the votes do not allow."""
    return [(heading, agreement["why_not"][name]) for name, (heading, _) in _MAKERS.items() if not agreement[name]]


def _split_half(halves: dict, level: float) -> str:
    unfitted = halves["splits"] - halves["fitted"]
    return (
        f"two random halves of the participants order the conditions alike with a mean rank correlation of "
        f"{_signed(halves['mean'])} (lowest {_signed(halves['lowest'])} over {halves['fitted']} splits"
        f"{f'; the other {unfitted} had too few votes to rank' if unfitted else ''})."
    )


def _alpha(alpha: dict, level: float) -> str:
    return (
        f"{_signed(alpha['alpha'])} ({_between(alpha, level)}; 1 where all who saw the same pair "
        f"answer alike, 0 where by chance) over {counted(alpha['pairs'], 'pair')} on a source."
    )


def _kendall(u: dict, level: float) -> str:
    return (
        f"{_signed(u['u'])} ({_between(u, level)}; 1 where all agree, {_signed(u['lowest'])} is the least "
        f"possible; p of guessing {_equals(u['p'])})."
    )


def _triads(triads: dict, level: float) -> str:
    return (
        f"{thousands(triads['circular'])} of {counted(triads['closed'], 'closed triad')} of one person contradict "
        f"themselves ({_percent(triads['share'])}; guessing gives 25 %)."
    )


def _repeats(repeats: dict, level: float) -> str:
    model = (
        "" if repeats["model"] is None else f"; the model expects {_percent(repeats['model'])} of answers drawn anew"
    )
    return (
        f"{_of(repeats['same'], level)} were answered the same again (guessing: {_percent(repeats['chance'])}{model})."
    )


def _null_pairs(null: dict, level: float) -> str:
    left = "" if null["left"] is None else f"; of the others {_of(null['left'], level)} were for the left"
    return f"{_of(null['tied'], level)} were called equal{left}."


def _times(times: dict, level: float) -> str:
    low, median, high = (f"{times[name] / 1000:.1f}" for name in ("lower_quartile", "median", "upper_quartile"))
    slower = times["by_distance"]
    clear = ""
    if slower is not None and slower["p"] < 1 - level:
        change = 100 * math.expm1(slower["value"])
        clear = f" A pair one logit further apart takes {abs(change):.0f} % {'less' if change < 0 else 'more'}."
    return f"half of the answers took {low} to {high} s, median {median} s.{clear}"


def _of(share: dict, level: float) -> str:
    bounds = f"{_percent(share['low'])} to {_percent(share['high'])}"
    return f"{_percent(share['share'])} of {thousands(share['of'])} ({_level(level)} {bounds})"


def _between(record: dict, level: float) -> str:
    return f"{_level(level)} {_signed(record['low'])} to {_signed(record['high'])}"


def _level(level: float) -> str:
    return f"{100 * level:g} % interval"


def _signed(value: float | None) -> str:
    return NOTHING if value is None else signed(value)


def _percent(share: float | None) -> str:
    return NOTHING if share is None else percent(share)


def _decimals(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _share(share: float) -> str:
    return f"{100 * share:.1f} %"


def _equals(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


_MAKERS = {
    "split_half": ("Agreement of halves", _split_half),
    "krippendorff_alpha": ("Krippendorff’s α", _alpha),
    "kendall_u": ("Kendall’s u", _kendall),
    "circular_triads": ("Circular triads", _triads),
    "repeats": ("Repeated pairs", _repeats),
    "reversed_repeats": ("Pairs repeated with sides swapped", _repeats),
    "null_pairs": ("Pairs of one and the same video", _null_pairs),
    "response_times": ("Time to an answer", _times),
}
