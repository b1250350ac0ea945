"""Reading and checking vote tables: what is kept, and one clear sentence for each thing that is wrong."""

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


def test_labels_stay_text(csv):
    votes = read_votes(csv(f"{HEADER},kind,trial\n001,NA,null,naïve 視,left,null,07\n1,None,a b,null,right,test,8\n"))
    assert list(votes["participant"]) == ["001", "1"]
    assert list(votes["source"]) == ["NA", "None"]
    assert list(votes["left"]) == ["null", "a b"]
    assert list(votes["kind"]) == ["null", "test"]
    assert list(votes["trial"]) == ["07", "8"]
    assert list(votes["left"].cat.categories) == list(votes["right"].cat.categories) == ["a b", "naïve 視", "null"]


def test_columns_that_the_analysis_does_not_know_are_left_out_of_files_and_kept_in_tables(csv):
    header, rows = f"browser,{HEADER},note", 'x,p1,clip,a,b,left,"a, b"\n,p2,clip,b,a,tie,\n'
    for text in (rows, rows.replace('"a, b"', "a b")):
        assert list(read_votes(csv(f"{header}\n{text}"))) == HEADER.split(",")
    assert list(validate_votes(pd.read_csv(csv(f"{header}\n{rows}")))) == header.split(",")
    for text, says in (
        (rows.replace(",tie", ",TIE"), "row 3: choice is 'TIE'"),
        (rows.replace("a, b", 'a"'), "row 2: a quote is opened"),
        (rows.replace('"a, b"', "a, b"), "row 2 has 8 and not 7"),
        (rows.replace('"a, b"', "a\0b"), "row 2 holds a NUL byte"),
    ):
        with pytest.raises(InvalidVotes, match=says):
            read_votes(csv(f"{header}\n{text}"))
    with pytest.raises(InvalidVotes, match=r"lacks 1 column.*it has: browser, participant, source, left, right, note;"):
        read_votes(csv("browser,participant,source,left,right,note\nx,p,s,a,b,y\n"))


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


ROWS = "p,s,a,b,left\np,s,b,a,tie\n"
LATE = f"{HEADER},presented_at\np,s,a,b,left,2026-01-01T10:00\n"


