"""Whether a lens has bent straight lines, told by how many lines are straight once it is undone.

The plumb-line principle (Devernay and Faugeras, Machine Vision and Applications 13, 2001), in the form of Aleman-Flores
et al. (Image Processing On Line, 2014): edge points with their directions are undistorted with each candidate k1 and
vote for lines in a Hough space; the candidate under which votes are most concentrated wins. Scenes have curved edges
too, but those do not all become straight at the same k1. Model as in ``unwarp_lens``, with k2 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.finding import Finding
from anew.structure.lines import working_copy

if TYPE_CHECKING:
    from anew.images import Picture

Floats = NDArray[np.float64]

SIDE = 640  # pixels of the working copy
MAX_POINTS = 4000
CANDIDATES = np.linspace(-0.2, 0.25, 16)
FINE_STEP = 0.0075
DIRECTION_BIN, DISTANCE_BIN = 1.5, 2.0  # degrees, pixels
FARTHEST = 1.35  # half diagonals; where the corners of a barrel-distorted photograph may come from
LONG = 0.08  # of the diagonal; shorter lines have no vote: too short to tell a curve

LEAST_K1 = 0.03  # moves the corners by 3% of half the diagonal
LEAST_GAIN = 1.35  # the concentration of votes, relative to that of the picture as it is
LEAST_LENGTH = 2.0  # diagonals of long straight lines once undone
# Times the concentration once the directions of the points are exchanged at random, which leaves no lines but those of
# chance. Pictures of noise have 0.9 to 2.8, photographs that were bent and found 87 and more.
LEAST_OVER_CHANCE = 10.0


@dataclass(frozen=True)
class Lens:
    """k1 of Brown's model (0: none, or not surely), and how sure that is."""

    k1: float
    confidence: float
    gain: float = 1.0
    length: float = 0.0
    over_chance: float = 1.0


def estimate_lens(image: Image) -> Lens:
    """Estimate the radial distortion of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array

    Returns
    -------
    Lens
        k1 = 0 with confidence 0 where the picture does not tell.
    """
    measured = measure_lens(image)
    sure = abs(measured.k1) >= LEAST_K1 and measured.gain >= LEAST_GAIN and measured.length >= LEAST_LENGTH
    sure = sure and measured.over_chance >= LEAST_OVER_CHANCE
    at_the_end = not CANDIDATES[1] < measured.k1 < CANDIDATES[-2]  # a score that still rises found nothing
    return measured if sure and not at_the_end else Lens(0.0, 0.0)


def find_lens(picture: Picture) -> Finding | None:
    """Report barrel or pincushion distortion, or None."""
    lens = estimate_lens(picture.pixels)
    if lens.k1 == 0:
        return None
    kind = "barrel" if lens.k1 < 0 else "pincushion"
    return Finding(
        kind="lens",
        value=100 * lens.k1,
        unit="% at the corners",
        confidence=lens.confidence,
        message=f"Straight lines are bent ({kind} distortion): the corners are off by {abs(lens.k1):.0%}.",
        details={"k1": lens.k1, "k2": 0.0},
    )


def measure_lens(image: Image) -> Lens:
    """Give the k1 under which most edges are straight, however weak the evidence."""
    grey, _ = working_copy(image, SIDE)
    if min(grey.shape) < 48:
        return Lens(0.0, 0.0)
    points, tangents, share = edge_points(grey)
    if len(points) < 200:
        return Lens(0.0, 0.0)
    half = np.hypot(*(n - 1 for n in grey.shape)) / 2

    def score(k1: float) -> tuple[float, float]:
        return _concentration(points, tangents, float(k1), float(half), share)

    scores = [score(k1)[0] for k1 in CANDIDATES]
    best = float(CANDIDATES[int(np.argmax(scores))])
    if abs(best) < 0.5 * LEAST_K1:
        return Lens(0.0, 0.0)
    fine = best + FINE_STEP * np.arange(-4, 5)
    fine_scores = np.array([score(k1)[0] for k1 in fine])
    weight = np.maximum(fine_scores - 0.5 * (fine_scores.min() + fine_scores.max()), 0)
    if weight.sum() == 0:
        return Lens(0.0, 0.0)
    k1 = float((fine * weight).sum() / weight.sum())
    concentration, length = score(k1)
    gain = concentration / max(score(0.0)[0], 1e-9)
    exchanged = tangents[np.random.default_rng(0).permutation(len(tangents))]
    chance, _ = _concentration(points, exchanged, k1, float(half), share)
    over_chance = concentration / max(chance, 1e-9)
    return Lens(k1, float(np.clip(0.5 + 0.25 * (gain - 1), 0, 0.95)), float(gain), length, over_chance)


