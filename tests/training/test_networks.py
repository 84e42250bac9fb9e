"""The restoring networks: each trains, exports, keeps its promises, and computes what its paper says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from anew.inference.models import open_model
from anew.networks import build_network
from anew.networks.attention_cnn import WindowAttention
from anew.networks.conv_lstm import ConvLSTMCell
from anew.networks.dncnn import DnCNN
from anew.networks.noise_map import fold
from anew.networks.renet import Sweep
from anew.recipes import RECIPES
from anew.training.data import ImageSet, pack
from anew.training.denoising import DenoiseConfig, make_batch
from anew.training.export import load_weights
from anew.training.restoration import RunFacts, export_restorer, multiply_adds_per_pixel

SMALL = {
    "attention_cnn": {"widths": [16, 24], "layers": 2, "window": 4},
    "autoencoder": {"widths": [16, 24], "middle_blocks": 1},
    "conv_lstm": {"width": 32, "blocks": 1, "iterations": 2},
    "dncnn": {"width": 16, "depth": 4},
    "recurrent_cnn": {"width": 16, "iterations": 3},
    "renet": {"width": 16, "layers": 1, "coarse_width": 24},
    "unet": {"widths": [16, 24], "blocks": 1, "middle_blocks": 1},
}
CONVOLUTIONAL = sorted(SMALL.keys() - {"renet"})  # those that say how far they reach
OF_THEIR_OWN_COST = {"denoise-fast", "denoise-grey"}
COMPARED = sorted(name for name in RECIPES if name.startswith("denoise") and name not in OF_THEIR_OWN_COST)


def make(name: str, *, std: float | None = 0.1, **changes) -> torch.nn.Module:  # type: ignore[no-untyped-def]
    """A small network, by default with random weights throughout, so that nothing is hidden by a zero."""
    torch.set_num_threads(1)
    network = build_network(name, **{**SMALL[name], **changes})
    if std is not None:
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=std)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 2)
            module.running_mean.normal_()
            module.weight.data.uniform_(0.5, 2)
    return network.eval()


def level(sigma: float) -> torch.Tensor:
    return torch.full((1, 1, 1, 1), sigma)


@pytest.mark.parametrize("name", SMALL)
def test_onnx_agrees_with_torch_on_any_size_and_gives_the_weights_back(name: str, tmp_path: Path) -> None:
    network = make(name)
    path = tmp_path / "model.onnx"
    export_restorer(network, DenoiseConfig(network=name, stored="float"), path, RunFacts(), protocol="")
    model = open_model(path, provider="cpu")
    multiple = network.size_multiple
    for height, width in [(5 * multiple, 9 * multiple), (multiple, 3 * multiple), (13, 7), (1, 2)]:
        image = np.random.default_rng(0).random((height, width, 3), np.float32)
        result = model(image, 0.1)
        assert result.shape == image.shape
        padded = np.pad(image, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="symmetric")
        with torch.no_grad():
            expected = network(torch.from_numpy(padded.transpose(2, 0, 1)[None].copy()), level(0.1))[0].numpy()
        np.testing.assert_allclose(result, expected.transpose(1, 2, 0)[:height, :width], atol=1e-4)
    again = build_network(name, seed=9, **SMALL[name])
    load_weights(again, path)
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            assert torch.equal(again.state_dict()[key], value), key


@pytest.fixture(scope="module")
def images(colour_photo: np.ndarray) -> ImageSet:
    return pack([(colour_photo * 255).astype(np.uint8)])


@pytest.mark.parametrize("skew", [0.5, 1.0, 2.0])
def test_noise_levels_are_drawn_as_the_skew_says_and_told_as_they_are(images: ImageSet, skew: float) -> None:
    config = DenoiseConfig(network="unet", patch=24, batch=500, sigma_max=50, sigma_skew=skew)
    clean, noisy, sigma = make_batch(images, config, torch.Generator().manual_seed(0))
    drawn = sigma.flatten() / (50 / 255)
    for part in (0.25, 0.5, 0.75):  # quantiles of a power of an even number
        assert float(drawn.quantile(part)) == pytest.approx(part**skew, abs=0.06)
    measured = (noisy - clean).std(dim=(1, 2, 3))
    torch.testing.assert_close(measured, sigma.flatten(), rtol=0.08, atol=1e-5)


@pytest.mark.parametrize("name", SMALL)
def test_sixty_steps_on_one_batch_remove_noise_from_it(name: str, images: ImageSet) -> None:
    config = DenoiseConfig(network=name, patch=24, batch=4, sigma_max=50)
    clean, noisy, sigma = make_batch(images, config, torch.Generator().manual_seed(0))
    network = make(name, std=None).train()
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    losses = []
    for _ in range(60):
        loss = (network(noisy, sigma) - clean).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    noise = (noisy - clean).abs().mean()
    assert losses[-1] < min(0.94 * noise, losses[0])


@pytest.mark.parametrize("name", SMALL)
def test_the_noise_level_matters_as_one_number_or_as_a_map(name: str) -> None:
    network = make(name)
    noisy = torch.rand(2, 3, 16, 24)
    with torch.no_grad():
        low, high = network(noisy, level(0.05).expand(2, -1, -1, -1)), network(noisy, level(0.3).expand(2, -1, -1, -1))
        as_map = network(noisy, torch.full((2, 1, 16, 24), 0.3))
    assert float((low - high).abs().max()) > 1e-3
    torch.testing.assert_close(as_map, high, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_one_channel_works_too(name: str) -> None:
    network = make(name, channels=1)
    assert network(torch.rand(1, 1, 16, 24), level(0.1)).shape == (1, 1, 16, 24)


def influence(network: torch.nn.Module, pixel: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """Where the result at a pixel has a gradient: (H, W) bool."""
    noisy = torch.rand(1, 3, *shape, requires_grad=True)
    network(noisy, level(0.1))[0, :, pixel[0], pixel[1]].sum().backward()
    return (noisy.grad[0].abs().sum(0) > 0).numpy()


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_the_reach_that_is_worked_out_is_the_one_that_the_gradient_has(name: str) -> None:
    network = make(name, std=0.01)
    for parameter in network.parameters():  # so that no unit is silent everywhere
        parameter.data.abs_() if parameter.ndim > 1 else parameter.data.fill_(0.1)
    if name == "conv_lstm":  # what is subtracted from an estimate that is read again
        network.tail.weight.data.neg_()
    grid = network.size_multiple * SMALL[name].get("window", 1)
    start = -(-network.reach // grid) * grid
    farthest = 0
    for phase in range(grid):
        middle = start + phase
        seen = influence(network, (middle, 2), (2 * start + grid, 4 * network.size_multiple)).any(axis=1).nonzero()[0]
        farthest = max(farthest, middle - seen[0], seen[-1] - middle)
    assert farthest == network.reach
    assert network.halo >= network.reach
    assert network.halo % grid == 0


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_a_shift_by_the_grid_shifts_the_result(name: str) -> None:
    network = make(name)
    grid = network.size_multiple * SMALL[name].get("window", 1)
    side = 2 * network.halo + 2 * grid
    image = torch.rand(1, 3, side + grid, 8)
    with torch.no_grad():
        first, second = network(image[:, :, :-grid], level(0.1)), network(image[:, :, grid:], level(0.1))
    inside = slice(network.halo, side - network.halo - grid)
    torch.testing.assert_close(first[:, :, grid:][:, :, inside], second[:, :, inside], atol=1e-5, rtol=1e-4)


def test_a_sweep_equals_the_equations_of_the_gated_unit() -> None:
    torch.manual_seed(0)
    sweep, x = Sweep(6), torch.randn(2, 6, 3, 5)
    weights = {name: value.detach().double().numpy() for name, value in sweep.gru.named_parameters()}

    def sigmoid(a: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-a))

    expected = np.zeros((2, 6, 3, 5))
    for direction, suffix in enumerate(("", "_reverse")):
        w_ih, w_hh, b_ih, b_hh = (weights[f"{n}_l0{suffix}"] for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        for n in range(2):
            for row in range(3):
                h = np.zeros(3)
                for column in range(5) if direction == 0 else reversed(range(5)):
                    a = w_ih @ x[n, :, row, column].double().numpy() + b_ih
                    b = w_hh @ h + b_hh
                    reset, update = sigmoid(a[:3] + b[:3]), sigmoid(a[3:6] + b[3:6])
                    h = (1 - update) * np.tanh(a[6:] + reset * b[6:]) + update * h
                    expected[n, 3 * direction : 3 * direction + 3, row, column] = h
    np.testing.assert_allclose(sweep(x).detach().numpy(), expected, atol=1e-6)


def test_sweeps_over_rows_and_columns_see_the_whole_image() -> None:
    assert influence(make("renet", std=0.3), (3, 4), (32, 24)).all()


def test_the_lstm_cell_equals_its_equations_in_numpy() -> None:
    torch.manual_seed(0)
    cell = ConvLSTMCell(2)
    x, h, c = (torch.randn(1, 2, 4, 5) for _ in range(3))
    weight, bias = (p.detach().double().numpy() for p in cell.parameters())
    padded = np.pad(torch.cat([x, h], dim=1)[0].double().numpy(), ((0, 0), (1, 1), (1, 1)))
    gates = np.empty((8, 4, 5))
    for row in range(4):
        for column in range(5):
            gates[:, row, column] = np.tensordot(weight, padded[:, row : row + 3, column : column + 3], 3) + bias
    i, f, o = (1 / (1 + np.exp(-gates[k : k + 2])) for k in (0, 2, 4))
    memory = f * c[0].numpy() + i * np.tanh(gates[6:])
    hidden, remembered = cell(x, h, c)
    np.testing.assert_allclose(remembered[0].detach().numpy(), memory, atol=1e-6)
    np.testing.assert_allclose(hidden[0].detach().numpy(), o * np.tanh(memory), atol=1e-6)


@pytest.mark.parametrize("moved", [False, True])
def test_attention_equals_a_softmax_place_by_place(moved: bool) -> None:
    torch.manual_seed(0)
    attention = WindowAttention(6, heads=2, window=4, moved=moved)
    torch.nn.init.normal_(attention.position)
    torch.nn.init.normal_(attention.log_scale, std=0.5)
    x = torch.randn(1, 6, 5, 9)  # no multiple of the window
    q, k, v = attention.qkv(x)[0].detach().double().numpy().reshape(3, 2, 3, 5, 9)
    scale = attention.log_scale.exp().detach().double().numpy().ravel()
    position = attention.position.detach().double().numpy().reshape(2, 7, 7)
    start = 2 if moved else 0
    attended = np.zeros((2, 3, 5, 9))
    places = [(y, x_) for y in range(5) for x_ in range(9)]
    for head in range(2):
        for y, x_ in places:
            mates = [(b, a) for b, a in places if (b + start) // 4 == (y + start) // 4
                     and (a + start) // 4 == (x_ + start) // 4]  # fmt: skip
            query = q[head, :, y, x_] / np.linalg.norm(q[head, :, y, x_])
            logits = np.array([
                scale[head] * query @ (k[head, :, b, a] / np.linalg.norm(k[head, :, b, a]))
                + position[head, y - b + 3, x_ - a + 3]
                for b, a in mates
            ])  # fmt: skip
            p = np.exp(logits - logits.max())
            p /= p.sum()
            attended[head, :, y, x_] = sum(w * v[head, :, b, a] for w, (b, a) in zip(p, mates, strict=True))
    mixed = attention.mix(torch.from_numpy(attended.reshape(1, 6, 5, 9)).float())
    torch.testing.assert_close(attention(x), x + mixed, atol=1e-5, rtol=1e-4)


def test_fold_lays_the_pixels_of_a_square_behind_one_another() -> None:
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    folded = fold(image, torch.full((1, 1, 4, 4), 0.5), 2)
    assert folded[0, :, 0, 1].tolist() == [2, 3, 6, 7, 0.5]


def test_the_count_of_multiplications_is_that_of_a_count_by_hand() -> None:
    """Per place of the folded map: 9 weights between every two channels; and at unshuffle 2 a place has 4 pixels."""
    network = make("recurrent_cnn", width=16, iterations=3)
    by_hand = 9 * (13 * 16 + 3 * 2 * 16 * 16 + 16 * 12) / 4
    assert multiply_adds_per_pixel(network, 3) == round(by_hand)


@pytest.mark.parametrize("name", COMPARED)
def test_the_denoisers_cost_about_the_same(name: str) -> None:
    config = RECIPES[name]()
    cost = multiply_adds_per_pixel(build_network(config.network, channels=3, **config.network_args), 3)
    assert 100_000 <= cost <= 150_000


def test_the_input_reaches_the_end_of_a_dncnn_before_training() -> None:
    torch.manual_seed(0)
    network, image = DnCNN(channels=1, depth=15), torch.rand(4, 1, 32, 32)
    with torch.no_grad():
        features = network.chain[:-1](fold(image, torch.full((4, 1, 1, 1), 0.1), 2))
    told = torch.cat([features, torch.ones_like(features[:, :1])], dim=1).movedim(1, 3).flatten(0, 2)
    pixels = torch.nn.functional.pixel_unshuffle(image, 2).movedim(1, 3).flatten(0, 2)
    rest = pixels - told @ torch.linalg.lstsq(told, pixels).solution
    assert rest.square().sum() / (pixels - pixels.mean(0)).square().sum() < 0.8  # 0.93 of random weights alone
