"""What stands in a model's file: its layers, and its intermediate results as outputs. Needs the package ``onnx``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.errors import TRAIN_EXTRA, Unavailable
from anew.inference.inspection.subject import Batch, Subject
from anew.inference.providers import make_session

KEPT = "kept"  # what a layer stores the numbers of its outputs as, where it computes more than it has
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class Layer:
    """One operation with weights.

    Attributes
    ----------
    name : str
        That of its weights, without ``.weight``, or its kind and number.
    operation : str
        The ONNX operator.
    entry, output : str
        The tensors that it reads and writes.
    weight_shape : tuple of int
    met : int
        Weights that meet each of its outputs, or each of its inputs if it is a transposed convolution.
    stored : mapping of str to int
        Values of each stored tensor that it reads, weights and biases; layers may share them.
    """

    name: str
    operation: str
    entry: str
    output: str
    weight_shape: tuple[int, ...]
    met: int
    stored: Mapping[str, int]

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(self.stored.values())


def load_graph(path: Path) -> Any:
    """Read a file as an ``onnx.ModelProto``.

    Weights that it holds in bytes are multiplied out, without those of outputs that are computed for speed alone, and
    what runs between the layers is not rounded.

    Raises
    ------
    Unavailable
        If ``onnx`` is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise Unavailable(f"layers and feature maps need onnx: {TRAIN_EXTRA}") from None
    model = onnx.load(str(path))
    _multiply_out(model.graph)
    _leave_grids(model.graph)
    return model


def layers_of(path: Path) -> list[Layer]:
    """List the operations with weights, in the order of the file."""
    graph = load_graph(path).graph
    shapes, makers = _stored_shapes(graph), {name: node for node in graph.node for name in node.output}
    layers = []
    for number, (node, weight) in enumerate(_weighted(graph, shapes, makers), 1):
        plain = weight.removesuffix("_half").removesuffix("_rounded").removesuffix(".weight")
        name = f"{node.op_type} {number}" if "::" in plain else plain
        sources = [_source(entry, makers) for entry in node.input]
        stored = {source: int(np.prod(shapes[source])) for source in sources if source in shapes}
        entry = next(i for i, source in zip(node.input, sources, strict=True) if source not in shapes)
        shape, met = shapes[weight], _weights_met(node, shapes[weight], first=sources[0] == weight)
        layers.append(Layer(name, node.op_type, entry, node.output[0], shape, met, stored))
    return layers


def _weights_met(node: Any, shape: tuple[int, ...], *, first: bool) -> int:
    """Count the weights that meet each output (each input of a transposed convolution); ``first``: W x, not x W."""
    if node.op_type in ("Conv", "ConvTranspose"):
        return int(np.prod(shape[1:]))
    turned = any(a.name == ("transA" if first else "transB") and a.i for a in node.attribute)
    return shape[-1] if first != turned or len(shape) == 1 else shape[-2]


def multiply_adds(layers: Sequence[Layer], subject: Subject, batch: Batch) -> list[int]:
    """Count the multiplications of each layer for a batch of images, by the sizes of what really runs through it."""
    transposed = {layer.output for layer in layers if layer.operation == "ConvTranspose"}
    read = [layer.entry if layer.output in transposed else layer.output for layer in layers]
    tensors = intermediate(subject, batch, list(dict.fromkeys(read)))
    return [layer.met * tensors[name].size for layer, name in zip(layers, read, strict=True)]


