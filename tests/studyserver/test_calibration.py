"""/s/<study>/calibration/: the size of the screen's pixels from a bank card."""

import math

import pytest
from django.test import Client

from studyserver.models import Session
from tests.studyserver.at_step import visitor_at
from tests.studyserver.conftest import Visitor

CARD = {"card_css_px": "324", "device_pixel_ratio": "1.25", "distance_cm": "62,5"}


@pytest.fixture
def seated(client, db):
    """A visitor at the calibration, which may be passed over."""
    return visitor_at(client, Session.State.CALIBRATION, calibration="optional", training_pairs=0, quiz_questions=0)


def test_the_page_has_a_slider_and_a_way_past(seated):
    page = seated.get("calibration")
    assert page.status_code == 200
    assert 'type="range"' in page.text
    assert 'name="skip"' in page.text


def test_it_stores_the_size_in_both_pixels_and_goes_on(seated):
    assert seated.client.post(seated.url("calibration"), CARD).url == "/s/cats/trial/"
    stored = seated.session.calibration
    assert stored["px_per_cm_css"] == pytest.approx(324 / 8.56, abs=1e-3)
    assert stored["px_per_cm"] == pytest.approx(324 * 1.25 / 8.56, abs=1e-3)
    assert stored["distance_cm"] == 62.5
    # One degree at 62.5 cm is 1.09 cm.
    assert stored["px_per_degree"] == pytest.approx(math.radians(1) * 62.5 * 324 * 1.25 / 8.56, rel=1e-3)
    assert seated.session.state == Session.State.ACTIVE


def test_it_may_be_passed_over_where_the_study_lets_people(seated):
    assert seated.client.post(seated.url("calibration"), {"skip": "1"}).url == "/s/cats/trial/"
    assert seated.session.calibration == {"skipped": True}


def test_it_may_not_where_the_study_wants_it(client, db):
    seated = visitor_at(client, Session.State.CALIBRATION, calibration="required", training_pairs=0, quiz_questions=0)
    assert 'name="skip"' not in seated.get("calibration").text
    assert seated.client.post(seated.url("calibration"), {"skip": "1"}).status_code == 400
    assert seated.session.state == Session.State.CALIBRATION


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("card_css_px", ("", "nan", "20", "9000")),
        ("device_pixel_ratio", ("", "nan", "0.15")),
        ("distance_cm", ("", "nan", "0.6", "6000")),
    ],
)
def test_what_cannot_be_is_asked_again(seated, field, values):
    for value in values:
        page = seated.client.post(seated.url("calibration"), {**CARD, field: value})
        assert page.status_code == 400
        shown = "distance_cm" if field == "distance_cm" else "card_css_px"
        assert f'<a href="#{shown}">' in page.text
        assert list(page.context["errors"]) == [shown]
        assert "<title>Error: " in page.text
    assert seated.session.calibration == {}
    assert seated.session.state == Session.State.CALIBRATION


def test_sent_twice_the_first_stays(seated):
    seated.client.post(seated.url("calibration"), CARD)
    assert seated.client.post(seated.url("calibration"), {**CARD, "distance_cm": "90"}).url == "/s/cats/trial/"
    assert seated.session.calibration["distance_cm"] == 62.5


def test_a_stranger_is_sent_to_the_landing_page(seated):
    stranger = Visitor(Client(), seated.study)
    assert stranger.get("calibration").url == "/s/cats/"
    assert stranger.client.post(stranger.url("calibration"), CARD).url == "/s/cats/"


def test_other_methods_are_refused(seated):
    assert seated.client.put(seated.url("calibration")).status_code == 405
