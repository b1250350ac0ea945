"""Every page of the participants, in German, under the rules of axe for WCAG 2.2 AA; narrow windows, focus, colours."""

import json

import pytest
from axe_playwright_python.base import AXE_FILE_PATH

from tests.browser.every_page import PRESENTATIONS
from tests.browser.test_session import phase

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = AXE_FILE_PATH.read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RUN = """async ([context, runOnly]) => {
  const { violations } = await axe.run(context, { runOnly, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}"""
FOCUS = """() => {
  const { activeElement: element } = document;
  if (element === document.body || element === document.documentElement) return null;
  const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
  const seen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && outlineColor !== "rgba(0, 0, 0, 0)";
  const { width, height } = element.getBoundingClientRect();
  return { seen: seen && width > 0 && height > 0, html: element.outerHTML.slice(0, 120) };
}"""
WIDER_THAN_THE_WINDOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


def submit(page):
    """Send the page's form as it is."""
    with page.expect_navigation():
        page.click("form button.primary")


def measured(page):
    page.wait_for_selector("#continue:visible, #again:visible")


def declined(page):
    with page.expect_navigation():
        page.click("[name=decline]")


def without_cookie(page):
    page.context.clear_cookies()
    submit(page)


def withdraw(page):
    page.check("#sure")
    submit(page)


# What to do on a page, before it is looked at, and what its heading is then.
READING = {
    "landing": (None, "Katzen und Hunde"),
    "landing, box not ticked": (submit, "Katzen und Hunde"),
    "landing, declined": (declined, "Danke, dass Sie es erwogen haben"),
    "landing, without cookies": (without_cookie, "Diese Seite wurde nicht angenommen"),
    "draft": (None, "Die Studie hat noch nicht begonnen"),
    "paused": (None, "Die Studie ist unterbrochen"),
    "paused-inside": (None, "Die Studie ist unterbrochen"),
    "closed": (None, "Die Studie ist beendet"),
    "full": (None, "Alle Plätze sind vergeben"),
    "invitation-only": (None, "Diese Studie braucht eine Einladung"),
    "invitation-wrong": (None, "Diese Einladung gibt es nicht"),
    "unknown": (None, "Unter dieser Adresse gibt es nichts"),
    "instructions": (None, "Welches Video sieht besser aus?"),
    "setup": (measured, "Kann dieses Gerät die Videos zeigen?"),
    "setup-bad": (measured, "Kann dieses Gerät die Videos zeigen?"),
    "calibration": (None, "Wie groß ist eine Bankkarte auf Ihrem Bildschirm?"),
    "calibration, nothing filled in": (submit, "Wie groß ist eine Bankkarte auf Ihrem Bildschirm?"),
    "quiz": (None, "Ist alles klar?"),
    "quiz, nothing chosen": (submit, "Ist alles klar?"),
    "quiz-again": (None, "Ist alles klar?"),
    "questionnaire": (None, "Einige Fragen zu Ihnen und Ihrem Bildschirm"),
    "done": (None, "Vielen Dank"),
    "done-back": (None, "Vielen Dank"),
    "screened-out": (None, "Ihr Besuch endet hier"),
    "no-place": (None, "Alle Plätze sind vergeben"),
    "technical": (None, "Die Videos laufen hier nicht gut genug"),
    "withdraw": (None, "Meine Antworten zurückziehen"),
    "withdraw, nothing filled in": (submit, "Meine Antworten zurückziehen"),
    "withdraw-own": (withdraw, "Ihre Antworten sind gelöscht"),
    "400": (None, "Der Server konnte damit nichts anfangen"),
    "403": (None, "Diese Seite lässt sich so nicht öffnen"),
    "500": (None, "Auf dem Server ist etwas schiefgegangen"),
}


@pytest.fixture(scope="module")
def pages(server):
    """The address and the cookie of a visit to every page."""
    code = f"from tests.browser.every_page import print_pages; print_pages({str(server.data_dir.parent / 'set')!r})"
    return json.loads(server.manage("shell", "--no-imports", "-c", code))


