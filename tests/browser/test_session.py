"""A whole session in a real browser, with real videos, through the real server."""

import contextlib
import json
import sqlite3
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

VOTES = """
    SELECT trial.kind, vote.choice, vote.response_ms, vote.playback, trial.mirrored
    FROM studyserver_vote AS vote
    JOIN studyserver_trial AS trial ON trial.id = vote.trial_id
    JOIN studyserver_session AS session ON session.id = trial.session_id
    WHERE session.id = (SELECT max(id) FROM studyserver_session)
    ORDER BY vote.id
"""
# The practice pair on the screen: what kind of condition its first video has, and whether that is on the right.
PRACTICE = """
    SELECT condition.kind, trial.mirrored
    FROM studyserver_trial AS trial
    JOIN studyserver_pair AS pair ON pair.id = trial.pair_id
    JOIN studyserver_stimulus AS first ON first.id = pair.first_id
    JOIN studyserver_condition AS condition ON condition.id = first.condition_id
    LEFT JOIN studyserver_vote AS vote ON vote.trial_id = trial.id
    WHERE trial.session_id = (SELECT max(id) FROM studyserver_session) AND trial.kind = 'training' AND vote.id IS NULL
    ORDER BY trial.position LIMIT 1
"""


# Where the frames of the videos begin and end, in device pixels.
EDGES = """() => [...document.querySelectorAll(".frame")].flatMap((frame) => {
  const { left, top, right, bottom } = frame.getBoundingClientRect();
  return [left, top, right, bottom].map((edge) => edge * devicePixelRatio);
})"""


