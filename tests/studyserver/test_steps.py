"""From step to step, and out of the session before its end."""

from datetime import timedelta

import pytest
from django.utils import timezone

from studyserver.errors import NotCurrentTrial, StudyError, VoteRefused
from studyserver.models import Session, Trial
from studyserver.selectors import session_current_trial, session_outline, study_counts
from studyserver.services import (
    places_reclaim,
    session_advance,
    session_end,
    session_start,
    study_close,
    study_open,
    study_pause,
    study_pilot,
    study_set_design,
    vote_record,
)
from tests.studyserver.test_places import answer, in_quota, states
from tests.studyserver.test_planning import enter, finish

MINUTE = timedelta(minutes=1)


def answer_wrongly(session):
    trial = session_current_trial(session)
    choice = {"left": "right", "right": "left"}[trial.expected]
    return trial, vote_record(session=session, token=trial.token, choice=choice)


def test_a_wrong_practice_answer_brings_the_pair_again(study):
    session = enter(study, "anna")
    trial, result = answer_wrongly(session)
    again = session_current_trial(session)
    assert result.correct is False
    assert (again.pair, again.position, again.attempt) == (trial.pair, trial.position, 2)


def test_too_many_wrong_practice_answers_screen_out_and_return_the_places(study):
    study_set_design(study=study, training_attempts=2)
    session = enter(study, "anna")
    answer_wrongly(session)
    trial, result = answer_wrongly(session)
    session.refresh_from_db()
    assert (session.state, session.reason, result.correct) == ("screened-out", "practice", False)
    assert Trial.objects.filter(state="free").count() == 24
    with pytest.raises(VoteRefused):
        vote_record(session=session, token=trial.token, choice="tie")
    assert vote_record(session=session, token=trial.token, choice=result.vote.choice).created is False


@pytest.mark.slow
def test_without_a_limit_the_practice_goes_on(study):
    study_set_design(study=study, training_attempts=0)
    session = enter(study, "anna")
    for _ in range(7):
        answer_wrongly(session)
    assert session_current_trial(session).attempt == 8


def test_after_the_longest_time_the_session_ends_as_finished(study):
    now = timezone.now()
    session = enter(study, "anna", now=now)
    answer(session, now=now)
    for minutes in (0, 24, 25):
        answer(session, now=now + minutes * MINUTE)
    session.refresh_from_db()
    answered = session.trials.filter(state="answered", number__isnull=False).count()
    assert session.state == Session.State.COMPLETED
    assert states(session) == {"answered": answered, "expired": 6 - answered}
    assert set(in_quota(study).values()) == {4}
    assert session_current_trial(session) is None


@pytest.mark.slow
def test_the_time_of_the_practice_does_not_count(study):
    now = timezone.now()
    session = enter(study, "anna", now=now)
    answer(session, now=now + 26 * MINUTE)
    answer(session, now=now + 27 * MINUTE)
    session.refresh_from_db()
    assert (session.state, session.first_pair_at) == ("active", now + 26 * MINUTE)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["quiz", "questionnaire", "instructions"])
def test_a_vote_in_another_step_is_refused(study, state):
    session = enter(study, "anna")
    trial = session_current_trial(session)
    Session.objects.filter(pk=session.pk).update(state=state)
    with pytest.raises(NotCurrentTrial):
        vote_record(session=session, token=trial.token, choice="left")


@pytest.mark.slow
def test_a_vote_after_the_end_is_refused(study):
    session = enter(study, "anna")
    trial = session_current_trial(session)
    session_end(session=session, state=Session.State.TECHNICAL, reason="sync")
    with pytest.raises(NotCurrentTrial):
        vote_record(session=session, token=trial.token, choice="left")


@pytest.mark.slow
def test_an_ended_session_ends_once(study):
    session = session_end(session=enter(study, "anna"), state=Session.State.TECHNICAL, reason="sync")
    again = session_end(session=session, state=Session.State.SCREENED_OUT, reason="quiz")
    assert (again.state, again.reason) == ("technical", "sync")


@pytest.mark.slow
def test_steps_follow_the_settings(study):
    study_set_design(study=study, check_environment=True, calibration="optional", quiz_questions=2, questionnaire=True)
    session = session_start(study=study, code="anna")
    seen = [session.state]
    while session.state != Session.State.TRAINING:
        seen.append(session_advance(session=session).state)
    answer(session)
    session.refresh_from_db()
    seen += [session.state, session_advance(session=session).state]
    finish(session)
    seen += [session.state, session_advance(session=session).state]
    assert seen == [
        "instructions",
        "setup",
        "calibration",
        "training",
        "quiz",
        "active",
        "questionnaire",
        "completed",
    ]


@pytest.mark.slow
def test_reopening_lets_the_clocks_of_those_inside_go_on(study):
    now = timezone.now()
    session = enter(study, "anna", now=now)
    answer(session, now=now)
    study_pause(study=study, now=now + 5 * MINUTE)
    study_set_design(study=study, title="Changed in the pause")
    study_open(study=study, now=now + 65 * MINUTE)
    session.refresh_from_db()
    assert session.first_pair_at == now + 60 * MINUTE
    assert session.lease_until == now + 90 * MINUTE
    assert places_reclaim(study=study, now=now + 80 * MINUTE) == 0
    finish(session, now=now + 81 * MINUTE)
    assert states(session) == {"answered": 6}


@pytest.mark.slow
def test_those_inside_a_closed_study_finish(study):
    session = enter(study, "anna")
    study_close(study=study)
    finish(session)
    assert session.state == Session.State.COMPLETED


@pytest.mark.slow
def test_a_pilot_has_a_quota_of_its_own(study):
    study_close(study=study)
    study_pilot(study=study)
    finish(enter(study, "anna", origin="pilot"))
    counts = study_counts(study)
    assert (counts.pilot, counts.participants, counts.votes) == (1, 0, 0)
    assert Trial.objects.filter(origin="real", state="free").count() == 24
    assert Trial.objects.filter(origin="pilot", kind="test").count() == 24


@pytest.mark.slow
def test_a_quota_changed_in_a_pilot_is_there_at_once(study):
    study_pilot(study=study)
    study_set_design(study=study, votes_per_pair=5)
    assert Trial.objects.filter(origin="pilot", state="free").count() == 30


@pytest.mark.slow
@pytest.mark.parametrize("change", [study_pause, study_close])
def test_a_draft_is_neither_paused_nor_closed(draft, change):
    with pytest.raises(StudyError, match="is draft, so it cannot be"):
        change(study=draft)


@pytest.mark.slow
def test_the_outline_counts_everything_that_a_session_shows(study):
    study_set_design(study=study, repeat_pairs=1, null_pairs=1, check_environment=False)
    outline = session_outline(study)
    session = enter(study, "anna")
    assert (outline.pairs, outline.practice) == (session.trials.count(), 1) == (10, 1)
    assert outline.seconds_per_pair == 7
    assert outline.minutes == 2


@pytest.mark.slow
def test_clips_one_after_the_other_take_twice_as_long(study):
    study_set_design(study=study, presentation="sequential")
    assert session_outline(study).seconds_per_pair == 8


@pytest.mark.slow
def test_longer_steps_take_more_minutes(study):
    shorter = session_outline(study).minutes
    study_set_design(study=study, quiz_questions=4, questionnaire=True, calibration="required", check_environment=True)
    assert session_outline(study).minutes > shorter
