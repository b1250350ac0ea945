"""Published checkpoint files, read without running what is in them and fitted to a network by name."""

import contextlib
import pickle
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file

from attacks.errors import MetricUnavailable
from attacks.metrics.base import TargetMetric
from attacks.metrics.registry import sha256_of
from attacks.metrics.table import MetricInfo, WeightsFile
from attacks.metrics.wrapped import ModuleMetric

__all__ = ["differences", "find_weights", "load_state", "load_unexecuted", "published_metric", "read_state"]

# Under these names training scripts keep the parameters beside the optimiser's state and the epoch.
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "params", "net")
_NAMED = 3

# Kept, since pyiqa's files are read with load_unexecuted in its place.
_TORCH_LOAD = torch.load

Rename = Callable[[str], str | None]


def find_weights(info: MetricInfo, file: WeightsFile, given: Path | None = None) -> Path:
    """Where `file` of the metric `info` is: `given`, else where WeightsFile looks. Raises MetricUnavailable."""
    path = given or file.path
    if not path.is_file():
        raise MetricUnavailable(f"metric {info.name!r} needs {info.how_to_give(file)}.")
    return path


def read_state(path: Path, constants: Iterable[str] = ()) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint by name: a safetensors file, a state dict, one under a usual key of a training
    checkpoint ("state_dict", "model", ...), or a whole pickled module. "module." of DataParallel is taken off.

    constants: names of numbers, or lists of them, that a training checkpoint keeps beside the parameters; those that
    are there are added to the tensors.
    Nothing in the file is executed: classes in it that are not PyTorch's become empty shells.
    Raises MetricUnavailable for a file that is truncated, or is something else.
    """
    with _one_sentence(path):
        if path.suffix == ".safetensors":
            return load_file(path)
        content = load_unexecuted(path)
        state = _tensors(content)
    if not state:
        raise MetricUnavailable(f"{path} holds no network's parameters; give the authors' checkpoint file.")
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    for name in constants:
        if isinstance(content, Mapping) and isinstance(content.get(name), (int, float, list, tuple)):
            with _one_sentence(path):
                state[name] = torch.tensor(content[name], dtype=torch.float32)
    return state


def load_unexecuted(file, *_, **__):
    """What torch.load gives for `file`, on the processor, with empty shells for objects that are not PyTorch's.

    It can stand in the place of torch.load; what else that one is told does not matter here.
    """
    with warnings.catch_warnings():
        # Old files of whole networks hold their classes' source code, which cannot be compared with a shell's.
        warnings.filterwarnings("ignore", "Couldn't retrieve source code")
        return _TORCH_LOAD(file, map_location="cpu", weights_only=False, pickle_module=_SHELLS)


def load_state(
    network: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path, *, what: str, rename: Rename = str
) -> None:
    """Fill `network` with the tensors of `state`; `rename` turns a published name into the network's, or into None
    for a tensor that scoring does not use.

    Raises MetricUnavailable where names or shapes differ, naming the first few.
    """
    named = {rename(name): tensor for name, tensor in state.items() if rename(name) is not None}
    if reason := differences(network.state_dict(), named):
        raise MetricUnavailable(f"{path} is not a checkpoint of {what}: {reason}. Give the file of this architecture.")
    network.load_state_dict(named, strict=False)


def differences(expected: Mapping[str, torch.Tensor], named: Mapping[str, torch.Tensor], unknown: bool = True) -> str:
    """What keeps the tensors `named` from being those `expected`, naming the first few; empty where nothing does.

    unknown: whether tensors that are not expected count.
    """
    # Networks saved by PyTorch before 0.4.1 have no counter of batches, and none is used here.
    needed = [name for name in expected if not name.endswith("num_batches_tracked")]
    missing = [name for name in needed if name not in named]
    strange = [name for name in named if name not in expected] if unknown else []
    other = [
        f"{name} {_shape(named[name])} instead of {_shape(tensor)}"
        for name, tensor in expected.items()
        if name in named and _shape(named[name]) != _shape(tensor)
    ]
    if not missing and not strange and not other:
        return ""
    listed = [
        _listed(missing, f"of {len(needed)} tensors missing"),
        _listed(strange, f"tensor{'s' * (len(strange) != 1)} unknown"),
        _listed(other, f"tensor{'s' * (len(other) != 1)} of another shape"),
    ]
    return "; ".join(filter(None, listed))


def published_metric(
    info: MetricInfo,
    network: torch.nn.Module,
    device: torch.device,
    weights: Path | None,
    *,
    rename: Rename = str,
    constants: Iterable[str] = (),
) -> TargetMetric:
    """The metric `info` computed by `network`, filled from its authors' checkpoint file. Raises MetricUnavailable.

    rename: as in load_state. constants: as in read_state, buffers of the network.
    """
    path = find_weights(info, info.weights, weights)
    load_state(network, read_state(path, constants), path, what=f"metric {info.name!r}", rename=rename)
    sha256 = sha256_of(path)
    return ModuleMetric(
        network.eval().requires_grad_(False).to(device),
        info.name,
        device=device,
        lower_better=info.lower_better,
        score_range=info.score_range,
        weights_sha256=sha256,
        files={path.name: sha256},
    )


def _shape(value: object) -> tuple[int, ...] | str:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__


def _listed(names: list[str], kind: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {kind} ({', '.join(names[:_NAMED])}{more})"


@contextlib.contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged pickle can fail in any way; users get one sentence
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise MetricUnavailable(
            f"{path} cannot be read as a checkpoint ({reason}); it is truncated or something else: get it again."
        ) from error


def _tensors(content: object) -> dict[str, torch.Tensor]:
    if isinstance(content, (_Shell, torch.nn.Module)):
        return dict(_of_module(vars(content), ""))
    if not isinstance(content, Mapping):
        return {}
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    for key in _WRAPPERS:
        if key in content and not isinstance(content[key], torch.Tensor) and (inner := _tensors(content[key])):
            return inner
    return tensors


def _of_module(attributes: Mapping, prefix: str) -> Iterable[tuple[str, torch.Tensor]]:
    for kind in ("_parameters", "_buffers"):
        for name, tensor in attributes.get(kind, {}).items():
            if isinstance(tensor, torch.Tensor):
                yield prefix + name, tensor.detach()
    for name, part in attributes.get("_modules", {}).items():
        if isinstance(part, (_Shell, torch.nn.Module)):
            yield from _of_module(vars(part), f"{prefix}{name}.")


class _Shell:
    """What stands for an object of a class that is not read: it takes any arguments and keeps the attributes.

    What is put into it is dropped, as into the default dictionaries of optimisers.
    """

    def __init__(self, *_, **__):
        pass

    def _drop(self, *_):
        pass

    __setitem__ = append = extend = add = _drop

    def __setstate__(self, state):
        if isinstance(state, dict):
            vars(self).update(state)


class _Unpickler(pickle.Unpickler):
    """Builds tensors and plain containers only; every other class becomes a shell, every function one as well."""

    def find_class(self, module: str, name: str):
        if (module, name) in _ALLOWED or (module == "torch" and name.endswith("Storage")):
            return super().find_class(module, name)
        return type(name, (_Shell,), {"__module__": module})


_ALLOWED = {
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch.nn.parameter", "Parameter"),
    ("torch", "Size"),
    ("torch", "device"),
    ("builtins", "set"),
    ("builtins", "dict"),
}


def _load(file, **options):
    return _Unpickler(file, **options).load()


# What torch.load asks of a pickle module; files of before PyTorch 1.6 go through `load` as well.
_SHELLS = types.SimpleNamespace(Unpickler=_Unpickler, load=_load, __name__="pickle")
