"""Is the whole picture blurred, and by which kernel.

The power spectrum of a sharp photograph falls like a power of the frequency. Blur multiplies it by the squared transfer
function of its kernel: a Gaussian falls off without zeros, a disk (defocus) has rings of zeros, a line (motion) has
parallel stripes of zeros (Cannon, IEEE TASSP 24, 1976). All three families are fitted to the mean spectrum of the
tiles of the picture, with the noise as a floor, and the best explanation is kept.

A picture with sharp parts is not blurred but focussed on them: edges say so. The steepest slope of a step that a
Gaussian of width s blurred is the height of the step / (s sqrt(2 pi)), so steeper edges prove a smaller width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.diagnosis.finding import Finding

if TYPE_CHECKING:
    from anew.images import Picture

TILE = 128
CROP = 1024
GAUSSIAN_WIDTHS = np.geomspace(0.5, 5, 24)
DISK_RADII = np.geomspace(1, 12, 30)
MOTION_LENGTHS = np.geomspace(2.5, 40, 24)
MOTION_ANGLES = np.arange(0, 180, 9.0)
NATURAL_SLOPE, SLOPE_SPREAD = 2.4, 0.4  # of the power spectrum of photographs, measured on clean ones
LEAST_EDGE_WIDTH = 1.3  # pixels, of the sharpest edges of a picture that is called blurred
# Lens, sensor and interpolation leave every photograph straight from a camera softer than a drawing, by Gaussians of
# 0.5 to 0.75 pixels: no damage. Blurs of 1 and 1.2 pixels on sixty photographs were estimated at 0.75 and more.
LEAST_WIDTH = 0.8
HANDICAP = {"gaussian": 0.0, "defocus": 0.05, "motion": 0.1}  # of families that can mimic a Gaussian by one lobe
# A width at the end of its range may be anything beyond. Nothing brings such a picture back, and it is soft on purpose
# more often than by mistake.
WIDEST = {"gaussian": GAUSSIAN_WIDTHS[-1], "defocus": DISK_RADII[-1], "motion": MOTION_LENGTHS[-1]}
LEAST_GAIN = 0.15  # mean squared error of the log spectrum explained by blur
SEEN = 3.0  # times the power of the floor: frequencies below it are hidden by noise


@dataclass(frozen=True)
class BlurEstimate:
    """The kernel that explains the spectrum best.

    Attributes
    ----------
    kind : {"none", "gaussian", "defocus", "motion"}
    width : float
        Standard deviation, radius or length in pixels.
    angle : float
        Direction of motion in degrees in [0, 180), counter-clockwise from the horizontal; 0 for the other kinds.
    gain : float
        Mean squared error of the log spectrum that the kernel explains; 0 for none.
    edge_width : float
        Gaussian width in pixels of the sharpest edges (across the motion); infinite if there are no edges.
    """

    kind: str
    width: float
    angle: float
    gain: float
    edge_width: float


def estimate_blur(image: Image) -> BlurEstimate:
    """Estimate the kernel of a blur that is the same all over the picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]

    Returns
    -------
    BlurEstimate
        Of kind ``"none"`` for pictures too small to tell.
    """
    y = _crop(luminance(image))
    if min(y.shape) < TILE:
        return BlurEstimate("none", 0.0, 0.0, 0.0, np.inf)
    power = _mean_spectrum(y)
    sharp = _misfit(power, np.ones((1, power.size), np.float32))[0]
    best = ("none", 0.0, 0.0, sharp)
    for kind, parameters, transfer in _families():
        misfit = _misfit(power, transfer) + HANDICAP[kind]
        k = int(np.argmin(misfit))
        if misfit[k] < best[3]:
            best = (kind, parameters[k][0], parameters[k][1], float(misfit[k]))
    kind, width, angle, misfit_of_best = best
    edge_width = sharpest_edge_width(y, angle if kind == "motion" else None)
    return BlurEstimate(kind, float(width), float(angle), float(sharp - misfit_of_best), edge_width)


def find_blur(picture: Picture) -> Finding | None:
    """Report blur that covers the whole picture, or None."""
    blur = estimate_blur(picture.pixels)
    if blur.kind == "none" or blur.gain < LEAST_GAIN or not LEAST_EDGE_WIDTH <= blur.edge_width < np.inf:
        return None
    if blur.width >= WIDEST[blur.kind] or blur.width < LEAST_WIDTH:
        return None
    what = {
        "gaussian": f"It is soft all over, as if blurred by a Gaussian of {blur.width:.1f} pixels.",
        "defocus": f"It is out of focus: points have become disks of radius {blur.width:.1f} pixels.",
        "motion": f"It is blurred by motion over {blur.width:.0f} pixels at {blur.angle:.0f} degrees.",
    }[blur.kind]
    return Finding(
        kind="blur",
        value=blur.width,
        unit="pixels",
        confidence=float(np.clip(0.5 + 0.5 * blur.gain, 0.5, 0.95)),
        message=what,
        details={"kind": blur.kind, "width": blur.width, "angle": blur.angle, "edge_width": blur.edge_width},
    )


def sharpest_edge_width(y: Image, angle: float | None = None) -> float:
    """Give the Gaussian width in pixels of the sharpest edges of an (H, W) image; infinite if it has none.

    With an ``angle``, only edges across that direction (in degrees, counter-clockwise) count.
    """
    smooth = cv2.GaussianBlur(y, (0, 0), 0.5)
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0) / 32
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1) / 32
    slope = np.hypot(gx, gy)
    box = np.ones((9, 9), np.uint8)
    height = cv2.dilate(smooth, box) - cv2.erode(smooth, box)
    edges = (height > 0.2) & (slope > 0.02)
    if angle is not None:
        direction = np.rad2deg(np.arctan2(-gy, gx))
        edges &= np.abs((direction - angle + 90) % 180 - 90) < 15
    if np.count_nonzero(edges) < 100:
        return float("inf")
    steepest = float(np.quantile(slope[edges] / height[edges], 0.98))
    return float(np.sqrt(max(1 / (2 * np.pi * steepest**2) - 0.5**2, 0.0)))


def share_of_unseen(image: Image, sharpened: Image) -> float:
    """Give the share of the steepness of a sharpened picture that stems from what noise hides in the picture before.

    Parameters
    ----------
    image, sharpened : (H, W) or (H, W, C) float32 arrays

    Returns
    -------
    float in [0, 1]
        Of the energy of the gradients; 0 for pictures too small to tell.
    """
    before, after = _crop(luminance(image)), _crop(luminance(sharpened))
    if min(before.shape) < TILE:
        return 0.0
    power = _mean_spectrum(before)
    *_, fx, fy = _frequencies()
    steepness = (fx**2 + fy**2) * _mean_spectrum(after)
    return float(steepness[power < SEEN * _floor(power)].sum() / steepness.sum())


def _crop(y: Image) -> Image:
    top, left = max(0, (y.shape[0] - CROP) // 2), max(0, (y.shape[1] - CROP) // 2)
    return y[top : top + CROP, left : left + CROP]


def _mean_spectrum(y: Image) -> NDArray[np.floating]:
    """Give the mean power of Hann-windowed tiles at the frequencies of ``_frequencies``; flat tiles do not count."""
    step = TILE // 2
    tiles = np.lib.stride_tricks.sliding_window_view(y, (TILE, TILE))[::step, ::step].reshape(-1, TILE, TILE)
    tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    variance = tiles.var(axis=(1, 2))
    tiles = tiles[variance >= 0.25 * np.median(variance)]
    window = np.hanning(TILE).astype(np.float32)
    spectra = np.abs(np.fft.rfft2(tiles * window[:, None] * window, axes=(1, 2))) ** 2
    spectra /= np.maximum(spectra.mean(axis=(1, 2), keepdims=True), 1e-12)
    rows, columns, *_ = _frequencies()
    power: NDArray[np.floating] = spectra.mean(axis=0)[rows, columns] + 1e-9
    return power


def _floor(power: NDArray[np.floating]) -> np.floating:
    """Give the quietest part of a spectrum, which is noise."""
    return np.quantile(power, 0.05)


@cache
def _frequencies() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.floating], NDArray[np.floating]]:
    """Give rows and columns of an rfft2 of a tile and their frequencies fx, fy (down) in cycles per pixel."""
    fy = np.fft.fftfreq(TILE)[:, None] + np.zeros(TILE // 2 + 1)
    fx = np.fft.rfftfreq(TILE) + np.zeros((TILE, 1))
    f = np.hypot(fx, fy)
    # the axes carry the spectra of the borders of tiles and of upright structures
    rows, columns = np.nonzero((f > 0.025) & (f < 0.48) & (np.abs(fx) > 0.012) & (np.abs(fy) > 0.012))
    rows, columns = rows[::2], columns[::2]
    return rows, columns, fx[rows, columns], fy[rows, columns]


@cache
def _families() -> tuple[tuple[str, list[tuple[float, float]], NDArray[np.floating]], ...]:
    """Give, for each family of kernels, its parameters and its squared transfer functions."""
    from scipy.special import j1

    *_, fx, fy = _frequencies()
    f = np.hypot(fx, fy)
    gaussian = np.exp(-4 * np.pi**2 * GAUSSIAN_WIDTHS[:, None] ** 2 * f**2)
    x = 2 * np.pi * DISK_RADII[:, None] * f
    disk = (2 * j1(x) / x) ** 2
    motions = [(length, angle) for length in MOTION_LENGTHS for angle in MOTION_ANGLES]
    length, angle = np.array(motions).T[:, :, None]
    along = fx * np.cos(np.deg2rad(angle)) - fy * np.sin(np.deg2rad(angle))  # rows count downwards
    motion = np.sinc(length * along) ** 2
    return (
        ("gaussian", [(w, 0.0) for w in GAUSSIAN_WIDTHS], gaussian.astype(np.float32)),
        ("defocus", [(r, 0.0) for r in DISK_RADII], disk.astype(np.float32)),
        ("motion", motions, motion.astype(np.float32)),
    )


def _misfit(power: NDArray[np.floating], transfer: NDArray[np.floating]) -> NDArray[np.floating]:
    """Give the mean squared error of log(A f^-slope |H|² + N) for each row of squared transfer functions |H|².

    The floor N is the quietest part of the spectrum. A and the slope come from least squares over the frequencies that
    the kernel lets through; the slope is drawn towards that of photographs.
    """
    *_, fx, fy = _frequencies()
    log_f = np.log(np.hypot(fx, fy)).astype(np.float32)
    floor = _floor(power)
    measured = np.log(power).astype(np.float32)
    passed = np.maximum(transfer, 1e-4)
    signal = np.log(np.maximum(power - floor, 0.05 * power)).astype(np.float32) - np.log(passed)
    weight = (transfer > 0.05) & (power > SEEN * floor)
    total = weight.sum(axis=1) + 1e-9
    mean_f = (weight * log_f).sum(axis=1) / total
    mean_s = (weight * signal).sum(axis=1) / total
    centred = log_f - mean_f[:, None]
    prior = 0.05 * len(power)  # as much as a twentieth of the frequencies
    spread = (weight * centred**2).sum(axis=1)
    slope = ((weight * centred * signal).sum(axis=1) - prior * NATURAL_SLOPE) / (spread + prior)
    level = mean_s[:, None] + slope[:, None] * centred
    predicted = np.log(np.exp(level) * transfer + floor)
    error = (measured - predicted) ** 2
    penalty = 0.05 * ((slope + NATURAL_SLOPE) / SLOPE_SPREAD) ** 2
    misfit: NDArray[np.floating] = np.minimum(error, 9).mean(axis=1) + penalty
    return misfit