def test_what_is_wrong_is_said_in_one_sentence_with_its_row(csv):
    for text, says in [
        ("", r"votes\.csv is empty; expected a CSV"),
        (f"\n{GOOD}", r"row 1 is empty; the first row has to be the header"),
        (f"{HEADER}\n", "no votes; expected one row per vote"),
        ("participant,source,left,choice\np,s,a,left\n", r"lacks 1 column.*right: the condition.*like p001,bikes"),
        (
            "Participant,Source, left,right,choice\n" + ROWS,
            "rename 'Participant' to participant, 'Source' to source, '",
        ),
        ("Voter,Source,left,right,choice\n" + ROWS, r"lacks 2.*it has: Voter, Source.*rename 'Source' to source; such"),
        (f"{HEADER},choice\np,s,a,b,left,left\n", "has the column choice twice"),
        (GOOD.replace(",", ";"), "has semicolons between its fields and not commas.*decimal points"),
        (GOOD.replace(",", "\t"), "has tabs between its fields"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,b,Left\n", r"row 3: choice is 'Left'; expected left, right or tie, spelled"),
        (f"{HEADER}\np,s,a,b,L\np,s,a,b,R\n", r"row 2: choice is 'L'; .*1 more row\(s\) have another label"),
        (f"{HEADER}\np,s,a,b,1\n", r"row 2: choice is '1'; expected left, right or tie"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,a,left\n", r"row 3: left and right are both 'a'"),
        (f"{HEADER}\n,s,a,b,left\n", "row 2: participant is empty; expected a pseudonym"),
        (f"{HEADER}\n  ,s,a,b,left\n", "row 2: participant is empty"),
        (f"{HEADER}\np,s,a,,left\n", "row 2: right is empty"),
        (f"{HEADER}\np,s,a,b\n", "row 2: choice is empty"),
        (f"{HEADER}\n{ROWS},,,,\n{ROWS}", "row 4 is empty; delete the row"),
        (f"{HEADER}\n{ROWS}\n{ROWS}", "row 4 is empty; delete the row"),
        (f"{HEADER}\np,s,a ,b,left\n", "row 2: left is 'a '; remove the spaces"),
        (f'{HEADER}\np,s,"a\nb",c,left\n', r"row 2: left is 'a\\nb'; remove the characters that cannot be seen"),
        (f"{HEADER}\n{ROWS}p,s,a\u200b,b,left\n", r"row 4: left is 'a\\u200b'; remove the characters"),
        (f"{HEADER}\n{ROWS}p\0q,s,a,b,left\n", "row 4 holds a NUL byte"),
        (f"{HEADER},n\0te\np,s,a,b,left,\n", "row 1 holds a NUL byte"),
        (f"sep=,\n{GOOD}", "row 1 does not name the column.*participant.*; it has to be the header participant,source"),
        (f"{HEADER}\r{ROWS}p,s,a,a,left\r".replace("\n", "\r"), "row 4: left and right are both 'a'"),
        (f"{HEADER}\np,s,a,b,left,extra\n", "not a CSV with the same number of fields.*row 2 has 6 and not 5"),
        (f"{HEADER}\np,s,a,b,left\np,s,a,b,left,extra\n", "not a CSV with the same number of fields.*row 3 has 6"),
        (f'{HEADER},note\n{ROWS}p,s,a,b,left,"one,\ntwo"\np,s,a,b,up,\n', "row 5: choice is 'up'"),
        (f'{HEADER},note\np,s,a,b,left,"x\np,s,a,b,left,"x\n', "row 2: a quote is opened and not closed"),
        (f'{HEADER},note\np,s,a,b,left,"x\np,s,a,b,left,x\n', "row 2: a quote is opened and never closed"),
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
        (f'{HEADER},response_ms\np,s,a,b,left,"1234,5"\n', "row 2: response_ms is 1234,5; .*with a decimal point"),
        (f"{HEADER},response_ms\np,s,a,b,left,1234,5\n", "row 2 has 7 and not 6.*decimal point"),
        (
            f"{LATE}p,s,a,b,left,01.03.2026 10:00\n",
            r"row 3: presented_at is '01\.03\.2026 10:00'; expected a date with",
        ),
        (f"{LATE}p,s,a,b,left,2026-02-30T10:00\n", "row 3: presented_at is '2026-02-30T10:00'"),
        (f"{HEADER},voted_at\np,s,a,b,left,1700000000\n", "row 2: voted_at is '1700000000'; expected a date with its"),
        (
            f"{LATE}p,s,a,b,left,2026-01-01T12:00+02:00\n",
            "row 3: the same trial twice, as in row 2.*participant",
        ),
        (
            f"{HEADER},session,trial\n" + "p,s,a,b,left,v1,7\n" * 2,
            "row 3: the same trial twice, as in row 2.*trial '7'",
        ),
        (f"{HEADER},trial\n" + "p,s,a,b,left,7\n" * 2, "row 3: the same trial twice, as in row 2"),
        (f"{HEADER},voted_at\n" + "p,s,a,b,left,2026-01-01T10:00\n" * 2, "row 3: the same trial twice"),
    ]:
        with pytest.raises(InvalidVotes, match=says) as caught:
            read_votes(csv(text))
        assert "\n" not in str(caught.value)


def test_encodings_of_spreadsheets_are_named(csv):
    for encoding, says in (
        ("utf-16", "is UTF-16 text and not UTF-8; save it as 'CSV UTF-8"),
        ("utf-16-le", "is UTF-16 text"),
        ("latin-1", r"votes\.csv, row 3 is not UTF-8 text \(near 'Jürgen,clip,b,'"),
    ):
        with pytest.raises(InvalidVotes, match=says):
            read_votes(csv(GOOD.replace("p2", "Jürgen"), encoding))


def test_rows_that_a_spreadsheet_leaves_at_the_end_are_no_votes(csv):
    for rows in (",,,,\n,,,,\n", ",,,,\n\n", "\n\n"):
        assert len(read_votes(csv(GOOD + rows))) == 2


def test_plain_and_quoted_files_give_one_table(csv):
    """The fast reader of plain files against pandas, which reads those with quotes."""
    header = f"{HEADER},kind,expected,response_ms,presented_at,use,playback_ok,reason,session,trial,browser"
    rows = [
        "p1,clip,a,a longer label than most,left,test,,12.25,2026-01-01T10:00:00.000001+00:00,True,,,7,0.1,x",
        "001,naïve 視,b,a,tie,verification,left,,2026-01-01T11:00+01:00,False,True,late,8,NA,",
        "p1,clip,a longer label than mosT,b,right,null,,1e-7,,true,False,,9,,1",
        "p1,clip,b,c,right,repeat,,0.30000000000000004,2026-01-01 10:00:00Z,true,False,,-10,1,x",
    ]
    plain = read_votes(csv("\n".join([header, *rows]) + "\n"))
    for other in (
        "\n".join([header, *rows]),
        "\r\n".join([header, *rows]) + "\r\n",
        "\n".join([header.replace("browser", '"browser"'), *rows]),
    ):
        pd.testing.assert_frame_equal(read_votes(csv(other)), plain)
    assert plain["presented_at"].iloc[[0, 1]].astype(str).tolist() == [
        "2026-01-01 10:00:00.000001+00:00",
        "2026-01-01 10:00:00+00:00",
    ]
    assert plain["response_ms"].tolist()[::2] == [12.25, 1e-7] and plain["response_ms"].iloc[3] == 0.1 + 0.2


def test_a_time_without_a_zone_is_utc_whatever_stands_above_it(csv):
    times = ["2026-01-02 03:04+01:00", "2026-01-01T00:00:00.25", "", "2026-01-01T00:00:00Z"]
    for quote in ("", '"'):
        rows = "".join(f"p,s,a,b,left,{quote}{time}{quote}\n" for time in times)
        read = read_votes(csv(f"{HEADER},voted_at\n{rows}"))["voted_at"].dt.tz_localize(None)
        assert read[:2].tolist() == [pd.Timestamp("2026-01-02 02:04"), pd.Timestamp("2026-01-01 00:00:00.25")]
        assert read.isna().tolist() == [False, False, True, False]


def test_the_row_of_a_wrong_time_is_told_in_whatever_part_of_a_file_it_stands(csv, monkeypatch):
    monkeypatch.setattr("analysis.plain_csv._CHUNK", 64)
    with pytest.raises(InvalidVotes, match="row 5: voted_at is '7'"):
        read_votes(csv(f"{HEADER},voted_at\n" + "p,s,a,b,left,\n" * 3 + "p,s,a,b,left,7\n"))


def test_columns_of_many_different_fields(csv, monkeypatch):
    """They are read field by field in the fast way; parts that are smaller than the file give the same table."""
    rows = "".join(f"p{k},s,a,b,left,{k / 7},n{k} é,n{k} é\n" for k in range(1100))
    text = f"{HEADER},response_ms,reason,note\n{rows}"
    whole = read_votes(csv(text.replace("n7 é", '"n7 é"')))
    monkeypatch.setattr("analysis.plain_csv._CHUNK", 1 << 15)
    pd.testing.assert_frame_equal(read_votes(csv(text)), whole)
    broken = csv(text)
    for place in ("reason", "note"):
        last = "\n" if place == "note" else ","
        broken.write_bytes(text.encode().replace(f"n1000 é{last}".encode(), f"n1000 \xe9{last}".encode("latin-1")))
        with pytest.raises(InvalidVotes, match="row 1002 is not UTF-8 text"):
            read_votes(broken)


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
def test_many_votes_are_read_as_they_were_written(tmp_path):
    rng = np.random.default_rng(0)
    size = 20_000
    left = rng.integers(10, size=size)
    frame = pd.DataFrame(
        {
            "participant": np.char.add("P", rng.integers(2_000, size=size).astype(str)),
            "source": np.char.add("clip", rng.integers(20, size=size).astype(str)),
            "left": np.char.add("c", left.astype(str)),
            "right": np.char.add("c", ((left + rng.integers(1, 10, size=size)) % 10).astype(str)),
            "choice": np.array(["left", "right"])[rng.integers(2, size=size)],
        }
    )
    frame["response_ms"] = rng.integers(300, 20_000, size=size)
    moments = np.datetime64("2026-01-01T00:00:00.000000") + rng.permutation(size).astype("timedelta64[ms]")
    frame["presented_at"] = np.char.add(np.datetime_as_string(moments), "+00:00")
    frame["use"] = rng.random(size) < 0.95
    frame.to_csv(tmp_path / "votes.csv", index=False)
    votes = read_votes(tmp_path / "votes.csv")
    assert fit_bradley_terry(votes).n_votes == frame["use"].sum()
    assert votes["response_ms"].sum() == frame["response_ms"].sum()
    assert (votes["presented_at"].dt.tz_localize(None).to_numpy() == moments).all()
    for column in frame.columns[:5]:
        assert (votes[column].astype(str).to_numpy() == frame[column].to_numpy()).all()
    pd.testing.assert_frame_equal(validate_votes(votes), votes)
