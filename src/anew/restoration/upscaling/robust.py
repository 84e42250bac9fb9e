"""Repair what is blurred, noisy and compressed with a U-Net that we trained on all of it at once, then enlarge.

Repair in steps leaves what the first did to the next: a denoiser takes blocks of JPEG for edges, and nothing takes the
blur away. This network has seen them mixed, in any order (``anew/training/robust_upscaling.py``); its card (``anew
models robust-unet``) says what it was trained on and how good it is. The compact nets enlarge what it gives.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image
from anew.inference.conditions import BLIND
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.options import NotNegative, Positive, checked_arguments
from anew.restoration.upscaling.compact import upscale_compact


@checked_arguments
def upscale_robust(image: Image, scale: Positive, *, strength: NotNegative = 1.0, model: str = "robust-unet") -> Image:
    """Repair with a trained U-Net, then enlarge.

    Use it for pictures as they come from the web: soft, noisy and compressed. Clean and sharp ones are better left to
    ``"compact"``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    scale : float > 0
        At 1 and below it is repaired all the same.
    strength : float >= 0
        The share of the repair that is made.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train upscale-robust``.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half integers

    References
    ----------
    Zhang, Liang, Van Gool and Timofte, "Designing a Practical Degradation Model for Deep Blind Image Super-Resolution",
    ICCV 2021, the damage of the training; Zhang et al., IEEE TPAMI 44 (2022), the network.
    """
    network = open_model(model, task="repair")
    repaired = apply_network(network, image, BLIND)
    return upscale_compact(image + np.float32(strength) * (repaired - image), scale)
