"""Errors counted pixel by pixel: MSE, MAE, PSNR."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mse(image: ArrayLike, reference: ArrayLike) -> float:
    """Mean squared error over all samples, in float64.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C)
    """
    x, y = as_pair(image, reference)
    return float(np.mean((x - y) ** 2))


def mae(image: ArrayLike, reference: ArrayLike) -> float:
    """Mean absolute error over all samples, in float64.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C)
    """
    x, y = as_pair(image, reference)
    return float(np.mean(np.abs(x - y)))


def psnr(image: ArrayLike, reference: ArrayLike, *, data_range: float, border: int = 0) -> float:
    """Peak signal-to-noise ratio in dB: 10 log10(data_range^2 / MSE), over all channels at once.

    Parameters
    ----------
    image, reference : arrays of the same shape, (H, W) or (H, W, C)
        Compared as they are: round and clip first where the protocol says so.
    data_range : float > 0
        Of the reference's format: 255 for 8 bits, 1 for floats in [0, 1].
    border : int >= 0
        Pixels left out on each side.

    Returns
    -------
    float; infinite for equal images
    """
    check_data_range(data_range)
    x, y = as_pair(image, reference)
    error = float(np.mean((cut(x, border) - cut(y, border)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(data_range**2 / error))


def as_pair(image: ArrayLike, reference: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give both as float64.

    Raises
    ------
    TypeError
        If they are not real numbers.
    ValueError
        If the shapes differ, or are not those of images, or a value is NaN or infinite.
    """
    x, y = _as_reals(image), _as_reals(reference)
    if x.shape != y.shape:
        raise ValueError(f"expected two images of the same shape, got {x.shape} and {y.shape}")
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(f"expected images of shape (H, W) or (H, W, C), got {x.shape}")
    for name, z in (("image", x), ("reference", y)):
        finite = np.isfinite(z)
        if not finite.all():
            raise ValueError(f"the {name} holds {z.size - np.count_nonzero(finite)} values that are NaN or infinite")
    return x, y


def _as_reals(image: ArrayLike) -> NDArray[np.float64]:
    x = np.asarray(image)
    if x.dtype.kind not in "biuf":
        raise TypeError(f"expected an image of real numbers, got {x.dtype}")
    return x.astype(np.float64, copy=False)


def check_data_range(data_range: float) -> None:
    """Refuse a range that is not a finite number above 0."""
    if not (isinstance(data_range, Real) and 0 < data_range < np.inf):
        raise ValueError(f"data_range must be a finite number above 0, got {data_range!r}")


def check_count(name: str, value: float, *, least: int) -> None:
    """Refuse what is not an integer of at least ``least``."""
    if not (isinstance(value, Integral) and value >= least):
        raise ValueError(f"{name} must be an integer >= {least}, got {value!r}")


def cut(x: NDArray[np.float64], border: int) -> NDArray[np.float64]:
    """Leave out ``border`` pixels on each side."""
    check_count("border", border, least=0)
    if 2 * border >= min(x.shape[:2]):
        raise ValueError(f"a border of {border} leaves nothing of an image of {x.shape[0]} x {x.shape[1]}")
    return x[border : x.shape[0] - border, border : x.shape[1] - border]
