"""Model participants in the database: through the same services as people, on a clock of their own."""

import contextlib
import heapq
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from studyserver.errors import NotCurrentTrial, TrialNotFound
from studyserver.flow import ENDED, next_state
from studyserver.models import Participant, Session, Study, Trial
from studyserver.questionnaire import QUESTIONS
from studyserver.quiz import quiz_of
from studyserver.selectors import device_facts, session_current_trial, session_outline, study_has_places
from studyserver.services import (
    session_advance,
    session_answer_questionnaire,
    session_answer_quiz,
    session_calibrate,
    session_check_device,
    session_pass_setup,
    session_start,
    study_check_pairs,
    trial_present,
    vote_record,
)
from studyserver.simulation_personas import Person, cohort
from studyserver.simulation_result import SimulationResult, model_code, summarise, votes_of
from studyserver.simulation_truth import Sight, sights, true_scores

__all__ = ["leaving_points", "simulate_votes"]

State = Session.State
# One person enters a minute; the last one may have gone away and come back.
_SECONDS_BETWEEN_ARRIVALS = 60
_HOURS_AFTER_LAST_ARRIVAL = 8


def leaving_points(study: Study) -> list[str]:
    """Return the moments at which somebody may go away: each step of the study, and each pair after the practice."""
    steps = [State.INSTRUCTIONS]
    while (following := next_state(study, steps[-1])) != State.COMPLETED:
        steps.append(following)
    outline = session_outline(study)
    pairs = [f"pair {number}" for number in range(1, outline.pairs - outline.practice + 1)]
    return [point for step in steps for point in (pairs if step == State.ACTIVE else [str(step)])]


def simulate_votes(
    *,
    study: Study,
    participants: int,
    seed: int,
    personas: Mapping[str, float] | None = None,
    spammers: int = 0,
    start: datetime | None = None,
    progress: Callable[[int], object] = lambda people: None,
) -> SimulationResult:
    """Let `participants` model people visit the study and return a SimulationResult.

    `personas`: shares by name (simulation_personas.PERSONAS), the rest is honest; `spammers` of all, drawn by the
    seed, answer at random, quickly. People arrive a minute apart on a clock that begins at `start` (by default so
    that all is over by now), and are in the study at the same time, as people are; leases expire on that clock.
    The same seed gives the same people and answers; who is through already is not asked again. `progress` is called
    with 1 for everybody who is through. Raises StudyNotReady for a study without pairs.
    """
    study_check_pairs(study)
    truth = true_scores(study, seed)
    seen, points = sights(study, truth), leaving_points(study)
    people = cohort(personas or {}, participants, spammers, seed)
    length = timedelta(seconds=participants * _SECONDS_BETWEEN_ARRIVALS, hours=_HOURS_AFTER_LAST_ARRIVAL)
    start = start or timezone.now() - length
    before = votes_of(study, people)
    queue = []
    for person in people:
        visit = _visit(study, person, person.leaving_point(points), seen)
        next(visit)
        heapq.heappush(
            queue, (start + timedelta(seconds=person.index * _SECONDS_BETWEEN_ARRIVALS), person.index, visit)
        )
    while queue:
        now, index, visit = heapq.heappop(queue)
        try:
            wait = visit.send(now)
        except StopIteration:
            progress(1)
        else:
            heapq.heappush(queue, (now + timedelta(seconds=wait), index, visit))
    return summarise(study, people, truth, votes_before=before)


def _visit(study: Study, person: Person, leaves_at: str | None, seen: dict[int, Sight]) -> Generator[float, datetime]:
    """One person's visit: yields the seconds until its next action, is sent the moment of that action."""
    now = yield 0.0
    code = model_code(person)
    there = Session.objects.filter(participant__study=study, participant__code=code).exists()
    if not there and not study_has_places(study, Participant.Origin.SIMULATED, now=now):
        return
    session = session_start(study=study, code=code, origin=Participant.Origin.SIMULATED, now=now)
    while session.state not in ENDED:
        trial = session_current_trial(session)
        if leaves_at == _point(session, trial):
            leaves_at, away = None, person.seconds_away()
            if away is None:
                return
            now = yield away
        elif trial:
            trial_present(trial=trial, now=now)
            now = yield from _watch_and_answer(session, trial, person, seen[trial.pair_id], now)
        else:
            now = yield person.step_seconds(session.state)
            _STEPS[session.state](session, person, now)
        # Not all of it, which would read participant and study again.
        session.refresh_from_db(fields=["state", "presentation", "environment", "quiz"])


def _point(session: Session, trial: Trial | None) -> str:
    return f"pair {trial.position}" if trial and session.state == State.ACTIVE else session.state


def _watch_and_answer(
    session: Session, trial: Trial, person: Person, sight: Sight, now: datetime
) -> Generator[float, datetime, datetime]:
    showing = f"{session.state} {trial.position} {trial.attempt}"
    playback = person.playback(
        showing,
        width=sight.width,
        height=sight.height,
        frames=sight.frames,
        fps=sight.fps,
        presentation=session.presentation,
    )
    response_ms = person.response_ms(showing)
    now = yield (playback["first_frame_ms"] + playback["play_ms"] + response_ms) / 1000
    # Where the session's time ran out in between, the next look at it shows where the person is.
    with contextlib.suppress(NotCurrentTrial, TrialNotFound):
        vote_record(
            session=session,
            token=trial.token,
            choice=person.choice(showing, sight.left_lead(trial.mirrored), session.participant.study.allow_tie),
            response_ms=response_ms,
            playback=playback,
            now=now,
        )
    return now


def _pass_setup(session: Session, person: Person, now: datetime) -> None:
    videos = device_facts(session.participant.study, session.presentation).videos
    session_check_device(session=session, measured=person.device(len(videos)))
    session_pass_setup(session=session, now=now)


def _answer_quiz(session: Session, person: Person, now: datetime) -> None:
    attempt = len(session.quiz) + 1
    data = {
        question.name: person.quiz_option(
            question.name, attempt, question.right, sorted(value for value, _ in question.options)
        )
        for question in quiz_of(session, attempt)
    }
    session_answer_quiz(session=session, attempt=attempt, data=data, now=now)


def _answer_questionnaire(session: Session, person: Person, now: datetime) -> None:
    data = {
        question.name: person.option(question.name, [value for value, _ in question.options])
        for question in QUESTIONS
        if question.options
    }
    session_answer_questionnaire(session=session, data=data, now=now)


_STEPS = {
    State.INSTRUCTIONS: lambda session, person, now: session_advance(session=session, now=now),
    State.SETUP: _pass_setup,
    State.CALIBRATION: lambda session, person, now: session_calibrate(
        session=session, data=person.calibration(), now=now
    ),
    State.QUIZ: _answer_quiz,
    State.QUESTIONNAIRE: _answer_questionnaire,
}
