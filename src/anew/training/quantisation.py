"""From the grids of a network trained in 8 bits to an ONNX graph that a runtime computes in integers.

Each quantised convolution (``networks/quantised.py``) becomes QuantizeLinear, DequantizeLinear, Conv, QuantizeLinear,
DequantizeLinear, with weights and offsets in integers: the form that ONNX Runtime and OpenVINO fuse into one integer
convolution.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.networks.quantised import QuantisedConv2d, weight_step

STEPS = {"input_step": "input_log_step", "output_step": "output_log_step"}  # in the file, in the network
ZERO = {False: 128, True: 0}  # the level of zero among 256, rectified or not


def insert_grids(model: Any, network: nn.Module) -> None:
    """Put the grids of a network into its exported graph, an ``onnx.ModelProto``, in place."""
    layers = {f"{name}.weight": (name, m) for name, m in network.named_modules() if isinstance(m, QuantisedConv2d)}
    if not layers:
        return
    graph, nodes = model.graph, []
    for node in graph.node:
        if node.op_type != "Conv" or node.input[1] not in layers:
            nodes.append(node)
            continue
        name, module = layers[node.input[1]]
        grid = _Grid(graph, name)
        step, weight_steps = _step(module.input_log_step), weight_step(module.weight).numpy()
        entry = grid.on("input", node.input[0], step, ZERO[module.rectified])
        constants = [grid.stored("weight", module.weight, weight_steps, np.int8)]
        if module.bias is not None:
            constants.append(grid.stored("bias", module.bias, (step * weight_steps).ravel(), np.int32))
        result = node.output[0]
        nodes += [*grid.take(), node]
        del node.input[:]
        node.input.extend([entry, *constants])
        if module.output_log_step is not None:
            node.output[0] = f"{result}_exact"
            grid.on("output", node.output[0], _step(module.output_log_step), ZERO[False], result=result)
            nodes += grid.take()
    nodes = _scale_steps(_shuffle_levels(nodes))
    read = {name for node in nodes for name in node.input}
    nodes = [n for n in nodes if n.op_type != "Identity" or n.output[0] in read]  # equal offsets were shared
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)


def _shuffle_levels(nodes: list[Any]) -> list[Any]:
    """Let sub-pixel convolutions rearrange levels in place of values, a quarter of the bytes."""
    makers = {name: node for node in nodes for name in node.output}
    ordered = list(nodes)
    for shuffle in (node for node in nodes if node.op_type == "DepthToSpace"):
        spread = makers[shuffle.input[0]]
        if spread.op_type == "DequantizeLinear":
            levels, result = f"{shuffle.output[0]}_levels", shuffle.output[0]
            shuffle.input[0], shuffle.output[0] = spread.input[0], levels
            spread.input[0], spread.output[0] = levels, result
            ordered.remove(spread)
            ordered.insert(ordered.index(shuffle) + 1, spread)
    return ordered


def _scale_steps(nodes: list[Any]) -> list[Any]:
    """Scale steps in place of values: x / s rounded to steps of d, times s, is x rounded to steps of s d."""
    makers: dict[str, Any] = {name: node for node in nodes for name in node.output}
    ordered: list[Any] = []
    for node in nodes:
        before = makers.get(node.input[0]) if node.input else None
        if before is not None and (before.op_type, node.op_type) == ("Div", "QuantizeLinear"):
            node.input[0], scale, rounding = before.input[0], before.input[1], node
        elif before is not None and (before.op_type, node.op_type) == ("DequantizeLinear", "Mul"):
            before.output[0], scale, rounding = node.output[0], node.input[1], before
        else:
            ordered.append(node)
            continue
        ordered.remove(before)
        ordered += [*_times(rounding, scale), rounding]
    return ordered


def _times(rounding: Any, scale: str) -> list[Any]:
    """Multiply the step of a node by a tensor of one value, and give what computes it."""
    from onnx import helper

    step = rounding.input[1]
    rounding.input[1] = f"{step}_scaled"
    factor = f"{step}_factor"
    return [helper.make_node("Squeeze", [scale], [factor]), helper.make_node("Mul", [step, factor], [f"{step}_scaled"])]


def steps_of(graph: Any) -> dict[str, float]:
    """Give the steps that a graph with grids holds, as the parameters of the network that it came from."""
    from onnx import numpy_helper

    steps = {}
    for tensor in graph.initializer:
        layer, _, kind = tensor.name.rpartition(".")
        if kind in STEPS:
            steps[f"{layer}.{STEPS[kind]}"] = math.log(float(numpy_helper.to_array(tensor)))
    return steps


class _Grid:
    """Writes the nodes and constants of one layer's grids."""

    def __init__(self, graph: Any, layer: str) -> None:
        self.graph, self.layer = graph, layer
        self.nodes: list[Any] = []

    def take(self) -> list[Any]:
        """Give the nodes written since the last time."""
        nodes, self.nodes = self.nodes, []
        return nodes

    def on(self, place: str, tensor: str, step: float, zero: int, *, result: str | None = None) -> str:
        """Round a tensor to a grid, and give the name of the rounded one."""
        from onnx import helper

        name = f"{self.layer}.{place}"
        grid = [self._store(f"{name}_step", np.float32(step)), self._store(f"{name}_zero", np.uint8(zero))]
        result = result or f"{name}_rounded"
        self.nodes.append(helper.make_node("QuantizeLinear", [tensor, *grid], [f"{name}_levels"]))
        self.nodes.append(helper.make_node("DequantizeLinear", [f"{name}_levels", *grid], [result]))
        return result

    def stored(self, kind: str, values: Tensor, steps: NDArray[np.float32], dtype: type[Any]) -> str:
        """Store constants as whole levels, with a step for each output channel, and give the name of their values."""
        from onnx import helper

        name = f"{self.layer}.{kind}"
        levels = self._store(f"{name}_levels", np.rint(values.detach().numpy() / steps).astype(dtype))
        step = self._store(f"{name}_scale", steps.ravel().astype(np.float32))
        self.nodes.append(helper.make_node("DequantizeLinear", [levels, step], [f"{name}_rounded"], axis=0))
        return f"{name}_rounded"

    def _store(self, name: str, array: Any) -> str:
        from onnx import numpy_helper

        self.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
        return name


def _step(log_step: Tensor) -> float:
    return float(log_step.detach().exp())
