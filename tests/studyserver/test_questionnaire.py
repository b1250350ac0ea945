"""/s/<study>/questionnaire/: short, and every answer may be left out."""

import pytest
from django.test import Client

from studyserver.models import Session
from studyserver.questionnaire import MAX_COMMENT, QUESTIONS, data_dictionary
from tests.studyserver.at_step import visitor_at
from tests.studyserver.conftest import Visitor


@pytest.fixture
def through(client, db):
    """A visitor after the last pair."""
    return visitor_at(client, Session.State.QUESTIONNAIRE)


def send(visitor, **data):
    return visitor.client.post(visitor.url("questionnaire"), data)


def test_it_asks_everything_and_stores_what_was_answered(through):
    page = through.get("questionnaire")
    assert page.status_code == 200
    for question in QUESTIONS:
        assert f'name="{question.name}"' in page.text
    reply = send(through, age="25-34", smooth="mostly", comment=" <b>ä</b>\r\nfine ", session="forged")
    assert reply.url == "/s/cats/done/"
    assert through.session.answers == {"age": "25-34", "smooth": "mostly", "comment": "<b>ä</b>\nfine"}
    assert through.session.state == Session.State.COMPLETED
    assert through.session.completed_at


def test_no_answer_is_an_answer(through):
    assert send(through).url == "/s/cats/done/"
    assert through.session.answers == {}


def test_an_answer_that_was_not_offered_is_asked_again(through):
    page = send(through, age="12", gender="female")
    assert page.status_code == 400
    assert '<a href="#age">' in page.text
    assert 'value="female" checked' in page.text
    assert through.session.answers == {}
    assert through.session.state == Session.State.QUESTIONNAIRE


def test_a_comment_has_its_length(through):
    page = send(through, comment="x" * (MAX_COMMENT + 1))
    assert page.status_code == 400
    assert "this is 1001" in page.text
    assert "x" * (MAX_COMMENT + 1) in page.text
    # A line break is one character, whatever the browser sends for it; a NUL is none.
    assert send(through, comment="x" * (MAX_COMMENT - 2) + "\r\nx\0").url == "/s/cats/done/"
    assert through.session.answers == {"comment": "x" * (MAX_COMMENT - 2) + "\nx"}


def test_what_no_browser_sends_by_itself_gets_a_page_in_plain_words(through):
    page = send(through, comment="x" * 300_000)
    assert page.status_code == 400
    assert "too long or damaged" in page.text
    assert not through.session.answers


def test_sent_twice_the_first_stays(through):
    send(through, age="25-34")
    assert send(through, age="18-24").url == "/s/cats/done/"
    assert through.session.answers == {"age": "25-34"}


def test_the_dictionary_is_made_of_the_same_list():
    rows = data_dictionary()
    assert [name for name, *_ in rows] == [question.name for question in QUESTIONS]
    assert "25-34: 25 to 34" in rows[0][2]
    assert all(isinstance(cell, str) and cell for row in rows for cell in row)


def test_a_stranger_is_sent_to_the_landing_page(through):
    stranger = Visitor(Client(), through.study)
    assert stranger.get("questionnaire").url == "/s/cats/"
    assert send(stranger, age="25-34").url == "/s/cats/"


def test_other_methods_are_refused(through):
    assert through.client.put(through.url("questionnaire")).status_code == 405
