"""The functions people call: check the input, pick the method, run it, give the caller's dtype back.

Each function here names one task. The methods themselves are in the folders beside this file and are listed in
``anew/registry.py``.
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_image, as_mask, like
from anew.registry import METHODS, Method


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
        One of ``anew.methods("denoise")``.
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
    chosen = _choose("denoise", method, options)
    if sigma is None and chosen.blind:
        return like(chosen.function(x, **options), image)
    if sigma is None:
        from anew.diagnosis.noise import estimate_noise_sigma

        sigma = estimate_noise_sigma(x)
    _check_not_negative("sigma", sigma)
    return like(chosen.function(x, float(sigma), **options), image)


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
    if not np.isfinite(known).all():
        raise ValueError("the image holds NaN or infinite values outside the mask; add them to the mask")
    result = np.array(image, copy=True)
    if not m.any():
        return result
    blanked = x.copy()
    blanked[m] = 0
    chosen = _choose("inpaint", method, options)
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
    chosen = _choose("deblur", method, options)
    if sigma is None:
        from anew.diagnosis.noise import estimate_noise_sigma

        sigma = estimate_noise_sigma(x)
    _check_not_negative("sigma", sigma)
    if "psf" not in chosen.takes:
        if psf is not None:
            raise ValueError(f"deblur method {chosen.name!r} is blind and takes no psf; leave it out or choose another")
        return like(chosen.function(x, float(sigma), **options), image)
    if psf is None:
        raise ValueError(f"deblur method {chosen.name!r} needs a psf: an (h, w) array of weights")
    return like(chosen.function(x, as_psf(psf), float(sigma), **options), image)


def upscale(image: ArrayLike, scale: float = 2, *, method: str = "auto", **options: Any) -> NDArray[Any]:
    """Enlarge an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    scale : float > 0
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
    if not (np.isfinite(scale) and scale > 0):
        raise ValueError(f"scale must be a number above 0, got {scale}")
    chosen = _choose("upscale", method, options)
    return like(chosen.function(x, float(scale), **options), image)


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
    if quality is None:
        from anew.diagnosis.jpeg import estimate_jpeg_quality

        quality = estimate_jpeg_quality(x)
        if quality is None:
            return np.array(image, copy=True)
    if not 1 <= quality <= 100:
        raise ValueError(f"quality must be in [1, 100], got {quality}")
    chosen = _choose("deblock", method, options)
    return like(chosen.function(x, int(quality), **options), image)


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
    return like(_choose("relight", method, options).function(x, **options), image)


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
    return like(_choose("unwarp", method, options).function(x, **options), image)


def as_psf(psf: ArrayLike) -> Image:
    """Check a point-spread function and scale it to sum 1.

    Raises
    ------
    ValueError
        If it is not a two-dimensional array of finite weights >= 0 with a positive sum.
    """
    k = np.asarray(psf, np.float32)
    if k.ndim != 2 or k.size == 0 or not np.isfinite(k).all() or (k < 0).any() or k.sum() <= 0:
        raise ValueError(f"expected a psf of shape (h, w) with weights >= 0 and a positive sum, got shape {k.shape}")
    return k / k.sum()


def _choose(task: str, name: str, options: dict[str, Any]) -> Method:
    """Find the method and refuse options that it does not have."""
    method = METHODS.get(task, name)
    if options:
        allowed = method.parameters
        for option in options:
            if option not in allowed:
                near = difflib.get_close_matches(option, allowed, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                takes = ", ".join(allowed) or "none"
                raise ValueError(f"{task} method {method.name!r} has no option {option!r}{hint} (options: {takes})")
    return method


def _check_not_negative(name: str, value: float) -> None:
    if not (np.isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be a finite number >= 0, got {value}")
