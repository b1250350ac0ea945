"""Adam as Kingma and Ba print it (2015, algorithm 1), in NumPy and float64, with a clip and two places for a weight."""

import numpy as np
import torch


def loss_gradient(module, score_range):
    """picture (3, H, W) -> d(1 - score / range) / d(picture), by the module in float64."""
    module = module.double()

    def gradient(picture):
        leaf = torch.from_numpy(picture)[None].requires_grad_(True)
        loss = 1 - module(leaf).sum() / (score_range[1] - score_range[0])
        return torch.autograd.grad(loss, leaf)[0][0].numpy()

    return gradient


def adam_walk(picture, gradient, rate, steps, *, before=1.0, after=1.0, epsilon=1e-8):
    """`before` multiplies each gradient, `after` each step. Epsilon is for gradients as they come."""
    x, m, v = picture.astype(np.float64), 0.0, 0.0
    for t in range(1, steps + 1):
        g = before * gradient(x)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        corrected = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
        x = np.clip(x - rate * after * corrected, 0, 1)
    return x


def agree(result, expected, tolerance=2e-5):
    """Values whose gradient lies within rounding of zero may go either way; there are few of them."""
    return (np.abs(np.asarray(result) - expected) > tolerance).mean() < 2e-3
