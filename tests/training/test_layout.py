"""The order in which integer graphs are written: nothing changes but what the runtime makes of it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")

import onnx
from torch import nn

from anew.inference.inspection.graph import layers_of
from anew.networks import build_network
from anew.networks.quantised import calibrate
from anew.networks.upscaler import Upscaler
from anew.training import export
from anew.training.denoising import DenoiseConfig
from anew.training.export import export_onnx
from anew.training.layout import by_channel, by_place, lay_out, shuffled_layers
from anew.training.restoration import RunFacts, export_restorer
from anew.training.upscaling import UpscaleConfig, export_upscaler
from hand_made_models import make_card

RESTORER = DenoiseConfig(
    network="unet",
    network_args={"widths": [16, 24], "blocks": 1, "middle_blocks": 1, "quantised": True},
    stored="float",
)
UPSCALER = UpscaleConfig(
    network="edge-oriented",
    network_args={"scales": [3], "width": 16, "depth": 3, "quantised": True, "branches": False},
    stored="float",
)


@pytest.fixture(params=[RESTORER, UPSCALER], ids=["restorer", "upscaler"])
def written(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network in 8 bits with weights at random, as it was written before and is written now."""
    torch.set_num_threads(1)
    config = request.param
    network = build_network(config.network, channels=config.channels, seed=3, **config.network_args)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.bias, std=0.1)
    image, told = torch.rand(1, config.channels, 32, 48), torch.full((1, 1, 1, 1), 3.0)
    with torch.no_grad():
        calibrate(network.eval(), lambda: network(image, told))
    paths = []
    for name, rewrite in (("before", lambda _: None), ("now", lay_out)):
        monkeypatch.setattr(export, "lay_out", rewrite)
        paths.append(tmp_path / f"{name}.onnx")
        if isinstance(network, Upscaler):
            export_upscaler(network, config, paths[-1], RunFacts())
        else:
            export_restorer(network, config, paths[-1], RunFacts(), protocol="none")
    return network, *paths


def run(path: Path, height: int, width: int) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    channels = session.get_inputs()[0].shape[1]
    image = np.random.default_rng(height).random((1, channels, height, width), np.float32)
    values = {"image": image, "condition": np.full((1, 1, 1, 1), 3.0, np.float32)}
    return session.run(None, {entry.name: values[entry.name] for entry in session.get_inputs()})


def optimised(path: Path) -> list[Any]:
    """What the runtime makes of a file: its nodes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(path.with_suffix(".optimised"))
    onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    return list(onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("size", [(32, 48), (8, 4), (64, 20)])
def test_every_bit_of_the_result_stays(written: Any, size: tuple[int, int]) -> None:
    _, before, now = written
    for expected, result in zip(run(before, *size), run(now, *size), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_the_runtime_need_not_turn_channels_between_integer_convolutions(written: Any) -> None:
    network, before, now = written
    kinds = [[node.op_type for node in optimised(path)] for path in (before, now)]
    turned = [side.count("Transpose") for side in kinds]
    # Of an upscaler only the result is turned; a U-Net's fine pixels are put together, and its last convolution
    # computes with the channels first again.
    assert turned[1] == (1 if isinstance(network, Upscaler) else 2) < turned[0]
    assert kinds[0].count("QLinearConv") == kinds[1].count("QLinearConv") > 0


def test_few_outputs_become_as_many_as_are_computed_together(written: Any) -> None:
    network, _, now = written
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(str(now)).graph.initializer}
    outputs = {name: len(array) for name, array in stored.items() if name.endswith(".weight_levels")}
    assert min(outputs.values()) == 16
    seen = {layer.name: layer.weight_shape for layer in layers_of(now)}
    expected = {name: tuple(m.weight.shape) for name, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    assert seen == expected


def test_weights_come_back_in_their_order(written: Any) -> None:
    network, before, now = written
    assert not shuffled_layers(onnx.load(str(before)))
    assert shuffled_layers(onnx.load(str(now))) == ([] if isinstance(network, Upscaler) else ["up.0.0"])
    states = []
    for path in (before, now):
        again = copy.deepcopy(network)
        for parameter in again.parameters():
            nn.init.zeros_(parameter)
        export.load_weights(again, path)
        states.append(again.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=0, atol=0)
    assert any(value.any() for value in states[0].values())


def test_a_file_without_grids_stays_as_it_is(tmp_path: Path) -> None:
    config = DenoiseConfig(network="unet", network_args={**RESTORER.network_args, "quantised": False})
    path = tmp_path / "model.onnx"
    export_restorer(build_network("unet", **config.network_args), config, path, RunFacts(), protocol="none")
    model = onnx.load(str(path))
    as_it_was = model.SerializeToString()
    lay_out(model)
    assert model.SerializeToString() == as_it_was


def test_places_and_channels_change_sides_as_in_a_sub_pixel_convolution() -> None:
    image = torch.arange(2 * 8 * 3 * 5, dtype=torch.float32).reshape(2, 8, 3, 5)
    pixels = nn.functional.pixel_shuffle(image, 2)
    sorted_by_place = torch.from_numpy(by_place(image.transpose(0, 1).numpy())).transpose(0, 1)
    pieces = sorted_by_place.reshape(2, 2, 2, 2, 3, 5)  # (N, row, column, C, H, W)
    torch.testing.assert_close(pieces.permute(0, 3, 4, 1, 5, 2).reshape(2, 2, 6, 10), pixels)
    rows = np.arange(8 * 3).reshape(8, 3)
    np.testing.assert_array_equal(by_channel(by_place(rows)), rows)


@pytest.mark.parametrize(("channels", "factor"), [(1, 2), (3, 2), (2, 3)])
def test_pixels_are_folded_by_one_operator_in_the_order_of_torch(channels: int, factor: int, tmp_path: Path) -> None:
    path = tmp_path / "folded.onnx"
    image = torch.arange(2 * channels * 36.0).reshape(2, channels, 6, 6)
    free = {"image": {0: "batch", 2: "height", 3: "width"}}
    export_onnx(nn.PixelUnshuffle(factor), make_card("fold"), path, inputs={"image": image[:1]}, dynamic=free)
    assert "Transpose" not in {node.op_type for node in onnx.load(str(path)).graph.node}
    for given in (image, torch.rand(1, channels, 2 * factor, 5 * factor)):
        (result,) = onnxruntime.InferenceSession(str(path)).run(None, {"image": given.numpy()})
        np.testing.assert_array_equal(result, nn.functional.pixel_unshuffle(given, factor).numpy())
