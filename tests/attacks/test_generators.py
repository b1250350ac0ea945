"""The networks against NumPy, layer by layer from the description."""

import numpy as np
import pytest
import torch

from attacks.generators import ResNetGenerator, UNetGenerator, new_generator


def conv(x, weight, bias, stride, padding):
    """x (C, H, W), weight (O, C, k, k)."""
    k = weight.shape[-1]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    return np.einsum("chwij,ocij->ohw", windows, weight, optimize=True) + bias[:, None, None]


def up_conv(x, weight, bias, padding, output_padding=0):
    """Transposed, stride 2: every value stamps the kernel, weight (C, O, k, k), on the larger map."""
    _, outputs, k, _ = weight.shape
    height, width = x.shape[1:]
    stamped = np.zeros((outputs, 2 * height + k, 2 * width + k))
    for row in range(k):
        for column in range(k):
            stamp = np.einsum("chw,co->ohw", x, weight[:, :, row, column])
            stamped[:, row : row + 2 * height : 2, column : column + 2 * width : 2] += stamp
    size = [2 * (n - 1) + k - 2 * padding + output_padding for n in (height, width)]
    return stamped[:, padding : padding + size[0], padding : padding + size[1]] + bias[:, None, None]


def norm(x):
    mean, variance = x.mean(axis=(1, 2), keepdims=True), x.var(axis=(1, 2), keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def relu(x):
    return np.maximum(x, 0)


def mirror(x, by):
    return np.pad(x, ((0, 0), (by, by), (by, by)), mode="reflect")


def numbers(network):
    return {name: tensor.double().numpy() for name, tensor in network.state_dict().items()}


def picture(height, width, n=1):
    return torch.rand(n, 3, height, width, generator=torch.Generator().manual_seed(7))


def numpy_unet(p, x):
    encoded = [conv(x, p["down.0.weight"], p["down.0.bias"], 2, 1)]
    for k in range(1, 8):
        y = conv(leaky(encoded[-1]), p[f"down.{k}.weight"], p[f"down.{k}.bias"], 2, 1)
        encoded.append(y if k == 7 else norm(y))
    y = encoded[7]
    for k in range(7):
        y = norm(up_conv(relu(y), p[f"up.{k}.weight"], p[f"up.{k}.bias"], 1))
        y = np.concatenate([y, encoded[6 - k]])
    return np.tanh(up_conv(relu(y), p["up.7.weight"], p["up.7.bias"], 1))


def numpy_resnet(p, x):
    y = relu(norm(conv(mirror(x, 3), p["first.weight"], p["first.bias"], 1, 0)))
    for k in range(2):
        y = relu(norm(conv(y, p[f"down.{k}.weight"], p[f"down.{k}.bias"], 2, 1)))
    for k in range(6):
        z = relu(norm(conv(mirror(y, 1), p[f"blocks.{k}.0.weight"], p[f"blocks.{k}.0.bias"], 1, 0)))
        y = y + norm(conv(mirror(z, 1), p[f"blocks.{k}.1.weight"], p[f"blocks.{k}.1.bias"], 1, 0))
    for k in range(2):
        y = relu(norm(up_conv(y, p[f"up.{k}.weight"], p[f"up.{k}.bias"], 1, output_padding=1)))
    return np.tanh(conv(mirror(y, 3), p["last.weight"], p["last.bias"], 1, 0))


def test_the_unet_is_the_described_one():
    network = new_generator("unet", 2, 3).eval()
    x = picture(256, 512)
    with torch.no_grad():
        result = network(x)[0]
    assert result.shape == (3, 256, 512)
    np.testing.assert_allclose(result.numpy(), numpy_unet(numbers(network), x[0].double().numpy()), atol=2e-4)


def test_the_resnet_is_the_described_one():
    network = new_generator("resnet", 3, 3).eval()
    x = picture(20, 28)
    with torch.no_grad():
        result = network(x)[0]
    assert result.shape == (3, 20, 28)
    np.testing.assert_allclose(result.numpy(), numpy_resnet(numbers(network), x[0].double().numpy()), atol=2e-4)


@pytest.mark.parametrize(("kind", "count"), [(UNetGenerator, 54_409_603), (ResNetGenerator, 7_837_699)])
def test_the_papers_width_has_the_papers_number_of_parameters(kind, count):
    with torch.device("meta"):
        network = kind()
    assert sum(parameter.numel() for parameter in network.parameters()) == count
    assert not list(network.buffers())


@pytest.mark.parametrize("kind", ["unet", "resnet"])
def test_a_picture_does_not_depend_on_its_batch(kind):
    network, x = new_generator(kind, 2, 0).eval(), picture(256, 256, n=3)
    with torch.no_grad():
        together, alone = network(x), torch.cat([network(one[None]) for one in x])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_dropout_acts_in_training_only_and_draws_from_the_given_numbers():
    network, x = new_generator("unet", 2, 0), picture(256, 256)
    network.random = torch.Generator()
    before = torch.get_rng_state()

    def run(seed):
        network.random.manual_seed(seed)
        with torch.no_grad():
            return network(x)

    assert torch.equal(run(1), run(1)) and not torch.equal(run(1), run(2))
    network.eval()
    assert torch.equal(run(1), run(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_half_of_the_values_are_dropped_in_the_three_deepest_layers_of_the_way_up():
    network, seen = new_generator("unet", 8, 0).train(), []
    network.random = torch.Generator().manual_seed(0)
    for layer in network.up:
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        network(picture(256, 256))
    # Of what comes from below, half was set to zero; of the rest, the ReLU leaves about half.
    shares = [float((maps[:, : maps.shape[1] // 2] > 0).float().mean()) for maps in seen[1:]]
    assert all(share == pytest.approx(0.25, abs=0.05) for share in shares[:3])
    assert all(share > 0.35 for share in shares[3:])


def test_the_first_network_comes_from_the_seed_alone():
    before = torch.get_rng_state()
    one, same, other = (new_generator("unet", 1, seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), before)
    # As PyTorch's own first network.
    reference = UNetGenerator(16)
    drawn = new_generator("unet", 16, 0).state_dict()
    for name, tensor in reference.state_dict().items():
        if tensor.numel() > 5000:
            assert float(drawn[name].abs().max()) == pytest.approx(float(tensor.abs().max()), rel=0.01), name
