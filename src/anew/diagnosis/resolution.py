"""Was the picture enlarged, and by how much: the comb that interpolation leaves in the second differences.

Interpolated pixels are weighted means of their neighbours, and the weights repeat with the factor, so the size of the
second difference does too: a peak in its spectrum at 1 / factor cycles per pixel (Gallagher, "Detection of Linear and
Cubic Interpolation in JPEG Compressed Images", CRV 2005; Mahdian and Saic, "Blind Authentication Using Periodic
Properties of Interpolation", IEEE TIFS 3 (2008)). Factors below 2 fold back to 1 - 1 / factor, where larger ones lie
too; which it is, the spectrum of the picture tells, which ends at 1 / (2 factor).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.diagnosis.finding import Finding
from anew.diagnosis.light import is_photographic
from anew.small_copy import pick_pixels

if TYPE_CHECKING:
    from anew.images import Picture

SMALLEST, LARGEST = 96, 1024  # pixels a side; of larger pictures the middle is looked at
BINS = 4096  # of the spectra, whatever the size of the picture
LOWEST, HIGHEST = 0.115, 0.5  # cycles per pixel: factors of 8.7 to 1.13
BLOCKS = np.arange(1, 4) / 8  # cycles per pixel of the grid of JPEG, beside 1 / 2
NEAR = 0.006  # cycles per pixel, within which two peaks are one
LEAST_PEAK = 10.5  # times the surroundings; of 40 photographs as they are, none has more than 6.6
LEAST_LINE = 6.0  # the same along each axis alone
LEAST_EVIDENCE = 23.0  # of the peak plus twice the drop: slight shrinking leaves a comb too, but no early end
CLEARLY = 2.5  # dB by which the spectrum must fall more steeply for the larger of two factors to be believed


@dataclass(frozen=True)
class Enlargement:
    """What interpolation left.

    Attributes
    ----------
    factor : float > 1
    peak : float
        Height of the comb's line over its surroundings.
    drop : float
        How far the spectrum beyond 1 / (2 factor) lies below the power law of the rest, in dB.
    """

    factor: float
    peak: float
    drop: float


def estimate_enlargement(image: Image) -> Enlargement | None:
    """Find the factor by which a picture was enlarged.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1], at least 96 pixels a side

    Returns
    -------
    Enlargement, or None if there is no trace of one
    """
    x = luminance(image) if image.ndim == 3 else image
    if min(x.shape) < SMALLEST:
        return None
    x = x[
        tuple(
            slice((side - LARGEST) // 2, (side + LARGEST) // 2) if side > LARGEST else slice(None) for side in x.shape
        )
    ]
    frequencies = np.arange(BINS // 2 + 1) / BINS
    along, across = _comb(x), _comb(x.T)
    comb = np.sqrt(along * across)
    power = np.sqrt(_power(x) * _power(x.T))
    place = int(np.argmax(np.where((frequencies >= LOWEST) & (frequencies <= HIGHEST), comb, 0)))
    frequency, height = float(frequencies[place]), float(comb[place])
    one_way = min(_height(axis, frequencies, frequency) for axis in (along, across)) < LEAST_LINE  # as lines of text do
    if height < LEAST_PEAK or one_way or _is_grid(comb, frequencies, frequency):
        return None
    if frequency > HIGHEST - NEAR and _height(comb, frequencies, frequency / 2) >= LEAST_PEAK:
        frequency /= 2  # the comb of x4 has a line at 1 / 2 as well
    large, small = 1 / frequency, 1 / (1 - frequency)
    drops = {factor: _drop(power, frequencies, factor) for factor in (large, small)}
    factor = large if large - small < 0.1 or drops[large] > drops[small] + CLEARLY else small
    if height + 2 * drops[factor] < LEAST_EVIDENCE:
        return None
    return Enlargement(factor, height, drops[factor])


def find_resolution(picture: Picture) -> Finding | None:
    """Say whether the picture was enlarged; there is nothing to repair, but more pixels than detail."""
    found = estimate_enlargement(picture.pixels) if is_photographic(pick_pixels(picture.pixels)) else None
    if found is None:  # patterns of few tones are combs of their own
        return None
    height, width = picture.pixels.shape[:2]
    small = f"{round(width / found.factor)} x {round(height / found.factor)}"
    return Finding(
        kind="resolution",
        value=found.factor,
        unit="times",
        confidence=float(1 - math.exp(-found.peak / LEAST_PEAK)),
        message=f"The picture was enlarged about {found.factor:.2g} times; its detail is that of {small} pixels.",
        details={"factor": found.factor},
    )


def _comb(x: Image) -> NDArray[np.float64]:
    """Spectrum of the mean size of the second difference along each row, over its surroundings."""
    lines = []
    for order in (1, 2):  # at x2 both phases have second differences of the same size, and differ in the first
        change = np.abs(np.diff(x, order, axis=1)).astype(np.float64)
        # the strongest edges, which are few, would drown the comb
        profile = np.mean(np.minimum(change, np.quantile(change, 0.95)), axis=0)
        trend = _running_median(profile, 15, "edge")
        spectrum = np.abs(np.fft.rfft((profile - trend) * np.hanning(len(profile)), BINS))
        around = _running_median(spectrum, BINS // 24, "reflect")
        lines.append(spectrum / np.maximum(around, 1e-12))
    return np.maximum(*lines)


def _running_median(
    values: NDArray[np.float64], length: int, beyond: Literal["edge", "reflect"]
) -> NDArray[np.float64]:
    """Give the median of the values around each; beyond the ends stands the last one, or their mirror image.

    ``scipy.ndimage.median_filter`` is not worth its import here.
    """
    extended = np.pad(values, (length // 2, length - 1 - length // 2), beyond)
    windows = np.lib.stride_tricks.sliding_window_view(extended, length)
    return np.asarray(np.partition(windows, length // 2, axis=1)[:, length // 2])


def _power(x: Image) -> NDArray[np.float64]:
    """Mean power spectrum along the rows, smoothed."""
    window = np.hanning(x.shape[1])
    rows = (x - x.mean()) * window
    power = np.mean(np.abs(np.fft.rfft(rows, BINS, axis=1)) ** 2, axis=0)
    return np.convolve(power, np.full(33, 1 / 33), mode="same")


def _height(comb: NDArray[np.float64], frequencies: NDArray[np.float64], frequency: float) -> float:
    """Give the height of the line nearest to a frequency."""
    return float(comb[np.abs(frequencies - frequency) < NEAR].max())


def _drop(power: NDArray[np.float64], frequencies: NDArray[np.float64], factor: float) -> float:
    """Tell how far the power beyond the end of the small picture's spectrum lies below its slope before it, in dB."""
    end = 0.5 / factor
    before = (frequencies > 0.25 * end) & (frequencies < 0.8 * end)
    beyond = (frequencies > 1.15 * end) & (frequencies < min(0.48, 1.9 * end))
    if beyond.sum() < 8:
        return 0.0
    decibels = 10 * np.log10(np.maximum(power, 1e-20))
    slope, level = np.polyfit(np.log10(frequencies[before]), decibels[before], 1)
    return float(np.mean(slope * np.log10(frequencies[beyond]) + level - decibels[beyond]))


def _is_grid(comb: NDArray[np.float64], frequencies: NDArray[np.float64], frequency: float) -> bool:
    """Whether a line is one of those of JPEG's blocks of 8."""
    if np.min(np.abs(frequency - np.append(BLOCKS, 0.5))) > NEAR:
        return False
    return min(_height(comb, frequencies, f) for f in (1 / 8, 3 / 8)) >= LEAST_PEAK / 3
