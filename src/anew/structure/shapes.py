"""Shapes: their outlines, and how alike two of them are whatever their place, size and turn.

Hu, Visual pattern recognition by moment invariants, IRE Trans. Information Theory 8 (1962); Zahn and Roskies, Fourier
descriptors for plane closed curves, IEEE Trans. Computers 21 (1972), in the complex form of Persoon and Fu (1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Mask, as_image, luminance

Contour = NDArray[np.float64]  # (N, 2): x, y in pixels, closed, clockwise as one sees it (y down)

SAMPLES = 256  # points along a contour for its Fourier descriptors
HARMONICS = 20  # finer detail is mostly the staircase of pixels
MOST_HARMONICS = SAMPLES // 2 - 2  # so that frequency harmonics + 1 lies below half the samples


@dataclass(frozen=True)
class ShapeDistance:
    """How unlike two shapes are; 0 is the same up to place, size and turn.

    Attributes
    ----------
    hu : float >= 0
        Distance of the Hu moments: the sum of differences of their signed logarithms' reciprocals. These have no bound
        where a moment is near 1, as the first is of bars about 12 times as long as wide: judge long shapes by
        ``fourier``.
    fourier : float >= 0
        Root of the summed squared differences of the Fourier descriptors' moduli.
    """

    hu: float
    fourier: float


@dataclass(frozen=True)
class ShapeMatch:
    """A shape that was found: its (N, 2) ``contour`` and its ``distance`` from the one looked for."""

    contour: Contour
    distance: ShapeDistance


def contours(image: NDArray[Any], *, level: float | None = None, dark: bool = False) -> list[Contour]:
    """Give the outer outlines of the regions of a mask or an image.

    Parameters
    ----------
    image : (H, W) bool array, or (H, W) or (H, W, C) array of uint8, uint16 or float in [0, 1]
        In an image, regions are what is lighter than ``level``; colour is judged by its luma.
    level : float, optional
        In units of the range. Default: by Otsu's method.
    dark : bool
        Take what is darker than the level instead.

    Returns
    -------
    list of (N, 2) float64 arrays
        Centres x, y of the pixels along each outline, largest area first.
    """
    if image.dtype == np.bool_:
        region = np.asarray(image, bool)
    else:
        grey = luminance(as_image(image))
        if level is None:
            from skimage.filters import threshold_otsu

            level = float(threshold_otsu(grey))
        region = np.asarray((grey <= level) if dark else (grey > level))
    if region.ndim != 2:
        raise ValueError(f"expected a mask of shape (H, W), got {region.shape}")
    found, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outlines = [np.asarray(c, np.float64).reshape(-1, 2)[::-1] for c in found]  # OpenCV runs counter-clockwise
    return sorted(outlines, key=lambda c: (-abs(_area(c)), c[0, 1], c[0, 0]))


def hu_moments(shape: ArrayLike) -> NDArray[np.float64]:
    """Give the seven moment invariants of Hu.

    Parameters
    ----------
    shape : (H, W) bool array, (N, 2) or (N, 1, 2) contour, or (H, W) array >= 0 with W > 2
        A region, its outline, of which the enclosed polygon is measured, or the masses of its pixels. Two columns of
        numbers are a contour, whatever their dtype; to masses that are two pixels wide add a column of zeros.

    Returns
    -------
    (7,) float64 array
        Unchanged by shift, scale and rotation; the seventh changes sign in a mirror. Zeros for a shape without area.
    """
    eta = _normalised_moments(shape)
    n20, n02, n11 = eta[2, 0], eta[0, 2], eta[1, 1]
    n30, n12, n21, n03 = eta[3, 0], eta[1, 2], eta[2, 1], eta[0, 3]
    p, q = n30 + n12, n21 + n03
    r, s = n30 - 3 * n12, 3 * n21 - n03
    return np.array(  # Hu (1962), eqs. 57 and 58; in the order of the paper
        [
            n20 + n02,
            (n20 - n02) ** 2 + 4 * n11**2,
            r**2 + s**2,
            p**2 + q**2,
            r * p * (p**2 - 3 * q**2) + s * q * (3 * p**2 - q**2),
            (n20 - n02) * (p**2 - q**2) + 4 * n11 * p * q,
            s * p * (p**2 - 3 * q**2) - r * q * (3 * p**2 - q**2),
        ]
    )


def fourier_descriptors(contour: Contour, *, harmonics: int = HARMONICS) -> NDArray[np.float64]:
    """Give the moduli of the Fourier coefficients of an outline, over that of the first.

    Parameters
    ----------
    contour : (N, 2) or (N, 1, 2) array of x, y
    harmonics : int in [1, 126]

    Returns
    -------
    (2 harmonics,) float64 array
        Frequencies 2 to harmonics + 1, then -1 to -harmonics; unchanged by shift, scale, rotation and starting point.
    """
    if not (isinstance(harmonics, int | np.integer) and 1 <= harmonics <= MOST_HARMONICS):
        raise ValueError(f"harmonics must be an integer in [1, {MOST_HARMONICS}], got {harmonics!r}")
    points = _resample(_outline(contour), SAMPLES)
    spectrum = np.abs(np.fft.fft(points[:, 0] + 1j * points[:, 1])) / SAMPLES
    chosen = np.concatenate([spectrum[2 : harmonics + 2], spectrum[-1 : -harmonics - 1 : -1]])
    return np.asarray(chosen / max(float(spectrum[1]), 1e-12))


def match_shapes(one: Mask | Contour, other: Mask | Contour) -> ShapeDistance:
    """Compare two shapes.

    Parameters
    ----------
    one, other : (H, W) bool array, or (N, 2) or (N, 1, 2) contour
        Of a mask the largest region counts.
    """
    a, b = _outline(one), _outline(other)
    ha, hb = (_signed_logarithms(hu_moments(c)) for c in (a, b))
    known = (ha != 0) & (hb != 0)
    hu = float(np.abs(1 / ha[known] - 1 / hb[known]).sum())
    fourier = float(np.linalg.norm(fourier_descriptors(a) - fourier_descriptors(b)))
    return ShapeDistance(hu, fourier)


def find_shapes(
    image: NDArray[Any],
    shape: Mask | Contour,
    *,
    max_distance: float = 0.1,
    min_area: float = 16.0,
    level: float | None = None,
    dark: bool = False,
) -> list[ShapeMatch]:
    """Find the regions of an image that look like a given shape.

    Parameters
    ----------
    image, level, dark
        As in ``contours``.
    shape : (H, W) bool array, or (N, 2) or (N, 1, 2) contour
    max_distance : float >= 0
        Largest Fourier distance.
    min_area : float >= 0
        Smaller regions, in pixels squared, are left out.

    Returns
    -------
    list of ShapeMatch, most alike first
    """
    wanted = _outline(shape)
    outlines = [c for c in contours(image, level=level, dark=dark) if abs(_area(c)) >= min_area]
    matches = [ShapeMatch(c, match_shapes(c, wanted)) for c in outlines]
    return sorted((m for m in matches if m.distance.fourier <= max_distance), key=lambda m: m.distance.fourier)


def _outline(shape: Mask | Contour) -> Contour:
    contour = _as_contour(shape)
    if contour is not None:
        return contour
    if shape.dtype != np.bool_:
        raise ValueError(
            f"expected a mask of bool or a contour of shape (N, 2), got {shape.dtype} of shape {shape.shape}"
        )
    found = contours(shape)
    if not found:
        raise ValueError("expected a mask with at least one True pixel, got an empty one")
    return found[0]


def _as_contour(shape: ArrayLike) -> Contour | None:
    """Give the points of a contour, also of one as OpenCV has it, (N, 1, 2); None if it is a mask or an image."""
    x = np.asarray(shape)
    if x.ndim == 3 and x.shape[1] == 1:
        x = x[:, 0]
    is_contour = x.dtype != np.bool_ and x.ndim == 2 and x.shape[1] == 2 and len(x) > 0
    return np.asarray(x, np.float64) if is_contour else None


def _signed_logarithms(hu: NDArray[np.float64]) -> NDArray[np.float64]:
    """sign(h) log10 |h|, with 0 for moments that are only rounding."""
    known = np.abs(hu) > 1e-12
    return np.where(known, np.sign(hu) * np.log10(np.where(known, np.abs(hu), 1)), 0)


def _normalised_moments(shape: ArrayLike) -> NDArray[np.float64]:
    """eta[p, q] = mu_pq / mu_00^(1 + (p + q) / 2) (Hu 1962, eq. 26) with p for x, q for y."""
    contour = _as_contour(shape)
    raw = _pixel_moments(np.asarray(shape, np.float64)) if contour is None else _polygon_moments(contour)
    if raw[0, 0] <= 0:
        return np.zeros((4, 4))
    order = np.add.outer(np.arange(4), np.arange(4))
    return raw / raw[0, 0] ** (1 + order / 2)


def _pixel_moments(mass: NDArray[np.float64]) -> NDArray[np.float64]:
    """Central moments of point masses at the pixel centres."""
    if mass.ndim != 2:
        raise ValueError(f"expected a shape of (H, W) or a contour of (N, 2), got {mass.shape}")
    total = mass.sum()
    if total <= 0:
        return np.zeros((4, 4))
    y, x = (np.arange(n, dtype=np.float64) for n in mass.shape)
    x = x - (mass.sum(axis=0) @ x) / total
    y = y - (mass.sum(axis=1) @ y) / total
    powers = np.arange(4)[:, None]
    return np.asarray((x**powers) @ mass.T @ (y**powers).T)


def _polygon_moments(contour: Contour) -> NDArray[np.float64]:
    """Central moments of the area inside a polygon, by OpenCV (Green's theorem) about its own centre."""
    points = contour - contour.mean(axis=0)
    if abs(_area(points)) < 1e-9:
        return np.zeros((4, 4))
    moments = cv2.moments(points.astype(np.float32)[:, None])
    mu = np.zeros((4, 4))
    mu[0, 0] = moments["m00"]
    for name, value in moments.items():
        if name.startswith("mu"):
            mu[int(name[2]), int(name[3])] = value
    return mu


def _area(contour: Contour) -> float:
    """Signed area, positive for clockwise as one sees it (y down)."""
    x, y = contour[:, 0], contour[:, 1]
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2)


def _resample(contour: Contour, count: int) -> Contour:
    """Give ``count`` points at equal steps along a closed contour, clockwise."""
    if _area(contour) < 0:
        contour = contour[::-1]
    closed = np.vstack([contour, contour[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))])
    where = np.arange(count) * (along[-1] / count)
    return np.column_stack([np.interp(where, along, closed[:, 0]), np.interp(where, along, closed[:, 1])])
