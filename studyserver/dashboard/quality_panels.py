"""The dashboard's parts on how good the votes are: answers, times, playback, and why votes do not count."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from studyserver.dashboard.condition_figures import percent, shares_svg
from studyserver.dashboard.count_figures import moment_text
from studyserver.dashboard.page import (
    Figure,
    Numbers,
    Panel,
    bars_figure,
    counted,
    histogram_figure,
    thousands,
)
from studyserver.selectors import Dashboard, ExcludedPerson

__all__ = ["quality_panels"]


def quality_panels(board: Dashboard) -> tuple[Panel, ...]:
    """Return the parts of the page on answers, times, playback and rules."""
    return _answers(board), _times(board), _playback(board), _rules(board)


def _answers(board: Dashboard) -> Panel:
    if not any(answer.everybody for answer in board.answers):
        return Panel("Quality of the answers", sentences=("No answers yet.",))

    def cell(share) -> str:
        if share is None:
            return "–"
        interval = f"{percent(share.low)} to {percent(share.high)}"
        return f"{percent(share.value)} ({share.hits:g} of {share.total}), {interval}"

    rows = tuple(
        (
            answer.name,
            answer.meaning,
            cell(answer.counted),
            cell(answer.everybody),
            "–" if answer.chance is None else percent(answer.chance),
        )
        for answer in board.answers
    )
    columns = ("share", "meaning", "people whose votes count", "everybody", "by chance")
    figure = Figure(
        "With 95 % intervals that allow for answers of one person hanging together. Dashed: what chance alone gives.",
        shares_svg(board.answers, "Quality of the answers"),
        Numbers(columns, rows),
    )
    return Panel("Quality of the answers", (figure,))


def _times(board: Dashboard) -> Panel:
    promised = (("promised", float(board.promised_minutes)),) if board.promised_minutes else ()
    figures = [
        histogram_figure(caption, histogram, unit, *marks)
        for caption, histogram, unit, marks in (
            ("Session, from consent to the end", board.people.minutes, "minutes", promised),
            ("Answer, from the end of the first playback", board.answer_seconds, "seconds", ()),
            ("Whole pair, from its page to the answer", board.trial_seconds, "seconds", ()),
        )
        if histogram
    ]
    return Panel("Time", tuple(figures), () if figures else ("Nobody has answered yet.",))


def _playback(board: Dashboard) -> Panel:
    playback = board.playback
    if not playback.measured:
        return Panel("Playback", sentences=("No vote came with a playback record yet.",))
    sentences = [f"{thousands(playback.measured)} of {thousands(playback.votes)} votes have a playback record."]
    sentences.append(
        f"{counted(playback.replayed, 'pair')} played again because the two videos were apart; "
        f"{counted(board.people.fallen_back, 'session')} went on in another presentation; "
        f"{counted(playback.hidden, 'pair')} with the page covered meanwhile."
    )
    figures = []
    if playback.problems:
        figures.append(
            bars_figure("Votes that the rule drops for it", playback.problems, "orange", playback.votes, above=True)
        )
    else:
        sentences.append("No vote is dropped for its playback.")
    if playback.first_frame_ms:
        figures.append(histogram_figure("From start to first frame", playback.first_frame_ms, "milliseconds"))
    for caption, rows in (
        ("Presentation", playback.presentations),
        ("Screen pixels per video pixel (1 is exact)", playback.scales),
        ("Screen refresh", playback.refresh_rates),
    ):
        if rows:
            figures.append(bars_figure(caption, rows, "blue", sum(count for _, count in rows)))
    return Panel("Playback", tuple(figures), tuple(sentences))


def _rules(board: Dashboard) -> Panel:
    figures = []
    sentences = []
    if board.dropped:
        dropped = sum(count for _, count in board.dropped)
        sentences.append(f"{thousands(dropped)} of {thousands(board.test_votes)} votes on test pairs do not count.")
        figures.append(bars_figure("Why votes do not count", board.dropped, "orange", board.test_votes, above=True))
    elif board.test_votes:
        sentences.append(f"All {thousands(board.test_votes)} votes on test pairs count.")
    rules = tuple(
        (
            rule.get_purpose_display(),
            f"version {rule.version}" if rule.version else "default",
            ", ".join(f"{name} {_setting(value)}" for name, value in rule.settings.items()),
            rule.note or "–",
        )
        for rule in board.rules
    )
    figures.append(Figure("Rules in force", numbers=Numbers(("rule", "version", "settings", "note"), rules), open=True))
    if board.people.excluded:
        rows = tuple(
            (_person_link(person), person.reason, person.author or "–", moment_text(person.excluded_at))
            for person in board.people.excluded
        )
        figures.append(
            Figure("Excluded people", numbers=Numbers(("participant", "reason", "by", "when"), rows), open=True)
        )
    return Panel("Votes that do not count, and why", tuple(figures), tuple(sentences))


def _person_link(person: ExcludedPerson) -> SafeString:
    address = reverse("admin:studyserver_participant_change", args=[person.pk])
    return format_html('<a href="{}">{}</a>', address, person.code)


def _setting(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " / ".join(value) if isinstance(value, list) else str(value)
