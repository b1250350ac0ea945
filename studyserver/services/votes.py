"""Recording an answer: one vote per trial, whatever the network does."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from studyserver.errors import InvalidVote, NotCurrentTrial, TrialNotFound, VoteRefused
from studyserver.models import Session, Trial, Vote
from studyserver.playback import clean_playback
from studyserver.selectors import session_current_trial
from studyserver.services.places import place_take_back, places_release
from studyserver.services.planning import training_trial_create
from studyserver.services.sessions import session_renew_lease
from studyserver.services.steps import session_advance, session_end

__all__ = ["VoteResult", "trial_present", "vote_record"]

_NOT_YOURS = "this pair is not part of your session"


@dataclass(frozen=True)
class VoteResult:
    """A stored vote; `correct` is told for training trials only."""

    vote: Vote
    created: bool
    correct: bool | None


def vote_record(
    *,
    session: Session,
    token: str,
    choice: str,
    response_ms: int | None = None,
    playback: dict | None = None,
    now: datetime | None = None,
) -> VoteResult:
    """Store the answer to the session's current trial, or return the one already stored.

    The same answer again is the same vote. A late one, whose place was given back meanwhile, takes the place again
    if nobody else has it yet, and is kept as surplus otherwise. After the last pair, or after `max_minutes`, the
    session goes on to its next step; after too many wrong answers to a practice pair it ends as screened out.
    Raises TrialNotFound for a trial of somebody else, NotCurrentTrial for one that is not due yet or no longer,
    VoteRefused for another answer to a trial already answered (the first stands), InvalidVote for anything a player
    does not send. A failure changes nothing.
    """
    now = now or timezone.now()
    study = session.participant.study
    if choice not in Vote.Choice.values or (choice == Vote.Choice.TIE and not study.allow_tie):
        raise InvalidVote(f"choice must be one of {', '.join(_choices(study))}, got {str(choice)[:20]!r}")
    if response_ms is not None and (
        isinstance(response_ms, bool) or not isinstance(response_ms, int) or not 0 <= response_ms < 2**31
    ):
        raise InvalidVote(f"response_ms must be a whole number of milliseconds, got {str(response_ms)[:20]!r}")
    record = clean_playback({} if playback is None else playback)
    # Half of a surrogate pair, or a NUL, is no text to a database.
    if not (token.isascii() and token.isprintable()):
        raise TrialNotFound(_NOT_YOURS)
    with transaction.atomic():
        return _record(session, token, choice, response_ms, record, now)


def _choices(study) -> list[str]:
    return [choice for choice in Vote.Choice.values if choice != Vote.Choice.TIE or study.allow_tie]


def _record(session, token, choice, response_ms, record, now) -> VoteResult:
    # The same answer may arrive twice at once: the second waits here, then finds the first one's vote. A session that
    # was withdrawn while the answer was on its way is gone, or has another key.
    session = (
        Session.objects.select_for_update(of=("self",))
        .select_related("participant__study")
        .filter(pk=session.pk, key=session.key)
        .first()
    )
    trial = (
        Trial.objects.select_related("pair__first__condition", "pair__second__condition")
        .filter(session=session, token=token)
        .first()
    )
    if session is None or trial is None:
        raise TrialNotFound(_NOT_YOURS)
    if vote := Vote.objects.filter(trial=trial).first():
        if vote.choice != choice:
            raise VoteRefused("this pair already has another answer; the first one stands")
        return VoteResult(vote, False, _correct(trial, choice))
    current = session_current_trial(session)
    if current is None or current.pk != trial.pk:
        raise NotCurrentTrial("this pair is not the one to answer now")
    in_time = Trial.objects.filter(pk=trial.pk, state=Trial.State.CLAIMED).update(state=Trial.State.ANSWERED) == 1
    vote = Vote.objects.create(
        trial=trial,
        choice=choice,
        response_ms=response_ms,
        presentation=session.presentation,
        playback=record,
        late=not in_time and not place_take_back(trial=trial),
        voted_at=now,
    )
    correct = _correct(trial, choice)
    if correct is False and trial.attempt == session.participant.study.training_attempts:
        session_end(session=session, state=Session.State.SCREENED_OUT, reason="practice", now=now)
        return VoteResult(vote, True, correct)
    if correct is False:
        attempt = trial.attempt + 1
        rng = random.Random(f"{session.seed}:{trial.position}:{attempt}")
        training_trial_create(
            session=session, pair=trial.pair_id, position=trial.position, attempt=attempt, rng=rng, now=now
        )
    time_is_up = _time_is_up(session, now)
    if time_is_up:
        places_release(session=session)
    if time_is_up or session_current_trial(session) is None:
        session_advance(session=session, now=now)
    else:
        session_renew_lease(session=session, now=now)
    return VoteResult(vote, True, correct)


def _time_is_up(session: Session, now: datetime) -> bool:
    limit = timedelta(minutes=session.participant.study.max_minutes)
    return session.state == Session.State.ACTIVE and now - session.first_pair_at >= limit


def _correct(trial: Trial, choice: str) -> bool | None:
    return choice == trial.expected if trial.kind == Trial.Kind.TRAINING else None


def trial_present(*, trial: Trial, now: datetime | None = None) -> None:
    """Note when a trial was first sent to its participant; later sendings do not move it."""
    Trial.objects.filter(pk=trial.pk, presented_at=None).update(presented_at=now or timezone.now())
