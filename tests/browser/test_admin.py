"""The researchers' pages in a real browser: a study in three steps, and the card of a stimulus."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The widths in screen pixels, when all can play.
LOADED = """Promise.all([...document.querySelectorAll("video")].map(async (video) => {
  if (video.readyState < 3) await new Promise((done) => video.addEventListener("canplay", done, { once: true }));
  return video.getBoundingClientRect().width * devicePixelRatio;
}))"""
PICTURES = """Promise.all([...document.querySelectorAll(".card img")].map(async (image) => {
  await image.decode();
  return image.naturalWidth;
}))"""
COUNT_ENDS = """() => {
  window.ends = 0;
  for (const video of document.querySelectorAll("video")) video.addEventListener("ended", () => (window.ends += 1));
}"""
# Somewhere within the clip, not between two loops.
IN_STEP = """() => {
  const [left, right] = [...document.querySelectorAll("video")].map((video) => video.currentTime);
  return 0 < left && left < 1 && Math.abs(left - right) < 0.1;
}"""
PLACES = "[...document.querySelectorAll('video')].map((video) => video.currentTime)"


def test_a_study_in_three_steps(server, researcher):
    page = researcher
    page.goto(f"{server.url}/admin/studyserver/study/")
    page.click("text=New study from a stimulus set")
    # The form is filled by keyboard alone.
    page.wait_for_selector("#id_folder:focus")
    page.keyboard.type(str(server.data_dir.parent / "set"))
    page.keyboard.press("Tab")
    page.keyboard.type("Three steps")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Not ready")
    assert page.locator(".level-refused").count() == 2  # the verdict and the clips
    assert page.locator("button", has_text="Open").is_disabled()
    page.click("button:has-text('Start a pilot')")
    page.wait_for_selector(".study-status-pilot")
    page.click("text=Settings")
    page.click("button:has-text('Pause')")
    page.wait_for_selector(".study-status-paused")
    page.click("text=History")
    page.wait_for_selector("text=pilot → paused")
    assert page.troubles == []


def test_the_card_of_a_stimulus(server, researcher):
    page = researcher
    page.goto(f"{server.url}/admin/studyserver/stimulus/?condition__label=fgsm")
    page.click("#result_list tbody th a >> nth=0")
    page.wait_for_selector(".card")
    assert page.evaluate(LOADED) == [64, 64]
    # Played by keyboard, in step, and around: the clips last a second.
    page.evaluate(COUNT_ENDS)
    page.keyboard.press("Space")
    page.wait_for_function("() => ends === 2")
    assert page.text_content("#card-play") == "Pause"
    page.wait_for_function(IN_STEP)
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    for frame in ("1", "2"):
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f"#card-frame:text-is('{frame}')")
    assert page.evaluate(PLACES) == [0.1, 0.1]
    page.click("text=Of the frame above")
    page.wait_for_selector("text=Frame 2: grey is no difference")
    page.wait_for_selector(".card-differences")
    assert page.evaluate(PICTURES) == [64, 64, 64]
    assert page.troubles == []
