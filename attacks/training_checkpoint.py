"""The state of an unfinished training, in a file beside the one that it will become."""

import json
from pathlib import Path

import safetensors
from safetensors import SafetensorError

from attacks.errors import TrainedFileError
from attacks.learners import Learner
from attacks.trained_file import save_tensors
from attacks.trained_header import TrainedHeader

__all__ = ["Checkpoint"]

_KEY = "training"


class Checkpoint:
    """`<out>.checkpoint`. It holds which training it belongs to, and another's is never continued.

    Raises TrainedFileError where a file of another training is there, unless `replace`.
    """

    def __init__(self, out: Path, header: TrainedHeader, *, replace: bool):
        self.path = out.with_name(f"{out.name}.checkpoint")
        self._identity = header.to_json()
        if replace and self._found() is None:
            self.remove()

    def save(self, learner: Learner, done: int, gains: list[float]) -> None:
        """Keep the state after `done` steps."""
        document = {"training": self._identity, "done": done, "gains": gains}
        save_tensors(self.path, learner.state(), {_KEY: json.dumps(document, allow_nan=False)})

    def restore(self, learner: Learner) -> tuple[int, list[float]]:
        """Bring `learner` to the state kept, if there is one; returns the steps done and the gains so far."""
        if not self.path.exists():
            return 0, []
        document = self._found()
        if document is None:
            raise TrainedFileError(
                f"{self.path} is of another training or broken; choose another --out, or discard it with --replace."
            )
        with safetensors.safe_open(self.path, "pt") as file:
            learner.restore({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        return document["done"], document["gains"]

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _found(self) -> dict | None:
        """What the file says, if it is whole and of this training."""
        try:
            with safetensors.safe_open(self.path, "pt") as file:
                document = json.loads((file.metadata() or {})[_KEY])
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        return document if document["training"] == self._identity else None
