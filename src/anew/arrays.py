"""What an image is inside anew, and the checks at its border.

Inside, an image is a float32 array of shape (H, W) or (H, W, C), with values nominally in [0, 1]; a mask is a bool
array of shape (H, W). The public functions also take uint8, uint16, bool and float64 and give the same dtype back.
"""

from __future__ import annotations

import functools
import os
import reprlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

ACCEPTED_DTYPES = "uint8, uint16, float32, float64 or bool"

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Real = TypeVar("Real", np.float32, np.float64)

LARGEST = np.float32(1e6)  # a value above is none of a picture, whose white is 1; maps mark missing data so

LUMA = (0.299, 0.587, 0.114)  # weights of red, green and blue, ITU-R BT.601


def as_image(image: ArrayLike, *, allow_nonfinite: bool = False) -> Image:
    """Check an image that came from a caller and give it as float32 in [0, 1].

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool (scaled to [0, 1]) or float (taken as it is)
    allow_nonfinite : bool
        Let NaN, infinity and values beyond 1,000,000 through, as inpainting does under its mask.

    Returns
    -------
    (H, W) or (H, W, C) float32 array; a view of the input where no conversion is needed

    Raises
    ------
    TypeError
        If the dtype is not one of those, or it is no array but a file's name or a ``Picture``.
    ValueError
        If the shape is not that of an image, or a value is not finite or beyond 1,000,000.
    """
    if isinstance(image, str | os.PathLike):
        raise TypeError(f"expected the pixels of an image, got a name; read the file first: anew.read({str(image)!r})")
    x = np.asarray(image)
    if x.ndim == 0 and hasattr(image, "pixels"):
        raise TypeError(f"expected the pixels of an image, got a {type(image).__name__}; give its .pixels")
    if x.ndim not in (2, 3) or 0 in x.shape:
        raise ValueError(f"expected an image of shape (H, W) or (H, W, C), got shape {x.shape}")
    if x.dtype == np.bool_:
        return x.astype(np.float32)
    if x.dtype.newbyteorder("=") in (np.uint8, np.uint16):
        return x.astype(np.float32) / np.float32(np.iinfo(x.dtype).max)
    if not np.issubdtype(x.dtype, np.floating):
        raise TypeError(
            f"expected an image of {ACCEPTED_DTYPES}, got {x.dtype}; convert it and say its range by dividing"
        )
    if not allow_nonfinite and not are_values(x):
        count = np.count_nonzero(~is_value(x))
        what = "NaN or infinite" if not np.isfinite(x).all() else f"no picture's, beyond {LARGEST:,.0f} (white is 1)"
        raise ValueError(f"the image holds {count} values that are {what}; fill them first with anew.inpaint(x, mask)")
    with np.errstate(over="ignore"):  # what is too large for float32 is no value, and allowed here
        return x.astype(np.float32, copy=False)


