"""How much noise a camera left in a photograph, told by what a network takes away.

The noise of a photograph was interpolated from a mosaic of colours, balanced, toned and mostly compressed: it is
smooth, depends on the light and differs between the channels, so that estimators for white noise take it for texture.
The network that was trained to remove it (``anew models camera-unet``) tells it from texture, but takes some of that
too, and the grain of film. So what it takes counts in the quietest places, where there is no texture, and in colour
too, of which texture and the grain of film have little. Of drawn patterns it takes the dots and stripes wherever it
looks; those repeat, which noise does not. And of a page that a program set it takes letters, beside which the paper is
exactly of one colour, as it never is under noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, has_equal_channels, luminance, same_colour
from anew.inference.conditions import BLIND
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.structure.repetition import repetition

WINDOW, WINDOWS = 192, 3  # pixels a side; how many, along the diagonal
BLOCK, COARSE = 16, 9  # pixels a side; of a place, and of means that are light and shade
QUIETEST, LEAST_PLACES = 0.1, 20  # quantile of the places; how many are needed
CLIPPED = 0.02  # distance from black or white within which noise may have been cut off
# In the quietest places. Of 88 clean photographs, as they are and as JPEG of quality 50, 75 and 92, none reaches both;
# with the noise of a gain of 0.002 all do at quality 75, 87 at 92 and 86 without JPEG, with that of 0.0005 7 to 12 do.
LEAST_LUMA, LEAST_COLOUR = 3.0 / 255, 1.4 / 255
# Of the autocorrelation at lags of so many pixels. Of the noise of a camera in 20 photographs, as it is and as JPEG of
# quality 15 to 75, it is 0.1 at most; of what is taken for noise in 8 drawn patterns, 0.75 at least.
REPEATED = 0.3
LAGS = (8, 32)
# Share of pixels of exactly the colour of those before them, in places that are not all of one: under such noise 0.02
# at most, on six pages whose letters are taken for it 0.43 at least.
MOST_ALIKE, ALL_ALIKE = 0.3, 0.99


def estimate_camera_noise(image: Image) -> float:
    """Estimate the level of the noise of a camera.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]

    Returns
    -------
    float >= 0
        Its root mean square over the channels, in units of the range [0, 1]; 0 for other than three channels, a grey
        image in three equal ones, where the quietest places have too little of it to be sure, where what is taken away
        repeats itself, and where much of the image is exactly of one colour with what stands beside.
    """
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < 2 * BLOCK or has_equal_channels(image):
        return 0.0
    network = open_model("camera-unet")
    windows = _windows(image)
    if _share_alike(windows) > MOST_ALIKE:
        return 0.0
    changes = [_without_shade(apply_network(network, window, BLIND) - window) for window in windows]
    places = np.concatenate([_noise_of_places(w, change) for w, change in zip(windows, changes, strict=True)])
    if len(places) < LEAST_PLACES:
        return 0.0
    luma, colour = np.sqrt(np.quantile(places, QUIETEST, axis=0))
    if luma < LEAST_LUMA or colour < LEAST_COLOUR or _repeats(changes):
        return 0.0
    return float(np.sqrt(places.sum(axis=1).mean()))


def _windows(image: Image) -> list[Image]:
    """Cut windows along the diagonal, each beginning on the grid of JPEG blocks."""
    height, width = (min(side, WINDOW) for side in image.shape[:2])
    corners = zip(*(_starts(side) for side in image.shape[:2]), strict=True)
    windows = {corner: image[corner[0] :, corner[1] :][:height, :width] for corner in corners}
    return [np.ascontiguousarray(window) for window in windows.values()]


def _starts(side: int) -> list[int]:
    return [int(start) // 8 * 8 for start in np.linspace(0, max(side - WINDOW, 0), WINDOWS + 2)[1:-1]]


def _share_alike(windows: Sequence[Image]) -> float:
    """Give the share of pixels that are like the two before them, over the places that are not all of one colour."""
    alike = [same_colour(w[:, 2:], w[:, 1:-1]) & same_colour(w[:, 1:-1], w[:, :-2]) for w in windows]
    shares = np.concatenate([_mean_of_places(mask.astype(np.float32)).ravel() for mask in alike])
    return float(shares[shares < ALL_ALIKE].mean()) if (shares < ALL_ALIKE).any() else 1.0


def _without_shade(change: Image) -> Image:
    return np.asarray(change - cv2.blur(change, (COARSE, COARSE)), np.float32)


def _repeats(changes: Sequence[Image]) -> bool:
    """Tell whether a change repeats itself in most windows, so that it is a pattern."""
    planes = [luminance(change) for change in changes if min(change.shape[:2]) > 2 * LAGS[1]]
    return bool(planes) and float(np.median([repetition(plane, *LAGS) for plane in planes])) > REPEATED


def _noise_of_places(image: Image, change: Image) -> NDArray[np.float32]:
    """Give the mean squares of the luma and of the colour of a change in each place that clipping spares, (N, 2)."""
    luma = luminance(change)
    colour = change - luma[:, :, np.newaxis]
    inside = (image.min(axis=2) > CLIPPED) & (image.max(axis=2) < 1 - CLIPPED)
    spared = _mean_of_places(inside.astype(np.float32)) > 0.8
    squares = (luma**2, np.mean(colour**2, axis=2))
    return np.stack([_mean_of_places(square)[spared] for square in squares], axis=1)


def _mean_of_places(plane: Image) -> Image:
    """Average over squares that overlap by half."""
    half = BLOCK // 2
    return np.asarray(cv2.blur(plane, (BLOCK, BLOCK))[half:-half:half, half:-half:half], np.float32)
