"""The documentation is held to the program."""

import dataclasses
import pathlib
import re
import typing

import pytest
from django.core.management import get_commands

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_tables_are_up_to_date():
    from scripts.write_reference import reference

    assert (ROOT / "docs" / "reference.md").read_text() == reference(), "run python scripts/write_reference.py"


def test_every_field_of_the_manifest_is_documented():
    from stimuli import Manifest

    text = (ROOT / "docs" / "stimulus-set.md").read_text()
    names = set()

    def collect(kind):
        for field, hint in typing.get_type_hints(kind).items():
            names.add(field)
            for part in (hint, *typing.get_args(hint)):
                if dataclasses.is_dataclass(part):
                    collect(part)

    collect(Manifest)
    assert "gain_delivered" in names and "temporal_instability" in names
    assert {name for name in names if f"`{name}`" not in text and f"`{name}[]`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_named_in_the_pages_exist(page):
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    assert named <= set(get_commands()) | {"help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


def test_every_setting_from_the_environment_is_documented():
    code = (ROOT / "studyserver" / "settings.py").read_text() + (ROOT / "studyserver" / "environment.py").read_text()
    read = set(re.findall(r'"((?:DJANGO|LAB|DATABASE)_[A-Z_]+)"', code)) - {"DJANGO_SETTINGS_MODULE"}
    assert len(read) >= 5
    text = (ROOT / "docs" / "server.md").read_text()
    assert {name for name in read if f"`{name}`" not in text} == set()
