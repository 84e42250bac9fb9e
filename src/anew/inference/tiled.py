"""Run a restoring network over images of any size and any number of channels."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, per_channel
from anew.inference.models import Model
from anew.tiles import apply_in_tiles


def apply_network(network: Model, image: Image, condition: float) -> Image:
    """Give what a network makes of an image under a condition, tile by tile.

    A network for colour takes three channels at once, and any other channel as three equal ones, which it knows from
    its training; a network for grey takes all of them one by one.

    Parameters
    ----------
    network : Model
        Image in, image out.
    image : (H, W) or (H, W, C) float32 array
    condition : float
        Its second input, such as the level of the noise.

    Returns
    -------
    float32 array of the same shape
    """
    channels, halo = network.card.channels, network.under(condition).card.halo

    def run(tile: Image) -> Image:
        if tile.shape[2] == channels:
            return network(tile, condition)
        return network(np.repeat(tile, channels, axis=2), condition).mean(axis=2, keepdims=True, dtype=np.float32)

    def apply(x: Image) -> Image:
        return apply_in_tiles(run, x, halo=halo)

    if channels == 3 and image.ndim == 3 and image.shape[2] == 3:
        return apply(image)
    return per_channel(lambda plane: apply(plane[:, :, np.newaxis])[:, :, 0], image)
