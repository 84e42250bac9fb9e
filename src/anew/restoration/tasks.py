"""The functions people call: check the input, pick the method, run it, give the caller's dtype back.

Each function here names one task. The methods themselves are in the folders beside this file and are listed in
``anew/registry.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, are_values, as_image, as_mask, like, without_copies
from anew.diagnosis.camera_noise import estimate_camera_noise
from anew.diagnosis.jpeg import estimate_jpeg_quality
from anew.diagnosis.noise import (
    ROUNDING_SIGMA,
    VISIBLE_SIGMA,
    estimate_noise_sigma,
    estimate_white_noise,
    is_8_bit,
    shares_channels,
)
from anew.options import finite_number
from anew.registry import METHODS, Method
from anew.restoration.deblurring_choice import choose_deblurring
from anew.restoration.denoising_choice import choose_denoising

MOST_SCALE = 64  # an upscaler takes no more at once


def denoise(image: ArrayLike, sigma: float | None = None, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Remove noise from an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
        Integers span their whole range; floats are nominally in [0, 1].
    sigma : float >= 0, optional
        Standard deviation of the noise, in units of the range [0, 1]; 10 grey levels of 255 are 10 / 255. Estimated
        from the image if not given.
    method : str
        One of ``anew.methods("denoise")``. ``"auto"`` is the first of them, but ``"camera"`` where the level is
        not given and the noise is that of a camera, or the channels share it, as in JPEG files.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype

    Examples
    --------
    >>> import anew, skimage.data
    >>> clean = anew.denoise(skimage.data.camera(), sigma=10 / 255)
    >>> clean.shape, clean.dtype
    ((512, 512), dtype('uint8'))
    """
    x = without_copies(as_image(image))
    options = METHODS.get("denoise", method).checked(options)
    chosen, level = choose_denoiser(x, sigma, method, plain=not options)
    told = () if level is None else (level,)
    return like(chosen.function(x, *told, **options), image)


def choose_denoiser(x: Image, sigma: float | None, method: str, *, plain: bool) -> tuple[Method, float | None]:
    """Give the denoiser that is run on an image, and the level that it is told: None if it judges by the pixels.

    ``plain`` says that no options are given, so that ``"auto"`` may choose by what is measured.
    """
    level = None if sigma is None else _level(sigma)
    if method == "auto" and level is None and plain:
        level, white = estimate_white_noise(x)
        developed = not white and estimate_camera_noise(x) > 0
        method = choose_denoising(developed=developed, shared=level >= VISIBLE_SIGMA and shares_channels(x))
    chosen = METHODS.get("denoise", method)
    if sigma is None and chosen.blind:
        return chosen, None
    return chosen, estimate_noise_sigma(x) if level is None else level


