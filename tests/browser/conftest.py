"""A real Chromium and the real server."""

import contextlib
import os
import shutil

import pytest

from tests.studyserver.live import manage, serving
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
    """The server with the open studies of `studies.make_studies`."""
    folder = tmp_path_factory.mktemp("browser")
    data_dir = folder / "var"
    data_dir.mkdir()
    seconds = write_tiny_set(folder / "set")
    # Sources enough for the hidden pairs that a session has by default.
    moments = write_tiny_set(folder / "moments", sources=5, frames=8)
    making = f"from tests.browser.studies import make_studies; make_studies({str(seconds)!r}, {str(moments)!r})"
    manage(data_dir, "shell", "--no-imports", "-c", making)
    with serving(data_dir) as server:
        yield server


@contextlib.contextmanager
def watched_page(browser, **options):
    """A fresh browser window; every message of its console and every failed request is one of its `troubles`."""
    with browser.new_context(viewport={"width": 1280, "height": 800}, **options) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.troubles = []
        page.on("pageerror", lambda error: page.troubles.append(str(error)))
        page.on("console", lambda message: page.troubles.append(message.text) if message.type == "error" else None)
        yield page


@pytest.fixture
def page(chromium):
    """A fresh browser window."""
    with watched_page(chromium) as page:
        yield page


@pytest.fixture(scope="session")
def account(chromium, server):
    """What a browser keeps of a researcher who signed in with the server's first account."""
    with watched_page(chromium) as page:
        page.goto(f"{server.url}/admin/")
        page.fill("#id_username", "admin")
        page.fill("#id_password", (server.data_dir / "admin_password").read_text().strip())
        page.keyboard.press("Enter")
        page.wait_for_selector("#user-tools")
        assert page.troubles == []
        return page.context.storage_state()


@pytest.fixture
def researcher(chromium, account):
    """A fresh browser window in which a researcher is signed in."""
    with watched_page(chromium, storage_state=account) as page:
        yield page
