"""Was the picture enlarged, and how much.

An interpolated pixel is smoother than one that was there, and how much so repeats with the period of the enlargement:
the mean magnitude of the second difference along rows and columns has a line in its spectrum at 1 / scale (Gallagher,
CRV 2005). A line at f may come from scale 1 / f or, by aliasing, from 1 / (1 - f); the first leaves little above the
frequency f / 2. That choice is uncertain after bilinear interpolation, so both are told.

Limits: the blocks of JPEG make lines at multiples of 1 / 8, which are passed over, so that enlargement by exactly 2 or
4, whose phases are alike in pairs, is not seen. A reduction leaves such lines too, and so do rows of letters. It is
therefore not among the finders that ``diagnose`` runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.diagnosis.finding import Finding

if TYPE_CHECKING:
    from anew.images import Picture

LENGTH = 2048
LEAST_SIDE = 96
LEAST_LINE = 5.5  # line over the median of the spectrum; at most 3.2 on clean photographs, above 6 after enlargement
LEAST_FREQUENCY = 0.22
CROP = 1024
EMPTY = 0.04  # power above the frequency f / 2 over that below, between enlargement by 1 / f and by 1 / (1 - f)


def estimate_enlargement(image: Image) -> tuple[float, float]:
    """Estimate by how much a picture was enlarged.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]

    Returns
    -------
    scale : float >= 1
        1 if there is no trace.
    line : float
        How far the line of the interpolation stands out of the spectrum.

    References
    ----------
    Gallagher, "Detection of linear and cubic interpolation in JPEG compressed images", CRV 2005.
    """
    top, left = max(0, (image.shape[0] - CROP) // 2), max(0, (image.shape[1] - CROP) // 2)
    y = luminance(image[top : top + CROP, left : left + CROP])
    if min(y.shape) < LEAST_SIDE:
        return 1.0, 0.0
    along, across = _spectrum(y), _spectrum(np.ascontiguousarray(y.T))
    frequency = np.arange(len(along)) / LENGTH
    blocks = np.abs(8 * frequency - np.rint(8 * frequency)) < 0.06
    allowed = (frequency > LEAST_FREQUENCY) & ~blocks
    lines = [spectrum / max(float(np.median(spectrum[allowed])), 1e-12) for spectrum in (along, across)]
    both = np.where(allowed, np.minimum(*lines), 0)  # lines of text repeat in one direction only
    k = int(np.argmax(both))
    line = float(both[k])
    if line < LEAST_LINE:
        return 1.0, line
    f = float(frequency[k])
    return (1 / f if _is_empty_above(y, f) else 1 / (1 - f)), line


def find_resolution(picture: Picture) -> Finding | None:
    """Report that the picture was enlarged, or None. It leads to no repair."""
    scale, line = estimate_enlargement(picture.pixels)
    if scale <= 1:
        return None
    other = scale / (scale - 1)
    return Finding(
        kind="resolution",
        value=scale,
        unit="times",
        confidence=float(np.clip(0.5 + 0.05 * line, 0.6, 0.95)),
        message=f"It was enlarged about {scale:.1f} (or {other:.1f}) times: its size promises more detail.",
        details={"scale": scale, "alternative": other},
    )


def _spectrum(y: Image) -> NDArray[np.float64]:
    """Give the spectrum of the mean magnitude of the second difference along the rows."""
    bend = np.abs(y[:, 2:] + y[:, :-2] - 2 * y[:, 1:-1])
    bend = np.minimum(bend, 4 * np.median(bend) + 1e-4)  # edges must not outweigh the rest
    mean = np.log(bend.mean(axis=0, dtype=np.float64) + 1e-5)
    mean -= cv2.blur(mean[None], (9, 1))[0]
    spectrum: NDArray[np.float64] = np.abs(np.fft.rfft(mean * np.hanning(len(mean)), LENGTH))
    return spectrum


def _is_empty_above(y: Image, f: float) -> bool:
    """Tell whether the spectrum falls steeply at half of the frequency f, as after enlargement by 1 / f."""
    window = np.outer(np.hanning(y.shape[0]), np.hanning(y.shape[1]))
    power = np.abs(np.fft.rfft2((y - y.mean()) * window)) ** 2
    fy, fx = np.abs(np.fft.fftfreq(y.shape[0]))[:, None], np.fft.rfftfreq(y.shape[1])
    radius = np.maximum(fy, fx)
    below = power[(radius > 0.35 * f) & (radius < 0.5 * f)].mean()
    above = power[(radius > 0.65 * f) & (radius < max(0.5 * (1 - f), 0.75 * f))].mean()
    return bool(above < EMPTY * below)
