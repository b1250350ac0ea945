"""One table in three forms, with what each form would read as its own signs."""

import pytest

from analysis.tables import Table, latex_table, markdown_table, text_table

TABLE = Table(
    columns=("Attack", "Gain, % ↑"),
    rows=(("uap_cumulative", "1.20 ± 0.05"), ("a|b_*c*", "−0.3"), ("{x}\\&$#~^<>†", "–")),
    caption="50 % of\n[all] `frames`",
    label="tab:x",
    bold=frozenset({(0, 1)}),
)


def test_text_is_aligned_with_the_mark_beside_the_digits():
    assert text_table(TABLE).splitlines() == [
        "Attack            Gain, % ↑",
        "uap_cumulative  1.20 ± 0.05*",
        "a|b_*c*                −0.3",
        "{x}\\&$#~^<>†              –",
    ]


def test_markdown_escapes_and_marks():
    assert markdown_table(TABLE).splitlines() == [
        r"50 % of \[all\] \`frames\`",
        "",
        "| Attack          |       Gain, % ↑ |",
        "| --------------- | --------------: |",
        "| uap_cumulative  | **1.20 ± 0.05** |",
        r"| a\|b\_\*c\*     |            −0.3 |",
        r"| {x}\\&$#~^\<\>† |               – |",
    ]


def test_latex_escapes_and_marks():
    lines = latex_table(TABLE).splitlines()
    assert lines[0] == r"% \usepackage{booktabs}"
    assert r"  \caption{50 \% of {[}all] `frames`}" in lines
    assert r"  \label{tab:x}" in lines and r"  \begin{tabular}{lr}" in lines
    assert lines[lines.index(r"    \toprule") + 1 : lines.index(r"    \bottomrule")] == [
        r"    Attack & Gain, \% $\uparrow$ \\",
        r"    \midrule",
        r"    uap\_cumulative & \textbf{1.20 $\pm$ 0.05} \\",
        r"    a\textbar{}b\_{*}c{*} & $-$0.3 \\",
        r"    \{x\}\textbackslash{}\&\$\#\textasciitilde{}\textasciicircum{}$<$$>$\textdagger{} & -- \\",
    ]


def test_latex_of_long_wide_and_awkward_tables():
    """Headings broken where that is enough and turned where not, pages of rows, no dash of two hyphens."""
    rows = (("a--b n\u0303", "1"),) * 41
    long = latex_table(Table(("Pair", "Votes needed in all"), rows, caption="c", label="tab:x"))
    assert r"    Pair & \shortstack[r]{Votes \\ needed \\ in all} \\" in long
    assert long.count(r"\midrule") == 2 and r"\begin{longtable}{lr}" in long and r"\begin{table}" not in long
    assert long.count("    a-{}-b ñ & 1 \\\\\n") == 41
    names = tuple(f"uap_optimized_{k}" for k in range(9))
    wide = latex_table(Table(("Source", *names), (("clip", *["+0.12"] * 9),), caption="c", label="tab:x"))
    assert wide.startswith("% \\usepackage{booktabs,graphicx}\n") and r"\footnotesize" in wide
    assert wide.count(r"\rotatebox{90}{uap\_optimized\_") == 9


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="1 cells under 2 columns"):
        Table(("a", "b"), (("x",),), caption="", label="")
