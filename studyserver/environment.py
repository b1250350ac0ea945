"""Settings read from the environment, parsed loudly, and the secret key kept beside the data."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

__all__ = ["data_folder", "database", "flag", "secret_key", "words"]

_FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def flag(name: str, default: bool) -> bool:
    """Return a yes-or-no variable; anything that is neither is refused instead of guessed."""
    text = os.environ.get(name)
    if text is None:
        return default
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise ImproperlyConfigured(f"{name} must be true or false, got {text!r}") from None


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated variable as a list without empty items."""
    text = os.environ.get(name)
    return list(default) if text is None else [word.strip() for word in text.split(",") if word.strip()]


def data_folder(default: Path) -> Path:
    """Return `LAB_DATA_DIR`, else `default`, made where it is missing."""
    path = Path(os.environ.get("LAB_DATA_DIR") or default).resolve()
    with _writing(path):
        path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _writing(data_dir: Path):
    try:
        yield
    except OSError as error:
        raise ImproperlyConfigured(
            f"LAB_DATA_DIR must be a folder that can be written, got {data_dir}: {error.strerror}"
        ) from error


def database(data_dir: Path) -> dict:
    """Return Django's description of the database: `DATABASE_URL`, else SQLite in `data_dir`.

    SQLite runs with a write-ahead log and IMMEDIATE transactions: a deferred transaction
    that reads before it writes fails at once with "database is locked" when another writer
    is at work, whatever the timeout.
    """
    url = os.environ.get("DATABASE_URL") or f"sqlite:///{data_dir / 'lab.sqlite3'}"
    scheme = url.partition("://")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ImproperlyConfigured(f"DATABASE_URL must begin with sqlite:// or postgresql://, got {scheme[:20]!r}")
    try:
        config = environ.Env.db_url_config(url)
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from None
    if config["ENGINE"] == "django.db.backends.sqlite3":
        if config["NAME"] == ":memory:":
            raise ImproperlyConfigured("DATABASE_URL names no file; write sqlite:////folder/lab.sqlite3")
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728;",
        }
    else:
        config.setdefault("CONN_MAX_AGE", 60)
        config["CONN_HEALTH_CHECKS"] = True
    return config


def secret_key(data_dir: Path) -> str:
    """Return `DJANGO_SECRET_KEY`, else the key kept in `data_dir`, made on first use and readable by its owner only."""
    if key := os.environ.get("DJANGO_SECRET_KEY"):
        return key
    path = data_dir / "secret_key"
    if not path.exists():
        # Linked into place whole: of two processes that start together the second reads the first one's key.
        with _writing(data_dir):
            handle, name = tempfile.mkstemp(dir=data_dir, prefix=".secret_key")
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(50))
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
            os.unlink(name)
    return path.read_text()
