"""Pseudonyms: the same person is recognised within a study and cannot be linked across studies."""

import base64
import hashlib
import hmac
import secrets

__all__ = ["participant_code", "random_code"]

_LETTERS = 12


def participant_code(*, salt: str, external_id: str) -> str:
    """Return 12 letters and digits (60 bits): a keyed digest of what identifies a person to one study.

    That is the identifier which a recruitment service gave, or the number of the landing page that was sent. It
    is not stored itself.
    """
    digest = hmac.new(salt.encode(), external_id.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:_LETTERS]


def random_code() -> str:
    """Return a pseudonym in the same form that follows from nobody."""
    return base64.b32encode(secrets.token_bytes(20)).decode()[:_LETTERS]
