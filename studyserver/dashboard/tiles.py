"""The numbers at the top of the dashboard."""

from decimal import Decimal

from studyserver.dashboard.condition_figures import percent
from studyserver.dashboard.page import Tile, duration_text, thousands
from studyserver.models import Participant, Study
from studyserver.selectors import Dashboard

__all__ = ["dashboard_tiles"]

_NOBODY_NEW = (Study.Status.DRAFT, Study.Status.PAUSED, Study.Status.CLOSED)


def dashboard_tiles(board: Dashboard) -> tuple[Tile, ...]:
    """Return the numbers at the top of the page."""
    people, progress, playback = board.people, board.progress, board.playback
    filled = progress.quota - progress.missing
    verified = next(answer.everybody for answer in board.answers if answer.name == "Verification right")
    spoiled = sum(count for _, count in playback.problems)
    return (
        Tile(
            "Votes that count",
            thousands(progress.votes),
            f"of {thousands(progress.quota)} wanted" + (f", {progress.pending} pending" if progress.pending else ""),
            filled / progress.quota if progress.quota else 0.0,
        ),
        Tile(
            "Participants",
            thousands(people.finished),
            f"finished of {thousands(people.entered)}, {len(people.inside)} at it now",
            people.finished / people.entered if people.entered else 0.0,
        ),
        _still_needed(board),
        _time_left(board),
        Tile(
            "Verification right",
            percent(verified.value) if verified else "–",
            f"{verified.hits:g} of {verified.total} answers" if verified else "nobody was asked yet",
            verified.value if verified else None,
        ),
        Tile(
            "Smooth playback",
            percent(1 - spoiled / playback.votes) if playback.votes else "–",
            f"{spoiled} of {thousands(playback.votes)} votes with a problem" if playback.votes else "no votes yet",
            1 - spoiled / playback.votes if playback.votes else None,
        ),
        *_cost_tiles(board),
    )


def _still_needed(board: Dashboard) -> Tile:
    progress = board.progress
    if not progress.missing:
        note = "every pair has its votes" if progress.quota else "the study has no pairs yet"
        return Tile("People still needed", "0", note)
    enter = progress.people_to_enter
    note = "must finish" + (f", so about {thousands(enter)} must begin" if enter is not None else "")
    return Tile("People still needed", thousands(progress.people_to_finish), note)


def _time_left(board: Dashboard) -> Tile:
    progress = board.progress
    if not progress.missing:
        return Tile("Time left", "–", "nothing is missing" if progress.quota else "the study has no pairs yet")
    if progress.full_in is None:
        return Tile("Time left", "–", "fewer than 20 votes in the last week: no pace to tell it from")
    pace = f"at {thousands(round(progress.per_hour))} votes per hour"
    if board.study.status in _NOBODY_NEW:
        pace += f", if it were not {board.study.status}"
    return Tile("Time left", duration_text(progress.full_in), pace)


def _cost_tiles(board: Dashboard) -> tuple[Tile, ...]:
    cost = board.cost
    paid = f"{cost.people_paid} paid in full, {cost.people_partly_paid} in part"
    fee = f", fee of {board.study.fee_percent.normalize():f} % included" if board.study.fee_percent else ""
    titles = ("Cost so far", "Cost at the end")
    if board.origin not in (Participant.Origin.REAL, Participant.Origin.PILOT):
        titles = ("Would have cost", "Would cost at the end")
    end = "–" if cost.to_end is None else _money(cost.to_end)
    note = "nobody has finished yet" if cost.to_end is None else "when every pair has its votes, at this rate"
    return (
        Tile(f"{titles[0]}, {cost.currency}", _money(cost.spent), paid + fee),
        Tile(f"{titles[1]}, {cost.currency}", end, note),
    )


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
