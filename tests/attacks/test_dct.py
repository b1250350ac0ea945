"""The cosine transform against SciPy, and its zig-zag order against a walk by hand."""

import numpy as np
import pytest
import torch
from scipy import fft

from attacks.dct import dct, inverse_dct, low_frequencies


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (7, 12), (33, 20)])
def test_equals_scipy_and_is_undone(size):
    pictures = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    coefficients = dct(pictures)
    expected = fft.dctn(pictures.double().numpy(), axes=(2, 3), norm="ortho")
    np.testing.assert_allclose(coefficients.numpy(), expected, atol=2e-6)
    np.testing.assert_allclose(
        inverse_dct(coefficients).numpy(), fft.idctn(expected, axes=(2, 3), norm="ortho"), atol=2e-6
    )
    torch.testing.assert_close(inverse_dct(coefficients), pictures)


def zigzag(height, width):
    row, column, up = 0, 0, True
    for _ in range(height * width):
        yield row, column
        if up:
            if column == width - 1:
                row, up = row + 1, False
            elif row == 0:
                column, up = column + 1, False
            else:
                row, column = row - 1, column + 1
        elif row == height - 1:
            column, up = column + 1, True
        elif column == 0:
            row, up = row + 1, True
        else:
            row, column = row + 1, column - 1


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (9, 5), (1, 6), (4, 1)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.37, 0.5, 1.0])
def test_low_frequencies_are_the_first_of_the_zigzag(size, share):
    count = max(int(share * size[0] * size[1]), 1)
    expected = np.zeros(size, bool)
    for row, column in list(zigzag(*size))[:count]:
        expected[row, column] = True
    assert np.array_equal(low_frequencies(*size, share).numpy(), expected)
