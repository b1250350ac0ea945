"""Places of a quota: who holds them, when they return, and when a vote takes one back."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from studyserver.models import Pair, Participant, Session, Trial, Vote
from studyserver.selectors import session_current_trial, study_has_places, vote_reasons
from studyserver.services import (
    exclusion_lift,
    participant_exclude,
    places_ensure,
    places_reclaim,
    places_settle,
    places_vacate,
    rule_set,
    session_renew_lease,
    study_pause,
    study_set_design,
    vote_record,
)
from tests.studyserver.conftest import SMOOTH
from tests.studyserver.test_planning import TEST, enter, finish

HOUR = timedelta(hours=1)


def states(session):
    return Counter(session.trials.filter(**TEST).values_list("state", flat=True))


def in_quota(study):
    """Numbers in use by pair, those on offer included."""
    places = Trial.objects.filter(number__isnull=False).exclude(state__in=["expired", "surplus"])
    return Counter(places.values_list("pair", flat=True))


def answer(session, choice="left", now=None):
    trial = session_current_trial(session)
    return vote_record(
        session=session, token=trial.token, choice=trial.expected or choice, response_ms=900, playback=SMOOTH, now=now
    )


def answer_tests(session, count, now=None):
    """Answer until `count` test pairs are answered."""
    while session.trials.filter(vote__isnull=False, **TEST).count() < count:
        answer(session, now=now)


def test_opening_makes_exactly_the_quota(study):
    assert in_quota(study) == dict.fromkeys(study.pairs.filter(**TEST).values_list("pk", flat=True), 4)
    assert places_ensure(study=study, origin="real") == 0


def test_places_of_somebody_who_went_away_return_with_their_sides(study):
    study_set_design(study=study, votes_per_pair=1)
    gone = enter(study, "gone", now=timezone.now() - HOUR)
    sides = dict(gone.trials.filter(**TEST).values_list("pair", "mirrored"))
    assert study_has_places(study)
    heir = enter(study, "heir")
    assert dict(heir.trials.filter(**TEST).values_list("pair", "mirrored")) == sides
    assert states(gone) == {"expired": 6}
    assert not study_has_places(study)


def test_places_in_use_do_not_return(study):
    enter(study, "busy", now=timezone.now() - timedelta(minutes=29))
    assert places_reclaim(study=study) == 0


@pytest.mark.slow
def test_a_paused_study_keeps_the_places_of_those_inside(study):
    session = enter(study, "anna")
    study_pause(study=study)
    assert places_reclaim(study=study, now=timezone.now() + HOUR) == 0
    assert states(session) == {"claimed": 6}


@pytest.mark.slow
def test_answers_of_somebody_who_went_away_are_surplus_under_the_rule(study):
    session = enter(study, "half")
    answer_tests(session, 3)
    assert places_reclaim(study=study, now=timezone.now() + HOUR) == 3
    assert states(session) == {"surplus": 3, "expired": 3}
    assert set(in_quota(study).values()) == {4}
    assert Trial.objects.filter(state="free").count() == 24
    assert places_reclaim(study=study, now=timezone.now() + HOUR) == 0


@pytest.mark.slow
def test_answers_stay_where_the_rule_asks_for_no_whole_session(study):
    rule_set(study=study, purpose="use", settings={"require_completed": False})
    session = enter(study, "half")
    answer_tests(session, 3)
    assert places_reclaim(study=study, now=timezone.now() + HOUR) == 3
    assert states(session) == {"answered": 3, "expired": 3}
    assert Trial.objects.filter(state="free").count() == 21


@pytest.mark.slow
def test_who_comes_back_before_anybody_else_takes_everything_back(study):
    study_set_design(study=study, max_minutes=90)
    session = enter(study, "slow")
    answer_tests(session, 2)
    places_reclaim(study=study, now=timezone.now() + HOUR)
    finish(session, now=timezone.now() + HOUR)
    assert session.state == Session.State.COMPLETED
    assert states(session) == {"answered": 6}
    assert set(in_quota(study).values()) == {4}
    assert Trial.objects.filter(state="free").count() == 18
    assert not Vote.objects.filter(late=True).exists()
    assert set(vote_reasons(study).values()) == {""}


@pytest.mark.slow
def test_a_late_vote_whose_place_went_on_is_surplus(study):
    study_set_design(study=study, votes_per_pair=1)
    now = timezone.now()
    slow = enter(study, "slow", now=now - HOUR)
    heir = enter(study, "heir", now=now)
    finish(slow, now=now)
    assert slow.state == Session.State.COMPLETED
    assert states(slow) == {"expired": 6}
    assert set(Vote.objects.filter(trial__session=slow, trial__kind="test").values_list("late", flat=True)) == {True}
    finish(heir, now=now)
    assert states(heir) == {"answered": 6}
    reasons = vote_reasons(study)
    surplus = [reasons[vote.pk] for vote in Vote.objects.filter(trial__session=slow, trial__kind="test")]
    assert surplus == ["surplus: the place had gone to somebody else"] * 6


@pytest.mark.slow
def test_a_late_vote_takes_another_free_place_of_its_pair_and_side(study):
    now = timezone.now()
    slow = enter(study, "slow", now=now - HOUR)
    sides = dict(slow.trials.filter(**TEST).values_list("pair", "mirrored"))
    enter(study, "heir", now=now)
    finish(slow, now=now)
    assert states(slow) == {"answered": 6}
    assert dict(slow.trials.filter(**TEST).values_list("pair", "mirrored")) == sides
    assert set(slow.trials.filter(**TEST).values_list("number", flat=True)) == {2}
    assert set(in_quota(study).values()) == {4}


@pytest.mark.slow
def test_a_late_vote_on_a_hidden_pair_is_not_late(study):
    session = enter(study, "slow")
    places_reclaim(study=study, now=timezone.now() + HOUR)
    finish(session)
    assert not Vote.objects.filter(trial__kind="verification", late=True).exists()


def test_who_comes_back_in_time_keeps_the_places(study):
    session = enter(study, "back", now=timezone.now() - HOUR)
    session_renew_lease(session=session)
    assert places_reclaim(study=study) == 0
    assert states(session) == {"claimed": 6}


@pytest.mark.slow
def test_somebody_who_leaves_twice_is_reclaimed_twice(study):
    now = timezone.now()
    session = enter(study, "anna", now=now)
    places_reclaim(study=study, now=now + HOUR)
    answer_tests(session, 2, now=now + HOUR)
    places_reclaim(study=study, now=now + 3 * HOUR)
    assert states(session) == {"surplus": 2, "expired": 4}
    assert Trial.objects.filter(state="free").count() == 24


@pytest.mark.slow
def test_a_place_left_after_its_answer_is_on_offer_before_anybody_reclaims_it(study):
    study_set_design(study=study, votes_per_pair=1, verification_pairs=2, training_pairs=0)
    session = enter(study, "anna")
    answer_tests(session, 6)
    assert not study_has_places(study)
    Session.objects.filter(pk=session.pk).update(state="active")
    assert study_has_places(study, now=timezone.now() + HOUR)


@pytest.mark.slow
def test_a_dropped_vote_gives_its_place_again(study):
    session = enter(study, "careless")
    while trial := session_current_trial(session):
        wrong = {"left": "right", "right": "left"}.get(trial.expected, "left")
        choice = trial.expected if trial.kind == Trial.Kind.TRAINING else wrong
        vote_record(session=session, token=trial.token, choice=choice, response_ms=900, playback=SMOOTH)
    assert states(session) == {"surplus": 6}
    assert set(in_quota(study).values()) == {4}
    assert Trial.objects.filter(state="free").count() == 24


def test_an_exclusion_gives_places_again_and_lifting_it_takes_them_back(study):
    session = enter(study, "anna")
    finish(session)
    before = set(session.trials.filter(**TEST).values_list("pair", "number"))
    participant_exclude(participant=session.participant, reason="took part twice")
    assert states(session) == {"surplus": 6}
    assert Trial.objects.filter(state="free").count() == 24
    exclusion_lift(participant=session.participant)
    assert states(session) == {"answered": 6}
    assert set(session.trials.filter(**TEST).values_list("pair", "number")) == before
    assert Trial.objects.filter(state="free").count() == 18


@pytest.mark.slow
def test_lifting_an_exclusion_leaves_places_that_others_took(study):
    study_set_design(study=study, votes_per_pair=1)
    session = enter(study, "anna")
    finish(session)
    participant_exclude(participant=session.participant, reason="took part twice")
    heir = enter(study, "heir")
    exclusion_lift(participant=session.participant)
    assert (states(session), states(heir)) == ({"surplus": 6}, {"claimed": 6})
    assert set(in_quota(study).values()) == {1}


@pytest.mark.slow
def test_a_stricter_rule_gives_places_again_and_the_old_one_takes_them_back(study):
    people = [enter(study, f"person{number}") for number in range(3)]
    for session in people[:2]:
        finish(session)
    answer_tests(people[2], 2)
    rule_set(study=study, purpose="use", settings={"max_side_share": 0.5, "min_votes_for_shares": 1})
    assert [states(session) for session in people] == [{"surplus": 6}, {"surplus": 6}, {"answered": 2, "claimed": 4}]
    assert set(in_quota(study).values()) == {4}
    rule_set(study=study, purpose="use", settings={})
    assert [states(session) for session in people[:2]] == [{"answered": 6}, {"answered": 6}]
    assert set(in_quota(study).values()) == {4}


@pytest.mark.slow
def test_settling_again_changes_nothing(study):
    finish(enter(study, "anna"))
    before = list(Trial.objects.order_by("pk").values())
    places_settle(study=study)
    assert list(Trial.objects.order_by("pk").values()) == before


@pytest.mark.slow
@pytest.mark.parametrize("answered", [3, 6])
def test_a_participant_whose_answers_are_deleted_gives_all_places_back(study, answered):
    session = enter(study, "anna")
    answer_tests(session, answered)
    assert places_vacate(session=session) == 6
    assert states(session) == {"expired": 6}
    assert Trial.objects.filter(state="free").count() == 24
    assert places_vacate(session=session) == 0


def test_a_raised_quota_adds_places_and_a_lowered_one_takes_free_ones_away(study):
    finish(enter(study, "anna"))
    study_set_design(study=study, votes_per_pair=6)
    assert set(in_quota(study).values()) == {6}
    study_set_design(study=study, votes_per_pair=2)
    assert set(in_quota(study).values()) == {2}
    assert Vote.objects.filter(trial__kind="test").count() == 6


@pytest.mark.slow
def test_what_is_held_beyond_a_lowered_quota_counts(study):
    sessions = [enter(study, f"person{number}") for number in range(3)]
    for session in sessions[1:]:
        finish(session)
    places_vacate(session=sessions[0])
    study_set_design(study=study, votes_per_pair=2)
    assert set(in_quota(study).values()) == {2}
    assert not Trial.objects.filter(state="free").exists()
    assert not study_has_places(study)
    assert enter(study, "late").state == Session.State.FULL


@pytest.mark.slow
def test_a_cohort_with_drop_outs_ends_at_the_quota_and_counts_nobody_twice(study):
    study_set_design(study=study, pairs_per_session=3, votes_per_pair=4)
    now = timezone.now()
    number = 0
    while Trial.objects.filter(state=Trial.State.ANSWERED, **TEST).count() < 24:
        now += timedelta(minutes=7)
        if not study_has_places(study, now=now):
            continue
        session = enter(study, f"person{number}", now=now)
        if number % 3 == 1:
            answer_tests(session, number % 2 + 1, now=now)
        else:
            finish(session, now=now)
        number += 1
    assert not study_has_places(study, now=now + HOUR)
    for pair in study.pairs.filter(kind=Pair.Kind.TEST):
        held = pair.trials.filter(state=Trial.State.ANSWERED)
        assert held.count() == held.values("participant").distinct().count() == 4
        assert held.filter(mirrored=True).count() == 2
    reasons = vote_reasons(study)
    counted = [vote for vote in Vote.objects.filter(trial__kind="test") if not reasons[vote.pk]]
    assert len(counted) == 24
    assert {vote.trial.state for vote in counted} == {"answered"}
    assert Participant.objects.count() == number
