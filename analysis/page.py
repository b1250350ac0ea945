"""Pages of reports: HTML files that need nothing but themselves."""

from pathlib import Path

import jinja2

from analysis.drawing import signed
from analysis.summary import percent

__all__ = ["fill_template", "inline_svg", "render_page"]


def render_page(document: dict, *, forest: str, preference: str) -> str:
    """HTML of a report.

    document: as `write_report` puts it into ranking.json; forest, preference: SVG text, drawn into the page.
    """
    return fill_template(
        "report.html",
        **document,
        forest=inline_svg(forest),
        preference=inline_svg(preference),
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
    environment.filters.update(
        percent=percent, signed=signed, p_value=_p_value, thousands=_thousands, unbroken=_unbroken
    )
    return environment.get_template(name).render(**content)


def inline_svg(svg: str) -> str:
    """SVG without the XML declaration and doctype, which HTML does not allow inside a page."""
    return svg[svg.index("<svg") :]


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _unbroken(text: str) -> str:
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _thousands(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
