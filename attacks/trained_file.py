"""The files of trained attacks: written at once or not at all, and checked when they are read."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError

from attacks.errors import TrainedFileError
from attacks.metrics.base import TargetMetric
from attacks.trained_header import HEADER_KEY, TrainedHeader, read_header, training_command

__all__ = ["TrainedFile", "check_metric", "load_trained", "save_tensors", "save_trained"]


@dataclass(frozen=True)
class TrainedFile:
    """A trained file as read: its bare name, its SHA-256, its header and its tensors on the CPU."""

    name: str
    sha256: str
    header: TrainedHeader
    tensors: Mapping[str, torch.Tensor]


def load_trained(path: Path, attack: str) -> TrainedFile:
    """Read the file of the attack `attack`.

    Raises TrainedFileError for a file that is missing, broken, of another attack, or has values that are not finite.
    """
    header = read_header(path)
    if header.attack != attack:
        raise TrainedFileError(
            f"{path} was trained for {header.attack}, not for {attack}; make one with "
            f"{training_command(attack, header.metric)}."
        )
    try:
        content = path.read_bytes()
        tensors = safetensors.torch.load(content)
    except (OSError, SafetensorError) as error:
        raise TrainedFileError(f"{path} is broken: {error}; train it again.") from error
    for name, tensor in tensors.items():
        if tensor.dtype != torch.float32 or not torch.isfinite(tensor).all():
            raise TrainedFileError(f"{path} is broken: {name} is not finite float32; train it again.")
    return TrainedFile(path.name, hashlib.sha256(content).hexdigest(), header, tensors)


def check_metric(file: TrainedFile, metric: TargetMetric) -> None:
    """Raise TrainedFileError unless `file` was trained against `metric`: its name, weights and direction."""
    header = file.header
    if header.fits(metric.name, metric.weights_sha256) and header.lower_better == metric.lower_better:
        return
    difference = (
        f"the metric {header.metric!r}, not {metric.name!r}"
        if header.metric != metric.name
        else f"other weights of {metric.name!r}"
        if header.weights_sha256 != metric.weights_sha256
        else f"{metric.name!r} in the other direction (lower_better={header.lower_better})"
    )
    raise TrainedFileError(
        f"{file.name} was trained against {difference}; make one with "
        f"{training_command(header.attack, metric.name)}, or allow this one: transfer=True (--transfer)."
    )


def save_trained(path: Path, header: TrainedHeader, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write a trained file. Raises TrainedFileError where the place cannot be written."""
    save_tensors(path, tensors, {HEADER_KEY: header.to_json()})


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors as safetensors, so that a reader finds either the old file or the whole new one.

    With one entry of metadata the same tensors make the same bytes; of several, the order may change.
    """
    content = safetensors.torch.save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, dict(metadata)
    )
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise TrainedFileError(f"{path} cannot be written: {error.strerror}; choose another --out.") from error
