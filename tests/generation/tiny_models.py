"""Model files small enough to make in a test: a conditional generator and a flow, of 8 x 8 grey images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

LABELS = ["zero", "one", "two"]
SIDE = 8


def write_gan(path: Path) -> None:
    """Write a generator whose images are tanh(latent) below and bright in the row of their label."""
    from onnx import TensorProto, helper, numpy_helper

    rows = np.full((len(LABELS), 1, SIDE, SIDE), -0.5, np.float32)
    for label in range(len(LABELS)):
        rows[label, 0, label] = 1
    spread = np.zeros((4, SIDE * SIDE), np.float32)
    spread[:, SIDE * SIDE // 2 :] = np.random.default_rng(0).normal(0, 0.5, (4, SIDE * SIDE // 2))
    nodes = [
        helper.make_node("MatMul", ["latent", "spread"], ["flat"]),
        helper.make_node("Reshape", ["flat", "shape"], ["square"]),
        helper.make_node("Gather", ["rows", "label"], ["row"], axis=0),
        helper.make_node("Add", ["square", "row"], ["sum"]),
        helper.make_node("Tanh", ["sum"], ["result"]),
    ]
    constants = [
        numpy_helper.from_array(rows, "rows"),
        numpy_helper.from_array(spread, "spread"),
        numpy_helper.from_array(np.array([-1, 1, SIDE, SIDE], np.int64), "shape"),
    ]
    inputs = {"latent": (TensorProto.FLOAT, ["n", 4]), "label": (TensorProto.INT64, ["n"])}
    _save(path, nodes, constants, inputs, {"kind": "gan", "latent": 4})


def write_flow(path: Path) -> None:
    """Write a flow whose velocity is x / 2, so that noise z becomes z e^(-1/2) exactly."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [helper.make_node("Mul", ["image", "half"], ["result"])]
    constants = [numpy_helper.from_array(np.float32(0.5), "half")]
    inputs = {
        "image": (TensorProto.FLOAT, ["n", 1, SIDE, SIDE]),
        "time": (TensorProto.FLOAT, ["n"]),
        "label": (TensorProto.INT64, ["n"]),
    }
    facts = {"kind": "flow", "parametrisation": "rectified", "steps": 4, "guidance": 1.0}
    _save(path, nodes, constants, inputs, facts)


def _save(path: Path, nodes: list[Any], constants: list[Any], inputs: dict[str, Any], facts: dict[str, Any]) -> None:
    import onnx
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, ["n", 1, SIDE, SIDE])
    graph = helper.make_graph(nodes, "tiny", values, [result], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    card = {
        "name": path.stem,
        "task": "generate",
        "summary": "made in a test",
        "network": "",
        "network_args": {},
        "channels": 1,
        "size_multiple": 1,
        "halo": 0,
        "parameters": 0,
        "multiply_adds_per_pixel": 0,
        "recipe": {},
        "budget": "",
        "data": "",
        "terms": "",
        "date": "2026-01-01",
        "facts": {"labels": LABELS, "size": [SIDE, SIDE], **facts},
    }
    helper.set_model_props(model, {"anew:card": json.dumps(card)})
    onnx.save(model, str(path))
