"""By how much a repaired pixel may be off: a standard deviation per pixel, in units of the range [0, 1].

The shapes are argued below; their few constants were fitted to the true error on photographs that no test set holds
(``benchmarks/calibrate_uncertainty.py`` prints them).
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, channel_mean, luminance
from anew.jpeg_tables import quantisation_error
from anew.tiles import HALO, TILE, depth_of, haloed_tiles

FLAT, BUSY = 0.05, 0.75  # error of a denoiser over sigma, in flat and in busy places
HALF_ACTIVITY = 0.3  # activity, over sigma, at which it lies half way
FILL_SCALE = 0.7  # error deep inside a hole over the spread of the values around it
FILL_REACH = 6.0  # pixels from the rim after which a fill knows nothing more
# Of what JPEG lost, over the square root of the luma's quantisation error, where the activity is 1: grey, colour.
LOST_GREY, LOST_COLOUR = 0.18, 0.23
TONE, MIDTONE = 0.1, 0.12  # of light: that nobody knows how bright a scene was, everywhere and by gamma
LEAST = 0.5 / 255  # a changed pixel is never surer than its rounding


def denoised_uncertainty(denoised: Image, sigma: float) -> Image:
    """Say where denoising erred: the estimate averages many pixels in flat places, few in busy ones.

    Parameters
    ----------
    denoised : (H, W, C) float32 array
    sigma : float > 0
        Of the noise that was removed.

    Returns
    -------
    (H, W) float32 array
    """
    field = local_spread(denoised, 1.5)
    field /= np.float32(sigma)
    field /= field + np.float32(HALF_ACTIVITY)  # busyness, from 0 to 1
    field *= np.float32(sigma * (BUSY - FLAT))
    field += np.float32(sigma * FLAT)
    return field


def filled_uncertainty(filled: Image, mask: Mask, held_out_error: float) -> Image:
    """Say how far invented pixels may be off: more the deeper in the hole and the livelier the surroundings.

    Parameters
    ----------
    filled : (H, W, C) float32 array
    mask : (H, W) bool array
    held_out_error : float
        Error of the same method at known pixels nearby; nan if unknown.

    Returns
    -------
    (H, W) float32 array, 0 outside the mask
    """
    depth = depth_of(mask)
    reach = max(float(depth.max()), 1.0)
    around = _known_spread(luminance(filled), mask, 2 * reach + 4)
    deep = np.sqrt(1 - np.exp(-depth / np.float32(FILL_REACH)))
    field = np.float32(FILL_SCALE) * around * deep
    if np.isfinite(held_out_error) and held_out_error > 0:
        mean = float(np.sqrt(np.mean(field[mask] ** 2, dtype=np.float64)))
        ratio = np.float32(held_out_error / max(mean, 1e-6))
        # A quiet place nearby, well filled, says little of what was deep inside this hole.
        field = field * (ratio if ratio >= 1 else ratio ** np.exp(-depth / np.float32(FILL_REACH)))
    return np.asarray(np.where(mask, np.maximum(field, np.float32(LEAST)), 0), np.float32)


def deblocked_uncertainty(deblocked: Image, quality: int) -> Image:
    """Say how far a decompressed pixel may be off: quantisation loses what is fine, so it follows the activity.

    Coarse steps lose less than their own error, as most of what they round to 0 was small: the error goes by the square
    root of the quantiser's, and by the cube root of the activity. In colour chroma is lost too. On 12 photographs of
    BSDS400, half of them as grey too, at qualities 10 to 85 the error of a picture was 0.7 to 1.4 times this.

    Parameters
    ----------
    deblocked : (H, W, C) float32 array
    quality : int in [1, 100]

    Returns
    -------
    (H, W) float32 array
    """
    lost = LOST_COLOUR if deblocked.shape[2] == 3 else LOST_GREY
    field = np.cbrt(local_spread(deblocked, 1.5))
    field *= np.float32(lost * np.sqrt(quantisation_error(quality)))
    return np.maximum(field, np.float32(LEAST), out=field)


def changed_uncertainty(before: Image, after: Image) -> Image:
    """For repairs without a model of their error: a share of what they changed."""
    return np.asarray(0.5 * np.sqrt(channel_mean((after - before) ** 2)), np.float32)


def left_damage(before: Image, after: Image, strength: float) -> Image:
    """Say how far a repair in part lies from the whole one: it leaves 1 - strength of what that takes away.

    Parameters
    ----------
    before, after : (..., C) float32 arrays
        After the whole repair.
    strength : float in [0, 1]

    Returns
    -------
    (...) float32 array
    """
    return np.asarray((1 - strength) * np.sqrt(channel_mean((after - before) ** 2)), np.float32)


def relit_uncertainty(before: Image, after: Image, prior: Image) -> Image:
    """Say what a change of light does: it amplifies what was uncertain, and how bright the scene was is not known.

    The second is by far the more: which exposure, fading or cast was there can only be guessed. It is ``TONE`` at any
    value, and ``MIDTONE`` times what an unknown gamma moves it, e v ln v of the value v, but no more than the picture
    was changed. In 104 repairs of 18 photographs of BSDS400 that were darkened, flattened, faded or tinted in seven
    ways the error was 0.3 to 1.4 times this in the median of a way, and 96% or more of the values lay within twice
    this. Its rank correlation with the error is 0.0 to 0.5: whether the shadows or the lights are off is not known.

    Parameters
    ----------
    before, after : (H, W, C) float32 arrays
    prior : (H, W) float32 array
        The uncertainty before; at least the rounding of the input is taken.

    Returns
    -------
    (H, W) float32 array
    """
    gain = (local_spread(after, 1.5) + LEAST) / (local_spread(before, 1.5) + LEAST)
    amplified = gain * np.hypot(prior, np.float32(LEAST))
    change = channel_mean((after - before) ** 2)
    value = np.clip(channel_mean(after), np.float32(1e-6), np.float32(1))
    tone = np.float32(TONE**2) + (np.float32(MIDTONE * np.e) * value * np.log(value)) ** 2
    return np.asarray(np.sqrt(amplified**2 + np.minimum(tone, np.float32(change.mean()))), np.float32)


def local_spread(image: Image, radius: float) -> Image:
    """Give the local standard deviation, over all channels, in a Gaussian window; (H, W) float32.

    Large images are done in strips, as only the result has to be held whole.
    """
    spread = np.empty(image.shape[:2], np.float32)
    for t in haloed_tiles(image.shape, TILE, HALO):
        piece = np.ascontiguousarray(image[t.wide])
        mean = cv2.GaussianBlur(piece, (0, 0), radius).reshape(piece.shape)
        square = cv2.GaussianBlur(piece * piece, (0, 0), radius).reshape(piece.shape)
        spread[t.place] = np.sqrt(channel_mean(np.maximum(square - mean * mean, 0)))[t.inside]
    return spread


def _known_spread(y: Image, mask: Mask, radius: float) -> Image:
    """Give the spread of the known pixels around, in a box of that radius."""
    side = 2 * int(radius) + 1
    known = (~mask).astype(np.float32)
    weight = cv2.boxFilter(known, -1, (side, side), borderType=cv2.BORDER_REFLECT) + np.float32(1e-6)
    mean = cv2.boxFilter(y * known, -1, (side, side), borderType=cv2.BORDER_REFLECT) / weight
    square = cv2.boxFilter(y * y * known, -1, (side, side), borderType=cv2.BORDER_REFLECT) / weight
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)
