"""The skew of a page of text, from the profiles of its ink along all directions.

Projected along its lines, a page of text gives a profile of sharp steps; the direction in which the squared differences
of neighbouring values are largest is that of the lines (Postl, Detection of linear oblique structures and skew scan in
digitized documents, ICPR 1986). Every pixel of ink votes with its darkness relative to the paper around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance

Floats = NDArray[np.float64]

WORKING_SIDE = 800  # pixels
PAPER_WINDOW = 31  # pixels of the working copy; larger than the strokes
LEAST_DARKNESS = 0.15  # of ink, relative to the paper around it
MAX_POINTS = 20_000
COARSE = np.arange(-12.0, 12.01, 0.3)
COARSE_BIN = 2.0  # pixels
FINE_STEP = 0.05  # degrees
LEAST_PROMINENCE = 11.0  # pages have 13 and more; few photographs as much
LEAST_STEPS = 20.0  # pages have 22 and more, a line of text 3, edges of furniture, as prominent, at most 19


@dataclass(frozen=True)
class TextLines:
    """Which way lines of ink lie.

    Attributes
    ----------
    angle : float
        Degrees counter-clockwise.
    prominence : float
        How far this direction stands out from all others; 1: not.
    steps : float
        How many steps of the profile, were they of one height, would make it so (the participation ratio).
    """

    angle: float
    prominence: float
    steps: float = 0.0

    @property
    def are_text(self) -> bool:
        """Whether this is a page of text, not the few edges of a table or a drawer."""
        return self.prominence > LEAST_PROMINENCE and self.steps > LEAST_STEPS


def measure_text_lines(image: Image) -> TextLines:
    """Find the direction along which ink lies in lines.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Dark writing on light paper.

    Returns
    -------
    TextLines
        Within 12 degrees of horizontal. Prominence is the ratio of the peak to the median over all directions; 1, of no
        steps, if there is no ink.
    """
    x, y, ink = _ink_points(luminance(image))
    if len(x) < 200:
        return TextLines(0.0, 1.0)
    scores = _scores(x, y, ink, COARSE, COARSE_BIN)
    peak = float(COARSE[scores.argmax()])
    prominence = float(scores.max() / max(float(np.median(scores)), 1e-12))
    (squares,) = _squared_steps(x, y, ink, np.array([peak]), COARSE_BIN)
    steps = float(squares.sum() ** 2 / max(float(np.square(squares).sum()), 1e-12))
    fine: Floats = peak + FINE_STEP * np.arange(-8.0, 9.0)
    scores = _scores(x, y, ink, fine, 1.0)
    k = int(np.clip(scores.argmax(), 2, len(fine) - 3))
    near = slice(k - 2, k + 3)
    a, b, _ = np.polyfit(fine[near] - fine[k], scores[near], 2)
    shift = float(np.clip(-b / (2 * a), -2 * FINE_STEP, 2 * FINE_STEP)) if a < 0 else 0.0
    return TextLines(float(fine[k] + shift), prominence, steps)


def _ink_points(grey: Image) -> tuple[Floats, Floats, Floats]:
    """Give position from the centre and darkness of the pixels of ink, at most about MAX_POINTS."""
    factor = min(1.0, WORKING_SIDE / max(grey.shape))
    if factor < 1:
        size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
        grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    kernel = np.ones((PAPER_WINDOW, PAPER_WINDOW), np.uint8)
    paper = np.maximum(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel), 1e-3)
    darkness = 1 - grey / paper
    rows, columns = np.nonzero(darkness > LEAST_DARKNESS)
    if len(rows) > MAX_POINTS:
        some = np.random.default_rng(0).permutation(len(rows))[:MAX_POINTS]
        rows, columns = rows[some], columns[some]
    ink = darkness[rows, columns].astype(np.float64)
    return columns - (grey.shape[1] - 1) / 2, rows - (grey.shape[0] - 1) / 2, ink


def _scores(x: Floats, y: Floats, ink: Floats, angles: Floats, width: float) -> Floats:
    return np.array([squares.sum() for squares in _squared_steps(x, y, ink, angles, width)])


def _squared_steps(x: Floats, y: Floats, ink: Floats, angles: Floats, width: float) -> Iterator[Floats]:
    """Give the squared differences of the ink's profile, in bins so wide, across lines of each direction."""
    reach = float(np.hypot(np.abs(x).max(), np.abs(y).max())) + 2 * width
    bins = int(2 * reach / width) + 2
    for angle in np.radians(angles):
        position = (x * np.sin(angle) + y * np.cos(angle) + reach) / width
        whole = position.astype(np.int64)
        part = (position - whole) * ink
        profile = np.bincount(whole, ink - part, bins) + np.bincount(whole + 1, part, bins)
        yield np.square(np.diff(profile))
