"""Sentences of a report."""

import dataclasses
import re

import pandas as pd
import pytest

from analysis import fit_bradley_terry
from analysis.participants.agreement import Agreement
from analysis.report.sentences import agreement_points, flip_sentence, objective_sentence
from analysis.report.summary import answer_sentence, left_out
from analysis.votes import validate_votes


@pytest.mark.parametrize(
    ("rows", "reference", "says"),
    [
        (
            [("reference", "good", 30, 20, 0), ("reference", "bad", 45, 5, 0), ("good", "bad", 40, 10, 0)],
            "reference",
            r"Of 2 attacks, good is the least visible \(preferred over the reference in 3\d % of votes, 95 % interval "
            r"\d+ % to \d+ %\); bad is the most visible \(.*\)\.",
        ),
        (
            [("reference", "x", 45, 5, 0), ("reference", "y", 45, 5, 0), ("x", "y", 25, 25, 0)],
            "reference",
            r"^The attacks x and y are not told apart: x has the highest score \(.*\), "
            r"y the lowest \(10 %, \d+ % to \d+ %\)\.$",
        ),
        (
            [("reference", c, 45, 5, 0) for c in "xyz"]
            + [("x", "y", 26, 24, 0), ("y", "z", 45, 5, 0), ("x", "z", 45, 5, 0)],
            "reference",
            r"^Of 3 attacks, x has the highest score \(.*\) but is not told apart from y; "
            r"z is the most visible \(.*\)\.$",
        ),
        (
            [("reference", "x", 40, 10, 0)],
            "reference",
            r"^x was preferred over the reference in 20 % .*, clearly not an even choice\.$",
        ),
        (
            [("reference", "x", 26, 24, 0)],
            "reference",
            r"^x was preferred over .* 48 % .*, not told apart from an even choice\.$",
        ),
        ([("a", "b", 40, 10, 0)], None, r"^a was preferred over b in 80 % of votes, .*, clearly not an even choice\.$"),
        (
            [("a", "b", 40, 10, 0), ("b", "c", 40, 10, 0)],
            None,
            r"^Of 3 conditions, a is preferred most; c is preferred least; "
            r"a is preferred over c in 94 % of votes, 95 % interval",
        ),
    ],
)
def test_the_answer_in_a_sentence(write_counts, rows, reference, says):
    result = fit_bradley_terry(write_counts(rows), cluster=None)
    assert re.search(says, answer_sentence(result, reference=reference, level=0.95))


def test_a_sentence_lists_few_names(write_counts):
    rows = [(a, b, 25, 25, 0) for k, a in enumerate("abcdef") for b in "abcdef"[k + 1 :]] + [("a", "z", 49, 1, 0)]
    answer = answer_sentence(fit_bradley_terry(write_counts(rows), cluster=None), reference=None, level=0.95)
    assert re.search(r"not told apart from \w, \w, \w and 2 others", answer)


def test_what_counts_is_said(write_counts):
    """Who failed a check and counts all the same, and why other rows do not count."""
    votes = validate_votes(write_counts([("reference", "x", 40, 10, 0), ("x", "y", 30, 20, 0)]))
    odd = votes.iloc[[0, 1, 2, 2, 3]].assign(kind=["verification", "verification", "repeat", "null", "training"])
    odd = odd.assign(expected=["right", "right", None, None, None], choice="left")
    table = validate_votes(pd.concat([votes.assign(kind="test"), odd.astype({"kind": str})]))
    assert dict(left_out(table)) == {
        "verification pairs": 2,
        "practice pairs": 1,
        "repeated pairs": 1,
        "pairs of one and the same video": 1,
    }


def test_measures_that_lead_together_are_all_named():
    correlations = {
        "psnr": (0.9, 0.3),
        "gain": (0.9, None),
        "vif": (0.9, 0.3),
        "ssim": (0.9 - 1e-16, 0.4),
        "mse": (0.2, 0),
    }
    rows = [
        {"measure": name, "heading": name.upper(), "over": "conditions", "srocc": srocc, "leads": leads}
        for name, (srocc, leads) in correlations.items()
    ]
    assert objective_sentence({"lead": {"best": "psnr", "second": "vif"}, "table": rows}) == (
        "No measure leads alone: PSNR, VIF and SSIM have the same SROCC (+0.90)."
    )


def test_repeats_with_swapped_sides_are_told_once():
    share = {"share": 0.5, "of": 40, "low": 0.4, "high": 0.6}
    repeats = {"same": share, "chance": 0.4, "model": None}
    told = dict.fromkeys(field.name for field in dataclasses.fields(Agreement))
    told |= {"repeats": repeats, "reversed_repeats": repeats}
    assert [heading for heading, _ in agreement_points(told, 0.95)] == ["Pairs repeated with sides swapped"]
    told["repeats"] = repeats | {"same": share | {"of": 60}}
    assert len(agreement_points(told, 0.95)) == 2


def test_votes_that_flip_in_a_sentence():
    flip = {"first": "x", "second": "y", "n_votes": 100, "dropped": 9, "dropped_share": 0.09, "reversed": None}
    assert flip_sentence(flip | {"reversed_share": None}) == (
        "y would come before x if 9 of the 100 votes (9.0 %) were left out: those that speak most for x."
    )
