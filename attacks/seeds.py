"""Independent seeds from one."""

import zlib

import numpy as np

__all__ = ["derived_seed"]


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed for `purpose` and `index`; those of different purposes or indices have nothing in common."""
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), index]).generate_state(2)
    return int(words[0]) << 32 | int(words[1])
