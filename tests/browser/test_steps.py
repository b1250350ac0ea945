"""The steps before and after the pairs in a real browser: every check of the device, and the way with the keyboard."""

import contextlib
import json
import math
import sqlite3

import pytest

from studyserver.quiz import right_answers
from tests.browser.conftest import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SESSION = "SELECT state, reason, presentation, environment, calibration, quiz, answers FROM studyserver_session"


@pytest.fixture
def device(chromium):
    """Open a page on a screen of a size, in device pixels per CSS pixel."""
    contexts = []

    def open_on(width=1280, height=800, ratio=1, zoom=1):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            screen={"width": width, "height": height},
            device_scale_factor=ratio,
        )
        contexts.append(context)
        # A window without a frame, whose browser has a zoom.
        context.add_init_script(
            f"Object.defineProperty(window, 'outerWidth', {{ get: () => {zoom} * window.innerWidth }})"
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    yield open_on
    for context in contexts:
        context.close()


def last_session(server):
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        row = database.execute(f"{SESSION} ORDER BY id DESC LIMIT 1").fetchone()
    state, reason, presentation, *documents = row
    return state, reason, presentation, *map(json.loads, documents)


def enter(page, server, slug="steps"):
    """Agree and come to the check of the device."""
    page.goto(f"{server.url}/s/{slug}/")
    page.check("#agree")
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/")
    page.click("button[type=submit]")
    page.wait_for_url("**/setup/")


def verdict(page):
    """Wait for the server's word and return the lines that are not good."""
    page.wait_for_selector("#continue:visible, #again:visible")
    return page.eval_on_selector_all("[data-state=stop]", "lines => lines.map((line) => line.dataset.check)")


def resize(page, width, height, ratio, screen_width):
    """Another window on another screen, while the page is open."""
    page.context.new_cdp_session(page).send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": height,
            "deviceScaleFactor": ratio,
            "mobile": False,
            "screenWidth": screen_width,
            "screenHeight": 1080,
        },
    )


def tab_to(page, selector):
    """Press Tab until the element has the focus."""
    for _ in range(40):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {selector}")


def choose(page, name, value):
    """Choose an answer of a group with the arrow keys, which go round in it."""
    tab_to(page, f"#{name} input")
    page.keyboard.press("Space")
    for _ in range(8):
        if page.is_checked(f"#{name} input[value='{value}']"):
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"the arrow keys never come to {value}")


def fill_quiz(page, right):
    names = page.eval_on_selector_all("fieldset", "all => all.map((one) => one.id)")
    assert len(names) == 3
    for name in names:
        values = page.eval_on_selector_all(f"#{name} input", "all => all.map((one) => one.value)")
        wrong = next(value for value in values if value != right_answers()[name])
        choose(page, name, right_answers()[name] if right else wrong)
    tab_to(page, "form button")
    page.keyboard.press("Enter")


def reload(page):
    """Load the page again: the same page."""
    before = page.url
    page.reload()
    assert page.url == before


def test_the_whole_way_with_the_keyboard_alone_and_a_reload_in_each_step(page, server):
    page.goto(f"{server.url}/s/steps/")
    tab_to(page, "#agree")
    page.keyboard.press("Space")
    tab_to(page, "button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/instructions/")
    reload(page)
    page.wait_for_selector("button:focus")
    assert page.evaluate("window.scrollY") == 0
    page.keyboard.press("Enter")

    page.wait_for_url("**/setup/")
    assert verdict(page) == []
    reload(page)
    page.wait_for_selector("#continue:focus")
    assert page.inner_text("#verdict").startswith("Everything is fine")
    page.keyboard.press("Enter")

    page.wait_for_url("**/calibration/")
    reload(page)
    page.wait_for_selector("#card_css_px:focus")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    tab_to(page, "[data-step='1']")
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('card').getBoundingClientRect().width") == 328
    tab_to(page, "#distance_cm")
    page.keyboard.type("60")
    page.keyboard.press("Enter")

    page.wait_for_url("**/quiz/")
    fill_quiz(page, right=False)
    page.wait_for_selector(".notice:focus")
    assert "0 of 3 answers were right" in page.inner_text(".notice")
    reload(page)
    assert page.is_visible("#task")
    fill_quiz(page, right=True)

    page.wait_for_url("**/trial/")
    page.wait_for_selector("#player[data-phase=ready]")
    page.keyboard.press("Space")
    page.wait_for_selector("#player[data-phase=answering]")
    page.keyboard.press("ArrowLeft")

    page.wait_for_url("**/questionnaire/")
    reload(page)
    choose(page, "age", "25-34")
    tab_to(page, "#comment")
    page.keyboard.type("All fine.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/done/")
    page.go_back()
    page.wait_for_url("**/done/")

    state, _, presentation, environment, calibration, quiz, answers = last_session(server)
    assert (state, presentation) == ("completed", "side-by-side")
    assert environment["problems"] == []
    assert environment["decoding"] == [{"supported": True, "smooth": True, "power_efficient": False}]
    assert (environment["window_width_px"], environment["browser_zoom"]) == (1280, 1)
    assert environment["speed_mbps"] > 1
    assert environment["refresh_hz"] > 5
    assert calibration["card_css_px"] == 328
    assert calibration["distance_cm"] == 60
    assert [one["passed"] for one in quiz] == [False, True]
    assert answers == {"age": "25-34", "comment": "All fine."}
    assert page.troubles == []


