"""What a camera does to noise: one colour per pixel, photons, interpolation, colour, tone curve, JPEG.

The picture is taken back to what the sensor saw, after Brooks et al., "Unprocessing Images for Learned Raw Denoising",
CVPR 2019 (without their tone curve and gain inversions), the noise is added there, and it is developed again. So the
noise depends on brightness, differs between the channels, and is smooth in space, as in photographs and unlike
independent Gaussian noise. Without noise the picture comes back but for what one colour per pixel cannot hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, check_whole
from anew.degradations.jpeg import compress
from anew.degradations.light import decode_srgb, encode_srgb
from anew.degradations.noise import poisson
from anew.randomness import Rng

SENSOR_TO_SRGB = np.array([  # a typical one: rows sum to 1, so that white stays white
    [1.70, -0.55, -0.15],
    [-0.20, 1.50, -0.30],
    [0.03, -0.53, 1.50],
])  # fmt: skip

# Malvar, He and Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color images", ICASSP
# 2004, figure 2: green at red or blue; a colour at green, its neighbours in the row; a colour where its opposite is
AT_CROSS = np.array([
    [0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0],
]) / 8  # fmt: skip
IN_ROW = np.array([
    [0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0],
]) / 8  # fmt: skip
OPPOSITE = np.array([
    [0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0],
]) / 8  # fmt: skip


def camera(
    image: Image,
    *,
    gain: float = 0.002,
    sigma: float = 0.004,
    red: float = 2.0,
    blue: float = 1.7,
    colour: float = 1.0,
    quality: int = 92,
    rng: Rng = None,
) -> Degraded:
    """Photograph it with a noisy camera.

    Parameters
    ----------
    image : (H, W, 3) float32 array, sRGB
    gain, sigma : float >= 0
        Of ``noise.poisson``, on the sensor, whose white is 1.
    red, blue : float > 0
        White balance: what the sensor's red and blue are multiplied by.
    colour : float in [0, 1]
        Between a sensor that sees sRGB (0) and ``SENSOR_TO_SRGB`` (1), which mixes the noise of the channels.
    quality : int in [0, 100]
        Of the JPEG (4:2:0) that the camera writes; 0 writes none.
    rng : int or Generator, optional

    Returns
    -------
    Degraded
        Its image is clipped to [0, 1].
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"a camera needs an image with 3 channels, got shape {image.shape}")
    check_between("red", red, 1e-3, 1e3)
    check_between("blue", blue, 1e-3, 1e3)
    check_between("colour", colour, 0, 1)
    check_whole("quality", quality, 0, 100)
    noisy = poisson(expose(image, red=red, blue=blue, colour=colour), gain=gain, sigma=sigma, rng=rng)
    result = develop(noisy.image, red=red, blue=blue, colour=colour)
    if quality > 0:
        result = compress(result, int(quality))
    balance = {"red": red, "blue": blue, "colour": colour}
    return Degraded(result, parameters={**noisy.parameters, **balance, "quality": quality})


def expose(image: Image, *, red: float = 2.0, blue: float = 1.7, colour: float = 1.0) -> Image:
    """Give the (H, W) linear mosaic (RGGB) that a sensor sees of an (H, W, 3) sRGB image, without noise."""
    sensor = decode_srgb(image) @ np.linalg.inv(_colour_matrix(colour)).T.astype(np.float32)
    sensor *= np.array([1 / red, 1, 1 / blue], np.float32)
    mosaic = sensor[:, :, 1].copy()
    mosaic[::2, ::2], mosaic[1::2, 1::2] = sensor[::2, ::2, 0], sensor[1::2, 1::2, 2]
    return mosaic


def develop(mosaic: Image, *, red: float = 2.0, blue: float = 1.7, colour: float = 1.0) -> Image:
    """Give the (H, W, 3) sRGB image in [0, 1] of an (H, W) linear mosaic: balance, interpolate, colour, tone curve."""
    balanced = mosaic.copy()
    balanced[::2, ::2] *= np.float32(red)
    balanced[1::2, 1::2] *= np.float32(blue)
    light = demosaic(balanced) @ _colour_matrix(colour).T.astype(np.float32)
    return encode_srgb(np.clip(light, 0, 1))


def demosaic(mosaic: Image) -> Image:
    """Interpolate an (H, W) mosaic (RGGB) to (H, W, 3)."""
    cross, in_row, in_column, opposite = (_filtered(mosaic, k) for k in (AT_CROSS, IN_ROW, IN_ROW.T, OPPOSITE))
    result = np.repeat(mosaic[:, :, np.newaxis], 3, axis=2)
    red, green_of_red, green_of_blue, blue = (np.s_[i::2, j::2] for i in (0, 1) for j in (0, 1))
    result[..., 1][red], result[..., 1][blue] = cross[red], cross[blue]
    for colour, own, beside, below in ((0, red, green_of_red, green_of_blue), (2, blue, green_of_blue, green_of_red)):
        result[..., colour][beside], result[..., colour][below] = in_row[beside], in_column[below]
        other = blue if own is red else red
        result[..., colour][other] = opposite[other]
    return result


def _filtered(mosaic: Image, kernel: NDArray[np.float64]) -> Image:
    """Correlate; mirrored at the border without repeating its pixel, which keeps the colours in their places."""
    import cv2

    return np.asarray(cv2.filter2D(mosaic, -1, kernel, borderType=cv2.BORDER_REFLECT_101), np.float32)


def _colour_matrix(colour: float) -> NDArray[np.float64]:
    return (1 - colour) * np.eye(3) + colour * SENSOR_TO_SRGB
