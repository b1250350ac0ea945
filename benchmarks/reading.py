"""Time to read a CSV of votes: this project beside pandas and, where they are installed, polars and evalica's loader.

    python -m benchmarks.reading [--votes 1000000] [--participants 10000] [--conditions 10] [--rounds 3]

Ours includes all checks (labels, kinds, times, trials that are there twice); the others only read. Three files are
read: the five columns that a vote needs, those with the optional columns that the analysis knows, and all 35 of an
export, 18 of which ours passes over. Methods take turns in one process with one thread; the least CPU seconds of the
rounds count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1"))
import numpy as np
import pandas as pd

from analysis import read_votes, validate_votes

NEEDED = ["participant", "source", "left", "right", "choice"]


def simulate(votes: int, participants: int, conditions: int, seed: int = 0) -> pd.DataFrame:
    """Votes with the columns that an export has and the analysis knows."""
    rng = np.random.default_rng(seed)
    person, clip = rng.integers(participants, size=votes), rng.integers(20, size=votes)
    left = rng.integers(conditions, size=votes)
    right = (left + rng.integers(1, conditions, size=votes)) % conditions
    names = np.array(["reference", *(f"attack{k}" for k in range(1, conditions))])
    kind = rng.choice(["test", "verification", "repeat"], p=[0.85, 0.1, 0.05], size=votes)
    shown = np.datetime64("2026-01-01T00:00:00.000000") + rng.integers(0, 10**12, size=votes).astype("timedelta64[us]")
    use = rng.random(votes) < 0.95
    people = np.array([f"p{k:05d}" for k in range(participants)])
    return pd.DataFrame(
        {
            "participant": people[person],
            "source": np.array([f"clip{k:02d}" for k in range(20)])[clip],
            "left": names[left],
            "right": names[right],
            "choice": rng.choice(["left", "right", "tie"], p=[0.45, 0.45, 0.1], size=votes),
            "target_metric": "paq2piq",
            "kind": kind,
            "expected": np.where(kind == "verification", "left", ""),
            "response_ms": rng.integers(300, 20_000, size=votes),
            "presented_at": np.char.add(np.datetime_as_string(shown), "+00:00"),
            "session": np.char.add(people[person], "-1"),
            "playback_ok": rng.random(votes) < 0.97,
            "use": use,
            "reason": np.where(use, "", "did not finish"),
            "origin": "real",
        }
    )


def exported(table: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """The table with what `manage.py export_votes` writes beside it: how the pair was shown and how it played."""
    rng = np.random.default_rng(seed)
    votes = len(table)
    shown = table["presented_at"].str.removesuffix("+00:00").to_numpy(dtype="datetime64[ms]")
    answered = shown + table["response_ms"].to_numpy(dtype="timedelta64[ms]")
    moments = {"presented_at": shown, "voted_at": answered}
    return table.assign(
        **{name: np.char.add(np.datetime_as_string(moment), "+00:00") for name, moment in moments.items()},
        session_outcome="completed",
        consent_version=1,
        position=rng.integers(1, 23, votes),
        attempt=np.where(rng.random(votes) < 0.1, "1", ""),
        presentation="side-by-side",
        device_pixel_ratio=rng.choice([1.0, 1.25, 1.5, 2.0], votes),
        scale=1.0,
        refresh_hz=np.round(rng.normal(60, 0.05, votes), 3),
        first_frame_ms=rng.integers(20, 200, votes),
        play_ms=rng.integers(3000, 3400, votes),
        plays=rng.integers(1, 4, votes),
        out_of_step=0,
        stalls=rng.integers(0, 3, votes),
        dropped=rng.integers(0, 9, votes),
        in_step_share=1 - rng.integers(0, 9, votes) / rng.integers(150, 190, votes),
        hidden=0,
        switches="",
        excluded=False,
        use_rule=1,
    )


def naive(path: Path) -> pd.DataFrame:
    """What one writes without us: read, then give the columns their types."""
    table = pd.read_csv(path)
    for column in table.columns.intersection([*NEEDED, "target_metric", "kind", "expected"]):
        table[column] = table[column].astype("category")
    if "presented_at" in table:
        table["presented_at"] = pd.to_datetime(table["presented_at"], format="ISO8601", utc=True)
    return table


def readers() -> dict:
    """Name to function of a path."""
    found = {"ours: read_votes, all checks": read_votes, "pandas.read_csv": pd.read_csv, "pandas, with types": naive}
    try:
        import polars

        found["polars.read_csv, one thread"] = polars.read_csv
    except ImportError:
        print("polars is not installed", file=sys.stderr)
    try:
        import evalica  # noqa: F401

        # evalica takes lists of labels and brings no reader: this is what its own examples do.
        found["pandas.read_csv, lists for evalica"] = lambda path: [
            pd.read_csv(path, dtype=str)[column].tolist() for column in ("left", "right", "choice")
        ]
    except ImportError:
        print("evalica is not installed", file=sys.stderr)
    return found


def main() -> None:
    """Run the comparison and print a table for each file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--participants", type=int, default=10_000)
    parser.add_argument("--conditions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="read the whole export once with ours; print the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.csv" for name in ("needed", "optional", "export")}
        table = simulate(options.votes, options.participants, options.conditions)
        table.to_csv(paths["optional"], index=False)
        table[NEEDED].to_csv(paths["needed"], index=False)
        exported(table).to_csv(paths["export"], index=False)
        del table
        if options.memory:
            print_memory(paths["export"])
            return
        methods = readers()
        for name, path in paths.items():
            best = dict.fromkeys([*methods, "ours: validate_votes again"], np.inf)
            for _ in range(options.rounds):
                for method, read in methods.items():
                    best[method] = min(best[method], seconds(read, path))
                votes = read_votes(path)
                again = "ours: validate_votes again"
                best[again] = min(best[again], seconds(validate_votes, votes))
                del votes
            print(f"{options.votes:,} votes, {name} columns, {path.stat().st_size / 1e6:.0f} MB")
            first = next(iter(methods))
            for method, spent in best.items():
                print(f"  {method:36s} {spent:7.2f} s  {spent / best[first]:6.2f}")


def seconds(function, argument) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    function(argument)
    return time.process_time() - started


def print_memory(path: Path) -> None:
    """Memory of the table, and the most that the process held, in a process of its own."""

    # Linux; getrusage would give the most of this process where that held more.
    code = (
        "import re, sys; from analysis import read_votes; votes = read_votes(sys.argv[1]); "
        "most = int(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]); "
        "print(f'{votes.memory_usage(deep=True).sum() / 1e6:.0f} MB of table, '"
        "f'{most * 1.024 / 1e3:.0f} MB at most in the process')"
    )
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=root)


if __name__ == "__main__":
    main()
