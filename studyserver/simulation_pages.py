"""What stands in a page: its forms, the data for its scripts, and the files that it loads (standard library only)."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Form", "Page", "read_page"]


@dataclass
class Form:
    """`fields`: what a browser would send untouched; `choices`: values by name of radio buttons and lists."""

    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Page:
    """`data`: what `json_script` put there, by id; `files`: addresses of scripts, styles and pictures."""

    forms: list[Form] = field(default_factory=list)
    data: dict[str, object] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    csrf: str = ""


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.page = Page()
        self._form: Form | None = None
        self._list = ""
        self._json: str | None = None

    def handle_starttag(self, tag, attributes):
        given = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._form = Form()
            self.page.forms.append(self._form)
        elif tag == "script" and given.get("type") == "application/json":
            self._json = given.get("id", "")
        elif tag == "script" and given.get("src"):
            self.page.files.append(given["src"])
        elif tag == "link" and given.get("href"):
            self.page.files.append(given["href"])
        elif tag == "img" and given.get("src"):
            self.page.files.append(given["src"])
        self.page.csrf = given.get("data-csrf") or self.page.csrf
        if self._form is not None and given.get("name"):
            self._read_field(tag, given)
        if tag == "option" and self._form is not None and self._list and given.get("value"):
            self._form.choices[self._list].append(given["value"])

    def _read_field(self, tag: str, given: dict[str, str]) -> None:
        name, kind = given["name"], given.get("type", "text")
        if tag == "select":
            self._list = name
            self._form.choices[name] = []
        elif tag == "input" and kind == "radio":
            self._form.choices.setdefault(name, []).append(given.get("value", ""))
        elif tag == "textarea" or (tag == "input" and kind not in ("checkbox", "submit", "button", "image")):
            self._form.fields[name] = given.get("value", "")
        if name == "csrfmiddlewaretoken":
            self.page.csrf = given.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._list = ""
        elif tag == "script":
            self._json = None

    def handle_data(self, data):
        if self._json is not None:
            self.page.data[self._json] = json.loads(data)


def read_page(html: str) -> Page:
    """Return what stands in a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page
