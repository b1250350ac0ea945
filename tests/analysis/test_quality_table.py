"""Means and intervals over sources against scipy's t-test, and the table that is printed of them."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from analysis import objective_quality, write_quality_report
from analysis.errors import AnalysisError, InvalidOption, InvalidQuality
from analysis.objective.quality_table import MEASURES

KEYS = [measure.key for measure in MEASURES]


def rows_for(seed=0, sources=5, conditions=("fgsm", "reference", "ioi"), **changes):
    """One row per source and condition; `changes`: of one key, by condition, a list over sources."""
    rng = np.random.default_rng(seed)
    rows = []
    for condition in conditions:
        for number in range(sources):
            row = {"source": f"s{number}", "condition": condition, "speed_matched": None}
            row |= dict(zip(KEYS, rng.uniform(0.1, 1, len(KEYS)), strict=True))
            row |= {key: values[condition][number] for key, values in changes.items() if condition in values}
            rows.append(row)
    return rows


def column(quality, key):
    """(text, marked) of a measure's column, by the first cell of the row."""
    index = 2 + KEYS.index(key)
    return {row[0]: (row[index], (i, index) in quality.table.bold) for i, row in enumerate(quality.table.rows)}


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_means_and_intervals_are_those_of_the_t_test(level):
    rows = rows_for()
    for condition in objective_quality(rows, caption="", level=level).conditions:
        assert condition.sources == 5
        for key, estimate in condition.estimates.items():
            values = [row[key] for row in rows if row["condition"] == condition.condition]
            oracle = ttest_1samp(values, 0).confidence_interval(level)
            assert estimate.mean == pytest.approx(np.mean(values), rel=1e-12)
            assert (estimate.low, estimate.high) == pytest.approx((oracle.low, oracle.high), rel=1e-9)
            assert (estimate.n, estimate.missing) == (5, 0)


def test_the_reference_comes_first_and_the_best_attack_of_a_column_is_marked():
    same = {"reference": [1.0] * 3, "fgsm": [0.9, 0.9, 0.9], "ioi": [0.95, 0.95, 0.95]}
    quality = objective_quality(rows_for(sources=3, ssim=same, lpips=same, gain_delivered=same), caption="Gain.")
    assert [row[:2] for row in quality.table.rows] == [("reference (codec only)", "3"), ("fgsm", "3"), ("ioi", "3")]
    assert [row[2] for row in quality.table.rows] == ["1.0000 ± 0.0000", "0.9000 ± 0.0000", "0.9500 ± 0.0000"]
    higher, lower, neither = (column(quality, key) for key in ("ssim", "lpips", "gain_delivered"))
    assert [marked for _, marked in higher.values()] == [False, False, True]
    assert [marked for _, marked in lower.values()] == [False, True, False]
    assert neither["ioi"] == ("95.00 ± 0.00", False)
    assert quality.table.columns[2:5] == ("SSIM ↑", "PSNR, dB ↑", "VIF ↑")
    assert quality.table.caption.startswith("Gain. Means with 95 % Student-t intervals over 3 sources.")


def test_means_that_print_alike_are_both_marked_and_one_attack_is_not():
    alike = {"fgsm": [0.90001] * 2, "ioi": [0.90002] * 2}
    marks = column(objective_quality(rows_for(sources=2, ssim=alike), caption=""), "ssim")
    assert [marked for _, marked in marks.values()] == [False, True, True]
    zero = {"fgsm": [-0.0001, 0.0], "ioi": [-0.2, -0.4]}
    cells = column(objective_quality(rows_for(sources=2, psnr=zero), caption=""), "psnr")
    assert cells["fgsm"][0] == "0.00 ± 0.00" and cells["ioi"][0].startswith("−0.30")
    alone = objective_quality(rows_for(sources=2, conditions=("reference", "ioi")), caption="").table
    assert not alone.bold and "marked" not in alone.caption


