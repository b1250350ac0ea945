"""The report's page: one HTML file that needs nothing but itself."""

from pathlib import Path

import jinja2

from analysis.summary import percent

__all__ = ["render_page"]


def render_page(document: dict, *, forest: str, preference: str) -> str:
    """HTML of a report.

    document: as `write_report` puts it into ranking.json; forest, preference: SVG text, drawn into the page.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        percent=percent, signed=_signed, p_value=_p_value, thousands=_thousands, unbroken=_unbroken
    )
    return environment.get_template("report.html").render(
        **document,
        forest=_inline(forest),
        preference=_inline(preference),
        conditions=[row["condition"] for row in document["ranking"]],
    )


def _inline(svg: str) -> str:
    """SVG without the XML declaration and doctype, which HTML does not allow inside a page."""
    return svg[svg.index("<svg") :]


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _unbroken(text: str) -> str:
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _thousands(value: int) -> str:
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
