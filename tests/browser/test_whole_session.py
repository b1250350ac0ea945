"""A whole visit with all that a study asks for by default: in German, by keyboard alone, with a reload in each step."""

import contextlib
import json
import sqlite3
from collections import Counter

import pytest

from tests.browser.conftest import watched_page
from tests.browser.test_session import phase, practice_keys
from tests.browser.test_steps import choose, fill_quiz, reload, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TRIALS = """
    SELECT trial.kind, trial.position, trial.attempt, trial.state, trial.mirrored, trial.pair_id,
        vote.choice, vote.presentation, vote.playback
    FROM studyserver_trial AS trial
    JOIN studyserver_session AS session ON session.id = trial.session_id
    JOIN studyserver_participant AS participant ON participant.id = session.participant_id
    JOIN studyserver_study AS study ON study.id = participant.study_id
    LEFT JOIN studyserver_vote AS vote ON vote.trial_id = trial.id
    WHERE study.slug = 'whole' ORDER BY vote.id
"""
SESSIONS = """
    SELECT session.* FROM studyserver_session AS session
    JOIN studyserver_participant AS participant ON participant.id = session.participant_id
    JOIN studyserver_study AS study ON study.id = participant.study_id
    WHERE study.slug = 'whole'
"""


@pytest.fixture
def german(chromium):
    """A window of a German browser."""
    with watched_page(chromium, locale="de-DE") as page:
        yield page


def rows(server, query):
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(query)]


def answer(page, key):
    """Watch the pair on the screen, answer it, and wait until the answer is stored and shown to be."""
    phase(page, "ready")
    page.keyboard.press("Space")
    phase(page, "answering")
    with page.expect_response("**/vote/"):
        page.keyboard.press(key)


def practise(page, server):
    """Answer the practice pairs, the first one wrongly before rightly; return how many answers that took."""
    for answers in range(1, 20):
        right, wrong = practice_keys(server)
        answer(page, wrong if answers == 1 else right)
        phase(page, "feedback")
        page.keyboard.press("Space")
        page.wait_for_selector("#player[data-phase=ready], fieldset")
        if page.url.endswith("/quiz/"):
            return answers
    raise AssertionError("the practice never ended")


def test_a_whole_visit(german, server):
    page = german
    page.goto(f"{server.url}/s/whole/?PROLIFIC_PID=P1&STUDY_ID=S&SESSION_ID=N1")
    reload(page)
    assert page.get_attribute("html", "lang") == "de"
    tab_to(page, "#agree")
    page.keyboard.press("Space")
    tab_to(page, "form button")
    page.keyboard.press("Enter")

    page.wait_for_url("**/instructions/")
    reload(page)
    page.wait_for_selector("button:focus")
    page.keyboard.press("Enter")

    page.wait_for_url("**/setup/")
    page.wait_for_selector("#continue:visible")
    reload(page)
    page.wait_for_selector("#continue:focus")
    assert page.inner_text("#verdict") == "Alles ist in Ordnung. Sie können weitermachen."
    page.keyboard.press("Enter")

    page.wait_for_url("**/trial/")
    phase(page, "ready")
    reload(page)
    practised = practise(page, server)

    page.wait_for_url("**/quiz/")
    reload(page)
    fill_quiz(page, right=True)

    page.wait_for_url("**/trial/")
    phase(page, "ready")
    reload(page)
    keys = ("ArrowLeft", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowLeft")
    for number, key in enumerate(keys, 1):
        page.wait_for_selector(f"#heading:has-text('Paar {number} von 7')")
        answer(page, key)

    page.wait_for_url("**/questionnaire/")
    reload(page)
    choose(page, "age", "25-34")
    tab_to(page, "#comment")
    page.keyboard.type("Alles gut.")
    tab_to(page, "form button")
    page.keyboard.press("Enter")

    page.wait_for_url("**/done/")
    reload(page)
    assert "Alle Ihre 7 Antworten sind gespeichert." in page.inner_text("main")
    shown = page.eval_on_selector_all("output", "all => all.map((one) => one.textContent)")
    assert page.troubles == []

    (study,) = rows(server, "SELECT * FROM studyserver_study WHERE slug = 'whole'")
    (session,) = rows(server, SESSIONS)
    assert shown == [study["completion_code"], session["withdrawal_code"]]
    assert (session["state"], session["presentation"], session["consent_version"]) == ("completed", "side-by-side", 1)
    assert (session["service"], session["submission"]) == ("prolific", "N1")
    assert json.loads(session["environment"])["problems"] == []
    assert [one["passed"] for one in json.loads(session["quiz"])] == [True]
    assert json.loads(session["answers"]) == {"age": "25-34", "comment": "Alles gut."}

    trials = rows(server, TRIALS)
    assert {trial["state"] for trial in trials} <= {"answered", "surplus"}
    trained = [trial for trial in trials if trial["kind"] == "training"]
    assert len(trained) == practised == 4
    assert {trial["position"] for trial in trained} == {1, 2, 3}
    pairs = [trial for trial in trials if trial["kind"] != "training"]
    assert Counter(trial["kind"] for trial in pairs) == {"test": 3, "verification": 2, "repeat": 1, "null": 1}
    assert [trial["position"] for trial in pairs] == list(range(1, 8))
    sides = {"ArrowLeft": "left", "ArrowRight": "right", "ArrowDown": "tie"}
    assert [trial["choice"] for trial in pairs] == [sides[key] for key in keys]
    # The repeat is one of the test pairs, with its sides exchanged.
    (repeat,) = [trial for trial in pairs if trial["kind"] == "repeat"]
    (first,) = [trial for trial in pairs if trial["kind"] == "test" and trial["pair_id"] == repeat["pair_id"]]
    assert repeat["mirrored"] != first["mirrored"] and repeat["position"] > first["position"]
    assert all(json.loads(trial["playback"])["scale"] == 1 for trial in trials)
    assert {trial["presentation"] for trial in trials} == {"side-by-side"}
