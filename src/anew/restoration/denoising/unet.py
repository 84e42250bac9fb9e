"""A U-Net that we trained, with the noise level as input; runs through ONNX Runtime.

The network is ``anew/networks/unet.py``, trained twice: for colour images, which are denoised jointly, and for grey
ones; other channel counts are denoised channel by channel. The cards (``anew models denoise-unet`` and
``denoise-grey``) say what they were trained on and how good they are. Where the noise hides the rounding, both compute
in 8 bits (on a CPU colour by ``denoise-unet-int8``); where it does not, the one for colour computes in float for both,
and takes a grey image as three equal channels.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from anew.arrays import Image
from anew.inference.ensemble import Ensemble, self_ensemble
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.options import NotNegative, checked_arguments

SIGMA_MAX = 75 / 255  # the highest level of the training
SMALLEST = 1 / 255  # below this there is nothing to gain
GREY_FROM = 15 / 255  # noise that hides the rounding of denoise-grey; below, the one for colour is as good in float


@checked_arguments
def denoise_unet(image: Image, sigma: NotNegative, *, ensemble: Ensemble = 1, model: str | None = None) -> Image:
    """Denoise with a trained U-Net.

    Use it for grain and noise that is much the same all over and independent from pixel to pixel, when quality counts.
    For a camera's own JPEGs, whose noise is blotched, ``"camera"`` is made; where half a second per megapixel is too
    long, ``model="denoise-fast"`` takes a third of it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    sigma : float >= 0
        Noise standard deviation in units of the range. Noisier images are scaled down to the levels of the training.
        Below 1 / 255 the image is returned as it is.
    ensemble : {1, 2, 4, 8}
        Average what the network makes of the image turned and mirrored in as many ways, in as many times the time.
    model : str, optional
        A shipped model, or the path of an ONNX file made by ``anew train denoise``; by default ``"denoise-grey"`` for
        what is not colour, from noise of 15 / 255 on, and else ``"denoise-unet"``.

    Returns
    -------
    float32 array of the same shape

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 44 (2022); Timofte et al.,
    CVPR 2016, for the ensemble.
    """
    if sigma < SMALLEST:
        return image.copy()
    colour = image.ndim == 3 and image.shape[2] == 3
    network = open_model(model or ("denoise-unet" if colour or sigma < GREY_FROM else "denoise-grey"), task="denoise")
    run = partial(apply_network, network, condition=min(sigma, SIGMA_MAX))
    if sigma <= SIGMA_MAX:
        return self_ensemble(run, image, ensemble)
    half, factor = np.float32(0.5), np.float32(SIGMA_MAX / sigma)  # scaled to the highest level that it knows
    return half + (self_ensemble(run, half + (image - half) * factor, ensemble) - half) / factor
