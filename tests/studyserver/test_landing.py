"""/s/<study>/: invitation and consent."""

import pytest
from django.test import Client

from studyserver.models import Participant, Session
from studyserver.services import study_close, study_pause
from studyserver.views.visit import preview_address

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


def test_without_the_tick_nothing_is_stored(visitor):
    reply = visitor.client.post(LANDING, {"visit": "x"})
    assert reply.status_code == 400
    assert "Please tick the box" in reply.text
    assert not Participant.objects.exists()


def test_the_same_page_sent_twice_is_one_participant(visitor):
    page = visitor.client.get(LANDING)
    data = {"agree": "on", "visit": page.context["form"]["visit"].value()}
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
    from studyserver.services import import_stimulus_set, study_open
    from tests.studyserver.conftest import Visitor

    other = study_open(study=import_stimulus_set(slug="birds", folder=tiny_set).study)
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
    client.post(LANDING, {"agree": "on", "visit": "x"})
    assert not Participant.objects.exists()


@pytest.mark.parametrize(("service", "words"), [(study_close, "has ended"), (study_pause, "is paused")])
def test_a_closed_or_paused_study_lets_nobody_in(visitor, study, service, words):
    service(study=study)
    assert words in visitor.client.get(LANDING).text
    visitor.client.post(LANDING, {"agree": "on", "visit": "x"})
    assert not Participant.objects.exists()


def test_a_full_study_says_so(visitor, stranger, study):
    study.votes_per_pair = 1
    study.save()
    visitor.finish(visitor.begin())
    assert "All places are taken" in stranger.client.get(LANDING).text


def test_a_preview_enters_a_draft_and_takes_no_place(client, draft):
    from studyserver.models import Trial
    from tests.studyserver.conftest import Visitor

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
