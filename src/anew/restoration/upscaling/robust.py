"""A compact net that we trained to enlarge pictures as they really are: blurred, noisy and compressed.

The network is ``anew/networks/edge_oriented.py`` for colour; its card (``anew models upscale-robust``) says what it was
trained on and how good it is. The damage is undone along with the shrinking, so the result does not give the input back
when shrunk; on clean pictures ``compact`` is better.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, per_channel
from anew.inference.models import open_model
from anew.restoration.upscaling.network import enlarge
from anew.restoration.upscaling.resampling import cubic, output_shape, resample


def upscale_robust(image: Image, scale: float, *, model: str = "upscale-robust") -> Image:
    """Enlarge a damaged picture with a trained network.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    scale : float > 0
        Below 1 it shrinks by cubic convolution, antialiased by a stretched kernel.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train upscale-robust``.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half integers

    References
    ----------
    Zhang, Liang, Van Gool and Timofte, "Designing a Practical Degradation Model for Deep Blind Image
    Super-Resolution", ICCV 2021, the training; Zhang, Zeng and Zhang, ACM MM 2021, the network.
    """
    shape = output_shape(image.shape, scale)
    if scale <= 1:
        return resample(image, shape, cubic, 2)
    network = open_model(model)
    scales = tuple(network.card.facts["scales"])

    def enlarged(x: Image) -> Image:
        return enlarge(x, shape, scales, lambda _: network)

    if image.ndim == 3 and image.shape[2] == 3:
        return enlarged(image)
    return per_channel(
        lambda plane: enlarged(np.repeat(plane[:, :, np.newaxis], 3, axis=2)).mean(axis=2, dtype=np.float32), image
    )
