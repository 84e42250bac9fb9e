"""Cut-out: hide a square, so that a learner must look at the rest.

DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout", arXiv:1708.04552 (2017).
As there, its centre is anywhere in the image, so that it may reach over the border.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image

FILLS = ("mean", "zero", "noise")


def cutout(image: Image, *, size: float, x: float, y: float, fill: str, seed: int) -> Image:
    """Hide a square.

    Parameters
    ----------
    image : (H, W, C) float32 array in [0, 1]
    size : float in [0, 1]
        Its side, as a share of the shorter side of the image.
    x, y : float in [0, 1]
        Its centre.
    fill : {"mean", "zero", "noise"}
        The mean colour of the image (the zero of the paper's normalised images), black, or random values.
    seed : int
        Of the noise.
    """
    height, width = image.shape[:2]
    half = size * min(height, width) / 2
    rows = slice(*(int(np.clip(round(y * height + d), 0, height)) for d in (-half, half)))
    columns = slice(*(int(np.clip(round(x * width + d), 0, width)) for d in (-half, half)))
    result = image.copy()
    if fill == "noise":
        hidden = result[rows, columns]
        hidden[...] = np.random.default_rng(seed).random(hidden.shape, np.float32)
    else:
        result[rows, columns] = image.mean(axis=(0, 1), dtype=np.float64) if fill == "mean" else 0
    return result
