"""Scoring a video as `manage.py score` does, beside pyiqa in a loop written by hand: same file, batches and threads.

    python -m benchmarks.scoring_speed VIDEO [--metrics niqe,cnniqa] [--frames 32] [--batch 4] [--threads 1]
                                       [--rounds 5] [--device cpu] [--weights-dir DIR]

The loop decodes with PyAV to rgb24, makes batches of float tensors and gives them to pyiqa's own metric object. Prints
for each metric the least times of rounds in random order: of the whole way from the file, and of the metric alone on
batches that are ready. Both sides hold the same network; it has random weights where DIR has no file for it. The wall
clock shows what decoding in a thread saves, the CPU seconds what the work costs.
"""

import argparse
import importlib.metadata
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import torch

from attacks.metrics import TargetMetric, list_metrics
from attacks.metrics.pyiqa_adapter import PyiqaNetwork
from attacks.metrics.torchvision_shim import import_torchvision
from attacks.metrics.wrapped import ModuleMetric
from stimuli.scoring import score_video


def by_hand(name: str, device: torch.device, folder: Path | None) -> torch.nn.Module:
    """pyiqa's metric object, with weights from `folder` or with random ones."""
    import_torchvision()
    import pyiqa

    (info,) = (info for info in list_metrics() if info.name == name)
    files = (
        []
        if folder is None or info.weights is None
        else [folder / n for n in (info.weights.name, *info.weights.aliases)]
    )
    file = next((str(file) for file in files if file.is_file()), None)
    torch.manual_seed(0)
    return pyiqa.create_metric(
        name, device=device, **({"pretrained_model_path": file} if file else {"pretrained": None})
    )


def batches_by_hand(path: Path, frames: int, batch: int, device: torch.device) -> Iterator[torch.Tensor]:
    """(N, 3, H, W) float RGB in [0, 1], as a notebook would make them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        pictures = []
        for index, frame in enumerate(container.decode(stream)):
            if index == frames:
                break
            pictures.append(frame.to_ndarray(format="rgb24"))
            if len(pictures) == batch:
                yield as_tensor(pictures, device)
                pictures = []
        if pictures:
            yield as_tensor(pictures, device)


def as_tensor(pictures: list[np.ndarray], device: torch.device) -> torch.Tensor:
    """In the layout that pyiqa's own reader of pictures gives."""
    return torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2).contiguous().float() / 255


def contestants(
    path: Path, hand: torch.nn.Module, ours: TargetMetric, frames: int, batch: int
) -> dict[str, Callable[[], object]]:
    ready = list(batches_by_hand(path, frames, batch, ours.device))
    return {
        "file, by hand": lambda: [hand(x).tolist() for x in batches_by_hand(path, frames, batch, ours.device)],
        "file, score": lambda: score_video(path, [ours], chunk=batch, max_frames=frames),
        "frames, by hand": lambda: [hand(x).tolist() for x in ready],
        "frames, score": lambda: [ours.values(x) for x in ready],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--metrics", default="niqe,cnniqa")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--weights-dir", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "pyiqa", "av"))
    print(
        f"{arguments.video.name}, {arguments.frames} frames, batches of {arguments.batch}, {device}, "
        f"{arguments.threads} thread(s), {versions}; least of {arguments.rounds} rounds, ms per frame.\n"
    )
    print("| metric | from | by hand, wall | score, wall | ratio | by hand, CPU | score, CPU | ratio |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    order = random.Random(0)
    for name in arguments.metrics.split(","):
        hand = by_hand(name, device, arguments.weights_dir)
        module = PyiqaNetwork(hand.net, name).eval().requires_grad_(False)
        ours = ModuleMetric(module, name, device=device, lower_better=False, score_range=(0, 100))
        runs = contestants(arguments.video, hand, ours, arguments.frames, arguments.batch)
        least = {run: (float("inf"), float("inf")) for run in runs}
        for _ in range(arguments.rounds):
            for run, go in order.sample(list(runs.items()), len(runs)):
                start = time.perf_counter(), time.process_time()
                go()  # both sides end with numbers on the CPU, so a GPU is done too
                spent = time.perf_counter() - start[0], time.process_time() - start[1]
                least[run] = tuple(map(min, least[run], spent))
        for source in ("file", "frames"):
            cells = []
            for clock in (0, 1):
                theirs, mine = (
                    least[f"{source}, {who}"][clock] * 1000 / arguments.frames for who in ("by hand", "score")
                )
                cells += [f"{theirs:.1f}", f"{mine:.1f}", f"{mine / theirs:.3f}"]
            print(f"| {name} | {source} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
