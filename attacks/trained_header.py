"""What the file of a trained attack says of itself, and the choice among such files; needs no PyTorch.

The files are safetensors whose metadata has one entry, a JSON document (`TrainedHeader`).
"""

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from attacks.errors import TrainedFileError

__all__ = ["HEADER_KEY", "TrainedHeader", "find_trained_file", "read_header", "training_command"]

HEADER_KEY = "trained_attack"
_SUFFIX = ".safetensors"
_FORMAT = 1
_MOST_BYTES = 2**24  # of the description of the tensors; a network has some kilobytes


@dataclass(frozen=True)
class TrainedHeader:
    """Where a trained file comes from.

    attack: its row in the table. metric, weights_sha256, score_range, lower_better: the metric that
    it was trained against. data: the training pictures (folder name, number, SHA-256 of the list).
    settings: all that decides the result, the seed too. history: the gain on pictures held out.
    torch: version of PyTorch. format: of this description.
    """

    attack: str
    metric: str
    weights_sha256: str | None
    score_range: tuple[float, float]
    lower_better: bool
    data: dict
    settings: dict
    history: dict
    torch: str
    format: int = _FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, allow_nan=False)

    def fits(self, metric: str, weights_sha256: str | None) -> bool:
        """Whether this is the metric of the training, with the same weights."""
        return self.metric == metric and self.weights_sha256 == weights_sha256


def training_command(attack: str, metric: str = "METRIC") -> str:
    """What to type for a file that is missing."""
    return f"`python manage.py train_attack {attack} --metric {metric} --images FOLDER`"


def read_header(path: Path) -> TrainedHeader:
    """The header of a trained file. Raises TrainedFileError for a file that is missing, cut off or no such file."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            length = struct.unpack("<Q", file.read(8))[0]
            if length > min(size - 8, _MOST_BYTES):
                raise ValueError
            entries = json.loads(file.read(length))
        document = json.loads(entries.pop("__metadata__")[HEADER_KEY])
        end = max(entry["data_offsets"][1] for entry in entries.values())
        whole = size == 8 + length + end
    except FileNotFoundError:
        raise TrainedFileError(
            f"there is no file {path}; check the name, or train it: manage.py train_attack."
        ) from None
    except OSError as error:
        raise TrainedFileError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise TrainedFileError(f"{path} is not a file made by `manage.py train_attack`, or is broken.") from error
    if not whole:
        raise TrainedFileError(f"{path} is cut off or was changed; copy it again, or train it again.")
    names = {field.name for field in fields(TrainedHeader)}
    if not isinstance(document, dict) or document.get("format") != _FORMAT or document.keys() != names:
        raise TrainedFileError(f"{path} was written by another version of this program; train it again.")
    document["score_range"] = tuple(document["score_range"])
    return TrainedHeader(**document)


def find_trained_file(
    attack: str, paths: Sequence[Path], *, metric: str, weights_sha256: str | None, transfer: bool = False
) -> Path:
    """The one file among `paths`, files and folders of them, that was trained for `attack` against `metric`.

    Only headers are read. Where none was trained against this metric with these weights, `transfer` lets a file of
    another metric stand in. Other files in a folder are passed over; a path given by itself must be a trained file.

    Raises TrainedFileError with the command that makes the missing file, or where several files fit.
    """
    of_attack = [(path, header) for path, header in _headers(paths) if header.attack == attack]
    exact = [path for path, header in of_attack if header.fits(metric, weights_sha256)]
    found = exact or ([path for path, _ in of_attack] if transfer else [])
    if len(found) == 1:
        return found[0]
    if found:
        raise TrainedFileError(
            f"several trained files fit {attack} and the metric {metric!r}: {', '.join(map(str, found))}; give one."
        )
    message = (
        f"{attack} needs a file trained against the metric {metric!r}; make it with "
        f"{training_command(attack, metric)}, or name one elsewhere with --trained"
    )
    if of_attack:
        others = ", ".join(f"{path.name} ({header.metric})" for path, header in of_attack)
        message += (
            f", or allow a file of another metric or of other weights with --transfer (evaluate_robustness: "
            f"--trained-transfer); there are {others}"
        )
    raise TrainedFileError(f"{message}.")


def _headers(paths: Sequence[Path]) -> Iterator[tuple[Path, TrainedHeader]]:
    seen = set()
    for path in map(Path, paths):
        inside = path.is_dir()
        for file in sorted(path.glob(f"*{_SUFFIX}")) if inside else [path]:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                yield file, read_header(file)
            except TrainedFileError:
                if not inside:
                    raise
