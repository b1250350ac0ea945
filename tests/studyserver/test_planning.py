"""What participants get to see: which pairs, on which side, in which order."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from studyserver.errors import StudyError, StudyNotReady, StudyUnavailable
from studyserver.models import Pair, Session, Trial
from studyserver.selectors import session_current_trial, session_upcoming_trials, study_has_places
from studyserver.services import session_advance, session_end, session_start, study_set_design, vote_record
from tests.studyserver.conftest import SMOOTH

TEST = {"kind": Trial.Kind.TEST}


def enter(study, code, now=None, origin="real") -> Session:
    """Take part as far as the first trial, or the page that says that there is none."""
    session = session_start(study=study, code=code, origin=origin, now=now)
    return session_advance(session=session, now=now)


def finish(session, now=None):
    while trial := session_current_trial(session):
        choice = trial.expected or "left"
        vote_record(session=session, token=trial.token, choice=choice, response_ms=900, playback=SMOOTH, now=now)
    session.refresh_from_db()


def pairs_shown(session, *kinds):
    return list(session.trials.filter(kind__in=kinds).order_by("position").values_list("pair", flat=True))


def free_again(session):
    """Undo a session's plan, so that the pool is as it was."""
    Trial.objects.filter(session=session, number__isnull=False).update(
        state="free", session=None, participant=None, position=None, claimed_at=None
    )
    session.trials.all().delete()
    Session.objects.filter(pk=session.pk).update(state="instructions", started_at=None)


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
    turned_away = enter(study, "one too many")
    assert turned_away.state == Session.State.FULL
    assert not turned_away.trials.exists()


def test_least_used_pairs_come_first(study):
    study_set_design(study=study, pairs_per_session=2, votes_per_pair=4)
    for number in range(3):
        enter(study, f"person{number}")
    takers = Counter(Trial.objects.filter(state=Trial.State.CLAIMED, **TEST).values_list("pair", flat=True))
    assert sorted(takers.values()) == [1] * 6


def test_a_session_has_practice_tests_and_the_hidden_pairs_of_its_study(study):
    study_set_design(study=study, repeat_pairs=2, null_pairs=2)
    session = enter(study, "anna")
    kinds = Counter(session.trials.values_list("kind", flat=True))
    assert kinds == {"training": 1, "test": 6, "verification": 1, "repeat": 2, "null": 2}
    order = list(session.trials.exclude(kind="training").order_by("position").values_list("position", "kind"))
    assert [position for position, _ in order] == list(range(1, 12))
    assert order[0][1] == "test"


def test_a_repeat_is_a_pair_of_the_same_session_with_its_sides_exchanged(study):
    study_set_design(study=study, repeat_pairs=2)
    session = enter(study, "anna")
    for repeat in session.trials.filter(kind="repeat"):
        first = session.trials.get(kind="test", pair=repeat.pair)
        assert repeat.mirrored != first.mirrored
        assert repeat.position - first.position >= 3
        assert (repeat.number, repeat.left, repeat.right) == (None, first.right, first.left)


@pytest.mark.slow
def test_null_pairs_go_round_the_sources(study):
    study_set_design(study=study, null_pairs=1)
    shown = [pairs_shown(enter(study, f"person{number}"), "null")[0] for number in range(4)]
    assert sorted(Counter(shown).values()) == [2, 2]


def test_verification_pairs_go_round_and_are_never_those_of_the_practice(study):
    shown = []
    for number in range(4):
        session = enter(study, f"person{number}")
        assert not set(pairs_shown(session, "training")) & set(pairs_shown(session, "verification"))
        shown += pairs_shown(session, "verification")
    assert sorted(Counter(shown).values()) == [2, 2]


@pytest.mark.slow
def test_too_few_verification_pairs_make_less_practice(study):
    study_set_design(study=study, training_pairs=3, verification_pairs=2)
    session = enter(study, "anna")
    assert Counter(session.trials.values_list("kind", flat=True)) == {"training": 1, "verification": 1, "test": 6}


@pytest.mark.slow
def test_with_a_single_verification_pair_there_is_no_practice(study):
    study.pairs.filter(kind="verification").first().delete()
    session = enter(study, "anna")
    assert session.state == Session.State.ACTIVE and session.first_pair_at
    assert Counter(session.trials.values_list("kind", flat=True)) == {"verification": 1, "test": 6}


@pytest.mark.slow
def test_a_study_without_verification_pairs_runs_where_it_asks_for_none(study):
    study.pairs.filter(kind="verification").delete()
    with pytest.raises(StudyNotReady, match="no verification pair"):
        enter(study, "anna")
    study_set_design(study=study, training_pairs=0, verification_pairs=0)
    assert Counter(enter(study, "ben").trials.values_list("kind", flat=True)) == {"test": 6}


