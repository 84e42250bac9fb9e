"""Edges: gradients, zero crossings and Canny's thin chains.

Sobel and Feldman (1968); Marr and Hildreth, Theory of edge detection, Proc. R. Soc. Lond. B 207 (1980); Canny, A
computational approach to edge detection, IEEE TPAMI 8 (1986). In colour the channel with the steepest gradient counts
at each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, Mask, as_image, luminance

LOW_TO_HIGH = 0.4  # Canny recommends a ratio of thresholds between 1/2 and 1/3
MOST_WIDTH = 1000.0  # pixels; a wider Gaussian is a mistake
INTEGER_TOP = 30_000.0  # gradients for OpenCV's Canny, as int16: its squares still sum to less than 2³¹


@dataclass(frozen=True)
class Gradient:
    """The gradient at every pixel.

    Attributes
    ----------
    magnitude : (H, W) float32 array
        Steepness, in units of the range per pixel.
    direction : (H, W) float32 array
        Where the image gets lighter, in radians in (-pi, pi]: 0 to the right, pi / 2 downwards.
    """

    magnitude: Image
    direction: Image


def sobel(image: ArrayLike) -> Gradient:
    """Give the gradient by Sobel's stencils, scaled so that a ramp of slope 1 has magnitude 1.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float in [0, 1]
    """
    x, y = _sobel_xy(as_image(image))
    return Gradient(np.hypot(x, y), np.arctan2(y, x))


def log_edges(image: ArrayLike, *, width: float = 2.0, threshold: float | None = None) -> Mask:
    """Find edges as zero crossings of the Laplacian of a Gaussian.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float in [0, 1]
        Colour is judged by its luma.
    width : float in (0, 1000]
        Standard deviation of the Gaussian in pixels: smaller structure is ignored.
    threshold : float >= 0, optional
        Least difference of the response across the crossing; default: the mean absolute response.

    Returns
    -------
    (H, W) bool array
        True at the pixel nearest to the crossing, on its brighter side when both are equally near.
    """
    if not 0 < width <= MOST_WIDTH:
        raise ValueError(f"width must be > 0 and at most {MOST_WIDTH:g}, got {width}")
    if threshold is not None and not threshold >= 0:
        raise ValueError(f"threshold must be >= 0, got {threshold}")
    grey = luminance(as_image(image))
    smooth = cv2.GaussianBlur(grey, (0, 0), width, borderType=cv2.BORDER_REFLECT).reshape(grey.shape)
    response = cv2.Laplacian(smooth, cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REFLECT).reshape(smooth.shape)
    rounding = 1e-6 * float(np.abs(smooth).max())
    least = max(float(np.abs(response).mean()) if threshold is None else threshold, rounding)
    edges = np.zeros(response.shape, bool)
    for one, other in (
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ):
        a, b = response[one], response[other]
        # A response of exactly 0 counts as positive, so that a crossing through a pixel is found once.
        crossing = ((a >= 0) != (b >= 0)) & (np.abs(a - b) > least)
        apart = np.abs(a) - np.abs(b)
        nearer = np.where(np.abs(apart) <= rounding, a < 0, apart < 0)
        edges[one] |= crossing & nearer
        edges[other] |= crossing & ~nearer
    return edges


def canny(image: ArrayLike, *, width: float = 1.4, low: float | None = None, high: float | None = None) -> Mask:
    """Find thin, connected edges.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float in [0, 1]
    width : float in [0, 1000]
        Standard deviation in pixels of the Gaussian before the gradient; 0 smooths nothing.
    low, high : float >= 0, optional
        Thresholds of hysteresis on the gradient magnitude, in units of the range per pixel: an edge is a chain above
        ``low`` with at least one pixel above ``high``. Default: ``high`` by Otsu's method on the magnitudes,
        ``low`` 0.4 of it.

    Returns
    -------
    (H, W) bool array
    """
    if not 0 <= width <= MOST_WIDTH:
        raise ValueError(f"width must be >= 0 and at most {MOST_WIDTH:g}, got {width}")
    smooth = pixels = as_image(image)
    if width > 0:
        blurred = cv2.GaussianBlur(pixels, (0, 0), width, borderType=cv2.BORDER_REFLECT)
        smooth = np.asarray(blurred, np.float32).reshape(pixels.shape)
    x, y = _sobel_xy(smooth)
    magnitude = np.hypot(x, y)
    top = float(magnitude.max())
    if top <= 1e-6 * float(np.abs(pixels).max()):  # flat but for rounding
        return np.zeros(magnitude.shape, bool)
    high = _otsu(magnitude) if high is None else high
    low = LOW_TO_HIGH * high if low is None else low
    if not 0 <= low <= high:
        raise ValueError(f"expected 0 <= low <= high, got low {low} and high {high}")
    unit = INTEGER_TOP / top
    integers = [np.rint(g * unit).astype(np.int16) for g in (x, y)]
    found = cv2.Canny(integers[0], integers[1], low * unit, high * unit, L2gradient=True)
    return np.asarray(found).reshape(magnitude.shape) > 0


def _sobel_xy(image: Image) -> tuple[Image, Image]:
    """Derivatives to the right and downwards, (H, W) each, of the channel that is steepest at each pixel."""
    planes = np.moveaxis(np.atleast_3d(image), 2, 0)
    gradients = []
    for plane in planes:
        p = np.ascontiguousarray(plane)
        gradients.append(
            [
                cv2.Sobel(p, cv2.CV_32F, *order, ksize=3, scale=1 / 8, borderType=cv2.BORDER_REFLECT).reshape(p.shape)
                for order in ((1, 0), (0, 1))
            ]
        )
    stack = np.array(gradients)  # (C, 2, H, W)
    steepest = np.argmax(np.square(stack).sum(axis=1), axis=0)[None, None]
    chosen = np.take_along_axis(stack, np.broadcast_to(steepest, (1, *stack.shape[1:])), axis=0)[0]
    return chosen[0], chosen[1]


def _otsu(values: Image) -> float:
    from skimage.filters import threshold_otsu

    return float(threshold_otsu(values))
