"""From a trained network to one ONNX file with its card inside."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from anew.inference.card import ModelCard

OPSET = 17


def export_onnx(
    network: nn.Module,
    card: ModelCard,
    path: Path,
    *,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str] = ("result",),
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
    half: bool = True,
) -> None:
    """Write a network as ONNX, with its card in the metadata.

    Parameters
    ----------
    network : module
        Its ``forward`` takes the inputs in their order.
    card : ModelCard
    path : path
    inputs : mapping of str to tensor
        Names and examples.
    outputs : sequence of str
    dynamic : mapping of str to mapping of int to str, optional
        The axes of inputs and outputs that may have any size, with a name each.
    half : bool
        Store the weights in half precision; the network still computes in float32.
    """
    import onnx

    network = network.cpu().eval().to(memory_format=torch.contiguous_format)
    part = path.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own future
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            str(part),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in (dynamic or {}).items()},
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,  # as it is: in eval mode, but nothing folded together, so that
            do_constant_folding=False,  # the weights keep their names and shapes; ONNX Runtime folds on loading
            dynamo=False,
        )
    model = onnx.load(str(part))
    if half:
        _halve_weights(model)
    entry = model.metadata_props.add()
    entry.key, entry.value = "anew:card", card.model_dump_json()
    onnx.checker.check_model(model)
    onnx.save(model, str(part))
    os.replace(part, path)


def load_weights(network: nn.Module, path: Path) -> None:
    """Put the weights of an exported file back into a network of the same architecture, to train on from there."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    stored = {}
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        stored[tensor.name.removesuffix("_half")] = torch.from_numpy(np.array(array, np.float32))
    for node in graph.node:  # equal tensors, such as untrained biases, are stored once
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    stored |= counters  # of batch normalisation; no result depends on them, so they are in no file
    network.load_state_dict({name: stored[name] for name in network.state_dict()})


def _halve_weights(model: object) -> None:
    """Store float32 weights as float16, each followed by a cast that ONNX Runtime folds away on loading."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph  # type: ignore[attr-defined]
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and int(np.prod(tensor.dims)) > 1:
            name = tensor.name
            half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}_half")
            tensor.CopyFrom(half)
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
