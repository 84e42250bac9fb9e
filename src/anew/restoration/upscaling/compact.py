"""Compact nets of 3x3 convolutions that we trained to enlarge by 2, 3 and 4; run through ONNX Runtime.

The network is ``anew/networks/edge_oriented.py``, one for each factor; the cards (``anew models upscale-x2`` and so on)
say what they were trained on and how good they are. They see luma alone; colour differences are enlarged by the Lanczos
kernel, as is usual. Other factors are reached by shrinking the result of the next larger one, factors above 4 by
enlarging more than once.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, luminance, per_channel
from anew.inference.ensemble import Ensemble, self_ensemble
from anew.inference.models import Model, open_model
from anew.options import Positive, checked_arguments
from anew.resampling import cubic, lanczos3, output_shape, project_on, resample
from anew.restoration.upscaling.network import enlarge

SCALES = (2, 3, 4)


@checked_arguments
def upscale_compact(
    image: Image, scale: Positive, *, back_project: bool = True, ensemble: Ensemble = 1, model: str | None = None
) -> Image:
    """Enlarge with a trained network.

    Use it for clean pictures: 1.5 to 2.4 dB above Lanczos on the usual test sets. Blur, noise and JPEG blocks are
    sharpened with the rest; where there are any, ``"robust"`` takes them away first.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    scale : float > 0
        Below 1 it shrinks by cubic convolution, antialiased by a stretched kernel.
    back_project : bool
        Correct the result so that MATLAB-style bicubic shrinking gives the input back.
    ensemble : {1, 2, 4, 8}
        Average what the network makes of the image turned and mirrored in as many ways, in as many times the time.
    model : str, optional
        A shipped model, or the path of an ONNX file made by ``anew train upscale``; by default one for each factor.

    Returns
    -------
    (round(H * scale), round(W * scale)) or (..., C) float32 array, at least 1 x 1; pixel centres lie at half integers

    References
    ----------
    Zhang, Zeng and Zhang, "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile Devices", ACM MM
    2021; Irani and Peleg, CVGIP 53 (1991), for the back-projection; Timofte et al., CVPR 2016, for the ensemble.
    """
    shape = output_shape(image.shape, scale)
    if scale <= 1:
        return resample(image, shape, cubic, 2)
    scales = SCALES if model is None else tuple(open_model(model, task="upscale").card.facts["scales"])

    def network_for(factor: int) -> Model:
        return open_model(model or f"upscale-x{factor}")

    def enlarged_once(plane: Image) -> Image:
        return enlarge(plane[:, :, np.newaxis], output_shape(plane.shape, scale), scales, network_for)[:, :, 0]

    def enlarged(plane: Image) -> Image:
        return self_ensemble(enlarged_once, plane, ensemble)

    if image.ndim == 3 and image.shape[2] == 3:
        result = resample(image, shape, lanczos3, 3)
        result += (enlarged(luminance(image)) - luminance(result))[:, :, np.newaxis]
    else:
        result = per_channel(enlarged, image)
    return project_on(result, image) if back_project else result
