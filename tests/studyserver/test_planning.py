"""What participants get to see: quotas, sides, order, leases."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from studyserver.errors import StudyError, StudyFull, StudyUnavailable
from studyserver.models import Pair, Session, Trial, Vote
from studyserver.selectors import session_current_trial, session_upcoming_trials, study_has_places
from studyserver.services import (
    places_ensure,
    places_reclaim,
    session_plan,
    session_renew_lease,
    session_start,
    study_set_design,
    vote_record,
)
from tests.studyserver.conftest import SMOOTH

TEST = {"kind": Trial.Kind.TEST}


def enter(study, code, now=None) -> Session:
    session = session_start(study=study, code=code, now=now)
    session_plan(session=session, now=now)
    return session


def finish(session):
    while trial := session_current_trial(session):
        choice = trial.expected or "left"
        vote_record(session=session, token=trial.token, choice=choice, response_ms=900, playback=SMOOTH)


def test_opening_makes_exactly_the_quota(study):
    assert Trial.objects.filter(**TEST).count() == 6 * 4
    assert places_ensure(study=study, origin="real") == 0


def test_sides_are_balanced_inside_every_quota(study):
    for pair in study.pairs.filter(kind=Pair.Kind.TEST):
        sides = Counter(pair.trials.values_list("mirrored", flat=True))
        assert sides == {True: 2, False: 2}


def test_first_participants_do_not_see_every_pair_the_same_way_round(study):
    assert len(set(Trial.objects.filter(number=0).values_list("mirrored", flat=True))) == 2


@pytest.mark.slow
def test_a_cohort_fills_every_quota_with_different_people(study):
    study_set_design(study=study, pairs_per_session=3, votes_per_pair=4)
    for number in range(8):
        finish(enter(study, f"person{number}"))
    for pair in study.pairs.filter(kind=Pair.Kind.TEST):
        assert pair.trials.filter(state=Trial.State.ANSWERED).values("participant").distinct().count() == 4
        assert pair.trials.count() == 4
    assert not study_has_places(study)
    with pytest.raises(StudyFull):
        enter(study, "one too many")


def test_least_used_pairs_come_first(study):
    study_set_design(study=study, pairs_per_session=2, votes_per_pair=4)
    for number in range(3):
        enter(study, f"person{number}")
    takers = Counter(Trial.objects.filter(state=Trial.State.CLAIMED, **TEST).values_list("pair", flat=True))
    assert sorted(takers.values()) == [1] * 6


def test_training_comes_first_and_verification_is_inside(study):
    for number in range(4):
        kinds = list(enter(study, f"person{number}").trials.order_by("position").values_list("kind", flat=True))
        assert kinds[0] == "training"
        assert kinds.count("verification") == 1
        assert kinds[1] == kinds[-1] == "test"


def test_training_and_verification_use_different_sources(study):
    for number in range(4):
        trials = enter(study, f"person{number}").trials
        assert trials.get(kind="training").pair != trials.get(kind="verification").pair


def test_order_follows_the_recorded_seed(study):
    def order(code):
        session = enter(study, code)
        pairs = list(session.trials.order_by("position").values_list("pair", "kind"))
        Trial.objects.filter(session=session, number__isnull=False).update(
            state="free", session=None, participant=None, position=None, claimed_at=None
        )
        session.trials.all().delete()
        Session.objects.filter(pk=session.pk).update(state="instructions")
        return session.seed, pairs

    assert order("anna") == order("anna")
    assert order("ben")[1] != order("anna")[1]


def test_places_of_somebody_who_went_away_return_to_the_pool(study):
    study_set_design(study=study, pairs_per_session=6, votes_per_pair=1)
    gone = enter(study, "gone", now=timezone.now() - timedelta(minutes=31))
    sides = dict(gone.trials.filter(**TEST).values_list("pair", "mirrored"))
    assert study_has_places(study)
    heir = enter(study, "heir")
    assert dict(heir.trials.filter(**TEST).values_list("pair", "mirrored")) == sides
    assert set(gone.trials.filter(**TEST).values_list("state", flat=True)) == {"expired"}


def test_who_comes_back_while_places_return_keeps_theirs(study, monkeypatch):
    long_ago = timezone.now() - timedelta(minutes=31)
    back, gone = (enter(study, code, now=long_ago) for code in ("back", "gone"))
    create = Trial.objects.create

    def somebody_returns(**fields):
        session_renew_lease(session=back)
        return create(**fields)

    monkeypatch.setattr(Trial.objects, "create", somebody_returns)
    assert places_reclaim(study=study) == gone.trials.filter(**TEST).count()
    assert set(back.trials.values_list("state", flat=True)) == {"claimed"}


def test_places_in_use_do_not_return(study):
    enter(study, "busy", now=timezone.now() - timedelta(minutes=29))
    assert places_reclaim(study=study) == 0


def test_answers_that_were_given_stay_when_the_rest_returns(study):
    session = enter(study, "half")
    for _ in range(3):
        trial = session_current_trial(session)
        vote_record(session=session, token=trial.token, choice=trial.expected or "left")
    answered = session.trials.filter(state=Trial.State.ANSWERED, number__isnull=False).count()
    returned = places_reclaim(study=study, now=timezone.now() + timedelta(hours=1))
    assert returned == 6 - answered
    assert Trial.objects.filter(number__isnull=False).exclude(state="expired").count() == 24


def test_a_late_vote_is_kept_and_does_not_count(study):
    session = enter(study, "slow", now=timezone.now() - timedelta(hours=1))
    training = session_current_trial(session)
    vote_record(session=session, token=training.token, choice=training.expected)
    Session.objects.filter(pk=session.pk).update(lease_until=timezone.now() - timedelta(minutes=1))
    places_reclaim(study=study)
    trial = session_upcoming_trials(session)[0]
    while trial.kind != Trial.Kind.TEST:
        vote_record(session=session, token=trial.token, choice=trial.expected)
        trial = session_current_trial(session)
    result = vote_record(session=session, token=trial.token, choice="left")
    assert result.vote.late
    trial.refresh_from_db()
    assert trial.state == Trial.State.EXPIRED
    assert Trial.objects.filter(pair=trial.pair, number=trial.number, state="free").count() == 1


def test_a_raised_quota_adds_places_and_a_lowered_one_takes_free_ones_away(study):
    finish(enter(study, "anna"))
    study_set_design(study=study, pairs_per_session=18, votes_per_pair=6)
    assert Trial.objects.filter(number__isnull=False).count() == 36
    study_set_design(study=study, pairs_per_session=18, votes_per_pair=2)
    assert Trial.objects.filter(number__isnull=False).count() == 12
    assert Vote.objects.filter(trial__kind="test").count() == 6


def test_simulated_people_use_a_quota_of_their_own(study):
    study_set_design(study=study, pairs_per_session=18, votes_per_pair=1)
    session = session_start(study=study, code="sim", origin="simulated")
    session_plan(session=session)
    assert study_has_places(study)
    assert len(session_upcoming_trials(enter(study, "anna"), 100)) == 8


def test_planning_twice_changes_nothing(study):
    session = enter(study, "anna")
    before = list(Trial.objects.values())
    assert session_plan(session=session) is False
    assert list(Trial.objects.values()) == before


@pytest.mark.parametrize("status", ["draft", "paused", "closed"])
def test_nobody_real_enters_a_study_that_is_not_open(study, status):
    study.status = status
    study.save()
    with pytest.raises(StudyUnavailable, match=f"study 'cats' is {status}"):
        session_start(study=study, code="anna")
    assert not Session.objects.exists()


def test_an_impossible_design_is_refused_in_a_sentence(study):
    with pytest.raises(StudyError, match="votes_per_pair"):
        study_set_design(study=study, pairs_per_session=3, votes_per_pair=0)