def is_value(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which numbers may be those of a picture: neither NaN nor infinite, nor too large."""
    return np.asarray(np.abs(x) <= LARGEST)


def are_values(x: NDArray[Any]) -> bool:
    """Tell whether all numbers may be those of a picture."""
    return x.size == 0 or bool(x.min() >= -LARGEST and x.max() <= LARGEST)  # NaN passes through both


def has_equal_channels(image: NDArray[Any]) -> bool:
    """Tell whether all channels of an (H, W) or (H, W, C) image are equal."""
    return image.ndim == 2 or all(np.array_equal(image[:, :, 0], image[:, :, c]) for c in range(1, image.shape[2]))


def without_copies(image: Image) -> Image:
    """Give one channel, (H, W, 1), of an image whose channels are all equal; any other as it is.

    The noise of such an image is that of one channel. Methods for colour, which expect other noise in each, would take
    it for content.
    """
    return image if image.ndim == 2 or not has_equal_channels(image) else np.ascontiguousarray(image[:, :, :1])


def like(result: Image, image: ArrayLike) -> NDArray[Any]:
    """Give a float32 result the dtype of the image that it was computed from; integers are clipped and rounded.

    One channel, as of `without_copies`, is repeated as often as the image has it.
    """
    given = np.asarray(image)
    dtype = given.dtype
    if result.ndim == given.ndim == 3 and given.shape[2] > result.shape[2] == 1:
        result = np.repeat(result, given.shape[2], axis=2)
    if dtype == np.bool_:
        return result >= 0.5
    if dtype.newbyteorder("=") in (np.uint8, np.uint16):
        top = np.iinfo(dtype).max
        return np.rint(np.clip(result, 0, 1) * np.float32(top)).astype(dtype)
    return result.astype(dtype, copy=False)


def as_mask(mask: ArrayLike, shape: tuple[int, ...]) -> Mask:
    """Check a mask: (H, W), True where pixels are missing; if not bool, 0 where they are known and one other number.

    Raises
    ------
    ValueError
        If its shape is not the (H, W) of the image, or its values are not two, of which one is 0.
    """
    m = np.asarray(mask)
    if m.ndim == 3 and m.shape[2] == 1:
        m = m[:, :, 0]
    if m.shape != tuple(shape[:2]):
        raise ValueError(f"expected a mask of shape {tuple(shape[:2])} like the image, got {m.shape}")
    if m.dtype == np.bool_:
        return m
    values = np.unique(m)
    if len(values) > 2:
        raise ValueError(f"expected a mask with two values (0 and 1, or 0 and 255), got {len(values)} different ones")
    if not are_values(values) or np.count_nonzero(values) > 1:
        came = " and ".join(map(str, values))
        raise ValueError(f"expected a mask with two values (0 and 1, or 0 and 255), got {came}")
    return m != 0


def as_numbers(name: str, values: ArrayLike, expected: str) -> NDArray[np.float64]:
    """Check an array of finite numbers that came from a caller, other than an image.

    Parameters
    ----------
    name, expected : str
        What it is called and what it must be, for the message.

    Raises
    ------
    ValueError
        If it holds anything else, or its rows differ in length.
    """
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} must be {expected}, got {reprlib.repr(values)}")
    return numbers


def per_channel(function: Callable[[Image], Image], image: Image) -> Image:
    """Apply a function of (H, W) arrays to each channel of an (H, W) or (H, W, C) image."""
    if image.ndim == 2:
        return function(image)
    return np.stack([function(np.ascontiguousarray(image[:, :, c])) for c in range(image.shape[2])], axis=2)


def across_channels(function: np.ufunc, pixels: NDArray[Any]) -> NDArray[Any]:
    """Combine the channels of (..., C) pixels by a ufunc of two, such as ``np.maximum``.

    Along an axis of three ``ufunc.reduce`` takes twenty times as long.
    """
    combined: NDArray[Any] = functools.reduce(function, np.moveaxis(pixels, -1, 0))
    return combined


def channel_mean(pixels: Image) -> Image:
    """Give the mean over the channels of (..., C) pixels."""
    return np.asarray(across_channels(np.add, pixels) / np.float32(pixels.shape[-1]), np.float32)


def same_colour(a: NDArray[Any], b: NDArray[Any]) -> Mask:
    """Tell where (..., C) pixels are equal in all channels to others that they broadcast with."""
    return across_channels(np.logical_and, a == b)


def largest_difference(a: Image, b: Image) -> Image:
    """Give the largest difference over the channels of (..., C) pixels and (..., C) or (C,) others."""
    return across_channels(np.maximum, np.abs(a - b))


def luminance(image: NDArray[Real]) -> NDArray[Real]:
    """Give the (H, W) luma of an image: ITU-R BT.601 weights for 3 channels, else the mean of the channels."""
    if image.ndim == 2:
        return image
    if image.shape[2] == 3:
        return image @ np.array(LUMA, image.dtype)
    return np.asarray(across_channels(np.add, image) / image.shape[2], image.dtype)
