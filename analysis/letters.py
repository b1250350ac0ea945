"""Letters of figures in scripts that the house font lacks, from whatever other fonts this machine has."""

import contextlib
import functools

from matplotlib.figure import Figure
from matplotlib.font_manager import findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

__all__ = ["HOUSE_FONT", "provide_letters"]

HOUSE_FONT = "DejaVu Sans"  # comes with matplotlib, so that figures look alike on all machines
# Has a box for every character.
_LAST_RESORT = "Last Resort"


def provide_letters(figure: Figure) -> str:
    """Give every text of the figure fonts that have its characters; returns those, sorted, that no font here has."""
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    house = _characters_of_house()
    lacking = {text: {letter for letter in text.get_text() if letter.isprintable()} - house for text in texts}
    families, without = _families(frozenset().union(*lacking.values()))
    for text, letters in lacking.items():
        if letters and families:
            text.set_fontfamily([HOUSE_FONT, *families])
    return without


@functools.cache
def _characters_of_house() -> frozenset[str]:
    return _characters(fontManager.findfont(HOUSE_FONT))


@functools.cache
def _families(letters: frozenset[str]) -> tuple[tuple[str, ...], str]:
    """Upright fonts that have the letters, each time the one that has most of those left; and the letters left over."""
    left, found = set(letters), []
    having = _fonts_having(letters) if letters else {}
    while left:
        # Letters without serifs beside those of the house, other things being equal.
        best = max(having, key=lambda name: (len(having[name] & left), "Sans" in name), default=None)
        if best is None or not having[best] & left:
            break
        found.append(best)
        left -= having[best]
    return tuple(found), "".join(sorted(left))


def _fonts_having(letters: frozenset[str]) -> dict[str, frozenset[str]]:
    """Which of the letters each upright font of this machine has."""
    # matplotlib keeps a list of fonts from its first run on; whoever installs one now wants it used.
    for file in sorted(set(findSystemFonts()) - {font.fname for font in fontManager.ttflist}):
        # One that matplotlib cannot read has no letters to give; which ones lack in the end is said.
        with contextlib.suppress(OSError, RuntimeError, NotImplementedError):
            fontManager.addfont(file)
    having: dict[str, frozenset[str]] = {}
    for font in sorted(fontManager.ttflist, key=lambda font: (font.name, font.fname)):
        if font.style == "normal" and not font.name.startswith(_LAST_RESORT):
            having.setdefault(font.name, _characters(font.fname) & letters)
    return having


def _characters(file: str) -> frozenset[str]:
    try:
        return frozenset(map(chr, FT2Font(file).get_charmap()))
    except (OSError, RuntimeError):
        # Removed since matplotlib listed the machine's fonts, or of a kind that it cannot read.
        return frozenset()