def test_a_zoom_that_blurs_is_refused_and_mending_it_is_seen_at_once(device, server):
    page = device(ratio=1.1, zoom=1.1)
    enter(page, server)
    assert verdict(page) == ["zoom"]
    assert page.inner_text("#verdict").startswith("Not yet: Zoom.")
    assert "set the zoom of the browser to 100\u00a0%" in page.inner_text("[data-check=zoom]")
    assert not page.is_visible("#continue") and not page.is_visible("#give-up")
    assert last_session(server)[3]["screen_width_px"] == 1280
    for ratio, good in ((1, True), (2, True), (1.1, False)):
        with page.expect_response("**/setup/check/"):
            resize(page, 1280, 800, ratio, 1280)
        page.wait_for_selector("#continue:visible" if good else "#again:visible")
        assert page.is_visible("#continue") == good
        assert last_session(server)[3]["device_pixel_ratio"] == pytest.approx(ratio)


def test_a_real_zoom_of_the_browser_is_measured(chromium, server, tmp_path):
    """At 110 % a window of 1000 points is 909 pixels of the page, and the screen has as many points as before."""
    profile = tmp_path / "Default"
    profile.mkdir()
    zoom = {"partition": {"default_zoom_level": {"x": math.log(1.1) / math.log(1.2)}}}
    (profile / "Preferences").write_text(json.dumps(zoom))
    context = chromium.browser_type.launch_persistent_context(
        str(tmp_path),
        executable_path=find_chromium(),
        no_viewport=True,
        args=[*ARGUMENTS, "--headless=new", "--window-size=1000,900"],
    )
    page = context.pages[0]
    enter(page, server)
    assert "zoom" in verdict(page)
    measured = last_session(server)[3]
    assert measured["browser_zoom"] == 1.1
    assert measured["device_pixel_ratio"] == pytest.approx(1.1)
    assert measured["window_width_px"] == pytest.approx(1000, abs=1)
    assert measured["screen_width_px"] == page.evaluate("screen.width")
    context.close()


def test_without_room_for_two_they_go_to_the_same_place_and_the_page_says_how(device, server):
    # The videos are 64 pixels wide.
    page = device(width=120, ratio=1)
    enter(page, server)
    assert verdict(page) == []
    assert "switch between A and B" in page.inner_text("#moved")
    assert last_session(server)[2] == "toggle"
    resize(page, 120, 800, 1, 1280)
    page.wait_for_selector("#fullscreen:visible")
    assert verdict(page) == ["window"]
    assert last_session(server)[2] == "side-by-side"


def test_what_cannot_be_mended_ends_with_thanks(device, server):
    page = device()
    enter(page, server, "fast-screens")
    assert verdict(page) == ["refresh"]
    page.click("#give-up")
    page.wait_for_url("**/ended/")
    assert last_session(server)[:2] == ("technical", "refresh-slow")


def test_a_lost_connection_is_told_and_the_check_begun_again(device, server):
    page = device()
    page.route("**/setup/check/", lambda route: route.abort())
    enter(page, server)
    page.wait_for_selector("#again:focus")
    assert "could not be reached" in page.inner_text("#verdict")
    page.unroute("**/setup/check/")
    page.keyboard.press("Enter")
    assert verdict(page) == []


def test_a_hidden_page_does_not_spoil_the_refresh_rate(device, server):
    """Pictures every 10 ms, then a second in the background, then every 10 ms again: 100 Hz."""
    page = device()
    page.goto(f"{server.url}/s/steps/")
    rate = page.evaluate(
        """async () => {
          let now = 0, pictures = 0;
          window.requestAnimationFrame = (draw) => setTimeout(() => {
            pictures += 1;
            if (pictures === 8) {
              now += 1000;
              document.dispatchEvent(new Event("visibilitychange"));
            }
            // Most of the pictures before it came far apart.
            now += pictures < 8 ? 400 : 10;
            draw(now);
          });
          const { refreshRate } = await import("/static/studyserver/measure.js");
          return refreshRate();
        }"""
    )
    assert rate == pytest.approx(100)