def test_values_that_do_not_exist_are_counted_and_left_out():
    psnr = {"reference": [None, None, 60.0], "fgsm": [40.0, 42.0, 44.0], "ioi": [None, 50.0, 52.0]}
    absent = dict.fromkeys(("reference", "fgsm", "ioi"), [None] * 3)
    quality = objective_quality(rows_for(sources=3, psnr=psnr, lpips=absent), caption="")
    assert column(quality, "psnr") == {
        "reference (codec only)": ("60.00 (1)", False),
        "fgsm": ("42.00 ± 4.97", False),
        "ioi": ("51.00 ± 12.71 (2)", False),
    }
    assert set(column(quality, "lpips").values()) == {("–", False)}
    estimate = quality.conditions[2].estimates["psnr"]
    assert (estimate.n, estimate.missing) == (2, 1)
    assert "In brackets" in quality.table.caption


def test_an_attack_that_fell_short_on_a_source_is_never_marked():
    rows = [row for row in rows_for(ssim={"ioi": [0.999] * 5}) if (row["condition"], row["source"]) != ("ioi", "s0")]
    quality = objective_quality([*rows, *rows_for(conditions=("mifgsm",), seed=1)], caption="")
    marks = column(quality, "ssim")
    assert marks["ioi"][0].startswith("0.9990") and not marks["ioi"][1]
    assert sum(marked for _, marked in marks.values()) == 1
    assert [row[1] for row in quality.table.rows] == ["5", "5", "4", "5"]
    assert "did not reach the target on the others" in quality.table.caption


def test_one_source_has_no_intervals():
    quality = objective_quality(rows_for(sources=1, psnr={"ioi": [41.234]}), caption="")
    assert column(quality, "psnr")["ioi"][0] == "41.23"
    assert quality.conditions[1].estimates["psnr"].low is None
    assert "One source, so no intervals." in quality.table.caption


def test_attacks_of_more_than_one_gradient_are_daggered():
    marks = {"fgsm": [True, True], "ioi": [True, False]}
    quality = objective_quality(rows_for(sources=2, speed_matched=marks), caption="")
    assert [row[0] for row in quality.table.rows] == ["reference (codec only)", "fgsm", "ioi†"]
    assert [condition.speed_matched for condition in quality.conditions] == [None, True, False]
    assert quality.table.caption.endswith("† More than one gradient per frame.")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no attack"),
        (rows_for(conditions=("reference",)), "no attack"),
        (rows_for(sources=1) * 2, "'fgsm' of the source 's0' is there twice"),
        ([{**rows_for()[0], "vif": float("nan")}], "vif of 'fgsm' on 's0' is nan"),
        ([{**rows_for()[0], "vif": "1"}], "is '1'; expected a finite number"),
        ([{key: 1 for key in ("source", "condition", "psnr")}], "lacks 'ssim'"),
    ],
)
def test_wrong_rows_are_one_sentence(rows, message):
    with pytest.raises(InvalidQuality, match=message) as caught:
        objective_quality(rows, caption="")
    assert "\n" not in str(caught.value)


def test_a_level_outside_0_to_1_is_refused():
    with pytest.raises(InvalidOption, match="level is 95"):
        objective_quality(rows_for(), caption="", level=95)


def test_files_hold_all_tables(tmp_path):
    tables = [
        objective_quality(
            rows_for(seed, lpips=dict.fromkeys(("fgsm", "reference", "ioi"), [None] * 5)),
            caption=f"Caption {seed}.",
            label=f"tab:{seed}",
            about={"target_metric": name, "gain": 0.1},
        )
        for seed, name in enumerate(("demo", "niqe"))
    ]
    paths = write_quality_report(tables, tmp_path / "out")
    assert [path.name for path in paths] == ["objective.csv", "objective.md", "objective.tex"]
    table = pd.read_csv(paths[0])
    assert list(table["target_metric"]) == ["demo"] * 3 + ["niqe"] * 3
    assert list(table["condition"]) == ["reference", "fgsm", "ioi"] * 2
    assert table["vif_high"][4] == pytest.approx(tables[1].conditions[1].estimates["vif"].high, rel=1e-11)
    assert table["lpips_mean"].isna().all() and (table["lpips_n"] == 0).all()
    for path, mark in zip(paths[1:], ("| Attack", r"\label{tab:1}"), strict=True):
        text = path.read_text(encoding="utf-8")
        assert "Caption 0." in text and "Caption 1." in text and mark in text
    with pytest.raises(AnalysisError, match="cannot be written"):
        write_quality_report(tables, paths[0])
