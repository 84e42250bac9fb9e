"""Weights in half precision or in bytes: how near they are, and that all who read a file find them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper

from anew.inference.inspection.graph import layers_of, load_graph
from anew.inference.models import open_model
from anew.networks import build_network
from anew.training.denoising import DenoiseConfig
from anew.training.export import load_weights
from anew.training.restoration import RunFacts, export_restorer
from anew.training.stored_weights import LARGE, Stored, store_weights

WIDE = {"widths": [16, 80], "blocks": 1, "middle_blocks": 1, "unshuffle": 2}  # 80 x 80 x 9 is large, 16 x 16 x 9 not


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    made = build_network("unet", channels=3, **WIDE)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return made.eval()


def exported(network: torch.nn.Module, folder: Path, stored: Stored) -> Path:
    path = folder / f"{stored}.onnx"
    config = replace(DenoiseConfig(network="unet", network_args=WIDE), stored=stored)
    export_restorer(network, config, path, RunFacts(), protocol="none")
    return path


def stored_as(weight: np.ndarray, stored: Stored) -> tuple[onnx.ModelProto, np.ndarray]:
    """A model that adds a weight to nothing, and the weight that it computes with."""
    import onnxruntime

    value = helper.make_tensor_value_info("result", TensorProto.FLOAT, weight.shape)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["result"])], "g", [], [value], [numpy_helper.from_array(weight, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    store_weights(model, stored)
    onnx.checker.check_model(model)
    (result,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {})
    return model, result


def test_bytes_are_within_half_a_step_of_the_weights_and_keep_the_greatest() -> None:
    rng = np.random.default_rng(0)
    weight = (rng.normal(size=(40, LARGE // 40)) * np.logspace(-6, 6, 40)[:, None]).astype(np.float32)
    weight[7] = 0
    model, given = stored_as(weight, "byte")
    greatest = np.abs(weight).max(axis=1, keepdims=True)
    assert (np.abs(given - weight) <= greatest / 127 * 0.5001).all()
    np.testing.assert_allclose(np.abs(given).max(axis=1, keepdims=True), greatest, rtol=1e-6)
    np.testing.assert_array_equal(given[7], 0)
    assert len(model.SerializeToString()) < 1.02 * weight.size


@pytest.mark.parametrize(("stored", "kept", "bytes_each"), [("half", 2e-3, 2), ("float", 0, 4), ("byte", 2e-3, 2)])
def test_what_is_small_is_kept_in_half_precision(stored: Stored, kept: float, bytes_each: int) -> None:
    weight = np.random.default_rng(0).normal(size=(90, 500)).astype(np.float32)  # below LARGE
    model, given = stored_as(weight, stored)
    np.testing.assert_allclose(given, weight, atol=kept)
    assert len(model.SerializeToString()) == pytest.approx(bytes_each * weight.size, rel=0.01)


def test_values_beyond_half_precision_and_vectors_are_no_bytes() -> None:
    far = np.full(LARGE, 1e6, np.float32)
    model, given = stored_as(far, "byte")
    np.testing.assert_array_equal(given, far)
    assert model.graph.initializer[0].data_type == TensorProto.FLOAT


def test_a_network_in_bytes_computes_nearly_the_same_from_half_the_file(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    image = np.random.default_rng(0).random((24, 40, 3), np.float32)
    files = {stored: exported(network, tmp_path, stored) for stored in ("float", "half", "byte")}
    results = {stored: open_model(path, provider="cpu")(image, 0.1) for stored, path in files.items()}
    change = np.abs(results["float"] - image).mean()
    assert np.abs(results["half"] - results["float"]).max() < 0.01 * change
    assert 0 < np.abs(results["byte"] - results["float"]).mean() < 0.03 * change
    assert files["byte"].stat().st_size < 0.65 * files["half"].stat().st_size


def test_layers_and_weights_are_found_in_bytes_as_in_half_precision(network: torch.nn.Module, tmp_path: Path) -> None:
    half, byte = (exported(network, tmp_path, stored) for stored in ("half", "byte"))
    described = [[(x.name, x.weight_shape, x.parameters) for x in layers_of(path)] for path in (half, byte)]
    assert described[0] == described[1]
    assert not [node for node in load_graph(byte).graph.node if any(x.endswith("_bytes") for x in node.input)]
    again = build_network("unet", channels=3, seed=5, **WIDE)
    load_weights(again, byte)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, atol=0.0005, rtol=0)
