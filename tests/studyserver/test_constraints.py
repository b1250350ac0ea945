"""What the database refuses, whoever writes to it."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from studyserver.models import Condition, Pair, Participant, Session, Source, Stimulus, Study, Trial, Vote
from studyserver.services import session_advance, session_start


@pytest.fixture
def session(study):
    session = session_start(study=study, code="anna")
    return session_advance(session=session)


def refused(operation):
    with pytest.raises(IntegrityError), transaction.atomic():
        operation()


def test_a_second_vote_on_a_trial(session):
    trial = session.trials.first()
    Vote.objects.create(trial=trial, choice="left", voted_at=timezone.now())
    refused(lambda: Vote.objects.create(trial=trial, choice="right", voted_at=timezone.now()))


def test_a_choice_that_is_no_choice(session):
    refused(lambda: Vote.objects.create(trial=session.trials.first(), choice="both", voted_at=timezone.now()))


def test_a_pair_twice_or_reversed_or_with_itself(study):
    pair = study.pairs.first()
    fields = {"study": study, "source": pair.source, "kind": "test"}
    refused(lambda: Pair.objects.create(first=pair.first, second=pair.second, **fields))
    refused(lambda: Pair.objects.create(first=pair.second, second=pair.first, **fields))
    refused(lambda: Pair.objects.create(first=pair.first, second=pair.first, **fields))


def test_a_null_pair_is_one_stimulus_twice(study):
    attacked = Stimulus.objects.filter(condition__kind="attack").first()
    fields = {"study": study, "source": attacked.source, "kind": "null", "first": attacked, "second": attacked}
    assert Pair.objects.create(**fields).pk
    refused(lambda: Pair.objects.create(**fields))


def test_kinds_and_statuses_that_do_not_exist(study, session):
    for queryset, change in [
        (Pair.objects.all(), {"kind": "other"}),
        (Trial.objects.filter(session=session), {"kind": "other"}),
        (Trial.objects.filter(session=session), {"state": "other"}),
        (Study.objects.all(), {"status": "other"}),
        (Study.objects.all(), {"votes_per_pair": 0}),
        (Condition.objects.all(), {"kind": "other"}),
        (Participant.objects.all(), {"origin": "other"}),
        (Session.objects.all(), {"state": "other"}),
        (Session.objects.all(), {"state": "completed"}),
    ]:
        refused(lambda queryset=queryset, change=change: queryset.update(**change))


def again(trial, **changes):
    fields = {
        "pair": trial.pair,
        "kind": trial.kind,
        "mirrored": trial.mirrored,
        "state": "claimed",
        "origin": trial.origin,
        "session": trial.session,
        "participant": trial.participant,
        "position": 99,
    }
    return Trial.objects.create(**{**fields, **changes})


def test_a_pair_twice_for_one_participant_unless_it_is_a_repeat(session):
    trial = session.trials.filter(kind="test").first()
    refused(lambda: again(trial))
    assert again(trial, kind="repeat").pk


def test_a_place_held_twice(session):
    trial = session.trials.filter(kind="test").first()
    refused(lambda: again(trial, state="free", number=trial.number, session=None, participant=None, position=None))


def test_a_position_taken_twice(session):
    first, second = session.trials.filter(kind="test")[:2]
    refused(lambda: Trial.objects.filter(pk=second.pk).update(position=first.position))


def test_a_claimed_trial_of_nobody_and_a_free_one_of_somebody(session):
    trial = session.trials.filter(kind="test").first()
    refused(lambda: Trial.objects.filter(pk=trial.pk).update(state="free"))
    refused(lambda: Trial.objects.filter(state="free").update(state="claimed"))


def test_a_second_session_or_a_second_participant_of_that_code(study, session):
    now = timezone.now()
    refused(
        lambda: Session.objects.create(
            participant=session.participant, seed=1, consent_version=1, consented_at=now, lease_until=now
        )
    )
    refused(lambda: Participant.objects.create(study=study, code="anna"))


def test_names_twice_in_a_study(study):
    source = study.sources.first()
    refused(lambda: Source.objects.create(study=study, name=source.name, width=1, height=1, frames=1, fps="1/1"))
    label = study.conditions.first().label
    refused(lambda: Condition.objects.create(study=study, label=label, kind="attack"))
    stimulus = source.stimuli.first()
    refused(
        lambda: Stimulus.objects.create(
            source=source, condition=stimulus.condition, bytes=1, width=1, height=1, frames=1, fps="1/1"
        )
    )
