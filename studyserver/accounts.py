"""The researcher's first account on a machine of their own."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

__all__ = ["Account", "first_account_ensure"]


@dataclass(frozen=True)
class Account:
    """A user name, and the file (readable by its owner only) that holds the password made for it."""

    username: str
    password_file: Path


def first_account_ensure() -> Account | None:
    """Make the account `admin` with a random password if nobody can sign in yet, and say where the password is.

    Returns None where accounts exist that this function did not make.
    """
    path = settings.DATA_DIR / "admin_password"
    users = get_user_model().objects
    if not users.exists():
        password = secrets.token_urlsafe(12)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(password + "\n")
        users.create_superuser("admin", password=password)
    return Account("admin", path) if path.exists() and users.filter(username="admin").exists() else None