def votes_of_last_session(server):
    """Return (kind, choice, response_ms, playback, mirrored) of each vote, oldest first."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        rows = database.execute(VOTES).fetchall()
    return [(kind, choice, ms, json.loads(playback), mirrored) for kind, choice, ms, playback, mirrored in rows]


def practice_keys(server):
    """Return the keys of the right and of the wrong answer to the practice pair on the screen."""
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        kind, mirrored = database.execute(PRACTICE).fetchone()
    keys = ("ArrowLeft", "ArrowRight")
    return keys[::-1] if (kind == "verification") != bool(mirrored) else keys


def phase(page, *names):
    """Wait until the player is in one of these phases."""
    page.wait_for_selector(", ".join(f"#player[data-phase={name}]" for name in names))


def begin(page, server, query="", slug="cats"):
    """Go to the first trial with the keyboard alone."""
    page.goto(f"{server.url}/s/{slug}/{query}")
    # Past the choice of the language.
    page.keyboard.press("Tab")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name === 'agree'"):
            break
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/")
    page.wait_for_selector("button:focus")
    page.keyboard.press("Enter")
    page.wait_for_url("**/trial/")
    phase(page, "ready")


def watch(page):
    """Play the pair to its end."""
    page.keyboard.press("Space")
    phase(page, "answering")


def practise(page, key):
    """Watch the practice pair, answer it and go on; return what is said to the answer."""
    watch(page)
    page.keyboard.press(key)
    phase(page, "feedback")
    said = page.inner_text("#message")
    page.keyboard.press("Space")
    phase(page, "ready")
    return said


def pass_training(page, server):
    """Answer the practice pair rightly."""
    right, _ = practice_keys(server)
    assert practise(page, right).startswith("Correct")


def test_a_session_with_the_keyboard_alone(page, server):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    begin(page, server)
    _, wrong = practice_keys(server)
    assert not practise(page, wrong).startswith("Correct")
    pass_training(page, server)
    keys = ("ArrowLeft", "ArrowRight", "ArrowDown", "Space")
    for number, key in enumerate(keys, 1):
        phase(page, "ready")
        assert page.inner_text("#heading") == f"Pair {number} of 4"
        watch(page)
        if number == 2:
            page.keyboard.press("r")
            phase(page, "playing")
            phase(page, "answering")
        with page.expect_response("**/vote/"):
            page.keyboard.press(key)
    page.wait_for_url("**/done/")
    assert "All your 4 answers are stored" in page.inner_text("main")
    assert len(page.inner_text("output")) == 8

    votes = votes_of_last_session(server)
    trained = [vote for vote in votes if vote[0] == "training"]
    shown = [vote for vote in votes if vote[0] != "training"]
    assert len(trained) == 2
    assert sorted(kind for kind, *_ in shown) == ["test"] * 3 + ["verification"]
    assert [choice for _, choice, *_ in shown] == ["left", "right", "tie", "tie"]
    for _, _, response_ms, playback, _ in shown:
        assert 0 <= response_ms < 30_000
        for side in ("left", "right"):
            assert 15 <= playback[side]["shown"] <= 26
            assert playback[side]["css_width"] == 64
            assert playback[side]["load_ms"] >= 0
        assert playback["scale"] == 1
        assert sum(playback["offsets"].values()) > 5
        # Started together: two frames apart is what a busy machine does, more would be the player's fault.
        assert abs(int(max(playback["offsets"], key=playback["offsets"].get))) <= 2
        assert playback["first_frame_ms"] < 5000
        assert playback["refresh_hz"] > 5
        assert playback["offset_max"] == max(abs(int(offset)) for offset in playback["offsets"])
        assert 800 < playback["play_ms"] < 20_000
    assert [playback["plays"] for *_, playback, _ in shown] == [1, 2, 1, 1]

    hosts = {urlsplit(url).netloc for url in requests if not url.startswith(("blob:", "data:"))}
    assert hosts == {urlsplit(server.url).netloc}
    assert page.troubles == []


def test_no_answer_before_the_end_and_none_twice(page, server):
    begin(page, server)
    assert not page.is_visible("#answer-left")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    phase(page, "playing")
    page.keyboard.press("ArrowLeft")
    assert not page.is_visible("#answer-left")
    phase(page, "answering")
    assert votes_of_last_session(server) == []
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    phase(page, "feedback")
    assert len(votes_of_last_session(server)) == 1


def test_the_mouse_works_too(page, server):
    begin(page, server, slug="quick")
    page.click("#start")
    phase(page, "answering")
    page.click("#answer-tie")
    phase(page, "feedback")
    page.click("#continue")
    phase(page, "ready")
    page.click("#start")
    phase(page, "answering")
    # It plays before the click returns.
    page.click("#replay")
    phase(page, "answering")
    page.click("#answer-right")
    phase(page, "feedback")
    votes = votes_of_last_session(server)
    assert [(choice, playback["plays"]) for _, choice, _, playback, _ in votes] == [("tie", 1), ("right", 2)]
    assert page.troubles == []


def test_a_vote_survives_errors_of_server_and_network(page, server):
    begin(page, server, slug="quick")
    watch(page)
    failures = iter([lambda route: route.abort(), lambda route: route.fulfill(status=503, body="")])
    page.route("**/vote/", lambda route: next(failures, lambda route: route.continue_())(route))
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#message:has-text('Saving again')")
    phase(page, "feedback")
    assert len(votes_of_last_session(server)) == 1


def test_a_vote_survives_a_closed_page(page, server):
    begin(page, server, "?participant=closer", slug="quick")
    watch(page)
    page.route("**/vote/", lambda route: route.abort())
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#message:has-text('Saving again')")
    page.unroute("**/vote/")
    page.reload()
    phase(page, "feedback", "ready")
    assert [choice for _, choice, *_ in votes_of_last_session(server)] == ["tie"]


def test_reload_and_back_stay_on_the_same_pair(page, server):
    begin(page, server, slug="quick")
    pass_training(page, server)
    token = "JSON.parse(document.getElementById('state').textContent).trial.token"
    page.reload()
    phase(page, "ready")
    before = page.evaluate(token)
    page.go_back()
    page.wait_for_url("**/trial/")
    phase(page, "ready")
    assert page.evaluate(token) == before
    assert page.inner_text("#heading") == "Pair 1 of 2"


def test_a_broken_download_goes_on_where_it_broke_off(page, server):
    asked = []

    def halve_the_first(route):
        asked.append((route.request.url, route.request.headers.get("range"), route.request.headers.get("if-range")))
        if len(asked) > 1:
            return route.continue_()
        reply = route.fetch()
        return route.fulfill(response=reply, body=reply.body()[:1000])

    page.route("**/media/*", halve_the_first)
    begin(page, server, slug="quick")
    first = asked[0][0]
    (again,) = [request for request in asked[1:] if request[0] == first]
    assert again == (first, "bytes=1000-", f'"{first.rsplit("/", 1)[1]}"')
    watch(page)


def test_a_window_too_small_for_the_videos_is_said(page, server):
    page.set_viewport_size({"width": 100, "height": 800})
    begin(page, server, slug="quick")
    # The first start fills the screen by itself, so nothing is said before.
    page.wait_for_selector("#message:has-text('Practice')")
    watch(page)
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback")
    page.keyboard.press("Space")
    page.wait_for_selector("#message:has-text('too small')")
    page.set_viewport_size({"width": 600, "height": 800})
    page.wait_for_selector("#message:not(:has-text('too small'))")


@pytest.mark.parametrize(
    ("ratio", "width", "css_width", "scale"), [(2, 1280, 32, 1), (1.25, 1280, 51.2, 1), (1, 100, 42, 42 / 64)]
)
def test_one_video_pixel_is_one_device_pixel_where_there_is_room(chromium, server, ratio, width, css_width, scale):
    context = chromium.new_context(viewport={"width": width, "height": 800}, device_scale_factor=ratio)
    page = context.new_page()
    begin(page, server, slug="quick")
    watch(page)
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback")
    playback = votes_of_last_session(server)[0][3]
    assert playback["device_pixel_ratio"] == ratio
    for edge in page.evaluate(EDGES):
        assert edge == pytest.approx(round(edge), abs=0.05)
    assert playback["left"]["css_width"] == pytest.approx(css_width, abs=0.1)
    assert playback["scale"] == pytest.approx(scale, abs=0.002)
    context.close()
