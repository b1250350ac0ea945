"""The kinds of options: what each takes, and how each refuses."""

import math
from pathlib import Path

import pytest

from attacks import value_text
from attacks.errors import InvalidOption
from attacks.options import Choice, FileOption, Flag, Option

COUNT = Option("iterations", 10, 1, 1000, "steps")
SHARE = Option("eps", 0.5, 0.0, 1.0, "bound")
CHOICE = Choice("variant", "weighted", ("weighted", "reference", "paper_figure"), "which")
FLAG = Flag("frequency", True, "module")
FILE = FileOption("file", "trained")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        (COUNT, 1, 1),
        (COUNT, 1000.0, 1000),
        (SHARE, 0, 0.0),
        (SHARE, 1, 1.0),
        (CHOICE, "reference", "reference"),
        (FLAG, True, True),
        (FLAG, False, False),
        (FLAG, "yes", True),
        (FLAG, "no", False),
        (FILE, "", ""),
        (FILE, "some/where.safetensors", "some/where.safetensors"),
        (FILE, Path("some") / "where.mat", "some/where.mat"),
    ],
)
def test_what_is_taken(option, value, expected):
    checked = option.check("mine", value)
    assert checked == expected and type(checked) is type(expected)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        (COUNT, 0, "a whole number from 1 to 1000, got 0"),
        (COUNT, 1001, "a whole number from 1 to 1000, got 1001"),
        (COUNT, 2.5, "whole number"),
        (COUNT, True, "whole number"),
        (COUNT, "3", "whole number"),
        (COUNT, None, "whole number"),
        (SHARE, -0.001, "a number from 0 to 1, got -0.001"),
        (SHARE, 1.001, "a number from 0 to 1"),
        (SHARE, math.nan, "a number from 0 to 1"),
        (SHARE, math.inf, "a number from 0 to 1"),
        (SHARE, [0.5], "a number from 0 to 1"),
        (CHOICE, "wheighted", "'wheighted'; did you mean 'weighted'"),
        (CHOICE, "xyz", "known names: weighted, reference, paper_figure"),
        (CHOICE, 1, "known names"),
        (CHOICE, None, "known names"),
        (FLAG, "True", "yes or no .*got 'True'"),
        (FLAG, 1, "yes or no"),
        (FLAG, 0.0, "yes or no"),
        (FLAG, None, "yes or no"),
        (FILE, 3, "path of a file, got 3"),
        (FILE, b"bytes", "path of a file"),
        (FILE, True, "path of a file"),
        (FILE, None, "path of a file"),
    ],
)
def test_what_is_refused(option, value, message):
    with pytest.raises(InvalidOption, match=message) as raised:
        option.check("mine", value)
    assert str(raised.value).startswith(f"mine: option {option.name!r}")


@pytest.mark.parametrize(
    ("option", "text"),
    [
        (COUNT, "1 to 1000"),
        (SHARE, "0 to 1"),
        (CHOICE, "weighted or reference or paper_figure"),
        (FLAG, "yes or no"),
        (FILE, "a file"),
    ],
)
def test_what_the_tables_say_is_taken(option, text):
    assert option.accepts == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "yes"), (False, "no"), (10, "10"), (10 / 255, "0.03922"), (1e6, "1e+06"), ("weighted", "weighted")],
)
def test_values_as_they_are_typed(value, text):
    assert value_text(value) == text
