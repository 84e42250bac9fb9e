"""A U-Net that we trained on the noise of cameras, and on noise before JPEG; runs through ONNX Runtime.

The noise of photographs depends on brightness, differs between the channels and is smooth in space, since a camera
interpolates, balances, tones and compresses it. Of noise that was even, JPEG with halved chroma leaves what red, green
and blue share. Denoisers made for independent Gaussian noise take either for content; this one has seen them
(``anew/degradations/camera.py``, ``anew/training/real_noise.py``), and judges the level by the pixels. The network is
``anew/networks/unet.py``; its card (``anew models camera-unet``) says what it was trained on and how good it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image
from anew.inference.conditions import BLIND
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.options import NotNegative, checked_arguments

LEVEL = 8.0  # pixels; noise has no mean, so what the network changes on average over as many is given back


@checked_arguments
def denoise_camera(
    image: Image, sigma: NotNegative | None = None, *, strength: NotNegative = 1.0, model: str = "camera-unet"
) -> Image:
    """Denoise a photograph, blind or told the level.

    Use it for photographs as cameras and telephones store them, whose noise is blotched, differs from dark to bright
    or went through JPEG. Noise that was added evenly, and not compressed since, is better left to ``"unet"``.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
        As the camera saved it, neither linear nor raw.
    sigma : float >= 0, optional
        Level of the noise in units of the range, its root mean square over the channels; estimates for independent
        noise see too little of a camera's. None: the network judges by the pixels. 0 gives the image back.
    strength : float >= 0
        The share of the noise found that is removed; above 1 it takes away more than it found.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train real-noise``.

    Returns
    -------
    float32 array of the same shape

    Raises
    ------
    ValueError
        If the level is not given, and the model was not trained to judge it.

    References
    ----------
    Zhang et al., IEEE TPAMI 44 (2022), the network; Brooks et al., "Unprocessing Images for Learned Raw Denoising",
    CVPR 2019, the noise of the training.
    """
    if sigma == 0 or strength == 0:
        return image.copy()
    network = open_model(model, task="denoise")
    if sigma is None and not network.card.recipe.get("blind_share"):
        raise ValueError(f"{model} cannot judge the noise: give sigma, or a model made by `anew train real-noise`")
    change = apply_network(network, image, BLIND if sigma is None else sigma) - image
    change -= np.asarray(cv2.GaussianBlur(change, (0, 0), LEVEL), np.float32).reshape(change.shape)
    return image + np.float32(strength) * change
