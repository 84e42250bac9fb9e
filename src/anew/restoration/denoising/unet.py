"""A U-Net that we trained, with the noise level as input; runs through ONNX Runtime.

The network is ``anew/networks/unet.py``; its card (``anew models denoise-unet``) says what it was trained on and how
good it is. Colour images are denoised jointly. A grey image goes in as three equal channels, which the network knows
from its training; other channel counts are denoised channel by channel.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, per_channel
from anew.inference.models import Model, open_model
from anew.restoration.tiles import apply_in_tiles

SIGMA_MAX = 75 / 255  # the highest level of the training
SMALLEST = 1 / 255  # below this there is nothing to gain


def denoise_unet(image: Image, sigma: float, *, model: str = "denoise-unet") -> Image:
    """Denoise with a trained U-Net.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    sigma : float >= 0
        Noise standard deviation in units of the range. Noisier images are scaled down to the levels of the training.
        Below 1 / 255 the image is returned as it is.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train denoise``.

    Returns
    -------
    float32 array of the same shape

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 44 (2022).
    """
    if sigma < SMALLEST:
        return image.copy()
    network = open_model(model)
    if image.ndim == 3 and image.shape[2] == 3:
        return _denoise_colour(network, image, sigma)
    return per_channel(lambda x: _denoise_grey(network, x, sigma), image)


def _denoise_colour(network: Model, image: Image, sigma: float) -> Image:
    """Scale the range so that the level is one that the network knows, and run tile by tile."""
    factor = min(1.0, SIGMA_MAX / sigma)
    if factor == 1:
        return apply_in_tiles(lambda tile: network(tile, sigma), image, halo=network.card.halo)
    scaled = 0.5 + (image - np.float32(0.5)) * np.float32(factor)
    result = apply_in_tiles(lambda tile: network(tile, sigma * factor), scaled, halo=network.card.halo)
    return 0.5 + (result - np.float32(0.5)) / np.float32(factor)


def _denoise_grey(network: Model, image: Image, sigma: float) -> Image:
    if network.card.channels == 1:
        return _denoise_colour(network, image[:, :, None], sigma)[:, :, 0]
    tripled = np.repeat(image[:, :, None], 3, axis=2)
    return _denoise_colour(network, tripled, sigma).mean(axis=2, dtype=np.float32)
