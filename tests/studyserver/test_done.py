"""/s/<study>/done/: the completion code and the withdrawal code."""

import pytest
from django.utils import timezone

from studyserver.models import Session


@pytest.fixture
def finished(visitor):
    """A session that is over, and the browser in which it was."""
    visitor.consent()
    session = visitor.session
    Session.objects.update(state=Session.State.COMPLETED, completed_at=timezone.now())
    return session


def test_it_shows_the_code_after_the_last_vote(visitor, study):
    session = visitor.begin()
    visitor.finish(session)
    page = visitor.get("done")
    assert page.status_code == 200
    assert study.completion_code in page.text
    assert "All your 7 answers are stored" in page.text
    session.refresh_from_db()
    assert session.state == Session.State.COMPLETED
    assert session.completed_at is not None


def test_it_shows_the_withdrawal_code_and_what_it_does(visitor, study, finished):
    page = visitor.get("done")
    assert finished.withdrawal_code in page.text
    assert 'href="/s/cats/withdraw/"' in page.text
    assert "it deletes everything" in page.text
    study.withdrawal = study.Withdrawal.ANONYMISE
    study.save()
    assert "could tie your answers to you" in visitor.get("done").text


@pytest.mark.parametrize("tail", ["1", "{code}"])
def test_it_links_back_to_the_recruitment_service(visitor, study, finished, tail):
    study.completion_url = f"https://recruiter.example/complete?cc={tail}"
    study.save()
    tail = tail.format(code=study.completion_code)
    assert f'href="https://recruiter.example/complete?cc={tail}"' in visitor.get("done").text


def test_codes_of_other_outcomes_are_not_shown(visitor, study, finished):
    page = visitor.get("done")
    assert study.completion_code in page.text
    others = (study.full_code, study.screened_out_code, study.technical_code, study.no_consent_code, study.paused_code)
    assert not any(code in page.text for code in others)


def test_before_the_end_there_is_no_code(visitor, study):
    visitor.begin()
    reply = visitor.get("done")
    assert reply.url == "/s/cats/trial/"
    assert study.completion_code not in visitor.get("trial").text


def test_a_stranger_gets_no_code(finished, stranger):
    assert stranger.get("done").url == "/s/cats/"


def test_every_other_page_leads_back_here(visitor, finished):
    for name in ("landing", "instructions", "trial", "ended", "declined"):
        assert visitor.get(name).url == "/s/cats/done/"


def test_post_is_refused(visitor, finished):
    assert visitor.client.post(visitor.url("done")).status_code == 405
