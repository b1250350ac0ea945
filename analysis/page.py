"""Pages of reports: HTML files that need nothing but themselves."""

import re
from collections.abc import Callable
from pathlib import Path

import jinja2
import markupsafe

from analysis.drawing import signed
from analysis.report.summary import at_most, counted, p_value, percent, thousands
from analysis.tables import NOTHING, Table

__all__ = ["fill_template", "inline_svg", "render_page"]

_CONTENTS = (
    ("ranking", "Ranking"),
    ("asked", "What was asked"),
    ("pairs", "Every pair"),
    ("certainty", "How sure"),
    ("trust", "Can the votes be trusted?"),
    ("assumptions", "Does it hang on the method?"),
    ("clips", "Clip by clip"),
    ("objective", "Objective measures"),
    ("methods", "Methods and limits"),
    ("again", "The same again"),
)


def render_page(document: dict, *, tables: dict[str, Table], figures: dict[str, str], words: dict) -> str:
    """HTML of a report.

    document: as results.json holds it; tables: by name; figures: SVG text by name, drawn into the page; words: the
    sentences that need more than the document (see `report_words`).
    """
    level = document["level"]
    return fill_template(
        "report.html",
        **document,
        **words,
        tables=tables,
        figures={name: inline_svg(svg) for name, svg in figures.items()},
        contents=_CONTENTS,
        level_text=f"{100 * level:g} %",
        alpha=f"{1 - level:g}",
        conditions=[row["condition"] for row in document["ranking"]],
    )


def fill_template(name: str, **content) -> str:
    """The template `name` with `content`, escaped; a name that it lacks is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    numbers = {"percent": percent, "signed": signed, "p_value": _p_value, "thousands": thousands}
    environment.filters.update({name: _unless_none(show) for name, show in numbers.items()})
    environment.filters.update(counted=counted, at_most=at_most)
    environment.filters.update(unbroken=_unbroken, brackets=_brackets, code=_code)
    environment.tests["missing"] = _missing
    return environment.get_template(name).render(**content)


def inline_svg(svg: str) -> str:
    """SVG without the XML declaration and doctype, which HTML does not allow inside a page.

    Its width in print is in the variable --width, for a style that draws it larger on a screen.
    """
    return re.sub(r'width="([\d.]+pt)"', r'\g<0> style="--width: \1"', svg[svg.index("<svg") :], count=1)


def _missing(record) -> bool:
    """Whether a part of a document is only the reason why there is none."""
    return isinstance(record, dict) and isinstance(record.get("why_not"), str)


def _unless_none(show: Callable) -> Callable:
    """`show`, with a dash for a number that does not exist."""
    return lambda value, *more: NOTHING if value is None else show(value, *more)


def _p_value(p: float) -> str:
    text = p_value(p)
    return text if text.startswith("<") else f"= {text}"


def _brackets(text: str) -> markupsafe.Markup:
    """Marks what stands in square brackets, which somebody has to fill in."""
    escaped = str(markupsafe.escape(text))
    return markupsafe.Markup(re.sub(r"\[[^\]]+\]", r"<mark>\g<0></mark>", escaped))


def _code(text: str) -> markupsafe.Markup:
    """What stands between backticks as code."""
    return markupsafe.Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(markupsafe.escape(text))))


def _unbroken(text: str) -> str:
    return text.replace(" %", "\N{NO-BREAK SPACE}%")
