"""The score table: what is read, and what is refused in one sentence with its row."""

import numpy as np
import pytest

from analysis import read_scores, validate_scores
from analysis.errors import InvalidScores
from analysis.robustness.score_table import is_score_table


def test_scores_are_read_to_the_last_digit(score_file, score_table):
    options = {"metrics": ("maniqa", "niqe"), "attacks": ("fgsm", "ioi"), "datasets": ("a", "b")}
    written, read = score_table(**options), read_scores(score_file(**options))
    for column in ("clear", "attacked", "strength", "frame"):
        np.testing.assert_array_equal(read[column], written[column])
    assert read["lower_better"].dtype == bool
    assert set(read.loc[read["lower_better"], "metric"]) == {"niqe"}
    assert validate_scores(read).equals(read)
    capitals = written.assign(lower_better=[label.upper() for label in written["lower_better"]])
    capitals.loc[0, "lower_better"] = "False"
    assert validate_scores(capitals)["lower_better"].equals(read["lower_better"])
    assert validate_scores(written.assign(note="kept"))["note"].eq("kept").all()


@pytest.mark.parametrize(
    ("column", "row", "value", "says"),
    [
        ("clear", 1, "", "row 3: clear is empty; expected a finite number"),
        ("attacked", 0, "inf", "row 2: attacked is inf"),
        ("attacked", 2, "high", "row 4: attacked is high"),
        ("setting", 1, "medium", "row 3: setting is 'medium'; expected default, low, high or set"),
        ("lower_better", 1, "maybe", "row 3: lower_better is 'maybe'; expected true or false"),
        ("lower_better", 1, "true", "row 3: lower_better of metric 'maniqa' is not what it is in the rows before"),
        ("frame", 1, "0", "row 3: the same frame twice"),
        ("frame", 1, "1.5", "row 3: frame is 1.5; expected a whole number"),
        ("strength", 1, "-1", "row 3: strength is -1"),
        ("metric", 2, "", "row 4: metric is empty; expected the metric that gave the scores"),
        ("attack", 2, " fgsm", "row 4: attack is ' fgsm'; remove the spaces"),
        ("attack", 2, "universal", "row 4: attack is 'universal', which the report uses"),
        ("attack", 2, "fg\nsm", "row 4: attack is 'fg.nsm'; remove the characters that cannot"),
        ("clear", 2, "-1e300", "row 4: clear is -1e.300; expected a finite number, below 1e.100 in size"),
        ("frame", 2, "1e30", "row 4: frame is 1e.30; expected a whole number"),
        ("dataset", 2, "all", "row 4: dataset is 'all', which the report uses"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(score_table, tmp_path, column, row, value, says):
    table = score_table().astype(str)
    table.loc[row, column] = value
    table.to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(InvalidScores, match=says) as caught:
        read_scores(tmp_path / "scores.csv")
    assert "\n" not in str(caught.value)


def test_tables_that_are_none(score_table, tmp_path):
    path = tmp_path / "scores.csv"
    with pytest.raises(InvalidScores, match="does not exist; give the path of a CSV of scores"):
        read_scores(path)
    score_table().drop(columns=["clear", "source"]).to_csv(path, index=False)
    with pytest.raises(InvalidScores, match="lacks 2 column"):
        read_scores(path)
    score_table().head(0).to_csv(path, index=False)
    with pytest.raises(InvalidScores, match="has a header and no scores"):
        read_scores(path)
    with pytest.raises(InvalidScores, match="expected a pandas DataFrame"):
        validate_scores([1, 2])


def test_scores_are_told_from_votes_by_their_header(score_file, tmp_path):
    assert is_score_table(score_file())
    for changed in (("clear,", ""), ("lower_better", "direction"), (",", ";")):
        path = score_file()
        path.write_text(path.read_text().replace(*changed))
        assert is_score_table(path)
    (tmp_path / "votes.csv").write_text("participant,source,left,right,choice\n")
    assert not is_score_table(tmp_path / "votes.csv")
    assert not is_score_table(tmp_path / "none.csv")
