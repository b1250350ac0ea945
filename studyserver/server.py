"""The embedded web server: threads enough that downloads of videos never keep pages waiting."""

import logging
import re
import socket

from gunicorn.app.base import BaseApplication

from studyserver.errors import ServerUnavailable

__all__ = ["NothingPersonal", "check_address", "run_server"]


# What gunicorn writes about a request that it refuses: the sender's address, and what stands behind a question mark.
_PERSONAL = re.compile(r" from ip=\S+(?=: )|\?\S*")


class NothingPersonal(logging.Filter):
    """Takes network addresses and the parameters of addresses, which name people, out of the server's own log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record; it is always kept."""
        record.msg, record.args = _PERSONAL.sub("", record.getMessage()), None
        return True


class _Server(BaseApplication):
    def __init__(self, settings: dict):
        self._settings = settings
        super().__init__()

    def load_config(self):
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self):
        from studyserver.wsgi import application

        return application


def check_address(host: str, port: int) -> None:
    """Raise ServerUnavailable when nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ServerUnavailable(
                f"cannot listen on {host} port {port}: {reason}; choose another with --port or --host"
            ) from error


def run_server(*, host: str, port: int, workers: int, threads: int) -> None:
    """Serve until interrupted, with `workers` processes of `threads` threads; no access log, so no address is kept.

    A slow download holds a thread for as long as it takes, a page for milliseconds: `threads` should be at least
    the number of downloads at once, which is two per participant who loads videos at that moment.
    """
    logging.getLogger("gunicorn.error").addFilter(NothingPersonal())
    _Server(
        {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "worker_class": "gthread",
            "workers": workers,
            "threads": threads,
            "keepalive": 15,
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "studyserver",
        }
    ).run()
