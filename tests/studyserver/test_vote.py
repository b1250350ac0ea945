"""/s/<study>/vote/: one vote per trial, whatever the network does."""

import json

from django.test import Client

from studyserver.models import Session, Trial, Vote
from studyserver.selectors import session_current_trial, session_upcoming_trials
from studyserver.services import study_pause
from tests.studyserver.conftest import SMOOTH, Visitor


def past_training(visitor) -> Session:
    session = visitor.begin()
    visitor.answer(session)
    return session


def test_it_stores_the_answer_and_names_the_next_trial(visitor):
    session = past_training(visitor)
    trial, following = session_upcoming_trials(session, 2)
    reply = visitor.vote(trial, "right", response_ms=1234)
    assert reply.status_code == 200
    assert reply.json()["state"]["trial"]["token"] == following.token
    assert reply.json()["location"] is None
    vote = Vote.objects.get(trial=trial)
    assert (vote.choice, vote.response_ms, vote.presentation, vote.late) == ("right", 1234, "side-by-side", False)
    assert vote.playback["left"]["shown"] == 25
    trial.refresh_from_db()
    assert trial.state == Trial.State.ANSWERED


def test_other_methods_are_refused(visitor):
    visitor.begin()
    for method in ("get", "put", "delete"):
        assert getattr(visitor.client, method)(visitor.url("vote")).status_code == 405, method


def test_the_same_vote_again_is_the_same_answer_and_one_row(visitor):
    session = past_training(visitor)
    trial = session_current_trial(session)
    replies = [visitor.vote(trial, "left") for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200] * 3
    assert replies[0].json() == replies[1].json() == replies[2].json()
    assert Vote.objects.filter(trial=trial).count() == 1


def test_another_answer_is_refused_and_the_first_kept(visitor):
    session = past_training(visitor)
    trial = session_current_trial(session)
    visitor.vote(trial, "left")
    reply = visitor.vote(trial, "right")
    assert reply.status_code == 409
    assert "the first one stands" in reply.json()["error"]
    assert Vote.objects.get(trial=trial).choice == "left"


def test_somebody_elses_trial_does_not_exist(visitor, stranger):
    trial = session_current_trial(past_training(visitor))
    stranger.begin()
    before = list(Trial.objects.values()), Vote.objects.count()
    reply = stranger.vote(trial, "left")
    assert reply.status_code == 404
    assert (list(Trial.objects.values()), Vote.objects.count()) == before


def test_an_unknown_trial_does_not_exist(visitor):
    past_training(visitor)
    for token in ("guess", "", None, "\ud800", "a\x00b"):
        assert visitor.post_vote(json.dumps({"trial": token, "choice": "left"})).status_code == 404, ascii(token)


def test_without_a_session_it_is_forbidden(visitor, stranger):
    trial = session_current_trial(past_training(visitor))
    assert stranger.vote(trial, "left").status_code == 403
    assert not Vote.objects.filter(trial=trial).exists()


def test_without_a_csrf_token_it_is_forbidden(visitor, study):
    session = past_training(visitor)
    strict = Visitor(Client(enforce_csrf_checks=True), study)
    strict.client.cookies.update(visitor.client.cookies)
    assert strict.vote(session_current_trial(session), "left").status_code == 403
    assert Vote.objects.count() == 1


def test_a_later_trial_is_refused(visitor):
    later = session_upcoming_trials(past_training(visitor))[1]
    assert visitor.vote(later, "left").status_code == 409
    assert not Vote.objects.filter(trial=later).exists()


def test_a_tie_where_none_is_offered_is_refused(visitor, study):
    study.allow_tie = False
    study.save()
    trial = session_current_trial(past_training(visitor))
    reply = visitor.vote(trial, "tie")
    assert reply.status_code == 400
    assert reply.json()["error"] == "choice must be one of left, right, got 'tie'"


NOT_FROM_A_PLAYER = [
    {"choice": "both"},
    {"choice": None},
    {"response_ms": -1},
    {"response_ms": 1.5},
    {"response_ms": "soon"},
    {"playback": []},
    {"playback": {"ip": "10.0.0.1"}},
    {"playback": {"scale": "NaN"}},
    {"playback": {"left": {"shown": -1}}},
    {"playback": {"offsets": {"x": 1}}},
    {"playback": {"offsets": {"1000000": 1}}},
    {"playback": {"fullscreen": 1}},
    {"playback": {"switches": True}},
    {"passed": True},
]


