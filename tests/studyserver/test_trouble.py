"""/s/<study>/trouble/: a machine that cannot show the pairs as the study wants."""

import json

import pytest
from django.test import Client

from studyserver.models import Session, Study, Trial, Vote
from studyserver.selectors import session_current_trial
from studyserver.services import presentation_for, study_pause
from tests.studyserver.conftest import Visitor

APART = {"presentation": "side-by-side", "trouble": "out-of-step"}


def report(visitor, fields=None):
    return visitor.client.post(visitor.url("trouble"), json.dumps(fields or APART), content_type="application/json")


@pytest.mark.parametrize("trouble", ["out-of-step", "no-frame-times"])
def test_the_session_goes_on_one_after_the_other(visitor, trouble):
    session = visitor.begin()
    trial = session_current_trial(session)
    reply = report(visitor, {**APART, "trouble": trouble})
    assert reply.status_code == 200
    assert reply.json()["location"] is None
    assert reply.json()["state"]["presentation"] == "sequential"
    assert reply.json()["state"]["trial"]["token"] == trial.token
    session.refresh_from_db()
    assert (session.state, session.presentation) == ("training", "sequential")
    assert session.environment["trouble"] == trouble
    assert session.environment["trouble_presentation"] == "side-by-side"
    visitor.answer(session)
    assert Vote.objects.get().presentation == "sequential"


def test_the_same_report_again_changes_nothing(visitor):
    visitor.begin()
    replies = [report(visitor).json() for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    assert visitor.session.state == Session.State.TRAINING


@pytest.mark.parametrize(
    ("fallback", "fields"),
    [
        ("none", APART),
        ("sequential", {**APART, "trouble": "unplayable"}),
    ],
)
def test_without_another_way_the_session_ends_with_thanks(visitor, study, fallback, fields):
    study.fallback = fallback
    study.save()
    session = visitor.begin()
    for _ in range(2):
        assert report(visitor, fields).json() == {"location": "/s/cats/ended/", "state": None}
    session.refresh_from_db()
    assert session.state == Session.State.TECHNICAL
    assert session.reason == fields["trouble"]
    assert not session.trials.filter(state=Trial.State.CLAIMED).exists()


def test_a_sequential_session_has_no_other_way(visitor, study):
    study.presentation = "sequential"
    study.save()
    session = visitor.begin()
    report(visitor, {"presentation": "sequential", "trouble": "out-of-step"})
    session.refresh_from_db()
    assert session.state == Session.State.TECHNICAL


def test_before_the_pairs_nothing_happens(visitor):
    visitor.consent()
    assert report(visitor).json()["location"] == "/s/cats/instructions/"
    assert visitor.session.presentation == "side-by-side"


def test_during_a_pause_it_leads_to_the_page_that_says_so(visitor, study):
    visitor.begin()
    study_pause(study=study)
    assert report(visitor).json()["location"] == "/s/cats/"


def test_other_methods_are_refused(visitor):
    visitor.begin()
    for method in ("get", "put", "delete"):
        assert getattr(visitor.client, method)(visitor.url("trouble")).status_code == 405, method


def test_without_a_session_it_is_forbidden(visitor, stranger):
    visitor.begin()
    assert report(stranger).status_code == 403
    assert visitor.session.presentation == "side-by-side"


def test_without_a_csrf_token_it_is_forbidden(visitor, study):
    visitor.begin()
    strict = Visitor(Client(enforce_csrf_checks=True), study)
    strict.client.cookies.update(visitor.client.cookies)
    assert report(strict).status_code == 403
    assert visitor.session.presentation == "side-by-side"


NOT_FROM_A_PLAYER = [
    [],
    {"trouble": "out-of-step"},
    {**APART, "trouble": "bored"},
    {**APART, "trouble": ["out-of-step"]},
    {**APART, "presentation": {}},
    {**APART, "reason": "x"},
    {**APART, "trouble": "x" * 2000},
]


def test_what_no_player_sends_is_refused(visitor):
    visitor.begin()
    for fields in NOT_FROM_A_PLAYER:
        reply = visitor.client.post(visitor.url("trouble"), json.dumps(fields), content_type="application/json")
        assert reply.status_code == 400, fields
        assert reply.json()["error"]
    assert visitor.session.presentation == "side-by-side"


@pytest.mark.parametrize(
    ("presentation", "largest", "room", "expected"),
    [
        ("auto", 960, None, "side-by-side"),
        ("auto", 64, 128, "side-by-side"),
        ("auto", 64, 127, "toggle"),
        ("auto", 63, None, "toggle"),
        ("side-by-side", 10, 100, "side-by-side"),
        ("sequential", 960, None, "sequential"),
        ("toggle", 960, None, "toggle"),
    ],
)
def test_the_presentation_follows_the_size_only_where_it_is_left_open(study, presentation, largest, room, expected):
    study.presentation, study.max_side_width = presentation, largest
    assert presentation_for(study, room=room) == expected


def test_a_session_keeps_what_was_chosen_when_it_began(visitor, study):
    Study.objects.filter(pk=study.pk).update(presentation="toggle")
    visitor.consent()
    Study.objects.filter(pk=study.pk).update(presentation="side-by-side")
    assert visitor.session.presentation == "toggle"
