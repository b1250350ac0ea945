"""/s/<study>/setup/ and what belongs to it: the device is judged by the server, not by the browser."""

import json

import pytest
from django.db.models import Avg
from django.test import Client

from studyserver.models import Session, Stimulus
from studyserver.selectors import device_facts, session_outline
from studyserver.services import study_pause, study_set_design
from studyserver.views.setup import MAX_BYTES, SAMPLE_BYTES
from tests.studyserver.at_step import add_file, visitor_at
from tests.studyserver.conftest import Visitor
from tests.studyserver.good_device import GOOD

# One device pixel too few for two videos of 64 pixels next to each other.
NARROW = {"screen_width": 127, "window_width": 127}


@pytest.fixture
def checked(client, db):
    """A visitor at the check of the device, in a study of two files of 64 x 48 pixels."""
    visitor = visitor_at(client, Session.State.SETUP, training_pairs=0, quiz_questions=0)
    for label in ("a", "b"):
        add_file(visitor.study, label, "avc1.64001f")
    return visitor


def measure(visitor, **measured):
    body = json.dumps({**GOOD, **measured})
    return visitor.client.post(visitor.url("setup-check"), body, content_type="application/json")


def test_the_page_has_a_line_for_each_check_and_asks_about_the_real_videos(checked):
    page = checked.get("setup")
    assert page.status_code == 200
    assert page.text.count('data-state="checking"') == 7
    assert page.context["videos"] == [
        {
            "contentType": 'video/mp4; codecs="avc1.64001f"',
            "width": 64,
            "height": 48,
            "bitrate": 8000,
            "framerate": 25.0,
        }
    ]
    assert "verification" not in page.text


def test_videos_are_asked_about_once_per_kind_by_their_codec(checked):
    study = checked.study
    add_file(study, "c", "")
    add_file(study, "d", "vp09.00.30.08", suffix=".webm")
    assert [video.content_type for video in device_facts(study, "toggle").videos] == [
        'video/mp4; codecs="avc1.64001f"',
        'video/webm; codecs="vp09.00.30.08"',
    ]


def test_a_good_device_may_go_on(checked):
    reply = measure(checked).json()
    assert reply["ready"] and not reply["lasting"] and not reply["moved"]
    assert all(line["good"] for line in reply["lines"].values())
    stored = checked.session.environment
    assert stored["problems"] == [] and stored["checks"] == 1
    assert stored["screen_width_px"] == 1920 and stored["refresh_hz"] == 59.9
    assert stored["load_seconds"] == 0
    assert checked.session.state == Session.State.SETUP
    assert checked.client.post(checked.url("setup")).url == "/s/cats/trial/"
    assert checked.session.state == Session.State.ACTIVE


def test_nobody_goes_on_unmeasured_or_with_a_problem(checked):
    assert checked.client.post(checked.url("setup")).url == "/s/cats/setup/"
    reply = measure(checked, device_pixel_ratio=1.1).json()
    assert not reply["ready"]
    assert not reply["lines"]["zoom"]["good"] and reply["lines"]["screen"]["good"]
    assert checked.client.post(checked.url("setup"), {"ready": "1", "problems": ""}).url == "/s/cats/setup/"
    assert checked.session.state == Session.State.SETUP


def test_what_was_mended_is_forgotten(checked):
    measure(checked, device_pixel_ratio=1.1)
    assert checked.session.environment["problems"] == ["zoom-none"]
    assert measure(checked, device_pixel_ratio=2).json()["ready"]
    assert checked.session.environment["checks"] == 2
    assert checked.client.post(checked.url("setup")).url == "/s/cats/trial/"


