"""What the page of a report says in words, from the document and the records behind it."""

import shlex

from analysis.drawing import signed
from analysis.participants.rule_rankings import RuleRanking
from analysis.report.sentences import (
    agreement_gaps,
    agreement_points,
    content_sentence,
    fit_sentence,
    flip_sentence,
    limits,
    objective_sentence,
)
from analysis.report.study_analysis import Missing, StudyAnalysis
from analysis.report.summary import counted, kind_of_votes

__all__ = ["boxes_sentence", "report_command", "report_words"]


def report_words(analysis: StudyAnalysis, document: dict) -> dict:
    """Sentences and captions by the names that the templates use; empty where their part could not be computed."""
    level = document["level"]
    words = {
        "kind_of_votes": kind_of_votes(analysis.main.result),
        "told_apart": int((analysis.comparisons["p_adjusted"] < 1 - level).sum()),
        "limits": limits(document),
        "command": report_command(document),
        "forest_caption": _forest_caption(analysis, level),
        "rules_sentence": _unless_missing(analysis.rules, lambda: _rules_sentence(analysis)),
        "flip_sentence": _unless_missing(analysis.flip, lambda: flip_sentence(document["flip"])),
        "content_sentence": _unless_missing(analysis.content, lambda: content_sentence(document["content"], level)),
        "fit_sentence": _unless_missing(analysis.goodness, lambda: fit_sentence(document["goodness_of_fit"], level)),
        "agreement_points": _unless_missing(analysis.agreement, lambda: agreement_points(document["agreement"], level)),
        "agreement_gaps": _unless_missing(analysis.agreement, lambda: agreement_gaps(document["agreement"])),
        "objective_sentences": _unless_missing(
            analysis.objective,
            lambda: {
                metric: _unless_missing(record, lambda metric=metric: objective_sentence(document["objective"][metric]))
                for metric, record in analysis.objective.items()
            },
        ),
        "better_tie_model": "",
        "other_tie_model": "",
        "tie_advantage": 0.0,
    }
    if not isinstance(analysis.tie_models, Missing):
        fits = document["tie_models"]["log_likelihoods"]
        by_fit = sorted(fits, key=lambda name: -fits[name])
        names = {"davidson": "Davidson’s", "rao-kupper": "Rao and Kupper’s"}
        words["better_tie_model"], words["other_tie_model"] = (names[name] for name in by_fit)
        words["tie_advantage"] = fits[by_fit[0]] - fits[by_fit[1]]
    return words


def report_command(document: dict) -> str:
    """The command that makes the same report of the votes in a file; options at their defaults are left out."""
    options = document["options"]
    given = {
        "--title": document["title"],
        "--target-metric": options["target_metric"],
        "--ties": None if options["ties"] == "davidson" else options["ties"],
        "--generalise": options["generalise"],
        "--screening": None if options["screening"] == "as-given" else options["screening"],
        "--resamples": None if options["resamples"] == 1000 else options["resamples"],
        "--level": None if options["level"] == 0.95 else f"{options['level']:g}",
        "--seed": options["seed"] or None,
    }
    words = [f"{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None]
    if not (isinstance(document["objective"], dict) and isinstance(document["objective"].get("why_not"), str)):
        words.append("--manifest MANIFEST.json")
    return " ".join(["python -m analysis", document["votes"]["file"] or "votes.csv", "--out report", *words])


def boxes_sentence(boxes: str) -> str:
    """What to do about characters that the figures show as boxes; empty where there are none."""
    if not boxes:
        return ""
    return (
        f"The figures show boxes for {' '.join(boxes)}: no font on this machine has these characters; install one that "
        "has (there is a Noto Sans for most scripts) and make the report again."
    )


def _rules_sentence(analysis: StudyAnalysis) -> str:
    """How many screening rules change anything, and how far the ranks move under them."""
    own = next(ruled for ruled in analysis.rules if ruled.rule == analysis.votes.screening.rule)
    others = [ruled for ruled in analysis.rules if _counts(ruled) != _counts(own)]
    if not others:
        return "Every other screening rule counts the same votes."
    same = len(analysis.rules) - 1 - len(others)
    beside = f"; {same} count{'s' if same == 1 else ''} the same votes" if same else ""
    found = [ruled for ruled in others if ruled.kendall_tau is not None]
    if not found:
        return f"No other screening rule leaves enough votes to rank{beside}."
    worst = min(found, key=lambda ruled: ruled.kendall_tau)
    moved = (
        f"ranks agree with those above at Kendall’s τ of {signed(worst.kendall_tau)} or more (least: {worst.title})"
        if worst.kendall_tau < 1 - 1e-9
        else "the order stays as it is"
    )
    verb = "counts" if len(found) == 1 else "count"
    return f"Under {counted(len(found), 'other screening rule')} that {verb} other votes, {moved}{beside}."


def _counts(ruled: RuleRanking) -> tuple:
    return ruled.participants, ruled.votes, ruled.effective_votes


def _unless_missing(record, say):
    return "" if isinstance(record, Missing) else say()


def _forest_caption(analysis: StudyAnalysis, level: float) -> str:
    thick = (
        "for other people and other clips" if analysis.main.generalise == "sources" else "for other people, these clips"
    )
    caption = f"Scores in logits; further right: preferred more often. {100 * level:g} % intervals {thick}"
    if analysis.main.generalise == "sources":
        caption += "; the thick part: for other people judging these clips"
    return caption + "."
