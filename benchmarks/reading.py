"""Time to read a CSV of votes: this project beside pandas and, where they are installed, polars and evalica's loader.

    python -m benchmarks.reading [--votes 1000000] [--participants 10000] [--conditions 10] [--rounds 3]

Ours includes all checks (labels, kinds, times, trials that are there twice); the others only read. Two files are read:
the five columns that a vote needs, and those with the optional columns of an export. Methods take turns in one process
with one thread; the least CPU seconds of the rounds count.
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
    parser.add_argument("--memory", action="store_true", help="read the larger file once with ours; print the memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{name}.csv" for name in ("needed", "optional")}
        table = simulate(options.votes, options.participants, options.conditions)
        table.to_csv(paths["optional"], index=False)
        table[NEEDED].to_csv(paths["needed"], index=False)
        del table
        if options.memory:
            print_memory(paths["optional"])
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

    code = (
        "import resource, sys; from analysis import read_votes; votes = read_votes(sys.argv[1]); "
        "print(f'{votes.memory_usage(deep=True).sum() / 1e6:.0f} MB of table, '"
        "f'{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB at most in the process')"
    )
    root = Path(__file__).resolve().parent.parent
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=root)


if __name__ == "__main__":
    main()
