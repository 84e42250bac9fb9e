"""Bring back the dyes of a faded print.

Gschwind and Frey, J. Imaging Science and Technology 38 (1994): each dye loses its own share, and the base gets stained,
so each channel has its own range left between the print's darkest and lightest places. Both are taken as neutral, and
each channel is stretched from its own black to its own white; a power per channel then brings the mid-tones of the
channels nearer to each other. Deviation: the stretch is linear in the encoded values instead of a 3 x 3 matrix of
densities, because the side absorptions of an unknown film are not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_numbers
from anew.diagnosis.print_range import estimate_range
from anew.options import Fraction, checked_arguments
from anew.restoration.relighting.curve import LARGEST_GAMMA, LEAST_GAMMA, power_curve

BLACK = 0.02  # where the darkest place shall lie


@checked_arguments
def relight_fading(
    image: Image,
    *,
    black: ArrayLike | Sequence[float] | None = None,
    white: ArrayLike | Sequence[float] | None = None,
    gamma: ArrayLike | Sequence[float] | None = None,
    strength: Fraction = 1.0,
) -> Image:
    """Stretch each channel to the range that its dye has lost.

    Use it for colour prints and slides that have faded, whose dyes went unequally. The levels must still be there: what
    is bleached out stays lost.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
    black, white : (C,) arrays, optional
        Per channel, the values that become 0.02 and the largest of ``white``; the colours of the darkest and lightest
        places if not given. What is already darker stays.
    gamma : (C,) array of numbers in [0.001, 1000], optional
        Per channel, the power of the mid-tones; below 1 lightens.
    strength : float in [0, 1]
        How far to go from the picture as it is. What is left of the range is but a guess where a scene has no black and
        no white of its own; then a part of the way is nearer to the truth than all of it.

    Returns
    -------
    float32 array of the same shape
    """
    channels = 1 if image.ndim == 2 else image.shape[2]
    found = estimate_range(image)
    given = {"black": black, "white": white, "gamma": gamma}
    low, high, power = (
        getattr(found, name) if values is None else _one_per_channel(name, values, channels)
        for name, values in given.items()
    )
    if not ((low < high).all() and ((power >= LEAST_GAMMA) & (power <= LARGEST_GAMMA)).all()):
        got = ", ".join(f"{name} {list(value)}" for name, value in (("black", low), ("white", high), ("gamma", power)))
        raise ValueError(f"each black must be below its white and each gamma in [0.001, 1000], got {got}")
    planes = np.atleast_3d(image)
    result = np.empty_like(planes)
    lightest = float(high.max())  # how bright white was is not known, only that it was neutral
    for c in range(channels):
        floor, ceiling = min(BLACK, low[c]), lightest
        stretched = (planes[:, :, c] - low[c]) * ((ceiling - floor) / (high[c] - low[c])) + floor
        full = power_curve(stretched.astype(np.float32), float(power[c]))
        result[:, :, c] = planes[:, :, c] + np.float32(strength) * (full - planes[:, :, c]) if strength < 1 else full
    return result.reshape(image.shape)


def _one_per_channel(name: str, values: ArrayLike | Sequence[float], channels: int) -> NDArray[np.float64]:
    """Give one number for each channel, from one number for all or from as many."""
    numbers = as_numbers(name, values, "one number, or one per channel")
    if numbers.shape not in ((), (1,), (channels,)):
        raise ValueError(f"{name} must be one number, or one per channel of {channels}, got {numbers.tolist()}")
    return np.broadcast_to(numbers, (channels,))
