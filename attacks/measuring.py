"""Time and peak memory of what PyTorch runs, on a CPU and on a GPU."""

import contextlib
import json
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch

__all__ = ["Watch", "fastest", "peak_memory"]

Watch = Callable[[Sequence[str]], Iterable[str]]


def fastest(
    runs: Mapping[str, Callable[[], object]], device: torch.device, *, rounds: int, watch: Watch = iter
) -> dict[str, float]:
    """Least seconds of each of `runs`, which take turns in every round so that other work hits all alike.

    On a CPU these are CPU seconds of the process, which leave out the time that other programs take; on a GPU the
    wall clock, the device synchronised before and after. `watch` passes the names on as they come up (a progress bar).
    """
    best = dict.fromkeys(runs, math.inf)
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    for name in watch(list(runs) * rounds):
        _synchronise(device)
        start = clock()
        runs[name]()
        _synchronise(device)
        best[name] = min(best[name], clock() - start)
    return best


def peak_memory(run: Callable[[], object], device: torch.device) -> int:
    """Most bytes that tensors took at one time during one `run`, beyond what was there before.

    On a CPU every allocation and release of PyTorch's allocator is recorded, also those inside an operation; NumPy
    and others are not seen. On a GPU it is the caching allocator's own record.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    activities = [torch.profiler.ProfilerActivity.CPU]
    with _silent_standard_error(), torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        run()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(trace))
        events = json.loads(trace.read_bytes())["traceEvents"]
    changes = sorted(
        (event["ts"], event["args"]["Ev Idx"], event["args"]["Bytes"])
        for event in events
        if event.get("name") == "[memory]"
    )
    held = peak = 0
    for *_, change in changes:
        held += change
        peak = max(peak, held)
    return peak


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextlib.contextmanager
def _silent_standard_error() -> Iterator[None]:
    """The profiler's library writes two lines at each start, from C++, into whatever progress bar is there."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