def inpaint(image: ArrayLike, mask: ArrayLike, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Fill missing pixels.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
        What stands under the mask is never read; it may be NaN.
    mask : (H, W) bool array
        True where a pixel is missing. At least one pixel must be known.
    method : str
        One of ``anew.methods("inpaint")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype; outside the mask bit-identical to the input

    Raises
    ------
    ValueError
        If the mask covers everything, or a NaN stands outside it.
    """
    x = as_image(image, allow_nonfinite=True)
    m = as_mask(mask, x.shape)
    if m.all():
        raise ValueError("the mask covers the whole image; at least one pixel must be known")
    known = x[~m]
    if not are_values(known):
        raise ValueError("the image holds values outside the mask that are none of a picture; add them to the mask")
    chosen = METHODS.get("inpaint", method)
    options = chosen.checked(options)
    result = np.array(image, copy=True)
    if not m.any():
        return result
    blanked = x.copy()
    blanked[m] = 0
    result[m] = like(chosen.function(blanked, m, **options), image)[m]
    return result


def deblur(
    image: ArrayLike,
    psf: ArrayLike | None = None,
    sigma: float | None = None,
    *,
    method: str = "auto",
    **options: Any,
) -> NDArray[Any]:
    """Undo a blur.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    psf : (h, w) array, >= 0, optional
        The point-spread function; it is scaled to sum 1. Methods that need one say so if it is missing; without one,
        ``"auto"`` takes the first method that works without.
    sigma : float >= 0, optional
        Standard deviation of the noise, in units of the range [0, 1]; estimated if not given. With a psf it
        counts as no smaller than the error that rounding to 8 bits and JPEG compression left.
    method : str
        One of ``anew.methods("deblur")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype
    """
    x = without_copies(as_image(image))
    chosen = choose_deblurring(method, knows_psf=psf is not None)
    options = chosen.checked(options)
    level = None if sigma is None else _level(sigma)
    if psf is None:
        return like(chosen.function(x, estimate_noise_sigma(x) if level is None else level, **options), image)
    if "psf" not in chosen.takes:
        raise ValueError(f"deblur method {chosen.name!r} is blind and takes no psf; leave it out or choose another")
    weights = as_psf(psf)
    return like(chosen.function(x, weights, level_under_blur(x, weights, level), **options), image)


def upscale(image: ArrayLike, scale: float = 2, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Enlarge an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    scale : float in (0, 64]
        The result has H * scale x W * scale pixels, halves rounded up, at least 1 x 1. Below 1 it shrinks, antialiased.
    method : str
        One of ``anew.methods("upscale")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same dtype and number of channels
    """
    x = without_copies(as_image(image))
    factor = finite_number("scale", scale)
    if not 0 < factor <= MOST_SCALE:
        raise ValueError(f"scale must be above 0 and up to {MOST_SCALE}, got {scale}")
    chosen = METHODS.get("upscale", method)
    return like(chosen.function(x, factor, **chosen.checked(options)), image)


def deblock(image: ArrayLike, quality: int | None = None, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Remove the artefacts of JPEG compression.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
        The decoded picture, not cropped or resized since, or the block grid is lost.
    quality : int in [1, 100], optional
        The quality that it was saved with, on the scale of libjpeg; estimated if not given.
    method : str
        One of ``anew.methods("deblock")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype
    """
    x = without_copies(as_image(image))
    chosen = METHODS.get("deblock", method)
    options = chosen.checked(options)
    if quality is None:
        quality = estimate_jpeg_quality(x)
        if quality is None:
            return np.array(image, copy=True)
    whole = finite_number("quality", quality)
    if whole != round(whole) or not 1 <= whole <= 100:
        raise ValueError(f"quality must be a whole number in [1, 100], got {quality}")
    return like(chosen.function(x, int(whole), **options), image)


def relight(image: ArrayLike, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Mend exposure, contrast, colour cast or fading.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    method : str
        One of ``anew.methods("relight")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype
    """
    x = as_image(image)
    chosen = METHODS.get("relight", method)
    return like(chosen.function(x, **chosen.checked(options)), image)


def unwarp(image: ArrayLike, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Straighten a tilted, keystoned or lens-distorted image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    method : str
        One of ``anew.methods("unwarp")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same dtype and number of channels
    """
    x = as_image(image)
    chosen = METHODS.get("unwarp", method)
    return like(chosen.function(x, **chosen.checked(options)), image)


def as_psf(psf: ArrayLike) -> Image:
    """Check a point-spread function and scale it to sum 1.

    Raises
    ------
    ValueError
        If it is not a two-dimensional array of finite weights >= 0 with a positive sum.
    """
    k = np.asarray(psf, np.float64)
    if k.ndim != 2 or k.size == 0 or not np.isfinite(k).all() or (k < 0).any() or not 0 < k.sum() < np.inf:
        raise ValueError(f"expected a psf of shape (h, w) with weights >= 0 and a positive sum, got shape {k.shape}")
    return np.asarray(k / k.sum(), np.float32)


def level_under_blur(x: Image, psf: Image, sigma: float | None) -> float:
    """Give the noise level that a deconvolution reckons with: measured, or given but no less than rounding and JPEG."""
    # loads scipy, which the other tasks can do without
    from anew.restoration.deblurring.noise_level import error_of_jpeg, estimate_noise_under_blur

    x = without_copies(x)
    level = estimate_noise_under_blur(x, psf) if sigma is None else max(sigma, error_of_jpeg(x))
    return max(level, ROUNDING_SIGMA) if is_8_bit(x) else level


def _level(sigma: Any) -> float:
    """Check a standard deviation of noise."""
    level = finite_number("sigma", sigma)
    if level < 0:
        raise ValueError(f"sigma must be a finite number >= 0, got {sigma}")
    return level
