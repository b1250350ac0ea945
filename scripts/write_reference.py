"""Write the tables of docs/reference.md from the registries: `python scripts/write_reference.py [--check]`.

Run it after adding an attack, a metric, a column of the vote table or a command; a test fails until it was run.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference.md"


def reference() -> str:
    """The whole text of docs/reference.md."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studyserver.settings")
    django.setup()
    from django.core.management import get_commands, load_command_class

    from attacks import list_attacks, value_text
    from attacks.metrics import list_metrics
    from studyserver.vote_columns import data_dictionary

    attacks = [
        (
            f"`{info.name}`",
            info.title,
            info.access,
            info.iterations,
            f"{info.strength.text(info.strength.default)} ({info.strength.text(info.strength.low)} to "
            f"{info.strength.text(info.strength.high)}; {info.strength.unit})",
            "<br>".join(
                f"`{option.name}` {value_text(option.default)} ({option.accepts}): {option.description}"
                for option in info.options
            ),
            info.same_at_one_iteration or "",
            info.citation,
        )
        for info in list_attacks()
    ]
    metrics = [
        (
            f"`{info.name}`",
            info.title,
            "lower" if info.lower_better else "higher",
            "{:g} to {:g}".format(*info.score_range),
            f"{info.scope}, windows of {info.window}" if info.scope == "clip" else info.scope,
            info.preprocessing,
            ", ".join(f"`{need}`" for need in info.needs) + ("; a GPU in practice" if info.gpu else ""),
            info.licence,
            info.citation,
        )
        for info in list_metrics()
    ]
    commands = [
        (f"`{name}`", load_command_class("studyserver", name).help)
        for name, app in sorted(get_commands().items())
        if app == "studyserver"
    ]
    columns = [(f"`{row['name']}`", row["type"], row["description"]) for row in data_dictionary()]
    return (
        "\n\n".join(
            [
                "# Reference",
                "Written by `python scripts/write_reference.py` from the program's own tables; do not edit by hand.",
                "## Commands",
                "`python manage.py COMMAND --help` tells the rest. Every one takes `--json`.",
                table(("command", "does"), commands),
                "## Attacks",
                "Strengths are fractions of full scale; `1/255` is one 8-bit level. The range is the authors' own; "
                "matching may go beyond it. Options follow the name: `--attacks fgsm,ifgsm:iterations=4,ioi:keep=0.1`.",
                table(
                    (
                        "name",
                        "attack",
                        "access",
                        "gradients",
                        "strength",
                        "options",
                        "equal at 1 iteration",
                        "citation",
                    ),
                    attacks,
                ),
                "## Target metrics",
                "`python manage.py list_metrics` says which are usable on this machine now. Any other no-reference "
                "metric of pyiqa is named `pyiqa:<name>`; one's own network goes through `wrap_module`. See "
                "[metrics.md](metrics.md).",
                table(
                    (
                        "name",
                        "metric",
                        "better",
                        "range",
                        "scope",
                        "preprocessing",
                        "needs",
                        "licence",
                        "citation",
                    ),
                    metrics,
                ),
                "## The vote table",
                "What `export_votes` writes and `analyze_study` reads; see [votes.md](votes.md).",
                table(("column", "type", "meaning"), columns),
            ]
        )
        + "\n"
    )


def table(header: tuple, rows: list[tuple]) -> str:
    """A Markdown table; pipes inside cells are escaped."""
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if "--check" in sys.argv:
        sys.exit(
            TARGET.read_text() != reference() and "docs/reference.md is out of date: run scripts/write_reference.py"
        )
    TARGET.write_text(reference())
