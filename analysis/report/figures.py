"""The figures of a report, from its records."""

import pandas as pd

from analysis.drawing import Drawing
from analysis.objective.quality_table import MEASURES
from analysis.report.forest_figure import draw_forest
from analysis.report.objective_figure import draw_objective
from analysis.report.participant_figure import draw_participants
from analysis.report.preference_figure import draw_preferences
from analysis.report.rules_figure import draw_rules
from analysis.report.source_figure import draw_sources
from analysis.report.study_analysis import Missing, StudyAnalysis
from analysis.report.width_figure import draw_width

__all__ = ["FIGURES", "report_figures"]

FIGURES = ("forest", "preferences", "sources", "participants", "width", "rules", "objective")


def report_figures(analysis: StudyAnalysis, frame: pd.DataFrame) -> dict[str, Drawing]:
    """Figures by name, of FIGURES; those of parts that could not be computed are absent.

    frame: the ranking, as `ranking_frame` gives it.
    """
    level, reference = analysis.options.level, analysis.reference
    result = analysis.main.result
    order = list(frame.index)
    narrow = frame.rename(columns={"low_participants": "low_narrow", "high_participants": "high_narrow"})
    figures = {
        "forest": draw_forest(
            narrow if analysis.main.generalise == "sources" else frame, reference=reference, level=level
        ),
        "preferences": draw_preferences(result.probabilities().loc[order, order], analysis.comparisons, level=level),
        "participants": draw_participants(analysis.votes.screening.participants),
    }
    if not isinstance(analysis.content, Missing):
        long = analysis.content.by_source.rename(columns={"score": "shrunk", "own_score": "score"})
        figures["sources"] = draw_sources(long, frame, reference=reference)
    if not isinstance(analysis.width, Missing):
        figures["width"] = draw_width(analysis.width)
    if not isinstance(analysis.rules, Missing):
        figures["rules"] = draw_rules(analysis.rules, level=level, reference=reference)
    return figures | _objective(analysis)


def _objective(analysis: StudyAnalysis) -> dict[str, Drawing]:
    """Of one target metric; several would be as many figures, and are in the table."""
    if isinstance(analysis.objective, Missing) or len(analysis.objective) != 1:
        return {}
    record = next(iter(analysis.objective.values()))
    if isinstance(record, Missing):
        return {}
    # In the unit that the heading names.
    factors = record.points["measure"].map({measure.key: measure.factor for measure in MEASURES}).fillna(1)
    points = record.points.assign(value=record.points["value"] * factors)
    return {"objective": draw_objective(points, record.table.set_index("measure"))}
