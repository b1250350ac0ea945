"""One table of text cells in the forms that people need: aligned text, Markdown and LaTeX."""

import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["NOTHING", "Table", "latex_table", "markdown_table", "markdown_text", "text_table"]

# What stands in a cell that has no number.
NOTHING = "\N{EN DASH}"
# In LaTeX: rows that a page takes, and columns that it takes in letters of the usual size.
_MOST_ROWS, _MOST_COLUMNS = 40, 6
_MOST_LETTERS = 100  # of a row

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    # At the head of a row, the command that ended the row before would take them.
    "[": "{[}",
    "*": "{*}",
    "\N{MINUS SIGN}": "$-$",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{UPWARDS ARROW}": r"$\uparrow$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{INFINITY}": r"$\infty$",
    "\N{DAGGER}": r"\textdagger{}",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": r"\,",
}


@dataclass(frozen=True)
class Table:
    """columns: headings. rows: as many text cells each. bold: (row, column) of the cells that are marked.
    label: what LaTeX refers to it by. The first column is aligned left, the others right.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    label: str
    bold: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells under {len(self.columns)} columns: {row!r}")

    def marked(self, mark: str, escape: Callable[[str], str]) -> list[list[str]]:
        """The escaped rows, bold cells as `mark.format(cell)`."""
        return [
            [mark.format(escape(cell)) if (i, j) in self.bold else escape(cell) for j, cell in enumerate(row)]
            for i, row in enumerate(self.rows)
        ]


def text_table(table: Table) -> str:
    """Lines for a terminal, columns aligned, the marked cells followed by `*`; no caption."""
    rows = [list(table.columns), *table.marked("{}*", str)]
    # A mark hangs over the column's right edge, so that the digits stay below each other.
    cells = [[cell if cell.endswith("*") or j == 0 else f"{cell} " for j, cell in enumerate(row)] for row in rows]
    widths = [max(len(row[j]) for row in cells) for j in range(len(table.columns))]
    return "\n".join("  ".join(_padded(cell, widths[j], j) for j, cell in enumerate(row)).rstrip() for row in cells)


def markdown_table(table: Table) -> str:
    """GitHub's Markdown: the caption as a paragraph, then the table, its source aligned too; ends with a new line."""
    rows = [[markdown_text(column) for column in table.columns], *table.marked("**{}**", markdown_text)]
    widths = [max(3, *(len(row[j]) for row in rows)) for j in range(len(table.columns))]
    lines = ["| " + " | ".join(_padded(cell, widths[j], j) for j, cell in enumerate(row)) + " |" for row in rows]
    rule = (
        "| " + " | ".join("-" * width if j == 0 else "-" * (width - 1) + ":" for j, width in enumerate(widths)) + " |"
    )
    return "\n".join([markdown_text(table.caption), "", lines[0], rule, *lines[1:]]) + "\n"


def latex_table(table: Table) -> str:
    """A table environment that needs the package booktabs; one of more rows than a page has needs longtable as well.

    Tables of many columns have smaller letters. Headings are broken where their column is narrower; where that is not
    enough, those wider than their column are turned (with the package graphicx).
    """
    rows = table.marked(r"\textbf{{{}}}", _latex)
    columns = f"l{'r' * (len(table.columns) - 1)}"
    head = [r"    \toprule", _latex_row(_latex_headings(table)), r"    \midrule"]
    body = [_latex_row(row) for row in rows]
    caption, label = rf"\caption{{{_latex(table.caption)}}}", rf"\label{{{table.label}}}"
    smaller = r"\footnotesize\setlength{\tabcolsep}{4pt}" if len(table.columns) > _MOST_COLUMNS else ""
    if len(rows) > _MOST_ROWS:
        lines = [
            r"% \usepackage{booktabs,graphicx,longtable}; a longtable stands in pages of one column",
            rf"\begingroup{smaller}",
            rf"\begin{{longtable}}{{{columns}}}",
            rf"  {caption}{label}\\",
            *(*head, r"  \endfirsthead", *head, r"  \endhead", r"    \bottomrule", r"  \endfoot"),
            *body,
            r"\end{longtable}",
            r"\endgroup",
        ]
    else:
        lines = [
            r"% \usepackage{booktabs,graphicx}"
            if any(r"\rotatebox" in line for line in head)
            else r"% \usepackage{booktabs}",
            r"\begin{table}",
            rf"  \centering{smaller}",
            f"  {caption}",
            f"  {label}",
            rf"  \begin{{tabular}}{{{columns}}}",
            *head,
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    return "\n".join([*lines, ""])


def markdown_text(text: str) -> str:
    """Words of a paragraph, a heading or a cell, with what Markdown or HTML would read as a sign of theirs escaped."""
    # An underscore inside a word is only an underscore.
    escaped = re.sub(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
    return " ".join(escaped.split())


def _latex(text: str) -> str:
    # An accent of its own is no letter to LaTeX.
    line = unicodedata.normalize("NFC", " ".join(text.splitlines()))
    # Two hyphens would become a dash.
    return "".join(_LATEX.get(letter, "-{}" if line[k : k + 2] == "--" else letter) for k, letter in enumerate(line))


def _latex_row(cells: Iterable[str]) -> str:
    return "    " + " & ".join(cells) + r" \\"


def _latex_headings(table: Table) -> list[str]:
    cells = [max((len(row[j]) for row in table.rows), default=0) for j in range(len(table.columns))]
    broken = []
    for heading, widest in zip(table.columns, cells, strict=True):
        longest_word = max(map(len, heading.split()), default=1)
        broken.append(textwrap.wrap(heading, max(widest, longest_word), break_on_hyphens=False) or [""])
    longest = [max(map(len, lines)) for lines in broken]
    too_wide = sum(map(max, cells, longest)) + len(cells) > _MOST_LETTERS
    found = []
    for j, (heading, lines) in enumerate(zip(table.columns, broken, strict=True)):
        if j and too_wide and longest[j] > cells[j]:
            found.append(rf"\rotatebox{{90}}{{{_latex(heading)}}}")
        elif len(lines) > 1:
            stack = r" \\ ".join(map(_latex, lines))
            found.append(rf"\shortstack[{'r' if j else 'l'}]{{{stack}}}")
        else:
            found.append(_latex(heading))
    return found


def _padded(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)
