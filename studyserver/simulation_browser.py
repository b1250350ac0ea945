"""What stands in for a participant's browser: over HTTP to a running server, or inside this process."""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from django.test import Client

from studyserver.errors import ServerUnavailable

__all__ = ["Browser", "HttpBrowser", "InProcessBrowser", "Reply"]

_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """One answer of the server; `path` is what was asked for, with its query."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Browser(Protocol):
    """Keeps cookies, follows nothing by itself."""

    def ask(self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str]) -> Reply:
        """Send one request and return the answer, whatever its status. Raises ServerUnavailable."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class HttpBrowser:
    """A browser that asks a server at an address such as http://127.0.0.1:8000."""

    def __init__(self, url: str):
        self._url = url.rstrip("/")
        if urllib.parse.urlsplit(self._url).scheme not in ("http", "https"):
            raise ServerUnavailable(f"the server's address begins with http:// or https://, got {url[:80]!r}")
        self._opener = urllib.request.build_opener(
            _NoRedirect(), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def ask(self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str]) -> Reply:
        sent = {"Referer": f"{self._url}/", "Origin": self._url, **headers}
        request = urllib.request.Request(f"{self._url}{path}", data=body, headers=sent, method=method)
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                return Reply(method, path, answer.status, tuple(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(method, path, error.code, tuple(error.headers.items()), error.read())
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            raise ServerUnavailable(f"{self._url} does not answer ({reason}); is the server running there?") from error


class InProcessBrowser:
    """A browser that asks this project's own views, through its middleware, without a server."""

    def __init__(self):
        # A host that the server answers to; the first may be a pattern.
        hosts = [host for host in settings.ALLOWED_HOSTS if host and not host.startswith((".", "*"))]
        self._client = Client(enforce_csrf_checks=True, SERVER_NAME=hosts[0] if hosts else "localhost")

    def ask(self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str]) -> Reply:
        kind = headers.get("Content-Type", "application/octet-stream")
        others = {name: value for name, value in headers.items() if name != "Content-Type"}
        origin = f"{'https' if settings.HTTPS else 'http'}://{self._client.defaults['SERVER_NAME']}"
        answer = self._client.generic(
            method,
            path,
            data=body or b"",
            content_type=kind,
            secure=settings.HTTPS,
            headers={"Referer": f"{origin}/", **others},
        )
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        cookies = tuple(("Set-Cookie", morsel.OutputString()) for morsel in answer.cookies.values())
        return Reply(method, path, answer.status_code, (*answer.headers.items(), *cookies), content)
