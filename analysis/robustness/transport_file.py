"""The benchmark's file of domain transformations, read without PyTorch and without running what is in it."""

import io
import itertools
import math
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np

from analysis.errors import InvalidTransport
from analysis.robustness.domain import NeuralMap

__all__ = ["read_transports"]

_STORAGES = {"FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8")}
# Pickles before a tensor's storage in PyTorch's format of before 1.6: a magic number, a version, the machine's sizes.
_PREAMBLES = 3


def read_transports(path: str | Path) -> dict[str, NeuralMap]:
    """The maps in `models_to_mdtvsfa_1d.pth` of the benchmark's repository, by the names that it gives the metrics.

    Every class in the file but arrays and plain containers becomes an empty shell, every function a shell that does
    nothing. Raises InvalidTransport for a file that is missing, truncated or something else.
    """
    path = Path(path)
    try:
        content = _Unpickler(io.BytesIO(path.read_bytes())).load()
        models, scalers = content["models"], content["scalers"]
        if not models:
            raise ValueError("it holds none")
        return {name: _neural_map(models[name], scalers[name]["X"]) for name in models}
    except OSError as error:
        raise InvalidTransport(
            f"{path} cannot be read: {error.strerror or error}; give the benchmark's models_to_mdtvsfa_1d.pth"
        ) from None
    except Exception as error:  # what a damaged pickle can raise has no end
        reason = (str(error).strip().splitlines() or [""])[0]
        raise InvalidTransport(
            f"{path} cannot be read as the benchmark's maps ({type(error).__name__}{': ' * bool(reason)}{reason}); "
            "give its models_to_mdtvsfa_1d.pth as it was published"
        ) from None


def _neural_map(network: "_Shell", scaler: "_Shell") -> NeuralMap:
    parts = [vars(part).get("_parameters", {}) for part in vars(network)["_modules"].values()]
    layers = tuple((np.float64(part["weight"]), np.float64(part["bias"])) for part in parts if part)
    sizes = [layer.shape for layer, _ in layers]
    fitting = all(before[0] == after[1] for before, after in itertools.pairwise(sizes))
    if not layers or sizes[0][1] != 2 or sizes[-1][0] != 1 or not fitting:
        raise ValueError(f"layers of the sizes {sizes}, not a network of two numbers to one")
    low, high = (float(vars(scaler)[f"data_{end}_"].item()) for end in ("min", "max"))
    if not (low < high and all(np.isfinite(part).all() for layer in layers for part in (*layer, low, high))):
        raise ValueError("numbers that are not finite, or an empty range")
    return NeuralMap(low=low, high=high, layers=layers)


class _Shell:
    """What stands for an object of a class that is not read: it takes any arguments and keeps the attributes."""

    def __init__(self, *_, **__):
        pass

    def __setstate__(self, state):
        if isinstance(state, dict):
            vars(self).update(state)


class _Unpickler(pickle.Unpickler):
    """Builds arrays and plain containers only."""

    def find_class(self, module: str, name: str):
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) in _BUILDERS:
            return _BUILDERS[module, name]
        return type(name, (_Shell,), {"__module__": module})


class _StorageUnpickler(_Unpickler):
    """Reads the numbers of one tensor; they follow its pickle in the bytes."""

    def __init__(self, file: io.BytesIO, size: int):
        super().__init__(file)
        self._size = size
        self.storage = np.empty(0)

    def persistent_load(self, reference: tuple) -> np.ndarray:
        _, kind, _, _, count, *_ = reference
        if not 0 <= count * kind.itemsize <= self._size:
            raise ValueError(f"a tensor of {count} numbers in {self._size} bytes")
        self.storage = np.empty(count, kind)
        return self.storage


def _storage(data: bytes) -> np.ndarray:
    """The array in the bytes that PyTorch writes for a tensor's storage inside of another pickle."""
    file = io.BytesIO(data)
    for _ in range(_PREAMBLES):
        _Unpickler(file).load()
    reader = _StorageUnpickler(file, len(data))
    reader.load()
    _Unpickler(file).load()  # the storage's key, of which there is one
    (count,) = np.frombuffer(file.read(8), "<i8")
    if count != len(reader.storage):
        raise ValueError(f"a tensor of {count} instead of {len(reader.storage)} numbers")
    return np.frombuffer(file.read(), reader.storage.dtype, count)


def _tensor(storage: np.ndarray, offset: int, size: tuple, stride: tuple, *_) -> np.ndarray:
    if tuple(stride) != tuple(math.prod(size[i + 1 :]) for i in range(len(size))):
        raise ValueError(f"a tensor of strides {tuple(stride)}")
    return storage[offset : offset + math.prod(size)].reshape(size)


_BUILDERS = {
    ("collections", "OrderedDict"): OrderedDict,
    ("builtins", "set"): set,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    # NumPy 2 moved it; files written with either hold their own version's name.
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
}
