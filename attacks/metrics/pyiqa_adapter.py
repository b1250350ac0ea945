"""No-reference metrics of pyiqa (IQA-PyTorch, Chen and Mo), imported only when one is asked for.

pyiqa is licensed for noncommercial use only (PolyForm Noncommercial 1.0.0).
"""

import contextlib
import io
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from attacks.errors import AttackError, InvalidFrames, MetricUnavailable, UnknownName
from attacks.memory import is_out_of_memory
from attacks.metrics.base import TargetMetric
from attacks.metrics.roi_pool import FullFrameRoIPool
from attacks.metrics.table import MetricInfo
from attacks.metrics.torchvision_shim import has_compiled_operators, import_torchvision
from attacks.metrics.wrapped import ModuleMetric
from attacks.names import nearest

if TYPE_CHECKING:
    from attacks.metrics.pyiqa_files import WeightsSource

__all__ = ["build", "build_network"]

# pyiqa writes score ranges for people: "0, 1", "~0, ~100", "~0, ~".
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_UNKNOWN_RANGE = (0.0, 100.0)

# What is put in the place of pyiqa's and PyTorch's own functions while a network is built, every thread sees.
_ONE_AT_A_TIME = threading.RLock()


class PyiqaNetwork(torch.nn.Module):
    """A pyiqa network as (N, 3, H, W) in [0, 1] -> (N,) or (N, 1), without pyiqa's no_grad and checks."""

    def __init__(self, network: torch.nn.Module, name: str):
        super().__init__()
        self.network = network
        self._name = name

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        try:
            scores = self.network(frames)
        except (AssertionError, IndexError, RuntimeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            size = f"{frames.shape[-1]}x{frames.shape[-2]}"
            raise InvalidFrames(
                f"metric {self._name!r} cannot score frames of {size} ({_first_line(error)}); try larger ones."
            ) from error
        finally:
            # MANIQA collects its back-bone's features in hooks, and would take those of a failed pass for the next.
            if hasattr(self.network, "save_output"):
                self.network.save_output.outputs.clear()
        scores = scores[0] if isinstance(scores, tuple) else scores
        # Some networks squeeze a batch of one to a bare number, others give (N, 1, 1).
        return scores.reshape(len(frames)) if scores.numel() == len(frames) else scores


def build(info: MetricInfo, device: torch.device, weights: Path | None) -> TargetMetric:
    """The pyiqa metric of the row `info`, or of any name given as `pyiqa:<name>`.

    Raises UnknownName or MetricUnavailable.
    """
    name = info.name.removeprefix("pyiqa:")
    with _one_sentence(info):
        config = _configuration(name)
        network, source = _network(info, name, device, weights, imagenet=False)
    if info.lower_better is None:
        lower_better, score_range = bool(config.get("lower_better", False)), _rough_range(config.get("score_range"))
    else:
        lower_better, score_range = info.lower_better, info.score_range
    module = PyiqaNetwork(network, info.name).eval().requires_grad_(False)
    return ModuleMetric(
        module,
        info.name,
        device=device,
        lower_better=lower_better,
        score_range=score_range,
        weights_sha256=source.sha256,
        files=source.files,
    )


def build_network(
    info: MetricInfo, name: str, device: torch.device, weights: Path | None = None
) -> tuple[torch.nn.Module, str | None]:
    """pyiqa's network `name` as it is, on `device`, and the sha256 of the file in place of `info.weights`.

    Raises MetricUnavailable, naming the package or the file that is missing.
    """
    with _one_sentence(info):
        import_torchvision()
        network, source = _network(info, name, device, weights, imagenet=True)
    return network, source.sha256


@contextlib.contextmanager
def _one_sentence(info: MetricInfo) -> Iterator[None]:
    """While inside, whatever fails in pyiqa is a MetricUnavailable, and nothing is printed."""
    # pyiqa prints a download for every file, also where it gets a local one; standard output belongs to the caller.
    with _ONE_AT_A_TIME, contextlib.redirect_stdout(io.StringIO()), torch.random.fork_rng(), torch.no_grad():
        try:
            yield
        except AttackError:
            raise
        except Exception as error:  # a third-party constructor may fail in any way; users get one sentence
            raise MetricUnavailable(_why_not(info, error)) from error


def _configuration(name: str) -> dict:
    """pyiqa's own entry for `name`, which must be a no-reference metric."""
    import_torchvision()
    from pyiqa.default_model_configs import DEFAULT_CONFIGS

    no_reference = [key for key, entry in DEFAULT_CONFIGS.items() if entry.get("metric_mode") == "NR"]
    if name not in DEFAULT_CONFIGS:
        raise UnknownName(f"pyiqa has no metric {name!r}; {nearest(name, no_reference)}")
    if name not in no_reference:
        raise UnknownName(
            f"pyiqa's {name!r} compares a picture with a reference; a target metric must do without, "
            "`manage.py list_metrics` shows such metrics."
        )
    return DEFAULT_CONFIGS[name]


def _network(
    info: MetricInfo, name: str, device: torch.device, weights: Path | None, *, imagenet: bool
) -> tuple[torch.nn.Module, "WeightsSource"]:
    from pyiqa.models.inference_model import InferenceModel
    from pyiqa.utils import get_root_logger

    from attacks.metrics.pyiqa_files import WeightsSource, without_imagenet

    get_root_logger().setLevel(logging.WARNING)
    source = WeightsSource(info, weights)
    # The files of no-reference metrics hold the weights of their back-bones, those of full-reference ones do not.
    with source.serving(), contextlib.nullcontext() if imagenet else without_imagenet():
        try:
            network = InferenceModel(name, device=device).net
        except (AttackError, ModuleNotFoundError):
            raise
        except Exception as error:  # a third-party constructor may fail in any way; users get one sentence
            if source.last is None:
                raise
            raise MetricUnavailable(
                f"{source.last} does not hold the weights of pyiqa's metric {info.name!r} ({_reason(error)}); "
                "give another file."
            ) from error
    if weights is not None and source.sha256 is None:
        raise MetricUnavailable(
            f"metric {info.name!r} loads no weights file of its own, so --weights does not apply to it."
        )
    if hasattr(network, "roi_pool") and not has_compiled_operators():
        network.roi_pool = FullFrameRoIPool(network.roi_pool.output_size, network.roi_pool.spatial_scale)
    return network, source


def _why_not(info: MetricInfo, error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"pyiqa's metric {info.name!r} needs the package {error.name}; install it with pip."
    return f"pyiqa could not build metric {info.name!r} ({_reason(error)})."


def _rough_range(text: str | None) -> tuple[float, float]:
    numbers = [float(number) for number in _NUMBER.findall(text or "")]
    return (numbers[0], numbers[1]) if len(numbers) == 2 and numbers[0] < numbers[1] else _UNKNOWN_RANGE


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"it has no entry {error}"
    if type(error) is RuntimeError:
        return _first_line(error)
    return f"{type(error).__name__}: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
