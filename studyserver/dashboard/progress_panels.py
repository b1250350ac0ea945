"""The dashboard's parts on how far a study is: people, growth, pairs, and the present ranking."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import accumulate

from studyserver.dashboard.condition_figures import forest_svg, signed, sources_svg, triangle_svg, votes_by_conditions
from studyserver.dashboard.count_figures import Bar, bars_svg, columns_svg, growth_svg, moment_text
from studyserver.dashboard.numbers import TimeBins
from studyserver.dashboard.page import Figure, Numbers, Panel, duration_text, thousands
from studyserver.selectors import Dashboard

__all__ = ["progress_panels"]

_OUTCOME_COLOURS = {
    "finished": "blue",
    "in progress": "sky",
    "went away": "grey",
    "screened out": "orange",
    "found the study full": "orange",
    "technical problem": "orange",
}
_PERIOD_COLOURS = {"finished": "blue", "in progress": "sky", "went away": "grey", "ended early": "orange"}


def progress_panels(board: Dashboard) -> tuple[Panel, ...]:
    """Return the parts of the page on people, growth, ranking and pairs."""
    return _people(board), _growth(board), _ranking(board), _pairs(board)


def _people(board: Dashboard) -> Panel:
    people = board.people
    if not people.entered:
        return Panel("Participants", sentences=(f"No {board.origin} participants yet.",))
    bars = []
    for outcome in people.outcomes:
        bars.append(Bar(outcome.name, outcome.people, _OUTCOME_COLOURS[outcome.name]))
        bars += [Bar(name, count, _OUTCOME_COLOURS[outcome.name], part=True) for name, count in outcome.parts]
    if people.excluded:
        bars.append(Bar("excluded by a researcher", len(people.excluded), "ink"))
    sentences = ["People who were excluded are counted under how their visit ended as well."] if people.excluded else []
    if people.withdrawn:
        sentences.append(f"{people.withdrawn} withdrew their answers; nothing says who they were, or of what origin.")
    rows = tuple((("· " if bar.part else "") + bar.label, str(bar.value)) for bar in bars)
    ended = Figure(
        "How visits ended",
        bars_svg(bars, "Participants by outcome", total=people.entered),
        Numbers(("outcome", "participants"), rows),
    )
    return Panel("Participants", (ended, _over_time(people.over_time)), tuple(sentences))


def _over_time(bins: TimeBins) -> Figure:
    rows = tuple(
        (moment_text(bins.start + i * bins.width, bins.width), *(str(bins.counts[kind][i]) for kind in _PERIOD_COLOURS))
        for i in range(bins.length)
        if any(row[i] for row in bins.counts.values())
    )
    return Figure(
        f"By when they came, in steps of {duration_text(bins.width)}",
        columns_svg(bins, _PERIOD_COLOURS, "Participants over time by outcome"),
        Numbers(("from", *_PERIOD_COLOURS), rows),
    )


def _growth(board: Dashboard) -> Panel:
    progress = board.progress
    title = "Votes over time"
    if not progress.moments:
        return Panel(title, sentences=("No vote counts yet.",))
    drawn = growth_svg(progress.moments, progress.quota, board.at, progress.full_in, title)
    dashed = " Dashed: at the present pace." if progress.full_in else ""
    return Panel(title, (Figure(f"Votes that count, added up.{dashed}", drawn, _by_day(progress.moments)),))


def _by_day(moments: tuple[datetime, ...]) -> Numbers:
    days = Counter(moment_text(moment, timedelta(days=1)) for moment in moments)
    sums = accumulate(days.values())
    rows = tuple((day, str(count), str(total)) for (day, count), total in zip(days.items(), sums, strict=True))
    return Numbers(("day", "votes", "in all"), rows)


def _pairs(board: Dashboard) -> Panel:
    if not board.pairs:
        return Panel("Votes per pair", sentences=("The study has no pairs yet; import a stimulus set.",), wide=True)
    behind = sorted((pair for pair in board.pairs if pair.missing), key=lambda pair: -pair.missing)
    rows = tuple(
        (pair.source, f"{pair.first} – {pair.second}", f"{pair.votes} of {pair.quota}", str(pair.pending))
        for pair in behind[:60]
    )
    sums = votes_by_conditions(board.pairs)[1]
    over_all = tuple(
        (f"{first} – {second}", f"{votes} of {quota}", str(pending))
        for (first, second), (votes, pending, quota, *_) in sums.items()
    )
    text = (
        f"{len(behind)} of {len(board.pairs)} pairs lack votes."
        if behind
        else f"All {len(board.pairs)} pairs have their votes."
    )
    return Panel(
        "Votes per pair",
        (
            Figure(
                "Over all sources. A name stands at the end of its row and on top of its column.",
                triangle_svg(board.pairs, "Votes per pair of conditions against the quota"),
                Numbers(("pair", "votes", "pending"), over_all),
            ),
            Figure(
                f"Source by source; each pair wants {board.study.votes_per_pair}. Bold: some missing; outlined: all.",
                sources_svg(board.pairs, "Votes per pair and source"),
                Numbers(("source", "pair", "votes", "pending"), rows) if behind else None,
            ),
        ),
        (text,),
        wide=True,
    )


def _ranking(board: Dashboard) -> Panel:
    ranking = board.ranking
    title = "Present ranking"
    sentences = ["Never shown to participants. Stopping because it looks good would make its intervals too narrow."]
    if len(board.ranking_origins) > 1:
        sentences.append("A demonstration: votes of simulated participants count like those of real ones.")
    if ranking.why_not:
        return Panel(title, sentences=(f"No ranking yet: {ranking.why_not}", *sentences[1:]))
    rows = tuple(
        (str(i), row.label, signed(row.score), f"{signed(row.low)} to {signed(row.high)}", _new_sources(row))
        for i, row in enumerate(ranking.conditions, start=1)
    )
    text = (
        f"{thousands(ranking.votes)} votes of {thousands(ranking.participants)} people. "
        f"{ranking.told_apart} of {ranking.comparisons} pairs of conditions are told apart (Holm, 5 %)."
    )
    if ranking.halves is not None:
        text += f" Random halves of the people agree on the order to {signed(ranking.halves)} (rank correlation)."
    columns = ("rank", "condition", "score", "95 % interval", "for new sources too")
    figure = Figure(
        "Thick: 95 % interval for people like these; thin: for new sources too. Diamond: the reference.",
        forest_svg(ranking, "Ranking of the conditions"),
        Numbers(columns, rows),
    )
    return Panel(title, (figure,), (text, *sentences))


def _new_sources(row) -> str:
    return "–" if row.low_new is None else f"{signed(row.low_new)} to {signed(row.high_new)}"
