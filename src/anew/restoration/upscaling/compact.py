"""A compact net of 3x3 convolutions that we trained to enlarge by 2, 3 and 4; runs through ONNX Runtime.

The network is ``anew/networks/edge_oriented.py``; its card (``anew models upscale-compact``) says what it was trained
on and how good it is. It sees luma alone; colour differences are enlarged by the Lanczos kernel, as is usual. Other
factors are reached by shrinking the result of the next larger one, factors above 4 by enlarging more than once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance, per_channel
from anew.inference.models import Model, open_model
from anew.restoration.tiles import tiles_of, with_halo
from anew.restoration.upscaling.resampling import cubic, lanczos3, output_shape, project_on, resample

TILE = 384  # pixels of the small image


def upscale_compact(image: Image, scale: float, *, back_project: bool = True, model: str = "upscale-compact") -> Image:
    """Enlarge with a trained network.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    scale : float > 0
        Below 1 it shrinks by cubic convolution, antialiased by a stretched kernel.
    back_project : bool
        Correct the result so that MATLAB-style bicubic shrinking gives the input back.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train upscale``.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half integers

    References
    ----------
    Zhang, Zeng and Zhang, "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile Devices", ACM MM
    2021; Irani and Peleg, CVGIP 53 (1991), for the back-projection.
    """
    shape = output_shape(image.shape, scale)
    if scale <= 1:
        return resample(image, shape, cubic, 2)
    network = open_model(model)
    if image.ndim == 3 and image.shape[2] == 3:
        result = resample(image, shape, lanczos3, 3)
        result += (_enlarge(network, luminance(image), shape) - luminance(result))[:, :, np.newaxis]
    else:
        result = per_channel(lambda plane: _enlarge(network, plane, shape), image)
    return project_on(result, image) if back_project else result


def _enlarge(network: Model, plane: Image, shape: tuple[int, int]) -> Image:
    """Enlarge an (H, W) plane to at least the shape, then shrink it to that."""
    scales: list[int] = network.card.facts["scales"]
    x = plane
    while x.shape[0] < shape[0] or x.shape[1] < shape[1]:
        needed = max(n_out / n_in for n_out, n_in in zip(shape, x.shape, strict=True))
        x = _in_tiles(network, x, next((s for s in scales if s >= needed), scales[-1]))
    return x if x.shape == shape else resample(x, shape, cubic, 2)


def _in_tiles(network: Model, plane: Image, scale: int) -> Image:
    """Run the network piece by piece; the halo covers all that a result depends on."""
    height, width = plane.shape
    result = np.empty((height * scale, width * scale), np.float32)
    for rows, columns in tiles_of(plane.shape, TILE):
        wide_rows, wide_columns = with_halo(rows, columns, plane.shape, network.card.halo)
        piece = _run(network, plane[wide_rows, wide_columns], scale)
        top, left = scale * (rows.start - wide_rows.start), scale * (columns.start - wide_columns.start)
        place = tuple(slice(scale * part.start, scale * part.stop) for part in (rows, columns))
        inside = result[place]
        inside[:] = piece[top : top + inside.shape[0], left : left + inside.shape[1]]
    return result


def _run(network: Model, plane: Image, scale: int) -> Image:
    inputs = {
        "image": np.ascontiguousarray(plane[np.newaxis, np.newaxis]),
        "condition": np.full((1, 1, 1, 1), scale, np.float32),
    }
    result: NDArray[np.float32] = network.session.run([f"x{scale}"], inputs)[0]
    return result[0, 0]
