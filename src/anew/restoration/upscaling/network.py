"""Run a trained upscaler tile by tile, and reach any factor with those that it knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anew.arrays import Image
from anew.inference.models import Model
from anew.resampling import cubic, resample
from anew.tiles import haloed_tiles

TILE = 384  # pixels of the small image


def enlarge(
    image: Image, shape: tuple[int, int], scales: tuple[int, ...], network_for: Callable[[int], Model]
) -> Image:
    """Enlarge to at least a shape by the network's factors, then shrink to it.

    Parameters
    ----------
    image : (H, W, C) float32 array, with the channels of the network
    shape : (int, int)
    scales : tuple of int, rising
    network_for : function of a scale
    """
    x = image
    while x.shape[0] < shape[0] or x.shape[1] < shape[1]:
        needed = max(n_out / n_in for n_out, n_in in zip(shape, x.shape[:2], strict=True))
        scale = next((s for s in scales if s >= needed), scales[-1])
        x = _in_tiles(network_for(scale), x, scale)
    return x if x.shape[:2] == shape else resample(x, shape, cubic, 2)


def _in_tiles(network: Model, image: Image, scale: int) -> Image:
    """Run the network piece by piece; the halo covers all that a result depends on."""
    height, width, channels = image.shape
    result = np.empty((height * scale, width * scale, channels), np.float32)
    for t in haloed_tiles((height, width), TILE, network.card.halo, scale=scale):
        result[t.place] = _run(network, image[t.wide], scale)[t.inside]
    return result


def _run(network: Model, image: Image, scale: int) -> Image:
    inputs = {"image": np.ascontiguousarray(image.transpose(2, 0, 1)[np.newaxis])}
    if len(network.session.get_inputs()) > 1:  # a network may work without knowing the factor
        inputs["condition"] = np.full((1, 1, 1, 1), scale, np.float32)
    return network.run(inputs, f"x{scale}")[0].transpose(1, 2, 0)
