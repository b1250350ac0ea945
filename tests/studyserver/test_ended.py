"""/s/<study>/ended/: why a visit ended early, and the code of that outcome."""

import pytest

from studyserver.models import Session, Study
from studyserver.outcomes import Outcome, early_end_sentence, way_back
from studyserver.services import session_end

CODES = ("completion_code", "screened_out_code", "full_code", "technical_code", "no_consent_code", "paused_code")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "reason", "words", "code"),
    [
        ("screened-out", "quiz", "questions about the instructions", "screened_out_code"),
        ("screened-out", "screen-small", "Your screen has fewer pixels", "screened_out_code"),
        ("screened-out", "", "Your visit ends here", "screened_out_code"),
        ("full", "", "the last places went to others", "full_code"),
        ("technical", "out-of-step", "could not play two videos in step", "technical_code"),
        ("technical", "something new", "could not be shown on your device", "technical_code"),
    ],
)
def test_it_says_why_and_shows_that_code_alone(visitor, study, state, reason, words, code):
    session = session_end(session=visitor.begin(), state=state, reason=reason)
    page = visitor.get("ended")
    assert page.status_code == 200
    assert words in page.text
    assert [name for name in CODES if getattr(study, name) in page.text] == [code]
    assert session.withdrawal_code in page.text


@pytest.mark.slow
def test_every_other_page_leads_here(visitor):
    session_end(session=visitor.begin(), state=Session.State.TECHNICAL)
    for name in ("landing", "instructions", "trial", "done", "declined"):
        assert visitor.get(name).url == "/s/cats/ended/"


def test_before_the_end_it_leads_to_the_page_of_the_step(visitor, stranger):
    visitor.begin()
    assert visitor.get("ended").url == "/s/cats/trial/"
    assert stranger.get("ended").url == "/s/cats/"


@pytest.mark.slow
def test_post_is_refused(visitor):
    session_end(session=visitor.begin(), state=Session.State.TECHNICAL)
    assert visitor.client.post(visitor.url("ended")).status_code == 405


@pytest.mark.slow
def test_the_way_back_carries_the_code_of_the_outcome(visitor, study):
    study.completion_url = "https://r.example/submissions/complete?cc={code}"
    study.save()
    session_end(session=visitor.begin(), state=Session.State.TECHNICAL)
    assert f'href="https://r.example/submissions/complete?cc={study.technical_code}"' in visitor.get("ended").text


@pytest.mark.slow
def test_an_address_without_a_place_for_the_code_is_for_those_who_completed(visitor, study):
    study.completion_url = "https://r.example/complete"
    study.save()
    session_end(session=visitor.begin(), state=Session.State.TECHNICAL)
    assert "r.example" not in visitor.get("ended").text


@pytest.mark.parametrize(
    ("address", "outcome", "expected"),
    [
        ("https://r.example/?cc={code}", Outcome.FULL, "https://r.example/?cc=A%26B%2F%20C"),
        ("https://r.example/done", Outcome.FULL, ""),
        ("https://r.example/done", Outcome.COMPLETED, "https://r.example/done"),
        ("", Outcome.COMPLETED, ""),
    ],
)
def test_codes_are_written_into_the_address_as_one_value(address, outcome, expected):
    study = Study(completion_url=address, full_code="A&B/ C")
    assert way_back(study, outcome).address == expected


def test_every_early_end_has_a_sentence():
    for state in (Session.State.SCREENED_OUT, Session.State.FULL, Session.State.TECHNICAL):
        assert early_end_sentence(Session(state=state, reason="-")).endswith(".")
