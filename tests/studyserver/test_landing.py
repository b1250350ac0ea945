"""/s/<study>/: invitation and consent."""

import re

import pytest
from django.test import Client

from studyserver.models import Participant, Session, Study, Trial
from studyserver.selectors import consent_text_of
from studyserver.services import (
    import_stimulus_set,
    study_close,
    study_open,
    study_pause,
    study_set_design,
)
from studyserver.views.visit import preview_address, simulated_address
from tests.studyserver.conftest import SHORT, Visitor

LANDING = "/s/cats/"


def test_it_shows_the_consent_text_and_stores_nothing(visitor):
    page = visitor.client.get(LANDING)
    assert page.status_code == 200
    assert "Taking part is voluntary" in page.text
    assert not Participant.objects.exists()


def test_an_unknown_study_is_not_found(db, client):
    assert client.get("/s/no-such-study/").status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(visitor, method):
    assert getattr(visitor.client, method)(LANDING).status_code == 405


def test_consent_is_recorded_with_version_and_time(visitor, study):
    study.consent_version = 3
    study.save()
    reply = visitor.consent()
    assert reply.status_code == 302
    assert reply.url == "/s/cats/instructions/"
    session = visitor.session
    assert session.consent_version == 3
    assert session.consented_at is not None
    assert session.state == Session.State.INSTRUCTIONS


@pytest.mark.slow
def test_the_text_that_was_agreed_can_be_shown_later(visitor, stranger, study):
    visitor.consent()
    first = visitor.session
    Study.objects.filter(pk=study.pk).update(consent_version=2, consent_text="A newer text.")
    stranger.consent()
    assert "Taking part is voluntary" in consent_text_of(first)
    assert consent_text_of(stranger.session) == "A newer text."


def test_a_text_that_changed_meanwhile_is_shown_again(visitor, study):
    data = {"agree": "on", "visit": "x", "version": 1}
    Study.objects.filter(pk=study.pk).update(consent_version=2, consent_text="A newer text.")
    for stale in (data, {"agree": "on", "visit": "x"}, {"agree": "on", "visit": "x", "version": "1; --"}):
        reply = visitor.client.post(LANDING, stale)
        assert reply.status_code == 400
        assert "has changed since" in reply.text
        assert "A newer text." in reply.text
        assert 'name="version" value="2"' in reply.text
    assert not Participant.objects.exists()


def test_without_the_tick_nothing_is_stored(visitor):
    reply = visitor.client.post(LANDING, {"visit": "x", "version": 1})
    assert reply.status_code == 400
    assert 'name="visit" value="x"' in reply.text
    assert "Please tick the box" in reply.text
    assert not Participant.objects.exists()


def test_the_same_page_sent_twice_is_one_participant(visitor):
    page = visitor.client.get(LANDING)
    data = {"agree": "on", "version": 1, "visit": page.context["form"]["visit"].value()}
    visitor.client.post(LANDING, data)
    Client().post(LANDING, data)
    assert Session.objects.count() == Participant.objects.count() == 1


def test_two_visitors_are_two_participants(visitor, stranger):
    visitor.consent()
    stranger.consent()
    assert Participant.objects.count() == 2


@pytest.mark.parametrize("query", ["?PROLIFIC_PID=5f3a", "?participant=anna"])
def test_the_same_person_resumes_on_another_device(visitor, stranger, query):
    visitor.begin(query)
    reply = stranger.client.get(LANDING + query)
    assert reply.status_code == 302
    assert reply.url == "/s/cats/trial/"
    assert stranger.client.get(reply.url).status_code == 200
    assert Participant.objects.count() == 1


def test_an_external_id_is_not_stored(visitor):
    visitor.begin("?PROLIFIC_PID=5f3a99")
    participant = Participant.objects.get()
    assert "5f3a99" not in participant.code
    assert "5f3a99" not in str(list(Participant.objects.values())) + str(list(Session.objects.values()))


def test_the_pseudonym_differs_between_studies(visitor, tiny_set):
    other = study_open(study=import_stimulus_set(slug="birds", folder=tiny_set, interval_width=0).study)
    visitor.consent("?participant=anna")
    Visitor(Client(), other).consent("?participant=anna")
    first, second = Participant.objects.order_by("id")
    assert first.code != second.code