def test_a_device_that_cannot_be_mended_ends_as_technical(checked):
    reply = measure(checked, mobile=True).json()
    assert reply["lasting"]
    assert "laptop or desktop computer" in reply["lines"]["device"]["text"]
    checked.client.post(checked.url("setup"), {"give_up": "1"})
    session = checked.session
    assert (session.state, session.reason) == (Session.State.TECHNICAL, "device-mobile")
    # Back and once more: nothing changes.
    checked.client.post(checked.url("setup"), {"give_up": "1"})
    assert checked.session.ended_at == session.ended_at


def test_what_can_be_mended_ends_nothing(checked):
    for measured in ({}, {"window_width": 90}):
        measure(checked, **measured)
        assert checked.client.post(checked.url("setup"), {"give_up": "1"}).url == "/s/cats/setup/"
    assert checked.session.state == Session.State.SETUP


def test_where_two_videos_have_no_room_the_open_choice_becomes_the_same_place(checked):
    reply = measure(checked, **NARROW).json()
    assert reply["ready"] and reply["moved"]
    assert checked.session.presentation == "toggle"
    assert "shown in the same place" in checked.get("setup").text
    # On another screen they have room again.
    assert not measure(checked).json()["moved"]
    assert checked.session.presentation == "side-by-side"


def test_a_fixed_presentation_is_refused_there(checked):
    study_set_design(study=checked.study, presentation="side-by-side")
    reply = measure(checked, **NARROW).json()
    assert not reply["ready"] and reply["lasting"] and not reply["moved"]
    assert checked.session.environment["problems"] == ["screen-small"]


def test_a_slow_connection_is_told_in_seconds_for_the_whole_session(visitor, study):
    study_set_design(study=study, check_environment=True, max_load_seconds=5)
    visitor.begin()
    total = device_facts(study, "side-by-side").session_bytes
    assert total == 2 * session_outline(study).pairs * Stimulus.objects.aggregate(mean=Avg("bytes"))["mean"]
    reply = measure(visitor, speed_mbps=total * 8 / 1e6 / 50).json()
    assert "about 50 seconds; at most 5" in reply["lines"]["connection"]["text"]


def test_what_no_page_sends_is_refused(checked):
    wrong = ("", "x", "[]", "[" * 3000, json.dumps({**GOOD, "extra": 1}), json.dumps({**GOOD, "refresh_hz": "x"}))
    for body in wrong:
        reply = checked.client.post(checked.url("setup-check"), body, content_type="application/json")
        assert reply.status_code == 400
        assert reply.json()["error"]
    assert checked.session.environment == {}


def test_a_long_record_is_refused(checked):
    reply = checked.client.post(checked.url("setup-check"), "[" * (MAX_BYTES + 1), content_type="application/json")
    assert reply.status_code == 413


def test_the_sample_is_as_long_as_it_says_and_never_the_same(checked):
    first, second = (checked.get("setup-sample") for _ in range(2))
    assert "no-store" in first.headers["Cache-Control"]
    assert len(first.content) == SAMPLE_BYTES
    assert first.content != second.content


def test_strangers_and_people_elsewhere_are_sent_away(checked):
    stranger = Visitor(Client(), checked.study)
    for name in ("setup", "setup-check", "setup-sample"):
        reply = stranger.get(name) if name != "setup-check" else measure(stranger)
        assert reply.status_code == 302
        assert reply.url == "/s/cats/"
    measure(checked)
    checked.client.post(checked.url("setup"))
    before = checked.session.environment
    assert measure(checked, mobile=True).url == "/s/cats/trial/"
    assert checked.get("setup").url == "/s/cats/trial/"
    assert checked.client.post(checked.url("setup")).url == "/s/cats/trial/"
    assert checked.session.environment == before


def test_other_methods_are_refused(checked):
    assert checked.client.put(checked.url("setup")).status_code == 405
    assert checked.get("setup-check").status_code == 405
    assert checked.client.post(checked.url("setup-sample")).status_code == 405


def test_a_paused_study_shows_its_page(checked):
    study_pause(study=checked.study)
    assert checked.get("setup").url == "/s/cats/"
    assert measure(checked).url == "/s/cats/"
