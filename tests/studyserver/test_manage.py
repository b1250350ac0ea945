"""manage.py itself: what goes wrong before a command begins is one sentence too."""

import json
import os
import runpy
import subprocess
import sys

import django.core.management
import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.conftest import REPOSITORY


def run_manage(monkeypatch, failure):
    def fail(arguments):
        raise failure

    monkeypatch.setattr(django.core.management, "execute_from_command_line", fail)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(REPOSITORY / "manage.py"), run_name="__main__")
    return stopped.value.code


def test_wrong_settings_are_one_sentence(monkeypatch):
    assert run_manage(monkeypatch, ImproperlyConfigured("DJANGO_DEBUG must be true")) == (
        "Settings: DJANGO_DEBUG must be true"
    )


def test_an_interrupt_before_the_command_began(monkeypatch, capsys):
    assert run_manage(monkeypatch, KeyboardInterrupt()) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_another_missing_package_is_not_taken_for_django(monkeypatch):
    monkeypatch.setattr(django.core.management, "execute_from_command_line", lambda arguments: __import__("no_such"))
    with pytest.raises(ModuleNotFoundError, match="no_such"):
        runpy.run_path(str(REPOSITORY / "manage.py"), run_name="__main__")


def manage(data_dir, *words):
    variables = {**os.environ, "LAB_DATA_DIR": str(data_dir)}
    variables.pop("DATABASE_URL", None)
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, words)], cwd=REPOSITORY, env=variables, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_first_command_on_a_fresh_machine_makes_the_database(tmp_path, tiny_set):
    unknown = manage(tmp_path / "one", "export_votes", "cats", "--out", tmp_path / "votes.csv")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "CommandError: no study is called 'cats'; there is none yet, import_stimuli makes one\n"
    done = manage(tmp_path / "two", "import_stimuli", tiny_set, "--study", "cats", "--json")
    assert json.loads(done.stdout)["created"], done.stderr


@pytest.mark.slow
def test_a_reader_that_has_seen_enough(tmp_path):
    done = subprocess.run(
        f"{sys.executable} manage.py list_metrics | head -1",
        shell=True,
        cwd=REPOSITORY,
        env={**os.environ, "LAB_DATA_DIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "Usable on this machine now:\n"
    assert done.stderr == ""
