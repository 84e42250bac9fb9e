"""Divide by the local illumination, as far as the picture is dark.

Retinex (Jobson, Rahman and Woodell, IEEE TIP 6, 1997) takes a picture for reflectance times illumination. Here the
illumination is LIME's (Guo, Li and Ling, IEEE TIP 26, 2017): the largest channel, smoothed without crossing edges, and
divided out in part:  R = L / T^a  (their equation 3, with the exponent of section III-D).

Deviations: T is smoothed by a guided filter (He, Sun and Tang, IEEE TPAMI 35, 2013) instead of a sparse solver; the
exponent follows from how dark the picture is, so that a well-lit one stays; the noise of the dark is not lifted.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from anew.arrays import Image, across_channels, luminance
from anew.diagnosis.noise import estimate_noise_sigma
from anew.options import Fraction, checked_arguments
from anew.small_copy import small_copy

WELL_LIT = 0.35  # the median illumination that a picture is brought to
MAX_EXPONENT = 0.65
KNEE = 0.85  # of the range; what is brighter is bent, so that light beyond 1 has room in the rest instead of clipping
FLOOR = 0.03  # of the range; nothing darker is lifted further
NOISE_FACTOR = 4.0  # the floor is this many standard deviations of the noise, if that is more
RADIUS = 0.04  # of the diagonal; the window of the guided filter
EDGE = 0.06  # steps of the square root of illumination above this are kept as edges
PAGE_SIDE = 512
PAGE_RADIUS = 0.03  # of the longer side; wider than the strokes of letters
FILTER_SIDE = 1024  # pixels; the illumination is smooth enough to be found on a smaller copy


@checked_arguments
def relight_retinex(image: Image, *, strength: Fraction | None = None, page: bool = False) -> Image:
    """Light up what lies in the dark.

    Use it for uneven light: a subject against the light, a dark half of a room, a page with a shadow. Where the whole
    picture is dark, ``"curve"`` is closer to the truth.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
    strength : float in [0, 1], optional
        The exponent a; 0 leaves the picture as it is, 1 makes the illumination even. If not given, it brings the median
        illumination to 0.35, and is 0 if it is there; for a page, it is 1.
    page : bool
        Take the picture for ink on paper: the illumination is the brightness of the paper around.

    Returns
    -------
    float32 array of the same shape
    """
    if page:
        return _even_page(image, 1.0 if strength is None else strength)
    brightest = image if image.ndim == 2 else across_channels(np.maximum, image)
    illumination = smooth_illumination(brightest)
    if strength is None:
        median = float(np.clip(np.median(small_copy(illumination)), FLOOR, 1))
        # median ** (1 - a) = WELL_LIT
        strength = min(max(1 - math.log(WELL_LIT) / math.log(min(median, 0.99)), 0.0), MAX_EXPONENT)
    if strength == 0:
        return image.copy()
    floor = max(FLOOR, NOISE_FACTOR * estimate_noise_sigma(luminance(image)))
    gain = (np.clip(illumination, 0, 1) ** 2 + np.float32(floor**2)) ** np.float32(-strength / 2)
    gain *= np.float32((1 + floor**2) ** (strength / 2))  # full light stays full light
    lit = image * (gain if image.ndim == 2 else gain[:, :, np.newaxis])
    return _roll_off(lit, image)


def smooth_illumination(brightest: Image) -> Image:
    """Smooth the largest channel (H, W) within objects, not across their edges; on its square root, as eyes see it."""
    small = small_copy(np.sqrt(np.clip(brightest, 0, 1)), FILTER_SIDE)
    radius = max(1, round(RADIUS * math.hypot(*small.shape)))
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(x: Image) -> Image:
        return np.asarray(cv2.blur(x, size, borderType=cv2.BORDER_REFLECT), np.float32)

    average = mean(small)
    variance = np.maximum(mean(small * small) - average**2, 0)
    slope = variance / (variance + np.float32(EDGE**2))
    slope, offset = mean(slope), mean(average - slope * average)
    whole = (brightest.shape[1], brightest.shape[0])
    if small.shape != brightest.shape:  # coefficients are smooth: enlarge them, not the result (He and Sun, 2015)
        slope, offset = (np.asarray(cv2.resize(c, whole), np.float32) for c in (slope, offset))
    smoothed = slope * np.sqrt(np.clip(brightest, 0, 1)) + offset
    return np.asarray(np.clip(smoothed, 0, 1) ** 2, np.float32)


def _even_page(image: Image, strength: float) -> Image:
    """Divide by the upper envelope of the brightness (a grey closing, smoothed), so that paper is even."""
    paper = small_copy(luminance(image), PAGE_SIDE)
    radius = max(1, round(PAGE_RADIUS * max(paper.shape)))
    size = 2 * radius + 1
    envelope = cv2.morphologyEx(cv2.medianBlur(paper, 3), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    envelope = cv2.GaussianBlur(envelope, (0, 0), radius, borderType=cv2.BORDER_REFLECT)
    light = np.asarray(cv2.resize(envelope, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    light = np.asarray(np.maximum(light, FLOOR) / max(float(np.percentile(envelope, 98)), FLOOR), np.float32)
    gain = light ** np.float32(-strength)
    return np.asarray(image * (gain if image.ndim == 2 else gain[:, :, np.newaxis]), np.float32)


def _roll_off(lit: Image, image: Image) -> Image:
    """Bend what passes 1 back into the range, smoothly from the knee on; colours keep their hue."""
    peak = lit if lit.ndim == 2 else across_channels(np.maximum, lit)
    before = image if image.ndim == 2 else across_channels(np.maximum, image)
    knee = np.float32(KNEE)
    over = np.maximum(peak - knee, 0)
    bent = np.maximum(knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), np.minimum(before, peak))  # never darker
    scale = np.where(peak > knee, bent / np.maximum(peak, knee), np.float32(1))
    return np.asarray(lit * (scale if lit.ndim == 2 else scale[:, :, np.newaxis]), np.float32)