def test_what_no_player_sends_is_refused(visitor):
    trial = session_current_trial(past_training(visitor))
    for change in NOT_FROM_A_PLAYER:
        reply = visitor.vote(trial, **{"choice": "left", **change})
        assert reply.status_code == 400, change
        assert reply.json()["error"]
    assert not Vote.objects.filter(trial=trial).exists()


def test_a_body_that_is_no_vote_is_refused(visitor):
    past_training(visitor)
    for body in ("", "[]", "{}", "not json", '{"trial": "x"}', "[" * 30_000):
        assert visitor.post_vote(body).status_code == 400, body[:20]


def test_not_a_number_cannot_come_in_through_json(visitor):
    trial = session_current_trial(past_training(visitor))
    body = json.dumps({"trial": trial.token, "choice": "left", "playback": {"scale": float("nan")}})
    assert visitor.post_vote(body).status_code == 400


def test_a_body_too_long_is_refused(visitor):
    past_training(visitor)
    for length in (40_000, 400_000):
        reply = visitor.post_vote('{"trial": "' + "x" * length + '"}')
        assert reply.status_code == 413, length
        assert "at most" in reply.json()["error"]


def test_training_tells_the_answer_and_repeats_until_right(visitor):
    session = visitor.begin()
    trial = session_current_trial(session)
    wrong = "left" if trial.expected == "right" else "right"
    reply = visitor.vote(trial, wrong).json()
    assert reply["feedback"] == {"correct": False, "better": trial.expected}
    assert reply["state"]["training"] is True
    again = session_current_trial(session)
    assert (again.kind, again.attempt, again.pair_id) == ("training", 2, trial.pair_id)
    assert {again.left_token, again.right_token}.isdisjoint({trial.left_token, trial.right_token})
    reply = visitor.vote(again, again.expected).json()
    assert reply["feedback"]["correct"] is True
    assert reply["state"]["training"] is False


def test_a_wrong_training_answer_sent_twice_adds_one_repetition(visitor):
    session = visitor.begin()
    trial = session_current_trial(session)
    first, second = (visitor.vote(trial, "tie").json() for _ in range(2))
    assert first == second
    assert session.trials.filter(kind="training").count() == 2


def test_verification_gives_no_feedback(visitor):
    session = past_training(visitor)
    while (trial := session_current_trial(session)).kind != "verification":
        visitor.answer(session)
    assert "feedback" not in visitor.vote(trial, "tie").json()


def test_the_last_vote_leads_to_the_completion_page(visitor):
    session = past_training(visitor)
    for _ in range(6):
        visitor.answer(session)
    last = session_current_trial(session)
    reply = visitor.vote(last, "left")
    assert reply.json() == {"location": "/s/cats/done/", "state": None}
    assert visitor.vote(last, "left").json() == reply.json()


def test_a_vote_on_its_way_when_the_study_pauses_is_kept(visitor, study):
    session = past_training(visitor)
    study_pause(study=study)
    reply = visitor.answer(session)
    assert reply.status_code == 200
    assert reply.json()["location"] == "/s/cats/"
    assert Vote.objects.count() == 2


def test_a_bad_playback_is_kept(visitor):
    session = past_training(visitor)
    stalled = {**SMOOTH, "left": {**SMOOTH["left"], "stalls": 4}}
    assert visitor.vote(session_current_trial(session), "left", playback=stalled).status_code == 200
    assert Vote.objects.latest("id").playback == stalled


def test_no_network_address_is_stored(visitor):
    from django.apps import apps

    visitor.client.defaults["REMOTE_ADDR"] = "203.0.113.77"
    visitor.finish(visitor.begin())
    everything = "".join(str(list(model.objects.values())) for model in apps.get_app_config("studyserver").get_models())
    assert "203.0.113.77" not in everything


def test_a_session_withdrawn_while_the_reply_is_made_is_sent_to_its_page(visitor, monkeypatch):
    session = visitor.begin()
    monkeypatch.setattr("studyserver.views.state.session_upcoming_trials", lambda *_: [])
    reply = visitor.answer(session)
    assert (reply.status_code, reply.json()["location"]) == (200, "/s/cats/trial/")
