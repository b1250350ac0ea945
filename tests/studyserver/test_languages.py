"""In which language each page is: the study's, else the participant's choice, else what the browser asks for."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import get_language, override

from studyserver.languages import PageLanguage
from studyserver.models import Session
from tests.studyserver.at_step import visitor_at

pytestmark = pytest.mark.django_db

ENGLISH, GERMAN = {"Accept-Language": "en-GB"}, {"Accept-Language": "fr;q=0.9, de-CH;q=0.8, en;q=0.5"}


def at_quiz(client, **settings):
    return visitor_at(client, Session.State.QUIZ, quiz_questions=3, **settings)


def language_of(response):
    """The language that the page and its header say, which must be the same."""
    language = response.headers["Content-Language"]
    assert f'<html lang="{language}">' in response.content.decode()
    return language


@pytest.mark.parametrize(
    ("fixed", "asked", "language", "words"),
    [
        ("", ENGLISH, "en", "Is everything clear?"),
        ("", GERMAN, "de", "Ist alles klar?"),
        ("", {"Accept-Language": "xx"}, "en", "Is everything clear?"),
        ("", {}, "en", "Is everything clear?"),
        ("en", GERMAN, "en", "Is everything clear?"),
        ("de", ENGLISH, "de", "Ist alles klar?"),
    ],
)
def test_the_study_decides_then_the_browser(client, fixed, asked, language, words):
    visitor = at_quiz(client, language=fixed)
    page = visitor.get("quiz", **asked)
    assert language_of(page) == language
    assert words in page.content.decode()
    assert {"Accept-Language", "Cookie"} <= set(page.headers["Vary"].split(", "))


def test_the_choice_is_kept_below_the_study_and_nowhere_else(client):
    visitor = at_quiz(client)
    page = client.get(visitor.url("quiz") + "?language=de", headers=ENGLISH)
    assert language_of(page) == "de"
    cookie = page.cookies["django_language"]
    assert (cookie.value, cookie["path"], cookie["samesite"]) == ("de", "/s/cats/", "Lax")
    assert cookie["httponly"]
    assert language_of(visitor.get("quiz", **ENGLISH)) == "de"
    back = client.get(visitor.url("quiz") + "?language=en", headers=GERMAN)
    assert language_of(back) == "en"


@pytest.mark.parametrize(("fixed", "chosen"), [("de", "en"), ("", "xx"), ("", "../de"), ("", "")])
def test_no_choice_where_the_study_has_one_or_there_is_no_such_language(client, fixed, chosen):
    visitor = at_quiz(client, language=fixed)
    page = client.get(visitor.url("quiz"), {"language": chosen}, headers=ENGLISH)
    assert language_of(page) == (fixed or "en")
    assert "django_language" not in page.cookies


def test_the_entrance_offers_every_language_and_keeps_the_address(study, client):
    address = reverse("landing", args=[study.slug])
    page = client.get(address + "?PROLIFIC_PID=P1&SESSION_ID=S1", headers=ENGLISH).content.decode()
    assert '<strong aria-current="true">English</strong>' in page
    assert '<a href="?PROLIFIC_PID=P1&amp;SESSION_ID=S1&amp;language=de" hreflang="de">Deutsch</a>' in page
    study.language = "de"
    study.save()
    assert "hreflang" not in client.get(address).content.decode()


def test_replies_to_the_scripts_are_in_the_language_too(client):
    visitor = visitor_at(client, Session.State.SETUP, language="de", quiz_questions=0)
    page = visitor.get("setup", **ENGLISH)
    assert page.context["texts"]["checking"] == "Wird geprüft …"
    assert "Bildwiederholrate" in page.content.decode()


def test_refusals_are_in_the_language(study):
    study.language = "de"
    study.save()
    visitor = Client(enforce_csrf_checks=True)
    refused = visitor.post(reverse("landing", args=[study.slug]), headers=ENGLISH)
    assert (refused.status_code, language_of(refused)) == (403, "de")
    lost = visitor.get(reverse("media", args=[study.slug, "nothing"]), headers=ENGLISH)
    assert lost.status_code == 404
    assert lost.headers["Content-Language"] == "de"


def test_an_unknown_address_is_refused_as_the_browser_asks(client):
    for address in ("/s/none/", "/nowhere/"):
        page = client.get(address, headers=GERMAN)
        assert (page.status_code, language_of(page)) == (404, "de")


def test_the_admin_stays_english(admin_client):
    admin_client.cookies["django_language"] = "de"
    for address in (reverse("admin:index"), "/admin/nowhere/"):
        page = admin_client.get(address, headers=GERMAN)
        assert "Content-Language" not in page.headers
    assert "Log out" in admin_client.get(reverse("admin:index"), headers=GERMAN).content.decode()


def test_no_language_is_left_to_the_next_request_of_a_thread(client):
    visitor = at_quiz(client, language="de")
    with override("en"):
        assert language_of(visitor.get("quiz")) == "de"
        assert get_language() == "en"

        def fail(request):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            PageLanguage(fail)(RequestFactory().get("/", headers=GERMAN))
        assert get_language() == "en"


def test_a_language_that_something_inside_sets_is_left_alone():
    response = PageLanguage(lambda request: HttpResponse(headers={"Content-Language": "fr"}))(RequestFactory().get("/"))
    assert response.headers["Content-Language"] == "fr"


def test_what_the_researcher_wrote_stays_as_written(study, client):
    study.title, study.consent_text = "Cats <3", "Nothing will happen to you."
    study.save()
    page = client.get(reverse("landing", args=[study.slug]), headers=GERMAN).content.decode()
    assert "Cats &lt;3" in page
    assert "Nothing will happen to you." in page
    assert "Einladung zur Teilnahme" in page


def test_answers_are_stored_the_same_in_every_language(client):
    visitor = visitor_at(client, Session.State.QUESTIONNAIRE, language="de")
    client.post(visitor.url("questionnaire"), {"age": "25-34", "comment": "Schön."})
    assert visitor.session.answers == {"age": "25-34", "comment": "Schön."}