@pytest.fixture
def german(chromium):
    """Open windows of a German browser."""
    contexts = []

    def window(**options):
        contexts.append(
            chromium.new_context(**{"locale": "de-DE", "viewport": {"width": 1280, "height": 800}, **options})
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        return page

    yield window
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def reader(chromium):
    """One window for all pages that are read: a new one would take longer than the reading."""
    context = chromium.new_context(locale="de-DE")
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


@pytest.fixture
def wide(reader):
    """That window, wide, in the page's own colours, without a cookie, and the mouse in its corner."""
    reader.context.clear_cookies()
    reader.mouse.move(0, 0)
    reader.set_viewport_size({"width": 1280, "height": 800})
    reader.emulate_media(forced_colors="none", reduced_motion="no-preference")
    return reader


def open_page(page, server, visit):
    if html := visit.get("html"):
        page.goto(f"{server.url}/health/")
        return page.set_content(html)
    if cookie := visit.get("cookie"):
        name, value = cookie
        page.context.add_cookies([{"name": name, "value": value, "url": server.url}])
    return page.goto(server.url + visit["path"])


def violations(page, selector="html"):
    """What axe finds wrong with a page, or with a part of it."""
    # What an evaluation returns is sent over: nothing here, for axe itself is large.
    if not page.evaluate("'axe' in window"):
        page.evaluate(f"() => {{ {AXE} }}")
    return page.evaluate(RUN, [{"include": [selector]}, RULES])


def unseen_focus(page):
    """Press Tab through the page and return the elements on which the focus cannot be seen."""
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None or (stops and stop == stops[0]):
            break
        stops.append(stop)
    return [stop["html"] for stop in stops if not stop["seen"]]


def assert_good_to_read(page):
    """Wide and narrow, in the page's colours and in the person's own."""
    assert page.get_attribute("html", "lang") == "de"
    assert violations(page) == []
    assert unseen_focus(page) == []
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) <= 0
    assert violations(page) == []
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    assert unseen_focus(page) == []


@pytest.mark.parametrize("name", READING)
def test_a_page_to_read(wide, server, pages, name):
    prepare, heading = READING[name]
    page = wide
    open_page(page, server, pages[name.split(",")[0]])
    if prepare:
        prepare(page)
    assert page.inner_text("h1") == heading
    assert_good_to_read(page)


def test_the_page_for_telephones(german, server, pages):
    page = german(user_agent=PHONE)
    open_page(page, server, pages["landing"])
    assert page.inner_text("h1") == "Bitte verwenden Sie einen Computer"
    assert_good_to_read(page)


@pytest.mark.parametrize("presentation", PRESENTATIONS)
def test_every_phase_of_a_pair(german, server, pages, presentation):
    page = german()
    open_page(page, server, pages[f"pairs-{presentation}"])
    phase(page, "ready")
    assert page.inner_text("#heading") == "Übungspaar"
    assert violations(page) == []
    assert unseen_focus(page) == []
    page.focus("#start")
    page.keyboard.press("Space")
    phase(page, "playing")
    # Held still while it is looked at.
    page.evaluate("[...document.querySelectorAll('video')].forEach((video) => video.pause())")
    assert violations(page) == []
    page.set_viewport_size({"width": 400, "height": 700})
    page.reload()
    phase(page, "ready")
    assert page.evaluate(WIDER_THAN_THE_WINDOW) <= 0
    page.keyboard.press("Space")
    if presentation == "toggle":
        phase(page, "playing")
        # Each must have been seen for a quarter of a second.
        page.wait_for_timeout(400)
        page.keyboard.press("Space")
    phase(page, "answering")
    assert violations(page) == []
    assert unseen_focus(page) == []
    page.keyboard.press("ArrowLeft")
    phase(page, "feedback")
    assert "absichtlich verschlechtert" in page.inner_text("#message")
    assert violations(page) == []
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    assert unseen_focus(page) == []
    # Colours of the person's own leave no bar but its frame.
    assert page.evaluate("parseFloat(getComputedStyle(document.getElementById('progress')).borderTopWidth)") >= 1


def test_a_pair_that_is_still_loading(german, server, pages):
    page = german()
    page.route("**/media/*", lambda route: None)
    open_page(page, server, pages["loading"])
    phase(page, "loading")
    assert page.inner_text("#message") == "Die Videos werden geladen …"
    assert violations(page) == []
    page.unroute_all(behavior="ignoreErrors")


def test_the_researchers_pages_of_our_own(researcher, server, pages):
    page = researcher
    page.goto(f"{server.url}/admin/studyserver/study/?slug=pairs-toggle")
    page.click("#result_list tbody th a")
    study = page.url.split("/change/")[0]
    for name in ("dashboard", "check"):
        page.goto(f"{study}/{name}/")
        assert page.get_attribute("html", "lang") == "en"
        assert violations(page, "#content") == []
