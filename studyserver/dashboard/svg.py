"""SVG text drawn element by element: what is drawn comes out escaped, colours come from the page's style sheet.

There are no style attributes, which the content security policy refuses; classes say what a mark means, so that the
same picture fits a light page, a dark one and paper.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from django.utils.safestring import SafeString, mark_safe

__all__ = ["Picture", "round_ticks", "shortened"]


class Picture:
    """A drawing of `width` by `height` pixels; `title` is what a screen reader says, numbers stand in tables beside."""

    def __init__(self, width: float, height: float, title: str):
        self.width, self.height = width, height
        size = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
        self._root = ElementTree.Element("svg", {"class": "figure", "role": "img", "aria-label": title, **size})

    def rect(self, x: float, y: float, width: float, height: float, css: str, *, tip: str = "", **more) -> None:
        """A rectangle with its upper left corner at (x, y); `tip` appears under the pointer."""
        self._add("rect", css, tip, x=x, y=y, width=max(width, 0), height=max(height, 0), **more)

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str, *, tip: str = "") -> None:
        self._add("line", css, tip, x1=x1, y1=y1, x2=x2, y2=y2)

    def dot(self, x: float, y: float, radius: float, css: str, *, tip: str = "") -> None:
        self._add("circle", css, tip, cx=x, cy=y, r=radius)

    def diamond(self, x: float, y: float, radius: float, css: str, *, tip: str = "") -> None:
        corners = ((x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y))
        self._add("polygon", css, tip, points=_points(corners))

    def area(self, corners: Sequence[tuple[float, float]], css: str) -> None:
        self._add("polygon", css, "", points=_points(corners))

    def path(self, corners: Sequence[tuple[float, float]], css: str) -> None:
        self._add("polyline", css, "", points=_points(corners))

    def text(self, x: float, y: float, text: str, css: str = "", *, anchor: str = "start", turn: float = 0) -> None:
        """Words whose base line begins (or, by `anchor`, has its middle or end) at (x, y), turned by degrees."""
        more = {"transform": f"rotate({turn:g} {x:.1f} {y:.1f})"} if turn else {}
        item = self._add("text", css, "", x=x, y=y, **{"text-anchor": anchor}, **more)
        item.text = text

    def legend(self, x: float, y: float, items: Sequence[tuple[str, str]]) -> None:
        """Squares with names, (css, name), in a row that begins at (x, y)."""
        for css, name in items:
            self.rect(x, y - 9, 10, 10, css)
            self.text(x + 15, y, name, "soft")
            x += 25 + 7.1 * len(name)

    def _add(self, tag: str, css: str, tip: str, **attributes) -> ElementTree.Element:
        values = {key: value if isinstance(value, str) else f"{value:.4g}" for key, value in attributes.items()}
        item = ElementTree.SubElement(self._root, tag, {"class": css, **values} if css else values)
        if tip:
            ElementTree.SubElement(item, "title").text = tip
        return item

    def markup(self) -> SafeString:
        """The picture for a page; text in it was escaped when it was written."""
        return mark_safe(ElementTree.tostring(self._root, encoding="unicode"))


def _points(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def shortened(label: str, longest: int = 24) -> str:
    """The label with so many characters at most, without its middle: names that begin alike differ at their ends."""
    half = longest // 2
    return label if len(label) <= longest else f"{label[:half]}…{label[1 - half :]}"


def round_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers from `low` to `high`."""
    if high <= low:
        return [low]
    rough = (high - low) / count
    power = 10.0
    while power > rough:
        power /= 10
    while power * 10 <= rough:
        power *= 10
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first = -(-low // step)
    ticks = []
    while (first + len(ticks)) * step <= high + 1e-9 * step:
        ticks.append((first + len(ticks)) * step)
    return ticks
