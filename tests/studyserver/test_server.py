"""The embedded server under load: downloads that hardly move do not keep pages waiting."""

import contextlib
import re
import socket
import sqlite3
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

import pytest

from tests.studyserver.live import running_server

pytestmark = pytest.mark.slow
DOWNLOADS = 24
ANY_DEVICE = """
from studyserver.selectors import study_by_slug
from studyserver.services import study_set_design
study_set_design(study=study_by_slug("cats"), check_environment=False)
"""


@pytest.fixture(scope="module")
def server(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    with running_server(folder, tiny_set) as server:
        server.manage("shell", "--no-imports", "-c", ANY_DEVICE)
        yield server


def join(server):
    """Go to the first trial; return (cookie header, address of a video)."""
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def post(path, **fields):
        page = browser.open(server.url + path).read().decode()
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        body = urllib.parse.urlencode({**hidden, **fields}).encode()
        return browser.open(urllib.request.Request(server.url + path, body, {"Referer": server.url + path}))

    post("/s/cats/", agree="on")
    page = post("/s/cats/instructions/").read().decode()
    video = re.search(r'"left": "([^"]+)"', page)[1]
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar), video


def make_large(server, size=30_000_000):
    """Let every video be larger than what sockets buffer."""
    for path in (server.data_dir / "media").iterdir():
        path.unlink()
        path.write_bytes(bytes(size))
    with contextlib.closing(sqlite3.connect(server.data_dir / "lab.sqlite3")) as database:
        database.execute("UPDATE studyserver_stimulus SET bytes = ?", [size])
        database.commit()


def test_pages_answer_while_downloads_crawl(server):
    cookie, video = join(server)
    make_large(server)
    host, port = server.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(DOWNLOADS):
            client = stack.enter_context(socket.socket())
            client.settimeout(10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, int(port)))
            client.sendall(f"GET {video} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            assert client.recv(15).startswith(b"HTTP/1.1 200")
        waits = []
        for _ in range(20):
            begun = time.monotonic()
            urllib.request.urlopen(f"{server.url}/s/cats/", timeout=10).close()
            waits.append(time.monotonic() - begun)
    assert max(waits) < 3


def test_a_refused_request_leaves_no_address_and_no_name_in_the_log(server):
    host, port = server.url.removeprefix("http://").split(":")
    for request in (f"GET /s/cats/?participant={'x' * 5000} HTTP/1.1", "GET /s/cats/?participant=ann HTTP/9.9"):
        with socket.create_connection((host, int(port)), timeout=10) as client:
            client.sendall(f"{request}\r\nHost: localhost\r\n\r\n".encode())
            assert client.recv(12).startswith(b"HTTP/1.1 4")
    log = (server.data_dir / "server.log").read_text()
    assert log.count("Invalid request") == 2
    assert "127.0.0.1" not in log
    assert "participant=" not in log


def test_static_files_and_ranges_come_from_the_same_server(server):
    cookie, video = join(server)
    script = urllib.request.urlopen(f"{server.url}/static/studyserver/player.js")
    assert "javascript" in script.headers["Content-Type"]
    request = urllib.request.Request(server.url + video, headers={"Cookie": cookie, "Range": "bytes=0-1"})
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 206
        assert len(reply.read()) == 2