def intermediate(subject: Subject, batch: Batch, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Run a batch and give the tensors of these names.

    Raises
    ------
    ValueError
        If there is no tensor of a name; a layer's own name will do too.
    """
    tensors = [tensor_of(subject.path, name) for name in names]
    results = replace(subject, session=_opened(subject, tensors)).run(tensors, batch)
    return dict(zip(names, results, strict=True))


def at_tensor(subject: Subject, name: str) -> Subject:
    """Give the same model with one of its intermediate tensors as the output that is looked at."""
    tensor = tensor_of(subject.path, name)
    return replace(subject, session=_opened(subject, [tensor]), output=tensor)


def tensor_of(path: Path, name: str) -> str:
    """Find a tensor by its own name, or by that of the node or layer that makes it."""
    graph = load_graph(path).graph
    made = [output for node in graph.node for output in node.output]
    if name in made or name in {i.name for i in graph.input}:
        return name
    layers = {layer.name: layer.output for layer in layers_of(path)}
    nodes = {node.name: node.output[0] for node in graph.node if node.name}
    found = layers.get(name) or nodes.get(name)
    if found is None:
        known = ", ".join([*layers][:12])
        raise ValueError(f"{path.name} has no layer or tensor {name!r}; its layers are {known} and so on")
    return found


def last_map(path: Path) -> str | None:
    """Give the last tensor that is a map over the image, (N, C, H, W), before a classifier flattens it."""
    model = load_graph(path)
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in graph.value_info}
    singular = {v.name for v in graph.value_info if _is_point(v)}
    outputs = [name for node in graph.node for name in node.output]
    return next((n for n in reversed(outputs) if ranks.get(n) == 4 and n not in singular), None)


def with_positive_weights(subject: Subject) -> Subject:
    """Give the same wiring with small positive weights and no offsets: of an impulse on black nothing can cancel.

    Each weight is 1 / (inputs x side of the kernel), so that what runs through 80 layers stays within float32.
    """
    model = load_graph(subject.path)
    graph = model.graph
    makers = {name: node for node in graph.node for name in node.output}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    constants = {n.output[0]: n.attribute[0].t for n in graph.node if n.op_type == "Constant" and n.attribute}
    for node in graph.node:
        for place, entry in enumerate(node.input):
            source = _source(entry, makers)
            tensor = stored.get(source) or constants.get(source)
            if tensor is None:
                continue
            shape = tuple(tensor.dims)
            if node.op_type in ("Conv", "ConvTranspose"):
                weight = 1 / (shape[1 if node.op_type == "Conv" else 0] * shape[-1]) if place == 1 else 0.0
            elif node.op_type in ("Add", "Sub"):
                weight = 0.0
            elif node.op_type == "BatchNormalization":
                weight = 1.0 if place in (1, 4) else 0.0
            else:
                continue
            _fill(tensor, weight)
    _add_outputs(model, [subject.output])
    others = {name: np.zeros_like(value) for name, value in subject.others.items()}
    return replace(subject, session=_session_of(model), others=others)


def _opened(subject: Subject, tensors: Sequence[str]) -> Any:
    """Open the file with some of its tensors as outputs."""
    model = load_graph(subject.path)
    _add_outputs(model, tensors)
    return _session_of(model)


def _add_outputs(model: Any, tensors: Sequence[str]) -> None:
    from onnx import helper

    there = {output.name for output in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(t) for t in tensors if t not in there)


def _session_of(model: Any) -> Any:
    import onnx

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, str(path))
        return make_session(path, "cpu")


def _multiply_out(graph: Any) -> None:
    """Put float32 in place of weights that are stored in a byte each and a scale for each output."""
    from onnx import numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    casts = {node.output[0]: node for node in graph.node if node.op_type == "Cast" and node.input[0].endswith("_bytes")}
    for product in [node for node in graph.node if node.op_type == "Mul" and node.input[0] in casts]:
        cast = casts[product.input[0]]
        levels, scale = stored[cast.input[0]], stored[product.input[1]]
        values = numpy_helper.to_array(levels) * numpy_helper.to_array(scale)
        levels.CopyFrom(numpy_helper.from_array(values, product.output[0]))
        graph.initializer.remove(scale)
        for node in (cast, product):
            graph.node.remove(node)


def _leave_grids(graph: Any) -> None:
    """Put float32 in place of weights on a grid, and take away what rounds activations to one."""
    from onnx import helper, numpy_helper

    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            levels, steps = (numpy_helper.to_array(stored[name]) for name in node.input)
            values = levels * steps.reshape(-1, *(1,) * (levels.ndim - 1))
            kept = stored.get(f"{node.input[0].rpartition('.')[0]}.{KEPT}")
            values = values if kept is None else values[: kept.dims[0]]
            graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), node.output[0]))
        elif node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            nodes.append(helper.make_node("Identity", node.input[:1], node.output))
        else:
            nodes.append(node)
    if len(nodes) < len(graph.node):
        del graph.node[:]
        graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        for tensor in [t for t in graph.initializer if t.name not in used]:
            graph.initializer.remove(tensor)


def _weighted(graph: Any, shapes: dict[str, tuple[int, ...]], makers: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Give each node that multiplies by stored weights, with their name."""
    for node in graph.node:
        if node.op_type in WEIGHTED:
            sources = [_source(entry, makers) for entry in node.input[:2]]
            weight = next((s for s in reversed(sources) if s in shapes), None)
            if weight is not None:
                yield node, weight


def _stored_shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            shapes[node.output[0]] = tuple(node.attribute[0].t.dims)
    return shapes


def _source(name: str, makers: dict[str, Any]) -> str:
    """Follow casts and copies back to the tensor that is stored."""
    while name in makers and makers[name].op_type in ("Cast", "Identity"):
        name = makers[name].input[0]
    return name


def _fill(tensor: Any, value: float) -> None:
    """Overwrite a stored tensor of floats."""
    from onnx import numpy_helper

    array = numpy_helper.to_array(tensor)
    if np.issubdtype(array.dtype, np.floating):
        tensor.CopyFrom(numpy_helper.from_array(np.full_like(array, value), tensor.name))


def _is_point(value: Any) -> bool:
    """Tell whether a map is known to have one pixel."""
    return all(d.HasField("dim_value") and d.dim_value == 1 for d in value.type.tensor_type.shape.dim[2:])
