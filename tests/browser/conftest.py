"""A real Chromium and the real server."""

import os
import shutil

import pytest

from tests.studyserver.live import running_server
from tests.studyserver.tiny_set import write_tiny_set

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As strict as browsers of participants: nothing plays before the first key or click.
    "--autoplay-policy=document-user-activation-required",
]
ROOM_FOR_EVERY_TEST = """
from studyserver.selectors import study_by_slug
from studyserver.services import study_set_design
study_set_design(
    study=study_by_slug("cats"),
    pairs_per_session=18,
    votes_per_pair=100,
    training_pairs=1,
    quiz_questions=0,
    verification_pairs=1,
    repeat_pairs=0,
    null_pairs=0,
    questionnaire=False,
    check_environment=False,
    sync_attempts=10,
)
"""
# One study per way of showing pairs: its short name and what it has of its own.
PRESENTATIONS = """
from studyserver.services import import_stimulus_set, study_open, study_set_design
short = dict(
    training_pairs=1, quiz_questions=0, verification_pairs=0, repeat_pairs=0, null_pairs=0, questionnaire=False,
    check_environment=False, pairs_per_session=2, votes_per_pair=100, sync_attempts=10,
)
studies = {{
    "sequential": dict(presentation="sequential"),
    "toggle": dict(presentation="toggle"),
    "apart": dict(sync_attempts=1),
    "strict": dict(sync_attempts=0, fallback="none"),
}}
for slug, own in studies.items():
    study = import_stimulus_set(slug=slug, folder={folder!r}, title="Cats and dogs", interval_width=0).study
    study_set_design(study=study, **{{**short, **own}})
    study_open(study=study)
"""


def find_chromium() -> str | None:
    """Return the browser named by CHROMIUM, else an installed one."""
    names = (os.environ.get("CHROMIUM"), "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if name and (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium; every test opens a context of its own in it."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("no Chromium here: install the package chromium, or name one in CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server with an open study of 6 pairs of one-second videos."""
    folder = tmp_path_factory.mktemp("browser")
    data_dir = folder / "var"
    data_dir.mkdir()
    with running_server(data_dir, write_tiny_set(folder / "set")) as server:
        server.manage("shell", "--no-imports", "-c", ROOM_FOR_EVERY_TEST)
        yield server


@pytest.fixture(scope="session")
def presentations(server):
    """The same server with a study for each way of showing pairs, of two pairs a session."""
    folder = str(server.data_dir.parent / "set")
    server.manage("shell", "--no-imports", "-c", PRESENTATIONS.format(folder=folder))
    return server


@pytest.fixture
def page(chromium):
    """A fresh browser window; every message of its console and every failed request is a failure."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda message: page.troubles.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
