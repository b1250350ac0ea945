"""/s/<study>/done/: the completion code."""

from studyserver.models import Session


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


def test_it_links_back_to_the_recruitment_service(visitor, study):
    study.completion_url = "https://recruiter.example/complete?cc=1"
    study.save()
    visitor.finish(visitor.begin())
    assert 'href="https://recruiter.example/complete?cc=1"' in visitor.get("done").text


def test_before_the_end_there_is_no_code(visitor, study):
    visitor.begin()
    reply = visitor.get("done")
    assert reply.url == "/s/cats/trial/"
    assert study.completion_code not in visitor.get("trial").text


def test_a_stranger_gets_no_code(visitor, stranger):
    visitor.finish(visitor.begin())
    assert stranger.get("done").url == "/s/cats/"


def test_every_other_page_leads_back_here(visitor):
    visitor.finish(visitor.begin())
    for name in ("landing", "instructions", "trial"):
        assert visitor.get(name).url == "/s/cats/done/"


def test_post_is_refused(visitor):
    visitor.finish(visitor.begin())
    assert visitor.client.post(visitor.url("done")).status_code == 405
