"""The methods section of a report: what ITU-T P.910 asks to be told about a test, as far as votes can know it.

P.910 (10/2023) took over from P.913 the elements that a report of a subjective experiment must have: the design
(sources, conditions, stimuli and pairs, method, presentation), the test itself (environment, displays, participants and
how they were found, trained and screened) and the analysis (exclusions and their rule, intervals). What no vote table
holds stands in square brackets.
"""

import pandas as pd

from analysis.drawing import signed
from analysis.report.study_analysis import StudyAnalysis
from analysis.report.summary import at_most, counted, listed, percent, thousands

__all__ = ["describe_methods"]

_TIES = {
    "davidson": "ties were modelled with one parameter (Davidson 1970)",
    "rao-kupper": "ties were modelled with a threshold (Rao and Kupper 1967)",
    "half": "ties counted as half a win for each side",
}
_PRESENTED = {
    "side-by-side": "side by side",
    "sequential": "one after the other",
    "toggle": "in one place, switched by the participant",
}


def describe_methods(analysis: StudyAnalysis, document: dict) -> tuple[str, ...]:
    """Paragraphs of plain text; square brackets hold what the researcher must fill in."""
    return _design(analysis, document), _test(analysis, document), _analysis(analysis, document)


def _design(analysis: StudyAnalysis, document: dict) -> str:
    conditions = [row["condition"] for row in document["ranking"]]
    attacks = [name for name in conditions if name != document["reference"]]
    what = counted(len(attacks), "attack" if document["reference"] else "condition")
    beside = " and the unattacked reference" if document["reference"] else ""
    metrics = document["target_metrics"]
    target = ""
    if len(metrics) == 1:
        target = f" against the quality metric {metrics[0]}"
    elif metrics:
        target = f" against the quality metrics {listed(metrics)}"
    shown = _values(analysis.votes.counted, "presentation")
    how = listed([_PRESENTED.get(name, name) for name in shown]) if shown else "[side by side, or otherwise]"
    answers = "better-looking one, or that they looked the same" if document["n_ties"] else "better-looking one"
    return (
        f"{what[0].upper()}{what[1:]} ({listed(attacks)}){target}{beside} were compared on "
        f"{counted(document['n_sources'], 'source clip')} [what they show, resolution, frame rate, duration, "
        f"encoding; how "
        "the strength of the attacks was chosen] by pair comparison (ITU-T P.910, 10/2023). In each trial two "
        f"versions of "
        f"the same clip were shown {how}, sides [assigned at random], and the participant chose the {answers} "
        f"[question as it was put, number of viewings allowed, time limit]. "
        f"{_pairs(document['pairs'])}"
    )


def _pairs(pairs: dict) -> str:
    """How many pairs were judged of those there are, and how often."""
    low, median, high = (f"{pairs[name]:g}" for name in ("fewest", "median", "most"))
    often = low if low == high else f"{low} to {high} (median {median})"
    return (
        f"Of the {counted(pairs['possible'], 'pair')} of conditions on one clip, {thousands(pairs['judged'])} "
        f"{'was' if pairs['judged'] == 1 else 'were'} judged, each in {often} of the votes ranked."
    )


def _test(analysis: StudyAnalysis, document: dict) -> str:
    table = analysis.votes.table
    everybody = table["participant"].nunique()
    each = analysis.votes.counted["participant"].value_counts()
    each = each[each > 0]
    spread = f"{each.min()}" if each.min() == each.max() else f"{each.min()} to {each.max()} (median {each.median():g})"
    times = table["response_ms"].dropna() if "response_ms" in table else []
    pace = f" The median time to an answer was {times.median() / 1000:.1f} s." if len(times) else ""
    check = document["verification"]
    attention = (
        f" Attention was checked with verification pairs, whose right answer is known: {check['passed']} of "
        f"{check['asked']} participants answered all of theirs rightly."
        if check
        else ""
    )
    share = percent(document["n_ties"] / document["n_votes"])
    ties = f"{thousands(document['n_ties'])} ({share}) were ties" if document["n_ties"] else "none was a tie"
    simulated = document["n_simulated_participants"]
    model = f" NOTE: {simulated} of the participants whose votes count were simulated." if simulated else ""
    return (
        f"{counted(everybody, 'participant')} took part [how recruited and paid, age, gender, expertise, vision tested "
        "or not; consent and ethics approval], in [a laboratory, or uncontrolled surroundings of their own] [lighting; "
        "displays, resolution and viewing distance; browser or player; instructions and training; length of a session]."
        f"{attention}{pace} The ranking counts {counted(document['n_votes'], 'vote')} of "
        f"{counted(document['n_participants'], 'participant')}, {spread} each; {ties}.{model}"
    )


def _analysis(analysis: StudyAnalysis, document: dict) -> str:
    result, level = analysis.main.result, document["level"]
    screened = document["screening"]
    out = sum(item["votes"] for item in document["left_out"])
    decided = screened["decisions"]
    exclusion = (
        f"Whose votes count was decided by the rule “{screened['title']}” ({screened['rule']}, version "
        f"{screened['version']}), which removed {_people(decided.get('remove', 0))}"
    )
    if "down-weight" in decided:
        exclusion += f" and gave less weight to the votes of {thousands(decided['down-weight'])}"
    if "set aside" in decided:
        exclusion += f"; all votes of {_people(decided['set aside'])} were set aside before"
    if document["left_out"]:
        reasons = "; ".join(f"{thousands(item['votes'])}: {item['why']}" for item in document["left_out"])
        exclusion += f"; {counted(out, 'vote')} of the table were not ranked ({reasons})"
    model = "Bradley–Terry model by maximum likelihood" if result.model == "bradley-terry" else "Thurstone's Case V"
    ties = f"; {_TIES[result.ties]}" if result.n_ties else ""
    degrees = f"{result.degrees_of_freedom:.0f} degree{'s' if result.degrees_of_freedom > 1 else ''} of freedom"
    if document["generalise"]["to"] == "sources":
        covered = (
            "allow for the dependence of votes of one participant and on one source (two-way clustered; Cameron, "
            f"Gelbach "
            f"and Miller 2011; Student's t with {degrees}; never narrower than clustered by participant alone), and "
            "hold for other participants and other sources"
        )
    else:
        covered = (
            "allow for the dependence of one participant's votes (clustered sandwich covariance with the factor "
            f"P / (P − 1), Student's t with {degrees}), and hold for other participants judging the same sources"
        )
    pairs = len(document["comparisons"]["pairs"])
    adjusted = f" and adjusted for the {pairs} pairs after Holm (1979)" if pairs > 1 else ""
    bias = document["position"]
    side = (
        f" A bias to the left of {signed(bias['bias']['value'], 3)} logits (p = {bias['bias']['p']:.3f}), modelled, "
        f"changes no score by more than {at_most(bias['largest_change'])}."
        if "bias" in bias
        else ""
    )
    return (
        f"{exclusion}. Scores are estimates of a {model}{ties}, in logits ({document['gauge']}). "
        f"{100 * level:g} % intervals {covered}. Differences were tested two-sidedly{adjusted}.{side}"
    )


def _people(count: int) -> str:
    return counted(count, "participant") if count else "nobody"


def _values(counted: pd.DataFrame, column: str) -> list[str]:
    if column not in counted:
        return []
    return sorted({str(value) for value in counted[column].dropna().unique()} - {""})
