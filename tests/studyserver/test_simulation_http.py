"""Model participants through the pages: in this process, and over HTTP to a real server."""

import json

import pytest
from django.core.management import CommandError, call_command

from studyserver.errors import WalkStopped
from studyserver.models import Participant, Session, Vote
from studyserver.services import import_stimulus_set, study_set_design
from studyserver.simulation import simulate_votes
from studyserver.simulation_browser import InProcessBrowser
from studyserver.simulation_http import simulate_votes_http
from studyserver.simulation_pages import read_page
from tests.studyserver.live import free_port, running_server
from tests.studyserver.test_simulation import EVERY_STEP

PAGE = """
<link rel="stylesheet" href="/static/a.css"><script src="/static/a.js"></script>
<script id="state" type="application/json">{"trial": "\\u003Cx"}</script>
<form><input type="hidden" name="csrfmiddlewaretoken" value="abc"><input name="age" value="7">
<input type="checkbox" name="agree"><input type="radio" name="task" value="one">
<input type="radio" name="task" value="two">
<select name="screen"><option value="">–</option><option value="laptop">x</option></select>
<textarea name="comment"></textarea><button name="skip" value="1">Skip</button></form>
"""


def test_a_page_is_read_as_a_browser_does():
    page = read_page(PAGE)
    (form,) = page.forms
    assert form.fields == {"csrfmiddlewaretoken": "abc", "age": "7", "comment": ""}
    assert form.choices == {"task": ["one", "two"], "screen": ["laptop"]}
    assert (page.csrf, page.data, page.files) == ("abc", {"state": {"trial": "<x"}}, ["/static/a.css", "/static/a.js"])


@pytest.mark.slow
def test_the_pages_and_the_services_give_the_same_votes(study, tiny_set):
    study_set_design(study=study, **EVERY_STEP)
    result = simulate_votes_http(study=study, url="", participants=1, seed=5, open_browser=InProcessBrowser)
    session = Session.objects.get()
    assert (session.participant.origin, session.state) == ("simulated", "completed")
    assert session.quiz and session.answers and session.environment["problems"] == []
    assert result.votes == Vote.objects.count() and result.personas["honest"].finished == 1

    other = import_stimulus_set(slug="birds", folder=tiny_set, interval_width=0).study
    study_set_design(study=other, **{**EVERY_STEP, "pairs_per_session": 18, "votes_per_pair": 4})
    simulate_votes(study=other, participants=1, seed=5)

    def told(slug):
        votes = Vote.objects.filter(trial__pair__study__slug=slug).order_by("pk")
        columns = ("trial__kind", "trial__position", "trial__attempt", "trial__mirrored", "choice", "response_ms")
        return list(votes.values_list(*columns, "playback"))

    assert told("cats") == told("birds")


@pytest.mark.slow
def test_who_leaves_a_page_and_comes_back_ends_where_the_others_do(study):
    """Of these three one goes away for good, and two come back."""
    cohort = {"study": study, "participants": 3, "seed": 10, "personas": {"drop-out": 1.0}}
    result = simulate_votes_http(url="", open_browser=InProcessBrowser, **cohort).personas["drop-out"]
    assert (result.entered, result.left, result.finished) == (3, 1, 2)
    again = simulate_votes_http(url="", open_browser=InProcessBrowser, **cohort)
    assert again.votes == 0 and again.personas["drop-out"] == result


def test_an_answer_that_no_visit_meets_stops_the_walk(study, monkeypatch):
    from django.http import HttpResponse

    from studyserver.views import trial as trial_view

    monkeypatch.setattr(trial_view, "render", lambda *_, **__: HttpResponse("broken", status=500))
    with pytest.raises(WalkStopped, match=r"/s/cats/trial/ answered 500"):
        simulate_votes_http(study=study, url="", participants=1, seed=1, open_browser=InProcessBrowser)


def test_a_server_that_is_not_there_is_one_sentence(study):
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CommandError, match=r"does not answer .* is the server running there"):
        call_command("simulate_votes", "cats", "--participants=1", "--seed=1", f"--http={url}")
    with pytest.raises(CommandError, match="begins with http"):
        call_command("leak_check", "cats", "--url=ftp://127.0.0.1")
    assert not Participant.objects.exists()


@pytest.mark.slow
def test_over_http_to_a_real_server(tmp_path, tiny_set):
    with running_server(tmp_path, tiny_set) as server:
        cohort = ("simulate_votes", "cats", "--participants=3", "--seed=1", "--personas=bot=0.34", "--json")
        said = json.loads(server.manage(*cohort, f"--http={server.url}"))
        assert said["personas"]["honest"]["finished"] == 2 and said["personas"]["bot"]["entered"] == 1
        assert json.loads(server.manage(*cohort, f"--http={server.url}"))["votes"] == 0
        report = json.loads(server.manage("leak_check", "cats", "--visits=2", f"--url={server.url}", "--json"))
        assert report["leaks"] == [] and report["trials"] > 10
