"""Whether a request comes from a telephone or tablet, as far as its headers tell (no Django here)."""

import re
from collections.abc import Mapping

__all__ = ["is_handheld"]

# Telephones say Mobi; tablets with Android, and older iPads and Kindles, say only what they are. Newer iPads say
# Macintosh: the check of the device finds those.
_NAMES = re.compile(r"Mobi|Android|iPhone|iPad|iPod|Tablet|Silk/|Kindle", re.IGNORECASE)
# Windows says so of computers with a touch screen.
_COMPUTERS = re.compile(r"Tablet PC")


def is_handheld(headers: Mapping[str, str]) -> bool:
    """Return whether the browser calls itself one of a telephone or tablet; who asks for the desktop page says no."""
    if headers.get("Sec-CH-UA-Mobile") == "?1":
        return True
    return bool(_NAMES.search(_COMPUTERS.sub("", headers.get("User-Agent", ""))))
