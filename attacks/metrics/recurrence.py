"""The states of a gated recurrent unit, with a gradient on every device."""

import torch

__all__ = ["states_of"]


def states_of(layer: torch.nn.GRU, sequences: torch.Tensor) -> torch.Tensor:
    """(N, T, F) -> (N, T, hidden) from zero on; `layer` is one layer, one way, with batch_first.

    As in training, whatever the mode: cuDNN gives no gradient of a recurrence in evaluation mode ("cudnn RNN backward
    can only be called in training mode"), and without dropout both give the same.
    """
    start = sequences.new_zeros(1, len(sequences), layer.hidden_size)
    weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    states, _ = torch.gru(
        sequences, start, weights, has_biases=True, num_layers=1, dropout=0.0, train=True, bidirectional=False,
        batch_first=True,
    )  # fmt: skip
    return states
