"""Pseudonyms: the same person is recognised within a study and cannot be linked across studies."""

import base64
import hashlib
import hmac
import secrets

__all__ = ["participant_code"]


def participant_code(*, salt: str, external_id: str | None = None) -> str:
    """Return 12 letters and digits (60 bits) for a person of one study.

    A keyed digest of the identifier that a recruitment service gave, so that the same person gets the same
    code and the identifier itself is never stored; random where there is no identifier.
    """
    if external_id is None:
        digest = secrets.token_bytes(16)
    else:
        digest = hmac.new(salt.encode(), external_id.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode()[:12]