def test_a_new_person_at_the_same_computer_starts_afresh(visitor):
    visitor.begin("?participant=anna")
    page = visitor.client.get(LANDING + "?participant=ben")
    assert page.status_code == 200
    visitor.begin("?participant=ben")
    assert Participant.objects.count() == 2


@pytest.mark.slow
def test_service_and_submission_are_kept_for_the_payment(visitor):
    visitor.consent("?PROLIFIC_PID=5f3a&STUDY_ID=s&SESSION_ID=sub1")
    session = visitor.session
    assert (session.service, session.submission) == ("prolific", "sub1")


@pytest.mark.slow
def test_a_new_submission_of_the_same_person_replaces_the_old_one_until_the_end(visitor, stranger):
    session = visitor.begin("?PROLIFIC_PID=5f3a&SESSION_ID=first")
    stranger.client.get(LANDING + "?PROLIFIC_PID=5f3a&SESSION_ID=second")
    session.refresh_from_db()
    assert session.submission == "second"
    visitor.finish(session)
    assert stranger.client.get(LANDING + "?PROLIFIC_PID=5f3a&SESSION_ID=third").url == "/s/cats/done/"
    session.refresh_from_db()
    assert session.submission == "second"


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    ["?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE&hitId=H", "?PROLIFIC_PID=%7B%7B%25PROLIFIC_PID%25%7D%7D"],
)
def test_who_only_looks_can_agree_to_nothing(visitor, study, query):
    page = visitor.client.get(LANDING + query)
    assert "You are only looking" in page.text
    assert "<form" not in page.text
    visitor.client.post(LANDING + query, {"agree": "on", "visit": "x", "version": 1})
    visitor.client.post(LANDING + query, {"decline": "1"})
    study_pause(study=study)
    page = visitor.client.get(LANDING + query)
    assert "is paused" in page.text
    assert study.paused_code not in page.text
    assert study.no_consent_code not in visitor.get("declined").text
    assert not Participant.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [{"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"}, {"Sec-CH-UA-Mobile": "?1"}],
)
def test_a_telephone_is_sent_to_a_computer_and_uses_nothing_up(visitor, study, headers):
    address = LANDING + "?PROLIFIC_PID=5f3a&SESSION_ID=s1"
    page = visitor.client.get(address, headers=headers)
    assert "Please use a computer" in page.text
    assert "http://testserver/s/cats/?PROLIFIC_PID=5f3a&amp;SESSION_ID=s1" in page.text
    visitor.client.post(address, {"agree": "on", "visit": "x", "version": 1}, headers=headers)
    assert not Participant.objects.exists()
    study_set_design(study=study, allow_mobile=True)
    assert "<form" in visitor.client.get(address, headers=headers).text


@pytest.mark.slow
def test_who_began_on_a_computer_is_not_sent_on_by_a_telephone(visitor, stranger):
    session = visitor.begin("?participant=anna")
    telephone = {"Sec-CH-UA-Mobile": "?1"}
    assert "Please use a computer" in stranger.client.get(LANDING + "?participant=anna", headers=telephone).text
    visitor.finish(session)
    assert stranger.client.get(LANDING + "?participant=anna", headers=telephone).url == "/s/cats/done/"


@pytest.mark.slow
def test_people_of_a_pilot_are_marked_and_stay_so(visitor, study):
    Study.objects.filter(pk=study.pk).update(status=Study.Status.PILOT)
    session = visitor.begin("?participant=anna")
    assert session.participant.origin == "pilot"
    assert Trial.objects.filter(session=session, kind="test", origin="pilot").exists()
    assert not Trial.objects.filter(origin="real").exclude(state="free").exists()
    study_open(study=Study.objects.get())
    assert visitor.client.get(LANDING + "?participant=anna").url == "/s/cats/trial/"
    assert Participant.objects.get().origin == "pilot"


def test_declining_stores_nothing(visitor):
    reply = visitor.client.post(LANDING, {"decline": "1", "visit": "x"})
    assert reply.url == "/s/cats/declined/"
    assert not Participant.objects.exists()


def test_who_began_is_sent_to_where_they_were(visitor):
    visitor.begin()
    assert visitor.client.get(LANDING).url == "/s/cats/trial/"


def test_a_draft_is_not_open_yet(client, draft):
    page = client.get(LANDING)
    assert "has not begun" in page.text
    assert "form" not in page.text
    client.post(LANDING, {"agree": "on", "visit": "x", "version": 1})
    assert not Participant.objects.exists()


