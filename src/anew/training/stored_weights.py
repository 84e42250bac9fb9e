"""How the weights of a network lie in its file; it computes in float32 all the same.

In half precision a weight takes two bytes. The large layers of a network are those of many channels, far from the
image; there one byte does, with one scale for what makes an output: of a denoiser that costs 0.001 dB where the noise
is 5 of 255, while the layers beside the image in one byte, too, cost 0.05. Casts and products are folded away by ONNX
Runtime when it loads the file; DequantizeLinear, which the grids of ``quantisation.py`` need, is not, and takes 7% more
time on 768 x 768 pixels, 18% on 64 x 64.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Stored = Literal["half", "float", "byte"]
LARGE = 50_000  # values; 3x3 convolutions of 75 channels have as many
LEVELS = 127  # of either sign


def store_weights(model: Any, stored: Stored) -> None:
    """Store the float32 weights of an ``onnx.ModelProto`` in fewer bytes, in place.

    Parameters
    ----------
    model : onnx.ModelProto
    stored : {"half", "float", "byte"}
        ``"byte"``: those of large layers in one byte, others in half precision. Values beyond half precision, as the
        variances in a normalisation can be, stay as they are, and so do single values and scales.
    """
    if stored == "float":
        return
    nodes = list(_stored_smaller(model.graph, LARGE if stored == "byte" else np.inf))
    nodes += model.graph.node
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _stored_smaller(graph: Any, large: float) -> Iterator[Any]:
    """Replace what is stored, and give the nodes that make float32 of it."""
    from onnx import TensorProto, helper, numpy_helper

    for tensor in list(graph.initializer):
        name, size = tensor.name, int(np.prod(tensor.dims))
        if tensor.data_type != TensorProto.FLOAT or size <= 1 or name.endswith("_scale"):
            continue
        weight = numpy_helper.to_array(tensor)
        if weight.ndim > 1 and size >= large:
            levels, scale = _in_bytes(weight)
            tensor.CopyFrom(numpy_helper.from_array(levels, f"{name}_bytes"))
            graph.initializer.append(numpy_helper.from_array(scale, f"{name}_scale"))
            yield helper.make_node("Cast", [f"{name}_bytes"], [f"{name}_levels"], to=TensorProto.FLOAT)
            yield helper.make_node("Mul", [f"{name}_levels", f"{name}_scale"], [name])
        elif np.abs(weight).max() <= np.finfo(np.float16).max:
            tensor.CopyFrom(numpy_helper.from_array(weight.astype(np.float16), f"{name}_half"))
            yield helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT)


def _in_bytes(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Give (levels, scale), whose product is nearest to the weights; one scale for each index of the first axis."""
    greatest = np.abs(weight).max(axis=tuple(range(1, weight.ndim)), keepdims=True)
    scale = np.where(greatest > 0, greatest / LEVELS, 1).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale
