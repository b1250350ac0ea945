"""/s/<study>/quiz/: scored on the server, with so many tries and no answer in the page."""

import pytest
from django.test import Client

from studyserver.errors import InvalidAnswer
from studyserver.models import Session, Trial
from studyserver.quiz import quiz_of, right_answers
from studyserver.services import session_answer_quiz, study_set_design
from tests.studyserver.at_step import visitor_at
from tests.studyserver.conftest import Visitor


@pytest.fixture
def asked(client, db):
    """A visitor at the quiz of three questions, with two tries."""
    return visitor_at(client, Session.State.QUIZ, quiz_questions=3, quiz_attempts=2)


def fill(visitor, wrong=0, attempt=1):
    """A try with so many wrong answers."""
    data = {"attempt": attempt}
    for index, question in enumerate(quiz_of(visitor.session, attempt)):
        others = [value for value, _ in question.options if value != question.right]
        data[question.name] = others[0] if index < wrong else question.right
    return data


def send(visitor, data):
    return visitor.client.post(visitor.url("quiz"), data)


def test_all_right_goes_on_to_the_pairs(asked):
    assert asked.get("quiz").text.count("<fieldset") == 3
    assert send(asked, fill(asked)).url == "/s/cats/trial/"
    session = asked.session
    assert session.state == Session.State.ACTIVE
    assert session.first_pair_at
    assert [one["passed"] for one in session.quiz] == [True]
    assert session.quiz[0]["answers"] == {name: right_answers()[name] for name in session.quiz[0]["answers"]}


def test_the_page_does_not_tell_the_answers(asked):
    """Each option is written alike, and its place says nothing: over many sessions the right one is everywhere."""
    page = asked.get("quiz").text
    assert "right" not in page.split("<form")[1]
    places = set()
    session = asked.session
    for seed in range(40):
        session.seed = seed
        for question in quiz_of(session, 1):
            places.add([value for value, _ in question.options].index(question.right))
    assert places == {0, 1, 2, 3}


def test_a_wrong_try_says_how_many_were_right_and_what_to_read(asked):
    data = fill(asked, wrong=1)
    assert send(asked, data).url == "/s/cats/quiz/"
    page = asked.get("quiz")
    assert "2 of 3 answers were right" in page.text
    assert "this is the last try" in page.text
    (wrong,) = [name for name, right in asked.session.quiz[0]["right"].items() if not right]
    section = next(question.section for question in quiz_of(asked.session, 1) if question.name == wrong)
    assert f'<a href="#{section}">Read again:' in page.text
    assert page.text.count("Read again:") == 1
    assert "<details" in page.text and f'id="{section}"' in page.text
    assert send(asked, fill(asked, attempt=2)).url == "/s/cats/trial/"


def test_after_the_last_try_the_person_is_screened_out_and_the_places_are_free(visitor, study):
    study_set_design(study=study, quiz_questions=3, quiz_attempts=2, training_pairs=0)
    visitor.begin()
    asked = visitor
    send(asked, fill(asked, wrong=2))
    assert Trial.objects.filter(state="claimed").exists()
    send(asked, fill(asked, wrong=1, attempt=2))
    session = asked.session
    assert (session.state, session.reason) == (Session.State.SCREENED_OUT, "quiz")
    assert [one["passed"] for one in session.quiz] == [False, False]
    assert not Trial.objects.filter(state="claimed").exists()


def test_a_try_sent_twice_counts_once(asked):
    data = fill(asked, wrong=1)
    send(asked, data)
    assert send(asked, data).url == "/s/cats/quiz/"
    assert len(asked.session.quiz) == 1
    right = fill(asked, attempt=2)
    send(asked, right)
    assert send(asked, right).url == "/s/cats/trial/"
    assert len(asked.session.quiz) == 2


def test_a_forged_pass_is_no_pass(asked):
    for forged in ({"passed": "true"}, {"attempt": 1, "passed": "1", "task": "right"}, {"attempt": "x"}):
        assert send(asked, forged).status_code in (302, 400)
    assert asked.session.state == Session.State.QUIZ
    assert asked.session.quiz == []


def test_a_try_out_of_turn_changes_nothing(asked):
    for attempt in (0, 2, "-1", "9" * 30, "٣"):
        send(asked, {**fill(asked), "attempt": attempt})
    assert asked.session.quiz == []


def test_a_missing_answer_is_asked_for_and_costs_no_try(asked):
    data = fill(asked)
    name = next(key for key in data if key != "attempt")
    page = send(asked, {**data, name: ""})
    assert page.status_code == 400
    assert f'<a href="#{name}">' in page.text
    assert page.text.count(" checked") == 2
    assert asked.session.quiz == []
    with pytest.raises(InvalidAnswer) as raised:
        session_answer_quiz(session=asked.session, attempt=1, data={**data, name: "nothing of the kind"})
    assert list(raised.value.fields) == [name]


def test_questions_fit_the_study(asked):
    study = asked.study
    study_set_design(study=study, quiz_questions=4)
    assert "none" in {question.name for question in quiz_of(asked.session, 1)}
    study_set_design(study=study, allow_tie=False)
    assert "unsure" in {question.name for question in quiz_of(asked.session, 1)}
    assert "no visible difference" not in asked.get("quiz").text


def test_a_reload_shows_the_same_questions(asked):
    def order(page):
        return [question.name for question, *_ in page.context["questions"]]

    assert order(asked.get("quiz")) == order(asked.get("quiz"))


def test_a_stranger_is_sent_to_the_landing_page(asked):
    stranger = Visitor(Client(), asked.study)
    assert stranger.get("quiz").url == "/s/cats/"
    assert stranger.client.post(stranger.url("quiz"), fill(asked)).url == "/s/cats/"


def test_other_methods_are_refused(asked):
    assert asked.client.put(asked.url("quiz")).status_code == 405
