"""/s/<study>/trial/: the player."""

import json
import re
from datetime import timedelta

import pytest

from studyserver.models import Vote
from studyserver.selectors import session_current_trial, session_upcoming_trials
from studyserver.services import study_close, study_pause


def state_of(page):
    return json.loads(re.search(r'<script id="state"[^>]*>(.*?)</script>', page.text, re.S)[1])


def test_it_describes_the_current_trial(visitor):
    session = visitor.begin()
    page = visitor.get("trial")
    state = state_of(page)
    trial = session_current_trial(session)
    assert page.status_code == 200
    assert state["training"] is True
    assert state["trial"]["token"] == trial.token
    assert (state["trial"]["width"], state["trial"]["height"], state["trial"]["fps"]) == (64, 48, 25)
    assert (state["number"], state["total"]) == (1, 7)
    assert [following["token"] for following in state["next"]] == [
        following.token for following in session_upcoming_trials(session)[1:4]
    ]
    assert (state["presentation"], state["allowTie"], state["allowReplay"]) == ("side-by-side", True, True)
    assert state["syncAttempts"] == 2


@pytest.mark.slow
def test_the_time_left_follows_the_persons_own_pace(visitor):
    session = visitor.begin()
    visitor.answer(session)
    assert state_of(visitor.get("trial"))["minutesLeft"] == 1
    for _ in range(4):
        visitor.answer(session)
    # A pair every two minutes; three of seven are left.
    votes = Vote.objects.filter(trial__session=session).exclude(trial__kind="training").order_by("id")
    for number, vote in enumerate(votes):
        Vote.objects.filter(pk=vote.pk).update(voted_at=session.consented_at + timedelta(minutes=2 * number))
    assert state_of(visitor.get("trial"))["minutesLeft"] == 6


def test_it_is_never_cached(visitor):
    visitor.begin()
    assert "no-store" in visitor.get("trial").headers["Cache-Control"]


def test_it_notes_when_the_trial_was_first_sent(visitor):
    session = visitor.begin()
    visitor.get("trial")
    first = session_current_trial(session).presented_at
    visitor.get("trial")
    assert first is not None
    assert session_current_trial(session).presented_at == first


def test_reloading_shows_the_same_trial(visitor):
    visitor.begin()
    assert state_of(visitor.get("trial")) == state_of(visitor.get("trial"))


def test_a_stranger_is_sent_to_the_landing_page(visitor, stranger):
    visitor.begin()
    assert stranger.get("trial").url == "/s/cats/"


def test_a_forged_cookie_is_nobodys(visitor, stranger):
    session = visitor.begin()
    stranger.client.cookies[f"visit_{visitor.study.pk}"] = session.key
    assert stranger.get("trial").url == "/s/cats/"


def test_the_cookie_is_signed_and_bound_to_the_study(visitor):
    visitor.begin()
    cookie = visitor.client.cookies[f"visit_{visitor.study.pk}"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/s/cats/"
    assert ":" in cookie.value


def test_before_the_instructions_it_redirects_there(visitor):
    visitor.consent()
    assert visitor.get("trial").url == "/s/cats/instructions/"


def test_post_is_refused(visitor):
    visitor.begin()
    assert visitor.client.post(visitor.url("trial")).status_code == 405


def test_a_pause_stops_it_and_nothing_is_lost(visitor, study):
    session = visitor.begin()
    visitor.answer(session)
    study_pause(study=study)
    assert visitor.get("trial").url == "/s/cats/"
    assert "is paused" in visitor.get("landing").text
    study.status = "open"
    study.save()
    assert visitor.get("landing").url == "/s/cats/trial/"
    assert state_of(visitor.get("trial"))["training"] is False


@pytest.mark.slow
def test_in_a_closed_study_those_inside_may_finish(visitor, study):
    session = visitor.begin()
    study_close(study=study)
    assert visitor.get("trial").status_code == 200
    visitor.finish(session)
    assert visitor.get("done").status_code == 200
