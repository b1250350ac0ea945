"""Reading and checking vote tables: what is kept, and one clear sentence for each thing that is wrong."""

import time

import numpy as np
import pandas as pd
import pytest

from analysis import AnalysisError, fit_bradley_terry, read_votes, validate_votes
from analysis.errors import InvalidVotes
from analysis.votes import counted_votes

HEADER = "participant,source,left,right,choice"
GOOD = f"{HEADER}\np1,clip,a,b,left\np2,clip,b,a,tie\n"


@pytest.fixture
def csv(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "votes.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_labels_stay_text_and_unknown_columns_are_kept(csv):
    votes = read_votes(csv(f"{HEADER},kind,browser\n001,NA,null,naïve 視,left,null,7\n1,None,a b,null,right,test,8\n"))
    assert list(votes["participant"]) == ["001", "1"]
    assert list(votes["source"]) == ["NA", "None"]
    assert list(votes["left"]) == ["null", "a b"]
    assert list(votes["kind"]) == ["null", "test"]
    assert list(votes["browser"]) == [7, 8]
    assert list(votes["left"].cat.categories) == list(votes["right"].cat.categories) == ["a b", "naïve 視", "null"]


def test_optional_columns_are_typed(csv):
    votes = read_votes(csv(f"{HEADER},use,playback_ok,response_ms\np,s,a,b,left,True,,12.5\np,s,a,b,left,no,1,\n"))
    assert list(votes["use"]) == [True, False]
    assert votes["playback_ok"].isna().tolist() == [True, False]
    assert votes["playback_ok"].iloc[1]
    np.testing.assert_equal(votes["response_ms"].to_numpy(), [12.5, np.nan])


def test_spreadsheet_byte_order_mark_is_no_part_of_the_header(csv):
    assert len(read_votes(csv(GOOD, "utf-8-sig"))) == 2


def test_nullable_and_string_types_of_other_tools_are_accepted():
    frame = pd.DataFrame(
        {
            "participant": [1, 2],
            "source": pd.array(["s", "s"], dtype="string"),
            "left": ["a", "b"],
            "right": ["b", "a"],
            "choice": pd.array(["left", "tie"], dtype="string"),
            "expected": ["", None],
            "use": pd.array([True, False], dtype="boolean"),
            "response_ms": pd.array([5, None], dtype="Int64"),
        }
    )
    before = frame.copy(deep=True)
    votes = validate_votes(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert list(votes["participant"]) == ["1", "2"]
    assert votes["expected"].isna().all()
    assert votes["use"].tolist() == [True, False]
    pd.testing.assert_frame_equal(validate_votes(votes), votes)


def test_a_ranking_counts_test_votes_in_use():
    kinds = ["test", "test", "training", "verification", "repeat"]
    frame = pd.DataFrame(
        {"participant": "p", "source": "s", "left": "a", "right": "b", "choice": "left", "kind": kinds}
    )
    frame["expected"], frame["use"] = "left", [True, False, True, True, True]
    assert list(counted_votes(validate_votes(frame)).index) == [0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"votes\.csv is empty; expected a CSV"),
        (f"{HEADER}\n", "no votes; expected one row per vote"),
        (
            "participant,source,left,choice\np,s,a,left\n",
            r"lacks 1 column.*right: the condition.*it has: participant, source",
        ),
        ("participant;source;left;right;choice\np;s;a;b;left\n", r"lacks 5 column.*it has: participant;source"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,b,Left\n", r"row 3: choice is 'Left'; expected left, right or tie"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,a,left\n", r"row 3: left and right are both 'a'"),
        (f"{HEADER}\n,s,a,b,left\n", "row 2: participant is empty; expected a pseudonym"),
        (f"{HEADER}\n  ,s,a,b,left\n", "row 2: participant is empty"),
        (f"{HEADER}\np,s,a,,left\n", "row 2: right is empty"),
        (f"{HEADER}\np,s,a,b\n", "row 2: choice is empty"),
        (f"{HEADER}\np,s,a ,b,left\n", "row 2: left is 'a '; remove the spaces"),
        (f"{HEADER}\np,s,a,b,left,extra\n", "not a CSV with the same number of fields"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,b,left,extra\n", "not a CSV with the same number of fields.*line 3"),
        (f"{HEADER},kind\np,s,a,b,left,Test\n", "row 2: kind is 'Test'; expected test, verification"),
        (f"{HEADER},kind\np,s,a,b,left,\n", "row 2: kind is empty"),
        (
            f"{HEADER},kind,expected\np,s,a,b,left,test,\np,s,a,b,left,verification,\n",
            "row 3: a verification vote without",
        ),
        (f"{HEADER},kind\np,s,a,b,left,verification\n", "row 2: a verification vote without `expected`"),
        (f"{HEADER},expected\np,s,a,b,left,up\n", "row 2: expected is 'up'"),
        (f"{HEADER},use\np,s,a,b,left,maybe\n", "row 2: use is 'maybe'; expected true or false"),
        (f"{HEADER},use\np,s,a,b,left,yes\np,s,a,b,left,\n", "row 3: use is empty; expected true or false"),
        (f"{HEADER},response_ms\np,s,a,b,left,soon\n", "row 2: response_ms is soon"),
        (f"{HEADER},response_ms\np,s,a,b,left,-4\n", "row 2: response_ms is -4"),
        (f"{HEADER},presented_at\n" + "p,s,a,b,left,2026-01-01T10:00\n" * 2, "row 3: the same trial twice"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_row(csv, text, says):
    with pytest.raises(InvalidVotes, match=says) as caught:
        read_votes(csv(text))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_csv(csv, tmp_path):
    with pytest.raises(InvalidVotes, match=r"nowhere\.csv does not exist"):
        read_votes(tmp_path / "nowhere.csv")
    with pytest.raises(InvalidVotes, match="is a folder"):
        read_votes(tmp_path)
    path = csv("")
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe" * 20)
    with pytest.raises(InvalidVotes, match="not UTF-8 text"):
        read_votes(path)
    with pytest.raises(InvalidVotes, match="expected a pandas DataFrame"):
        validate_votes([("p", "s", "a", "b", "left")])


def test_rows_of_a_table_are_counted_from_one():
    frame = pd.DataFrame({"participant": ["p", None], "source": "s", "left": "a", "right": "b", "choice": "tie"})
    with pytest.raises(AnalysisError, match="vote table, row 2: participant is empty"):
        validate_votes(frame)


def test_a_column_twice():
    frame = pd.DataFrame([["p", "s", "a", "b", "left", "left"]], columns=[*HEADER.split(","), "choice"])
    with pytest.raises(InvalidVotes, match="column choice twice"):
        validate_votes(frame)


def test_deliberate_pairs_of_equals_and_votes_repeated_at_another_time_are_fine(csv):
    rows = "p,s,a,a,tie,null,\n" + "".join(
        f"p,s,a,b,{c},test,2026-01-01T10:0{k}\n" for k, c in enumerate(("left", "right"))
    )
    assert len(read_votes(csv(f"{HEADER},kind,presented_at\n{rows}"))) == 3


@pytest.mark.slow
def test_a_million_votes_are_read_and_fitted_quickly(tmp_path):
    rng = np.random.default_rng(0)
    size = 1_000_000
    left = rng.integers(10, size=size)
    frame = pd.DataFrame(
        {
            "participant": np.char.add("P", rng.integers(20_000, size=size).astype(str)),
            "source": np.char.add("clip", rng.integers(20, size=size).astype(str)),
            "left": np.char.add("c", left.astype(str)),
            "right": np.char.add("c", ((left + rng.integers(1, 10, size=size)) % 10).astype(str)),
            "choice": np.array(["left", "right"])[rng.integers(2, size=size)],
        }
    )
    frame.to_csv(tmp_path / "votes.csv", index=False)
    started = time.process_time()
    votes = read_votes(tmp_path / "votes.csv")
    assert time.process_time() - started < 6  # measured: 0.5 s on a quiet machine
    started = time.process_time()
    assert fit_bradley_terry(votes).n_votes == size
    assert time.process_time() - started < 4  # measured: 0.3 s
