"""Impulses: single pixels that were replaced by another value (salt, pepper, or anything).

In a smooth place of a photograph a pixel lies between its eight neighbours. The share of smooth places whose centre
stands out on its own estimates the density without being misled by texture, which is not smooth (in the spirit of the
rank-ordered differences of Garnett et al., IEEE TIP 14, 2005). Stars, text and halftones stand out too, but to one
side only, or with few values; impulses are dark and bright. Salt and pepper so dense that no smooth place is left shows
as black and white pixels that are strewn independently of each other, which no content is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, across_channels
from anew.diagnosis.finding import Finding
from anew.diagnosis.palette import has_palette

if TYPE_CHECKING:
    from anew.images import Picture

LEAST_DENSITY = 0.002
LEAST_SPIKES = 12
LEAST_OF_A_SIDE = 4  # spikes, and 1% of all: there must be both bright and dark ones
LEAST_SPREAD = 0.55  # between the 10th and 90th percentile of impulses of random value
SMOOTH = 12 / 255  # range of eight neighbours in a smooth place without noise
STANDS_OUT = 30 / 255
SAMPLE = 1024  # pixels a side on which the density is estimated

MOST_CLUSTERED = 0.15  # correlation of neighbours, for pixels strewn independently
LEAST_DENSE = 0.2  # below it smooth places are plenty
# Of pixels that are black, or white, in all channels. Noise of 0.2 alone leaves fewer of one of them, or clusters,
# on 348 of 350 photographs.
LEAST_WHOLE, MOST_CLUSTERED_WHOLE = 0.007, 0.05
MOSTLY_WHOLE = 0.9  # of the spikes: then single black or white channels are taken for colours of the picture
WHOLE_NEARER = 18 / 255  # than the threshold may they be to the median: content is seldom like them
SPARSE = 0.15
MOST_DENSE = 0.95  # above it the image has two values only: a drawing, or lost

_NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


@dataclass(frozen=True)
class ImpulseStatistics:
    """How impulses show in one image.

    Attributes
    ----------
    density : float in [0, 1]
        Share of replaced samples.
    spikes : int
        How many were seen in smooth places.
    bright_share : float in [0, 1]
        Share of them above their neighbours.
    extreme_share : float in [0, 1]
        Share of them at the very ends of the range: near 1 for salt and pepper.
    spread : float
        Distance of their 10th and 90th percentile.
    threshold : float
        What stands out: how far above or below all neighbours.
    whole : bool
        Whether the impulses are black or white in all channels at once. Then single channels at an end of the range, of
        saturated colours or clipped by noise, are none.
    """

    density: float
    spikes: int
    bright_share: float
    extreme_share: float
    spread: float
    threshold: float
    whole: bool = False


def estimate_impulses(image: Image) -> ImpulseStatistics:
    """Estimate the density and kind of impulses.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]

    Returns
    -------
    ImpulseStatistics
    """
    channels = np.atleast_3d(central(image))
    dense = _dense_salt_and_pepper(channels)
    if dense > LEAST_DENSE:
        whole = _are_whole(channels, across_channels(np.logical_or, (channels <= 0.002) | (channels >= 0.998)))
        return ImpulseStatistics(dense, round(dense * channels[:, :, 0].size), 0.5, 1.0, 1.0, STANDS_OUT, whole)
    smooth_places, spiked = 0, np.zeros(channels.shape[:2], bool)
    values, rises, thresholds = [], [], []
    for c in range(channels.shape[2]):
        x = np.ascontiguousarray(channels[:, :, c])
        lowest, highest = _neighbour_range(x)
        smooth, threshold = _limits(highest - lowest)
        above, below = x - highest, lowest - x
        place = highest - lowest < smooth
        spike = place & (np.maximum(above, below) > threshold)
        smooth_places += int(np.count_nonzero(place))
        spiked |= spike
        values.append(x[spike])
        rises.append(above[spike] > 0)
        thresholds.append(threshold)
    value, bright = np.concatenate(values), np.concatenate(rises)
    if not len(value):
        return ImpulseStatistics(0.0, 0, 0.0, 0.0, 0.0, max(thresholds))
    low, high = np.quantile(value, (0.1, 0.9))
    extreme = float(np.mean((value <= 0.002) | (value >= 0.998)))
    # a random value is within the threshold of its surroundings, and so not seen, in about 2 of 1 / threshold cases
    seen = 1.0 if extreme > 0.8 else 1 - 2 * max(thresholds)
    density = len(value) / max(smooth_places, 1) / max(seen, 0.2)
    return ImpulseStatistics(
        density=min(float(density), 1.0),
        spikes=len(value),
        bright_share=float(bright.mean()),
        extreme_share=extreme,
        spread=float(high - low),
        threshold=max(thresholds),
        whole=_are_whole(channels, spiked),
    )


def find_impulses(picture: Picture) -> Finding | None:
    """Report impulse noise and where it is, or None."""
    found = estimate_impulses(picture.pixels)
    whole = _whole_pixels(central(picture.pixels))
    if _tells(whole) and whole.density >= found.density / 2:
        found = whole  # it sees what noise hides, and counts
    if not _tells(found):
        return None
    salt_and_pepper = found.extreme_share > 0.8
    if not salt_and_pepper and has_palette(picture.pixels):
        return None  # dither; impulses of random value would be of many colours
    kind = "black and white dots" if salt_and_pepper else "dots of random value"
    return Finding(
        kind="impulses",
        value=100 * found.density,
        unit="% of pixels",
        confidence=float(np.clip(0.7 + 0.1 * np.log10(found.spikes / LEAST_SPIKES), 0.7, 0.99)),
        message=f"About {100 * found.density:.1f}% of the pixels were replaced by {kind}.",
        map=impulse_mask(picture.pixels, found),
        details={"density": found.density, "salt_and_pepper": salt_and_pepper},
    )


def _tells(found: ImpulseStatistics) -> bool:
    """Judge whether there are enough, dark and bright, and either black and white or of many values."""
    minor_share = min(found.bright_share, 1 - found.bright_share)
    one_sided = minor_share < 0.01 or minor_share * found.spikes < LEAST_OF_A_SIDE
    if found.density < LEAST_DENSITY or found.spikes < LEAST_SPIKES or one_sided:
        return False
    return found.extreme_share > 0.8 or found.spread >= LEAST_SPREAD


def is_strewn(marked: Mask) -> bool:
    """Tell whether there are marked pixels, strewn independently of each other."""
    return bool(marked.any()) and clustering(marked) < MOST_CLUSTERED


def clustering(marked: Mask) -> float:
    """Give the largest correlation of an (H, W) map with itself moved by one or two pixels: near 0 if strewn."""
    share = float(marked.mean())
    m = marked
    pairs = ((m[1:], m[:-1]), (m[:, 1:], m[:, :-1]), (m[1:, 1:], m[:-1, :-1]), (m[2:], m[:-2]), (m[:, 2:], m[:, :-2]))
    both = [np.count_nonzero(a & b) / a.size for a, b in pairs if a.size]
    return max((abs(joint - share**2) / (share * (1 - share) + 1e-12) for joint in both), default=1.0)


def impulse_mask(image: Image, found: ImpulseStatistics) -> Mask:
    """Mark the pixels with an impulse in any channel.

    Salt and pepper are all pixels at the ends of the range, in any channel or, where they are whole, in all of them,
    but not those in solid areas and, if they are few, not those near the median of their surroundings. Other impulses
    are the pixels that are far from that median, measured by the scatter there.

    Returns
    -------
    (H, W) bool array
    """
    channels = np.atleast_3d(image)
    mask = np.zeros(channels.shape[:2], bool)
    whole = np.logical_or(*(_outside_solids(end, found) for end in _ends(channels))) if found.whole else None
    for c in range(channels.shape[2]):
        x = np.ascontiguousarray(channels[:, :, c])
        mask |= _extremes(x, found, whole) if found.extreme_share > 0.8 else _outliers(x, found)
    return mask


def _extremes(x: Image, found: ImpulseStatistics, whole: Mask | None) -> Mask:
    mask, apart = whole, found.threshold - WHOLE_NEARER
    if mask is None:
        mask, apart = _outside_solids(x <= 0.002, found) | _outside_solids(x >= 0.998, found), found.threshold
    return mask & (np.abs(x - cv2.medianBlur(x, 5)) > apart) if found.density < SPARSE else mask


def _outside_solids(end: Mask, found: ImpulseStatistics) -> Mask:
    """Leave out of the pixels at one end of the range those in solid areas."""
    size = 3 if found.density < 0.5 else 5
    solid = cv2.morphologyEx(end.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    strewn: Mask = end & (cv2.dilate(solid, np.ones((3, 3), np.uint8)) == 0)
    if found.density < SPARSE:  # four of a kind in one neighbourhood are content
        strewn &= cv2.boxFilter(strewn.astype(np.float32), -1, (3, 3), normalize=False) < 3.5
    return strewn


def _dense_salt_and_pepper(channels: Image) -> float:
    """Give the density of black and white pixels that are strewn independently, or 0."""
    shares = []
    for c in range(channels.shape[2]):
        ends = (channels[:, :, c] <= 0.002, channels[:, :, c] >= 0.998)
        shares.append(sum(float(end.mean()) for end in ends))
        if min(end.mean() for end in ends) < LEAST_DENSE / 4 or max(map(clustering, ends)) > MOST_CLUSTERED:
            return 0.0
    return float(np.mean(shares)) if max(shares) < MOST_DENSE else 0.0


def _whole_pixels(channels: Image) -> ImpulseStatistics:
    """Tell salt and pepper in strong noise, which leaves no smooth place, in a coloured picture.

    The noise of three channels seldom clips all of them, and where it does, in dark or bright places, not strewn over
    the picture.
    """
    nothing = ImpulseStatistics(0.0, 0, 0.0, 0.0, 0.0, STANDS_OUT)
    if channels.shape[2] != 3 or (channels == channels[:, :, :1]).all():
        return nothing
    ends = _ends(channels)
    shares = [float(end.mean()) for end in ends]
    if min(shares) < LEAST_WHOLE or max(map(clustering, ends)) > MOST_CLUSTERED_WHOLE:
        return nothing
    density = 2 * min(shares)  # they are alike; of the other there are clipped ones among them
    return ImpulseStatistics(density, round(density * ends[0].size), 0.5, 1.0, 1.0, STANDS_OUT, whole=True)


def _are_whole(channels: Image, marked: Mask) -> bool:
    """Tell whether nearly all marked pixels are black or white in all channels."""
    return bool(np.mean(np.logical_or(*_ends(channels))[marked]) >= MOSTLY_WHOLE)


def _ends(channels: Image) -> tuple[Mask, Mask]:
    """Mark the pixels that are black in all channels, and those that are white."""
    return across_channels(np.maximum, channels) <= 0.002, across_channels(np.minimum, channels) >= 0.998


def _outliers(x: Image, found: ImpulseStatistics) -> Mask:
    distance = np.abs(x - cv2.medianBlur(x, 5))
    scatter = cv2.medianBlur(distance, 5)
    outliers: Mask = distance > np.maximum(found.threshold, 4 * scatter)
    return outliers


def _neighbour_range(x: Image) -> tuple[Image, Image]:
    border = cv2.BORDER_REFLECT_101
    lowest = cv2.erode(x, _NEIGHBOURS, borderType=border)
    highest = cv2.dilate(x, _NEIGHBOURS, borderType=border)
    return lowest.astype(np.float32, copy=False), highest.astype(np.float32, copy=False)


def _limits(ranges: NDArray[np.float32]) -> tuple[float, float]:
    """Give what is smooth and what stands out: both grow with the noise, read off the quietest places."""
    quiet = float(np.quantile(ranges[ranges > 0], 0.01)) if (ranges > 0).any() else 0.0
    return max(SMOOTH, 2.5 * quiet), max(STANDS_OUT, 3.5 * quiet)


def central(image: NDArray[Any]) -> NDArray[Any]:
    """Cut the middle out of an (H, W) or (H, W, C) image: the sample that is looked at."""
    top, left = max(0, (image.shape[0] - SAMPLE) // 2), max(0, (image.shape[1] - SAMPLE) // 2)
    return image[top : top + SAMPLE, left : left + SAMPLE]
