"""The real server in a process of its own, with its own data folder."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class LiveServer:
    """A running `manage.py serve`."""

    url: str
    data_dir: pathlib.Path

    def manage(self, *arguments: str) -> str:
        """Run a management command on the same data and return its standard output."""
        return manage(self.data_dir, *arguments)


def _variables(data_dir: pathlib.Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    return {**others, "LAB_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "studyserver.settings"}


def manage(data_dir: pathlib.Path, *arguments: str) -> str:
    """Run a management command in a process of its own; a failure shows what it wrote."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=_variables(data_dir), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_server(data_dir: pathlib.Path, stimulus_set: pathlib.Path):
    """Import a stimulus set as the open study `cats` and serve it."""
    importing = ("--study", "cats", "--title", "Cats and dogs", "--interval-width", "0", "--open")
    manage(data_dir, "import_stimuli", str(stimulus_set), *importing)
    with serving(data_dir) as server:
        yield server


@contextlib.contextmanager
def serving(data_dir: pathlib.Path):
    """Serve what is in a data folder."""
    port = free_port()
    log = (data_dir / "server.log").open("w+")
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=REPOSITORY,
        env=_variables(data_dir),
        stdout=log,
        stderr=log,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(f"{url}/health/", timeout=5).close()
                break
            assert server.poll() is None and time.monotonic() < deadline, (data_dir / "server.log").read_text()
            time.sleep(0.2)
        yield LiveServer(url, data_dir)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
        log.close()