def test_the_same_seed_and_pool_give_the_same_plan(study):
    study_set_design(study=study, pairs_per_session=4, repeat_pairs=1, null_pairs=1)

    def plan(code):
        session = enter(study, code)
        rows = list(session.trials.order_by("kind", "position").values_list("kind", "position", "pair", "mirrored"))
        free_again(session)
        return rows

    assert plan("anna") == plan("anna")
    assert plan("ben") != plan("anna")


@pytest.mark.slow
def test_the_same_seed_and_pool_give_the_same_plan_where_it_is_adaptive(study):
    study_set_design(study=study, pairs_per_session=3, sampling="adaptive")
    for number in range(2):
        finish(enter(study, f"person{number}"))

    def plan():
        session = enter(study, "anna")
        rows = pairs_shown(session, "test")
        free_again(session)
        return rows

    first = plan()
    assert len(set(first)) == 3
    assert plan() == first


@pytest.mark.slow
def test_adaptive_studies_fill_their_quotas_too(study):
    study_set_design(study=study, pairs_per_session=3, votes_per_pair=3, sampling="adaptive")
    for number in range(6):
        finish(enter(study, f"person{number}"))
    # Whom the last places come to depends on the answers; nobody is ever asked beyond a quota or twice.
    number = 6
    while study_has_places(study):
        finish(enter(study, f"person{number}"))
        number += 1
    for pair in study.pairs.filter(kind=Pair.Kind.TEST):
        people = pair.trials.filter(state=Trial.State.ANSWERED).values_list("participant", flat=True)
        assert len(people) == len(set(people)) == 3


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["simulated", "pilot"])
def test_model_people_and_pilots_use_quotas_of_their_own(study, origin):
    study_set_design(study=study, votes_per_pair=1)
    study.status = "pilot" if origin == "pilot" else "open"
    study.save()
    session = enter(study, "other", origin=origin)
    assert session.trials.filter(**TEST).count() == 6
    assert not study_has_places(study, origin)
    assert study_has_places(study)
    study.status = "open"
    study.save()
    assert len(session_upcoming_trials(enter(study, "anna"), 100)) == 8


@pytest.mark.slow
def test_previews_take_no_places(study):
    study_set_design(study=study, votes_per_pair=1, repeat_pairs=1, null_pairs=1)
    finish(enter(study, "anna"))
    session = enter(study, "preview", origin="preview")
    kinds = Counter(session.trials.values_list("kind", "number"))
    assert kinds[("test", None)] == 6 and kinds[("repeat", None)] == kinds[("null", None)] == 1
    finish(session)
    assert session.state == Session.State.COMPLETED
    assert Trial.objects.filter(number__isnull=False).count() == 6


def test_advancing_twice_from_one_step_plans_once(study):
    session = session_start(study=study, code="anna")
    twin = Session.objects.get(pk=session.pk)
    session_advance(session=session)
    before = list(Trial.objects.order_by("pk").values())
    assert session_advance(session=twin).state == Session.State.TRAINING
    assert list(Trial.objects.order_by("pk").values()) == before


@pytest.mark.slow
def test_places_are_held_from_before_the_practice(study):
    study_set_design(study=study, quiz_questions=2)
    now = timezone.now()
    session = enter(study, "anna", now=now)
    assert session.state == Session.State.TRAINING
    assert (session.started_at, session.lease_until) == (now, now + timedelta(minutes=30))
    assert session.trials.filter(number__isnull=False).count() == 6


def test_who_ends_early_gives_the_places_back(study):
    session = enter(study, "anna")
    session_end(session=session, state=Session.State.TECHNICAL, reason="screen-small")
    assert set(session.trials.values_list("state", flat=True)) == {"expired"}
    assert Trial.objects.filter(state="free").count() == 24
    assert session_current_trial(session) is None


@pytest.mark.parametrize("status", ["draft", "paused", "closed", "pilot"])
def test_nobody_real_enters_a_study_that_is_not_open(study, status):
    study.status = status
    study.save()
    with pytest.raises(StudyUnavailable, match=f"study 'cats' is {status}"):
        session_start(study=study, code="anna")
    assert not Session.objects.exists()


def test_an_impossible_design_is_refused_in_a_sentence(study):
    with pytest.raises(StudyError, match="votes_per_pair"):
        study_set_design(study=study, pairs_per_session=3, votes_per_pair=0)


@pytest.mark.slow
def test_another_consent_text_is_another_version(study):
    study_set_design(study=study, consent_text="Something else.")
    study_set_design(study=study, consent_text="Something else.")
    assert study.consent_version == 2
    assert study.consent_texts.get(version=2).text == "Something else."
