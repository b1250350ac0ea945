"""Settings: parsed loudly, safe by default."""

import os
import stat
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from studyserver import environment
from tests.conftest import REPOSITORY


def test_sqlite_writes_ahead_and_locks_at_once(monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    config = environment.database(tmp_path)
    assert config["NAME"] == str(tmp_path / "lab.sqlite3")
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert config["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]
    assert "synchronous=NORMAL" in config["OPTIONS"]["init_command"]


def test_postgresql_through_the_url(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://lab:secret@db.example:5433/votes")
    config = environment.database(tmp_path)
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "votes")


@pytest.mark.parametrize("url", ["mysql://a/b", "nonsense", "postgresql://u:p@host:port/x", "sqlite://"])
def test_another_database_is_refused(monkeypatch, tmp_path, url):
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL"):
        environment.database(tmp_path)


def test_a_flag_that_is_no_flag_is_refused(monkeypatch):
    monkeypatch.setenv("DJANGO_DEBUG", "yess")
    with pytest.raises(ImproperlyConfigured, match="DJANGO_DEBUG must be true or false, got 'yess'"):
        environment.flag("DJANGO_DEBUG", default=False)


def test_the_secret_key_is_made_once_and_private(monkeypatch, tmp_path):
    monkeypatch.delenv("DJANGO_SECRET_KEY", raising=False)
    folder = tmp_path / "fresh"
    folder.mkdir()
    key = environment.secret_key(folder)
    assert len(key) >= 50
    assert environment.secret_key(folder) == key
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    assert os.listdir(folder) == ["secret_key"]


def test_a_data_folder_that_cannot_be_made_is_one_sentence(monkeypatch, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    monkeypatch.setenv("LAB_DATA_DIR", str(taken))
    with pytest.raises(ImproperlyConfigured, match=f"LAB_DATA_DIR must be a folder .*{taken}"):
        environment.data_folder(tmp_path / "unused")
    monkeypatch.delenv("DJANGO_SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="LAB_DATA_DIR must be a folder"):
        environment.secret_key(taken)


def test_the_data_folder_is_made(monkeypatch, tmp_path):
    monkeypatch.delenv("LAB_DATA_DIR", raising=False)
    assert environment.data_folder(tmp_path / "a" / "b").is_dir()


def run_python(code, tmp_path, **variables):
    environment_variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "studyserver.settings", **variables}
    environment_variables.pop("DATABASE_URL", None)
    environment_variables["LAB_DATA_DIR"] = str(tmp_path)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=environment_variables, capture_output=True, text=True
    )


@pytest.mark.slow
def test_a_real_connection_has_these_modes(tmp_path):
    done = run_python(
        "import django; django.setup()\n"
        "from django.db import connection\n"
        "with connection.cursor() as c:\n"
        "    print(c.execute('PRAGMA journal_mode').fetchone()[0], c.execute('PRAGMA synchronous').fetchone()[0])",
        tmp_path,
    )
    assert done.stdout.split() == ["wal", "1"], done.stderr


@pytest.mark.slow
def test_https_secures_the_cookies(tmp_path):
    done = run_python(
        "from django.conf import settings as s\n"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.DEBUG)",
        tmp_path,
        DJANGO_HTTPS="true",
    )
    assert done.stdout.split() == ["True", "True", "True", "False"], done.stderr
