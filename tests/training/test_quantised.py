"""Networks that learn and compute in 8 bits: the grids, their gradients, and the same numbers from the runtime."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

import onnx

from anew.errors import InvalidSetting
from anew.inference.inspection.graph import layers_of
from anew.inference.models import open_model
from anew.networks import build_network
from anew.networks.quantised import SIGNED, START, UNSIGNED, WEIGHT_LEVELS, QuantisedConv2d, _Grid, best_step, calibrate
from anew.networks.unet import LEAST_SCALE
from anew.recipes import RECIPES
from anew.training.denoising import DenoiseConfig
from anew.training.export import load_weights
from anew.training.quantisation import steps_of
from anew.training.restoration import RunFacts, export_restorer
from anew.training.run import run_recipe

ARGUMENTS = {"widths": [16, 24], "blocks": 1, "middle_blocks": 1, "quantised": True}
FLOAT = {**ARGUMENTS, "quantised": False}
SCALED = {**ARGUMENTS, "up_blocks": [2], "scaled_steps": True}
CONFIG = DenoiseConfig(network="unet", network_args=ARGUMENTS, stored="float")
TINY = DenoiseConfig(network="unet", network_args=FLOAT, patch=32, batch=2, validation=1, warmup=1, validate_every=50)
ROUNDED = ("down.0.0.first", "down.0.0.second", "down.0.1", "middle.0.first", "middle.0.second")
ROUNDED += ("up.0.0", "up.0.2.first", "up.0.2.second")


def calibrated(arguments: dict[str, Any]) -> Any:
    torch.set_num_threads(1)
    made = build_network("unet", **arguments)
    generator = torch.Generator().manual_seed(0)
    for module in made.modules():
        if isinstance(module, torch.nn.Conv2d) and module.bias is not None:
            # they start at zero, which hides what is done to them
            torch.nn.init.normal_(module.bias, std=0.1, generator=generator)
    image, level = torch.rand(1, 3, 64, 64, generator=generator), torch.full((1, 1, 1, 1), 0.1)
    with torch.no_grad():
        calibrate(made.eval(), lambda: made(image, level))
    return made


@pytest.fixture
def network() -> Any:
    return calibrated(ARGUMENTS)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for k in range(4):
        pixels = np.random.default_rng(k).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(folder / f"{k}.png")
    return folder


def exported(network: Any, folder: Path) -> Path:
    path = folder / "model.onnx"
    export_restorer(network, CONFIG, path, RunFacts(), protocol="none")
    return path


def test_what_lies_on_the_grid_stays_and_what_lies_beyond_is_clipped() -> None:
    step = torch.log(torch.tensor(0.5))
    x = torch.tensor([0.0, 0.5, -64.0, 0.74, 0.76, 1000.0, -1000.0])
    torch.testing.assert_close(_Grid.apply(x, step, *SIGNED), torch.tensor([0, 0.5, -64, 0.5, 1, 63.5, -64]))
    torch.testing.assert_close(_Grid.apply(x, step, *UNSIGNED), torch.tensor([0, 0.5, 0, 0.5, 1, 127.5, 0]))


def test_a_clipped_value_pulls_the_step_and_not_itself() -> None:
    x = torch.tensor([200.0, 0.3], requires_grad=True)
    log_step = torch.tensor(0.0, requires_grad=True)
    (_Grid.apply(x, log_step, *SIGNED) * torch.tensor([1.0, 10.0])).sum().backward()
    assert x.grad is not None
    assert log_step.grad is not None
    assert x.grad.tolist() == [0, 10]
    # d (127 e^s) / ds = 127 for the one; levels - x = -0.3 for the other; damped by sqrt(values x levels).
    assert float(log_step.grad) == pytest.approx((127 - 3) / np.sqrt(2 * 127), rel=1e-5)


def test_the_step_that_is_learned_is_the_best_one() -> None:
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    log_step = torch.tensor(np.log(8 / 7), dtype=torch.float32, requires_grad=True)
    optimiser = torch.optim.Adam([log_step], 0.02)
    for _ in range(300):
        error = (_Grid.apply(values, log_step, -8, 7) - values).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
    steps = [float(s) for s in np.linspace(0.2, 0.6, 401)]
    errors = [float(((values / s).round().clamp(-8, 7) * s - values).square().mean()) for s in steps]
    assert float(log_step.detach().exp()) == pytest.approx(steps[int(np.argmin(errors))], rel=0.03)
    assert float(error.detach()) == pytest.approx(min(errors), rel=0.01)


def test_the_runtime_gives_the_numbers_of_the_training_for_any_size(network: Any, tmp_path: Path) -> None:
    path = exported(network, tmp_path)
    model = open_model(path, provider="cpu")
    for height, width in ((64, 64), (32, 48)):
        image = np.random.default_rng(height).random((height, width, 3), np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(image.transpose(2, 0, 1)[None]), torch.full((1, 1, 1, 1), 0.1))
        difference = np.abs(model(image, 0.1) - expected[0].numpy().transpose(1, 2, 0))
        assert np.mean(difference > 1e-4) < 0.01  # what lies between two levels may fall to either
        assert difference.max() < 3e-3
    assert model(np.zeros((1, 9, 3), np.float32), 0.1).shape == (1, 9, 3)


def test_the_runtime_computes_all_between_first_and_last_in_integers(network: Any, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(exported(network, tmp_path)), options, ["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node]
    assert kinds.count("QLinearConv") == len(ROUNDED)
    assert kinds.count("Conv") == 2


def test_two_products_fit_into_16_bits(network: Any, tmp_path: Path) -> None:
    graph = onnx.load(str(exported(network, tmp_path))).graph
    weights = [onnx.numpy_helper.to_array(t) for t in graph.initializer if t.name.endswith(".weight_levels")]
    assert len(weights) == len(ROUNDED)
    assert max(int(np.abs(w.astype(int)).max()) for w in weights) == WEIGHT_LEVELS
    assert 2 * 255 * WEIGHT_LEVELS < 2**15


def test_values_far_beyond_the_grids_are_clipped_alike(network: Any, tmp_path: Path) -> None:
    model = open_model(exported(network, tmp_path), provider="cpu")
    image = np.random.default_rng(0).normal(0, 30, (32, 32, 3)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(image.transpose(2, 0, 1)[None]), torch.full((1, 1, 1, 1), 0.1))
    np.testing.assert_allclose(model(image, 0.1), expected[0].numpy().transpose(1, 2, 0), atol=1e-3)


def test_steps_start_where_rounding_costs_least() -> None:
    layer = QuantisedConv2d(1, 1, 1, rectified=True)
    torch.nn.init.constant_(layer.weight, 3.0)
    torch.nn.init.zeros_(layer.bias)
    ramp = torch.linspace(0, 0.5, 4096).reshape(1, 1, 64, 64)
    calibrate(layer, lambda: layer(ramp))
    assert layer.output_log_step is not None
    assert float(layer.input_log_step.detach().exp()) == pytest.approx(0.5 / 255)  # nothing of a ramp is rare
    assert float(layer.output_log_step.detach().exp()) == pytest.approx(1.5 / 127)
    assert layer(torch.ones(1, 1, 1, 1)).detach().item() == pytest.approx(1.5)  # rounds and clips again


def test_what_is_rare_is_clipped_to_round_the_rest_finely() -> None:
    values = torch.randn(50_000, generator=torch.Generator().manual_seed(0))
    values[0] = 10.0
    assert 5 / 127 < float(best_step(values, SIGNED)) < 9.5 / 127
    # Max, "Quantizing for minimum distortion", IRE Trans. IT 6 (1960): 32 uniform levels for the normal distribution.
    assert float(best_step(values[1:], (-16, 15))) == pytest.approx(0.1881, rel=0.06)


def test_weights_and_steps_come_back_from_the_file(network: Any, tmp_path: Path) -> None:
    path = exported(network, tmp_path)
    again = build_network("unet", seed=5, **ARGUMENTS).eval()
    load_weights(again, path)
    image, level = torch.rand(1, 3, 32, 32), torch.full((1, 1, 1, 1), 0.1)
    with torch.no_grad():
        torch.testing.assert_close(again(image, level), network(image, level), atol=1e-4, rtol=0)


def test_inspection_sees_the_layers_of_the_same_network_without_rounding(network: Any, tmp_path: Path) -> None:
    plain = build_network("unet", **FLOAT)
    (tmp_path / "plain").mkdir()
    layers = [layers_of(exported(n, folder)) for n, folder in ((network, tmp_path), (plain, tmp_path / "plain"))]
    seen, expected = ([(p.name, p.weight_shape, p.parameters) for p in side] for side in layers)
    assert seen == expected


def test_a_network_that_learned_without_goes_on_in_8_bits_and_on_from_there(photos: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    plain = run_recipe(TINY, photos, tmp_path / "plain", steps=60)
    seen: list[dict[str, Any]] = []
    low = replace(TINY, quantised=True, learning_rate=1e-4)
    rounded = run_recipe(low, photos, tmp_path / "rounded", steps=60, start_from=str(plain), report=seen.append)
    reached = open_model(plain).card.scores["held-out images of the training data"]["25"]
    assert seen[0]["psnr_25"] == pytest.approx(reached, abs=0.5)
    assert open_model(rounded).card.network_args["quantised"] is True
    still, told = replace(TINY, learning_rate=0.0), list[str]()
    on = run_recipe(still, photos, tmp_path / "on", steps=1, start_from=str(rounded), tell=told.append)
    card = open_model(on).card
    assert card.network_args["quantised"] is card.recipe["quantised"] is True
    assert told == ["it learns in 8 bits, as unet computes; --set quantised=false goes on in float"]
    first, then = (steps_of(onnx.load(str(path)).graph) for path in (rounded, on))
    assert len(first) == 2 * len(ROUNDED) - 3  # three layers leave the rounding of their result to the next
    assert then == pytest.approx(first, abs=1e-5)
    assert any(value != pytest.approx(np.log(START), abs=0.2) for value in first.values())


def test_a_network_of_8_bits_goes_on_in_float_if_told_so(photos: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    low = replace(TINY, learning_rate=1e-4)
    rounded = run_recipe(replace(low, quantised=True), photos, tmp_path / "rounded", steps=60)
    seen, told = list[dict[str, Any]](), list[str]()
    config = replace(low, quantised=False)
    path = run_recipe(
        config, photos, tmp_path / "on", steps=1, start_from=str(rounded), report=seen.append, tell=told.append
    )
    reached = open_model(rounded).card.scores["held-out images of the training data"]["25"]
    assert seen[0]["psnr_25"] == pytest.approx(reached, abs=0.5)
    assert not told
    card = open_model(path).card
    assert card.network_args["quantised"] is card.recipe["quantised"] is False
    assert not steps_of(onnx.load(str(path)).graph)


def test_a_network_that_cannot_is_refused(photos: Path, tmp_path: Path) -> None:
    config = replace(RECIPES["upscale-srcnn"](), quantised=True)
    with pytest.raises(InvalidSetting, match="quantised is true, but the network srcnn cannot compute in 8 bits"):
        run_recipe(config, photos, tmp_path / "run", steps=1)


def test_calibration_leaves_other_networks_alone() -> None:
    def fail() -> None:
        raise AssertionError

    calibrate(build_network("unet", **FLOAT), fail)
    assert not any(isinstance(m, QuantisedConv2d) for m in build_network("unet", **FLOAT).modules())


@pytest.fixture
def scaled() -> Any:
    return calibrated(SCALED)


def test_steps_that_are_scaled_round_scaled_values_alike() -> None:
    layer = QuantisedConv2d(3, 4, 3, padding=1)
    layer.bias = None
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor([1.0, 1 / 64]).reshape(2, 1, 1, 1)
    with torch.no_grad():
        once = layer(x)
        torch.testing.assert_close(layer(scale * x, scale), scale * once)
        assert float((layer(scale * x)[1] - scale[1] * once[1]).abs().max()) > 0.01  # unscaled, they are too wide


def test_the_runtime_scales_steps_as_the_training_did(scaled: Any, tmp_path: Path) -> None:
    model = open_model(exported(scaled, tmp_path), provider="cpu")
    image = np.random.default_rng(0).random((64, 64, 3), np.float32)
    levels = (0.002, LEAST_SCALE, 0.05, 0.1)
    results = [model(image, level) for level in levels]
    for level, result in zip(levels, results, strict=True):
        with torch.no_grad():
            expected = scaled(torch.from_numpy(image.transpose(2, 0, 1)[None]), torch.full((1, 1, 1, 1), level))
        difference = np.abs(result - expected[0].numpy().transpose(1, 2, 0))
        assert np.median(difference) < 1e-6
        assert difference.mean() < 1e-3  # what lies between two levels may fall to either
    assert np.abs(results[0] - results[-1]).max() > 1e-3


def test_scaled_steps_cost_no_operation_on_values(scaled: Any, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(exported(scaled, tmp_path)), options, ["CPUExecutionProvider"])
    nodes = onnx.load(options.optimized_model_filepath).graph.node
    assert [node.op_type for node in nodes].count("QLinearConv") == len(ROUNDED) + 2
    assert not any(node.op_type == "Div" for node in nodes)
    products = [node for node in nodes if node.op_type == "Mul" and any("step" in name for name in node.input)]
    assert len(products) == 2


def test_scaled_steps_and_weights_come_back_and_are_seen_without_rounding(scaled: Any, tmp_path: Path) -> None:
    path = exported(scaled, tmp_path)
    again = build_network("unet", seed=5, **SCALED).eval()
    load_weights(again, path)
    image, level = torch.rand(1, 3, 32, 32), torch.full((1, 1, 1, 1), 0.02)
    with torch.no_grad():
        torch.testing.assert_close(again(image, level), scaled(image, level), atol=1e-4, rtol=0)
    assert len(layers_of(path)) == len(ROUNDED) + 4


def test_a_tile_sees_what_the_blocks_on_the_way_up_see() -> None:
    plain = build_network("unet", **{**SCALED, "quantised": False})
    for parameter in plain.parameters():  # so that no unit is silent
        parameter.data.abs_() if parameter.ndim > 1 else parameter.data.fill_(0.1)
    halos = [build_network("unet", **{**SCALED, "up_blocks": [count]}).halo for count in (1, 2)]
    farthest = 0
    for middle in range(64, 64 + plain.size_multiple):
        image = torch.rand(1, 3, 128, 8, requires_grad=True)
        plain(image, torch.full((1, 1, 1, 1), 0.1))[0, :, middle, 4].sum().backward()
        seen = image.grad[0].abs().sum((0, 2)).nonzero().flatten()
        farthest = max(farthest, middle - int(seen[0]), int(seen[-1]) - middle)
    assert halos[0] < farthest <= halos[1]
