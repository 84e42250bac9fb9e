"""Convolution with any kernel.

Gonzalez and Woods, Digital Image Processing, "Spatial correlation and convolution".
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, as_numbers
from anew.options import NotNegative, checked_arguments


@checked_arguments
def denoise_custom(image: Image, sigma: NotNegative, *, kernel: ArrayLike, correlate: bool = False) -> Image:
    """Filter with a kernel.

    Convolution: ``result[y, x] = sum over (i, j) of kernel[i, j] image[y - i + a, x - j + b]`` with the anchor
    ``(a, b) = (h // 2, w // 2)``, so that a single bright pixel is replaced by a copy of the kernel.
    Correlation: ``result[y, x] = sum over (i, j) of kernel[i, j] image[y + i - a, x + j - b]``, the kernel laid over
    the image as it is written. The two agree for kernels that a half turn does not change.

    Use it for a kernel of your own: a matched filter, a derivative, a point-spread function.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Not used: the kernel says everything. It is there because every denoiser takes it.
    kernel : (h, w) array of finite numbers
        Applied as given, not scaled to sum 1; one that sums to 1 keeps the brightness.
    correlate : bool
        Correlate instead of convolving.

    Returns
    -------
    float32 array of the same shape; the image is mirrored at its border, edge pixel included
    """
    k = as_numbers("kernel", kernel, "an array of shape (h, w) with finite values").astype(np.float32)
    if k.ndim != 2 or k.size == 0:
        raise ValueError(f"kernel must be an array of shape (h, w) with finite values, got shape {k.shape}")
    height, width = k.shape
    anchor = (width // 2, height // 2)
    if not correlate:  # OpenCV correlates
        k = np.ascontiguousarray(k[::-1, ::-1])
        anchor = (width - 1 - anchor[0], height - 1 - anchor[1])
    filtered = cv2.filter2D(image, -1, k, anchor=anchor, borderType=cv2.BORDER_REFLECT)
    return np.asarray(filtered, np.float32).reshape(image.shape)
