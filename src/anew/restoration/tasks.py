"""The functions people call: check the input, pick the method, run it, give the caller's dtype back.

Each function here names one task. The methods themselves are in the folders beside this file and are listed in
``anew/registry.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, are_values, as_image, as_mask, like
from anew.registry import METHODS

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
        not given and the channels share the noise, as in JPEG files.
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
    x = as_image(image)
    if method == "auto" and sigma is None and not options:
        from anew.diagnosis.noise import VISIBLE_SIGMA, estimate_noise_sigma, shares_channels

        sigma = estimate_noise_sigma(x)
        if sigma >= VISIBLE_SIGMA and shares_channels(x):
            return like(METHODS.get("denoise", "camera").function(x), image)
    chosen = METHODS.get("denoise", method)
    options = chosen.checked(options)
    if sigma is None and chosen.blind:
        return like(chosen.function(x, **options), image)
    if sigma is None:
        from anew.diagnosis.noise import estimate_noise_sigma

        sigma = estimate_noise_sigma(x)
    return like(chosen.function(x, _level(sigma), **options), image)


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
        Standard deviation of the noise, in units of the range [0, 1]; estimated if not given.
    method : str
        One of ``anew.methods("deblur")``.
    **options
        The method's own options; an unknown one is an error.

    Returns
    -------
    array of the same shape and dtype
    """
    x = as_image(image)
    if method == "auto" and psf is None:
        method = next(m.name for m in METHODS if m.task == "deblur" and "psf" not in m.takes)
    chosen = METHODS.get("deblur", method)
    options = chosen.checked(options)
    if sigma is None:
        from anew.diagnosis.noise import estimate_noise_sigma

        sigma = estimate_noise_sigma(x)
    sigma = _level(sigma)
    if "psf" not in chosen.takes:
        if psf is not None:
            raise ValueError(f"deblur method {chosen.name!r} is blind and takes no psf; leave it out or choose another")
        return like(chosen.function(x, sigma, **options), image)
    if psf is None:
        raise ValueError(f"deblur method {chosen.name!r} needs a psf: an (h, w) array of weights")
    return like(chosen.function(x, as_psf(psf), sigma, **options), image)


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
    x = as_image(image)
    factor = _number("scale", scale)
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
    x = as_image(image)
    chosen = METHODS.get("deblock", method)
    options = chosen.checked(options)
    if quality is None:
        from anew.diagnosis.jpeg import estimate_jpeg_quality

        quality = estimate_jpeg_quality(x)
        if quality is None:
            return np.array(image, copy=True)
    whole = _number("quality", quality)
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


def _number(name: str, value: Any) -> float:
    """Give a number that is one and is finite."""
    if isinstance(value, str | bytes | bool) or np.ndim(value) != 0 or not np.isfinite(number := float(value)):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return number


def _level(sigma: Any) -> float:
    """Give a standard deviation of noise."""
    level = _number("sigma", sigma)
    if level < 0:
        raise ValueError(f"sigma must be a finite number >= 0, got {sigma}")
    return level
