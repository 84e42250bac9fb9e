"""From a trained network to one ONNX file with its card inside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anew.inference.card import ModelCard
from anew.inference.inspection.graph import load_graph
from anew.training.layout import by_channel, lay_out, shuffled_layers
from anew.training.quantisation import insert_grids, steps_of
from anew.training.stored_weights import Stored, store_weights
from anew.training.whole_files import whole_file

OPSET = 17
EPSILON = 1e-5  # of torch.nn.BatchNorm2d


def export_onnx(
    network: nn.Module,
    card: ModelCard,
    path: Path,
    *,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str] = ("result",),
    dynamic: Mapping[str, Mapping[int, str]] | None = None,
    stored: Stored = "half",
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
    stored : {"half", "float", "byte"}
        How the weights lie in the file, except those on grids of 8 bits (``training/stored_weights.py``).
    """
    import onnx

    network = network.cpu().eval().to(memory_format=torch.contiguous_format)
    torch.onnx.register_custom_op_symbolic("aten::pixel_unshuffle", _pixel_unshuffle, OPSET)
    with whole_file(path) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own future
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            part,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(axes) for name, axes in (dynamic or {}).items()},
            opset_version=OPSET,
            training=torch.onnx.TrainingMode.PRESERVE,  # as it is: in eval mode, but nothing folded together, so that
            do_constant_folding=False,  # the weights keep their names and shapes; ONNX Runtime folds on loading
            dynamo=False,
        )
        model = onnx.load(part)
        insert_grids(model, network)
        lay_out(model)
        store_weights(model, stored)
        entry = model.metadata_props.add()
        entry.key, entry.value = "anew:card", card.model_dump_json()
        onnx.checker.check_model(model)
        onnx.save(model, part)


def _pixel_unshuffle(graph: Any, image: Any, factor: Any) -> Any:
    """Fold pixels into channels by one operator, and put these in order: a third of the time of what the exporter says.

    It says a transposition of six axes. The operator leaves the channels ordered by place first.
    """
    from torch.onnx import symbolic_helper

    side, channels = int(symbolic_helper._parse_arg(factor, "i")), int(symbolic_helper._get_tensor_dim_size(image, 1))
    order = torch.arange(side * side * channels).reshape(side * side, channels).T.flatten()
    folded = graph.op("SpaceToDepth", image, blocksize_i=side)
    return graph.op("Gather", folded, graph.op("Constant", value_t=order), axis_i=1)


def load_weights(network: nn.Module, path: Path) -> None:
    """Put the weights of an exported file back into a network of the same architecture, to train on from there."""
    import onnx
    from onnx import numpy_helper

    model = load_graph(path)
    graph = model.graph
    stored = {name: torch.tensor(step) for name, step in steps_of(onnx.load(str(path)).graph).items()}
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        stored[tensor.name.removesuffix("_half").removesuffix("_rounded")] = torch.from_numpy(
            np.array(array, np.float32)
        )
    for node in graph.node:  # equal tensors, such as untrained biases, are stored once
        if node.op_type == "Identity" and node.input[0] in stored:
            stored[node.output[0]] = stored[node.input[0]]
    stored = _with_normalisation(_without_normalisation(stored, network), network)
    counters = {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}
    stored |= counters  # of batch normalisation; no result depends on them, so they are in no file
    own = {name: value for name, value in network.state_dict().items() if name.endswith("_log_step")}
    stored = own | stored  # a file that was not trained in 8 bits has no steps; they are measured afterwards
    if "grown" in network.state_dict():  # what had not begun to grow is in no file; older files are of grown networks
        stored = network.state_dict() | stored
    network.load_state_dict(_in_order(stored, network, shuffled_layers(model)))


def _in_order(stored: Mapping[str, Tensor], network: nn.Module, shuffled: Sequence[str]) -> dict[str, Tensor]:
    """Give what a network has of what is stored, outputs in the network's order."""
    ordered = {name: stored[name] for name in network.state_dict()}
    for name in (f"{layer}.{kind}" for layer in shuffled for kind in ("weight", "bias")):
        ordered[name] = torch.from_numpy(by_channel(stored[name].numpy()))
    return ordered


def _without_normalisation(stored: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Fold batch normalisations that a network does not have into the convolutions before them.

    They stand in a sequence of layers, which are named by numbers.

    norm(w * x) = (g / s) w * x + b - m g / s,  s^2 = variance + epsilon (Ioffe and Szegedy, 2015).
    """
    folded, own = dict(stored), network.state_dict()
    for name in (name for name in stored if name.endswith(".running_var") and name not in own):
        layer = name.removesuffix(".running_var")
        sequence, _, place = layer.rpartition(".")
        convolution = f"{sequence}.{int(place) - 1}"
        gain = stored[f"{layer}.weight"] / (stored[name] + EPSILON).sqrt()
        folded[f"{convolution}.weight"] = gain[:, None, None, None] * stored[f"{convolution}.weight"]
        folded[f"{convolution}.bias"] = stored[f"{layer}.bias"] - gain * stored[f"{layer}.running_mean"]
    return folded


def _with_normalisation(stored: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Set batch normalisations that are in no file, as they had been folded away, to add the bias and do no more."""
    unfolded = dict(stored)
    for name in (name for name in network.state_dict() if name.endswith(".running_var") and name not in stored):
        layer = name.removesuffix(".running_var")
        sequence, _, place = layer.rpartition(".")
        bias = unfolded.pop(f"{sequence}.{int(place) - 1}.bias")
        unfolded[f"{layer}.bias"] = bias
        unfolded[f"{layer}.weight"] = torch.ones_like(bias)
        unfolded[f"{layer}.running_mean"] = torch.zeros_like(bias)
        unfolded[name] = torch.full_like(bias, 1 - EPSILON)
    return unfolded