def edge_points(grey: NDArray[np.uint8]) -> tuple[Floats, Floats, float]:
    """Give edge points relative to the centre and their unit tangents, (N, 2) arrays (x, y), and the share picked."""
    smooth = cv2.GaussianBlur(grey, (0, 0), 1.2)
    dx, dy = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
    y, x = np.nonzero(cv2.Canny(dx, dy, 60, 140, L2gradient=True))
    normal = np.stack([dx[y, x], dy[y, x]], axis=1).astype(np.float64)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, np.newaxis]
    centre = np.array([grey.shape[1] - 1, grey.shape[0] - 1]) / 2
    points = np.stack([x, y], axis=1) - centre
    tangents = np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    if len(points) <= MAX_POINTS:
        return points, tangents, 1.0
    chosen = np.random.default_rng(0).permutation(len(points))[:MAX_POINTS]
    return points[chosen], tangents[chosen], MAX_POINTS / len(points)


def _concentration(points: Floats, tangents: Floats, k1: float, half: float, share: float) -> tuple[float, float]:
    """Give the sum of squared votes of long lines, and the length of those lines in diagonals."""
    ahead, behind = (_straighten(points + sign * 3.0 * tangents, k1, half) for sign in (1, -1))
    seen = np.isfinite(ahead + behind).all(axis=1)
    middle, along = (ahead + behind)[seen] / 2, (ahead - behind)[seen]
    theta = np.degrees(np.arctan2(along[:, 0], -along[:, 1])) % 180  # of the normal
    radians = np.radians(theta)
    rho = middle[:, 0] * np.cos(radians) + middle[:, 1] * np.sin(radians)

    bins = (int(180 / DIRECTION_BIN), int(4 * half / DISTANCE_BIN) + 4)
    i = (theta / DIRECTION_BIN).astype(np.int64) % bins[0]
    j = np.clip(((rho + 2 * half) / DISTANCE_BIN).astype(np.int64), 0, bins[1] - 1)
    votes = np.bincount(i * bins[1] + j, minlength=bins[0] * bins[1]).reshape(bins).astype(np.float32)
    votes = np.asarray(cv2.GaussianBlur(votes, (0, 0), 1.0)) * (2 * np.pi)  # as many as at the peak of one line
    long = LONG * 2 * half * share
    excess = np.maximum(votes - long, 0)
    return float((excess**2).sum()), float(votes[votes > long].sum() / (2 * np.pi) / (2 * half * share))


def _straighten(points: Floats, k1: float, half: float) -> Floats:
    """Invert r_bent = r (1 + k1 r^2) by Newton's method; NaN where no r below FARTHEST gives it."""
    bent = np.hypot(points[:, 0], points[:, 1]) / half
    r = bent.copy()
    for _ in range(4):
        r -= (r * (1 + k1 * r**2) - bent) / np.maximum(1 + 3 * k1 * r**2, 0.1)
        r = np.clip(r, 0, FARTHEST)
    solved = (np.abs(r * (1 + k1 * r**2) - bent) < 1e-4) & (1 + 3 * k1 * r**2 > 0.15)
    return np.where(solved, np.divide(r, bent, out=np.ones_like(r), where=bent > 0), np.nan)[:, np.newaxis] * points
