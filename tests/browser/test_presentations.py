"""The ways of showing a pair, on good and on bad machines and lines, in a real browser."""

import contextlib
import json
import sqlite3

import pytest

from studyserver.device import CONTROLS_CSS
from tests.browser.test_session import begin, pass_training, phase, votes_of_last_session, watch

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SESSION = """
    SELECT session.state, session.presentation, session.environment, session.reason
    FROM studyserver_session AS session ORDER BY session.id DESC LIMIT 1
"""
# The right video starts two frames of 25 per second late, as often as told, and nothing holds the left one back.
HOLD_BACK = """(times) => {
  const [left, right] = document.querySelectorAll("video");
  const play = right.play.bind(right);
  let left_over = times;
  right.play = () => (left_over-- > 0 ? new Promise((go) => setTimeout(() => go(play()), 120)) : play());
  left.pause = () => {};
}"""


def last_session(server):
    """Return (state, presentation, environment, reason) of the newest session."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        state, presentation, environment, reason = database.execute(SESSION).fetchone()
    return state, presentation, json.loads(environment), reason


def test_one_after_the_other(page, server):
    begin(page, server, slug="sequential")
    page.click("#start")
    page.wait_for_selector("#message:has-text('First video')")
    assert page.is_hidden("#answer-left")
    page.wait_for_selector("#message:has-text('Second video')")
    phase(page, "answering")
    assert page.inner_text("#answer-left") == "←\nFirst looks better"
    page.click("#answer-right")
    phase(page, "feedback")
    assert "the first video" in page.inner_text("#message") or "the second video" in page.inner_text("#message")
    ((_, choice, _, playback, _),) = votes_of_last_session(server)
    assert choice == "right"
    assert "offsets" not in playback
    assert playback["play_ms"] > 1900
    assert all(15 <= playback[side]["shown"] <= 26 for side in ("left", "right"))
    page.keyboard.press("Space")
    phase(page, "ready")
    watch(page)
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback", "ready")
    assert page.troubles == []


def test_both_in_one_place_by_keyboard(page, server):
    begin(page, server, slug="toggle")
    page.keyboard.press("Space")
    # Nobody looked at B: the pair plays on, and asks for it.
    page.wait_for_selector("#message:has-text('the other video')")
    assert page.is_hidden("#answer-left")
    page.keyboard.press("Space")
    assert page.get_attribute("#which-right", "class") == "on"
    phase(page, "answering")
    # The check of the device counts on no more: 540 lines and this fit on a screen of 768.
    assert (
        page.evaluate("document.querySelector('.bar').offsetHeight + document.querySelector('.below').offsetHeight")
        <= CONTROLS_CSS
    )
    # It goes on while the participant decides.
    page.keyboard.press("t")
    page.keyboard.press("Space")
    assert page.evaluate("[...document.querySelectorAll('video')].some((video) => !video.paused || video.ended)")
    page.keyboard.press("ArrowRight")
    phase(page, "feedback")
    ((_, choice, _, playback, _),) = votes_of_last_session(server)
    assert choice == "right"
    assert playback["switches"] == 3
    assert sum(playback["offsets"].values()) > 5
    for side in ("left", "right"):
        assert playback[side]["shown"] >= 15
        # What lay behind the other one was not dropped.
        assert playback[side]["dropped"] <= 12
    assert page.troubles == []


def test_both_in_one_place_by_mouse(page, server):
    begin(page, server, slug="toggle")
    page.click("#start")
    page.wait_for_timeout(500)
    page.click("#switch")
    phase(page, "answering")
    page.click("#switch")
    page.click("#answer-tie")
    phase(page, "feedback")
    ((_, choice, _, playback, _),) = votes_of_last_session(server)
    assert (choice, playback["switches"]) == ("tie", 2)
    page.click("#continue")
    phase(page, "ready")


def test_a_session_over_a_line_that_drops_every_third_request(page, server):
    count = {"all": 0, "dropped": 0}

    def drop_every_third(route):
        count["all"] += 1
        if count["all"] % 3 == 0:
            count["dropped"] += 1
            return route.abort()
        return route.continue_()

    page.route(lambda url: "/media/" in url or url.endswith("/vote/"), drop_every_third)
    begin(page, server, slug="quick")
    pass_training(page, server)
    for number in (1, 2):
        assert page.inner_text("#heading") == f"Pair {number} of 2"
        watch(page)
        page.keyboard.press("ArrowLeft")
        if number == 1:
            page.wait_for_selector("#heading:has-text('Pair 2')")
            phase(page, "ready")
    page.wait_for_url("**/done/")
    assert count["dropped"] >= 4
    kinds = [kind for kind, *_ in votes_of_last_session(server)]
    assert kinds.count("test") == 2


def test_a_reload_in_every_phase_leads_back_to_the_pair(page, server):
    begin(page, server)
    page.reload()
    phase(page, "ready")
    page.keyboard.press("Space")
    phase(page, "playing")
    page.reload()
    phase(page, "ready")
    watch(page)
    page.reload()
    phase(page, "ready")
    watch(page)
    assert votes_of_last_session(server) == []
    page.keyboard.press("ArrowDown")
    phase(page, "feedback")
    page.reload()
    phase(page, "ready")
    assert page.inner_text("#heading") == "Practice pair"
    assert len(votes_of_last_session(server)) == 1


def test_an_answer_in_another_tab_stands(page, server):
    begin(page, server, slug="quick")
    pass_training(page, server)
    watch(page)
    before = len(votes_of_last_session(server))
    other = page.context.new_page()
    other.goto(page.url)
    phase(other, "ready")
    watch(other)
    other.keyboard.press("ArrowRight")
    other.wait_for_selector("#heading:has-text('Pair 2')")
    other.close()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#heading:has-text('Pair 2')")
    phase(page, "ready")
    assert [choice for _, choice, *_ in votes_of_last_session(server)[before:]] == ["right"]


def test_a_pair_out_of_step_is_played_again_by_itself(page, server):
    begin(page, server)
    page.evaluate(HOLD_BACK, 1)
    page.keyboard.press("Space")
    phase(page, "again")
    assert "not shown at the same time" in page.inner_text("#message")
    assert page.is_hidden("#answer-left")
    phase(page, "answering")
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback")
    ((_, _, _, playback, _),) = votes_of_last_session(server)
    assert playback["out_of_step"] >= 1
    assert playback["plays"] == 1
    near = sum(count for frames, count in playback["offsets"].items() if abs(int(frames)) <= 1)
    assert near >= 0.9 * sum(playback["offsets"].values())


def test_two_videos_that_stay_apart_are_shown_one_after_the_other(page, server):
    begin(page, server, slug="apart")
    page.evaluate(HOLD_BACK, 100)
    page.keyboard.press("Space")
    phase(page, "again")
    page.wait_for_selector("#player[data-presentation=sequential][data-phase=ready]")
    assert "one after the other" in page.inner_text("#message")
    watch(page)
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback")
    ((_, _, _, playback, _),) = votes_of_last_session(server)
    assert playback["out_of_step"] == 2
    assert "offsets" not in playback
    state, presentation, environment, _ = last_session(server)
    assert state in ("training", "active")
    assert (presentation, environment["trouble"]) == ("sequential", "out-of-step")


def test_without_another_way_the_participant_is_thanked(page, server):
    begin(page, server, slug="no-other-way")
    page.evaluate(HOLD_BACK, 100)
    page.keyboard.press("Space")
    page.wait_for_url("**/ended/")
    state, _, environment, reason = last_session(server)
    assert (state, reason, environment["trouble"]) == ("technical", "out-of-step", "out-of-step")


def test_a_browser_without_frame_times_shows_one_after_the_other(page, server):
    page.add_init_script("delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    begin(page, server)
    assert page.get_attribute("#player", "data-presentation") == "sequential"
    watch(page)
    page.keyboard.press("ArrowDown")
    phase(page, "feedback")
    ((_, _, _, playback, _),) = votes_of_last_session(server)
    assert playback["left"]["shown"] >= 15
    assert last_session(server)[2]["trouble"] == "no-frame-times"