@pytest.mark.parametrize(("service", "words"), [(study_close, "has ended"), (study_pause, "is paused")])
def test_a_closed_or_paused_study_lets_nobody_in(visitor, study, service, words):
    service(study=study)
    assert words in visitor.client.get(LANDING).text
    visitor.client.post(LANDING, {"agree": "on", "visit": "x", "version": 1})
    assert not Participant.objects.exists()


@pytest.mark.slow
@pytest.mark.parametrize("status", ["paused", "closed", "draft"])
def test_who_finds_no_open_study_gets_that_code_and_no_other(visitor, study, status):
    Study.objects.filter(pk=study.pk).update(status=status, completion_url="https://r.example/?cc={code}")
    page = visitor.client.get(LANDING)
    assert f'href="https://r.example/?cc={study.paused_code}"' in page.text
    others = (study.completion_code, study.full_code, study.screened_out_code, study.technical_code)
    assert not any(code in page.text for code in others)


@pytest.mark.slow
def test_a_pause_sends_those_inside_out_and_back_to_where_they_were(visitor, study):
    visitor.begin()
    study_pause(study=study)
    assert visitor.get("trial").url == LANDING
    page = visitor.client.get(LANDING)
    assert "you will continue where you stopped" in page.text
    assert study.paused_code in page.text
    study_open(study=study)
    assert visitor.client.get(LANDING).url == "/s/cats/trial/"


@pytest.mark.slow
def test_a_closed_study_lets_those_inside_finish(visitor, study):
    session = visitor.begin()
    study_close(study=study)
    assert visitor.client.get(LANDING).url == "/s/cats/trial/"
    visitor.finish(session)
    assert study.completion_code in visitor.get("done").text


def test_a_full_study_says_so(visitor, stranger, study):
    study.votes_per_pair = 1
    study.save()
    visitor.finish(visitor.begin())
    page = stranger.client.get(LANDING)
    assert "All places are taken" in page.text
    assert study.full_code in page.text
    assert study.completion_code not in page.text


@pytest.mark.slow
def test_a_preview_enters_a_draft_and_takes_no_place(client, draft):
    study_set_design(study=draft, **SHORT)
    address = preview_address(draft)
    assert "Preview" in client.get(address).text
    visitor = Visitor(client, draft)
    session = visitor.begin("?" + address.split("?")[1])
    assert session.participant.origin == "preview"
    assert not Trial.objects.filter(number__isnull=False).exists()
    visitor.finish(session)
    assert visitor.get("done").status_code == 200


def test_a_forged_preview_is_an_ordinary_visit(client, draft):
    assert "has not begun" in client.get(LANDING + "?preview=forged").text


def test_a_simulated_participant_enters_any_study_and_is_found_again(client, draft, stranger):
    study_set_design(study=draft, invitation_only=True, status=Study.Status.CLOSED, **SHORT)
    address = simulated_address(draft, "robot-1")
    # The choice of the language repeats the visitor's own address.
    page = re.sub(r'<a href="\?simulate=[^"]*"', "<a", client.get(address).text)
    assert "simul" not in page.lower()
    session = Visitor(client, draft).begin("?" + address.split("?")[1])
    assert (session.participant.code, session.participant.origin) == ("robot-1", "simulated")
    assert stranger.client.get(address).url == "/s/cats/trial/"


@pytest.mark.slow
def test_an_address_signed_for_one_use_is_worth_nothing_for_another(client, study):
    token = preview_address(study).split("=")[1]
    page = client.get(f"{LANDING}?simulate={token}")
    client.post(f"{LANDING}?simulate={token}", {"agree": "on", "visit": "x", "version": 1})
    assert page.status_code == 200
    assert Participant.objects.get().origin == "real"
    # So signed, a token of another study is nobody's either.
    other = simulated_address(study, "robot").replace("simulate=", "preview=")
    assert "Preview" not in client.get(other).text


@pytest.mark.slow
@pytest.mark.parametrize("query", ["?PROLIFIC_PID=a%00b&SESSION_ID=%00", "?invitation=%00", "?participant=%ed%a0%80"])
def test_unusual_letters_are_no_error(client, study, query):
    assert client.get(LANDING + query).status_code == 200
    client.post(LANDING + query, {"agree": "on", "visit": "x", "version": 1})
