"""Geometry: tilt, keystone and lens distortion, with the parameters that ``unwarp`` takes to undo them.

Each says for every pixel of the damaged image where it lies in the original; the original is read there by cubic
convolution (Keys, IEEE ASSP 29 (1981), a = -1/2). That is a sparse matrix with 16 weights a row, built and applied in
strips, so the adjoint is the exact transpose. Points are pixel centres: (0, 0) is the top-left pixel, y runs down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, Mask
from anew.degradations.degraded import Degraded, check_between, check_choice, check_level, planes_of
from anew.structure.homography import as_quad, corners_of, keystone_homography

Points = NDArray[np.float64]
Mapping = Callable[[Points, Points], tuple[Points, Points]]  # (x, y) damaged -> (x, y) original

BORDERS = ("reflect", "constant")
STRIP_PIXELS = 1 << 17  # 16 weights each
INSIDE_TOLERANCE = 1e-3  # pixels; rounding must not cost the outermost row
FAR = 1e6  # pixels; stands for points that the original does not have
LENS_REACH = 3.0  # how far out, in half diagonals, a lens mapping is inverted


def tilt(image: Image, *, angle: float = 5.0, border: str = "reflect", fill: float = 0.0) -> Degraded:
    """Rotate the content about the image centre.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    angle : float
        Degrees, counter-clockwise as one sees it.
    border : {"reflect", "constant"}
        What comes in from outside: the mirror image or ``fill``. The mask says where.
    fill : float
    """
    truth = {"angle": angle, "border": border, "fill": fill}
    return _warped(image, tilt_mapping(image.shape, angle), truth)


def tilt_adjoint(
    y: Image, shape: tuple[int, ...], *, angle: float = 5.0, border: str = "reflect", fill: float = 0.0
) -> Image:
    """Apply the adjoint of the linear part of ``tilt``."""
    return warp_adjoint(y, shape, tilt_mapping(shape, angle), border=border)


def keystone(
    image: Image,
    *,
    corners: ArrayLike | None = None,
    amount: float = 0.1,
    border: str = "reflect",
    fill: float = 0.0,
) -> Degraded:
    """See the picture in perspective.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, at least 2 x 2
    corners : (4, 2) array, optional
        Pixel coordinates (x, y) where the centres of the corner pixels (top-left, top-right, bottom-right,
        bottom-left) land.
    amount : float in [0, 0.45]
        Without ``corners``: both top corners move inwards by this share of the width, as when one looks up.
    border, fill : as for ``tilt``
    """
    quad = _corners_or_default(image.shape, corners, amount)
    truth = {"corners": quad.tolist(), "amount": amount, "border": border, "fill": fill}
    return _warped(image, keystone_mapping(image.shape, quad), truth)


def keystone_adjoint(
    y: Image,
    shape: tuple[int, ...],
    *,
    corners: ArrayLike | None = None,
    amount: float = 0.1,
    border: str = "reflect",
    fill: float = 0.0,
) -> Image:
    """Apply the adjoint of the linear part of ``keystone``."""
    quad = _corners_or_default(shape, corners, amount)
    return warp_adjoint(y, shape, keystone_mapping(shape, quad), border=border)


def lens(image: Image, *, k1: float = -0.1, k2: float = 0.0, border: str = "reflect", fill: float = 0.0) -> Degraded:
    """Bend it as a lens does:  r_damaged = r (1 + k1 r^2 + k2 r^4),  r = 1 at the corners (Brown, 1971).

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    k1, k2 : float
        k1 < 0 is barrel, k1 > 0 pincushion. The mapping must not fold over inside the picture.
    border, fill : as for ``tilt``
    """
    truth = {"k1": k1, "k2": k2, "border": border, "fill": fill}
    return _warped(image, lens_mapping(image.shape, k1, k2), truth)


def lens_adjoint(
    y: Image, shape: tuple[int, ...], *, k1: float = -0.1, k2: float = 0.0, border: str = "reflect", fill: float = 0.0
) -> Image:
    """Apply the adjoint of the linear part of ``lens``."""
    return warp_adjoint(y, shape, lens_mapping(shape, k1, k2), border=border)


def tilt_mapping(shape: tuple[int, ...], angle: float) -> Mapping:
    """Give the map from tilted to upright points."""
    check_between("angle", angle, -np.inf)
    cx, cy = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    quarter, rest = divmod(angle, 90)
    turn = math.radians(rest) if rest else 0.0
    cosine, sine = math.cos(turn), math.sin(turn)
    for _ in range(int(quarter) % 4):  # exact at multiples of 90 degrees
        cosine, sine = -sine, cosine

    def to_upright(x: Points, y: Points) -> tuple[Points, Points]:
        dx, dy = x - cx, y - cy
        return cx + cosine * dx - sine * dy, cy + sine * dx + cosine * dy

    return to_upright


def keystone_mapping(shape: tuple[int, ...], corners: NDArray[np.float64]) -> Mapping:
    """Give the homography that takes ``corners`` (4, 2) back to the corners of the picture."""
    h = np.linalg.inv(keystone_homography(shape, corners))
    h /= h[2] @ np.append(corners.mean(axis=0), 1)  # positive in front of the camera

    def to_upright(x: Points, y: Points) -> tuple[Points, Points]:
        w = h[2, 0] * x + h[2, 1] * y + h[2, 2]
        seen = w > 1e-9
        w = np.where(seen, w, 1.0)
        u, v = (np.where(seen, (row[0] * x + row[1] * y + row[2]) / w, -FAR) for row in h[:2])
        return np.clip(u, -FAR, FAR), np.clip(v, -FAR, FAR)

    return to_upright


def lens_mapping(shape: tuple[int, ...], k1: float, k2: float = 0.0) -> Mapping:
    """Give the map from bent to straight points: Newton's method from a tabulated start."""
    check_between("k1", k1, -np.inf)
    check_between("k2", k2, -np.inf)
    cx, cy = (shape[1] - 1) / 2, (shape[0] - 1) / 2
    unit = max(math.hypot(cx, cy), 1e-6)
    table = np.linspace(0, LENS_REACH, 3001)
    falling = np.flatnonzero(1 + 3 * k1 * table**2 + 5 * k2 * table**4 <= 0)
    if len(falling):
        table = table[: falling[0]]
    if not len(table) or table[-1] < 1 - 1e-9:
        raise ValueError(f"k1={k1:g}, k2={k2:g} folds the picture over itself: 1 + 3 k1 r^2 + 5 k2 r^4 must stay > 0")
    bent = table * (1 + k1 * table**2 + k2 * table**4)

    def to_straight(x: Points, y: Points) -> tuple[Points, Points]:
        dx, dy = (x - cx) / unit, (y - cy) / unit
        r_bent = np.sqrt(dx**2 + dy**2)
        r = np.interp(r_bent, bent, table)
        known = r_bent < bent[-1]
        for _ in range(3):
            slope = 1 + 3 * k1 * r**2 + 5 * k2 * r**4
            step = (r * (1 + k1 * r**2 + k2 * r**4) - r_bent) / slope
            r = np.where(known, r - step, r)
        stretch = np.divide(r, r_bent, out=np.ones_like(r), where=r_bent > 0)
        return cx + dx * stretch * unit, cy + dy * stretch * unit

    return to_straight


def _corners_or_default(shape: tuple[int, ...], corners: ArrayLike | None, amount: float) -> NDArray[np.float64]:
    check_between("amount", amount, 0, 0.45)
    if corners is not None:
        return as_quad(corners)
    quad = corners_of(shape)
    quad[0, 0] += amount * (shape[1] - 1)
    quad[1, 0] -= amount * (shape[1] - 1)
    return quad


def _warped(image: Image, mapping: Mapping, truth: dict[str, Any]) -> Degraded:
    result, outside = warp(image, mapping, border=truth["border"], fill=truth["fill"])
    return Degraded(result, outside, truth)


def warp(image: Image, mapping: Mapping, *, border: str = "reflect", fill: float = 0.0) -> tuple[Image, Mask]:
    """Show at each pixel p what the image shows at ``mapping(p)``, and tell where that is outside of it.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mapping : function of two float64 arrays (x, y) giving two of their shape
    border : {"reflect", "constant"}
    fill : float

    Returns
    -------
    float32 array of the same shape, and an (H, W) bool array
    """
    check_choice("border", border, BORDERS)
    check_level("fill", fill)
    height, width = image.shape[:2]
    samples = planes_of(image).reshape(height * width, -1)
    result = np.empty_like(samples)
    outside = np.empty(height * width, bool)
    for rows, x, y in _strips(image.shape, mapping):
        matrix = _cubic_matrix(x, y, (height, width), border)
        strip = matrix @ samples
        if border == "constant" and fill != 0:
            strip += np.float32(fill) * (1 - matrix.sum(axis=1))[:, np.newaxis]
        result[rows] = strip
        e = INSIDE_TOLERANCE
        outside[rows] = (x < -e) | (x > width - 1 + e) | (y < -e) | (y > height - 1 + e)
    return result.reshape(image.shape), outside.reshape(height, width)


def warp_adjoint(y: Image, shape: tuple[int, ...], mapping: Mapping, *, border: str = "reflect") -> Image:
    """Apply the adjoint of ``warp`` (of its linear part, if ``fill`` is not 0)."""
    check_choice("border", border, BORDERS)
    height, width = shape[:2]
    samples = planes_of(y).reshape(height * width, -1)
    result = np.zeros_like(samples)
    for rows, px, py in _strips(shape, mapping):
        result += _cubic_matrix(px, py, (height, width), border).T @ samples[rows]
    return result.reshape(y.shape)


def _strips(shape: tuple[int, ...], mapping: Mapping) -> Iterator[tuple[slice, Points, Points]]:
    """Give (pixels, x, y) for strips of whole rows: where each pixel lies in the original."""
    height, width = shape[:2]
    step = max(1, STRIP_PIXELS // width)
    for top in range(0, height, step):
        bottom = min(top + step, height)
        x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(top, bottom, dtype=np.float64))
        u, v = mapping(x, y)
        yield slice(top * width, bottom * width), u.ravel(), v.ravel()


def _cubic_matrix(x: Points, y: Points, shape: tuple[int, int], border: str) -> Any:
    """Give the (n, H W) float32 CSR matrix that reads an image at n points by cubic convolution."""
    from scipy.sparse import csr_array

    (ix, wx), (iy, wy) = (_cubic_taps(p, n, border) for p, n in ((x, shape[1]), (y, shape[0])))
    index = (iy[:, :, np.newaxis] * shape[1] + ix[:, np.newaxis, :]).reshape(-1)
    weight = (wy[:, :, np.newaxis] * wx[:, np.newaxis, :]).astype(np.float32).reshape(-1)
    rows = np.arange(0, 16 * len(x) + 1, 16, dtype=index.dtype)
    return csr_array((weight, index, rows), shape=(len(x), shape[0] * shape[1]))


def _cubic_taps(position: Points, length: int, border: str) -> tuple[NDArray[Any], Points]:
    """Give the 4 pixels around each of n points on an axis, folded into it, and Keys' weights: two (n, 4) arrays."""
    whole = np.floor(position)
    t = position - whole
    weight = np.stack(
        [
            ((-0.5 * t + 1) * t - 0.5) * t,
            (1.5 * t - 2.5) * t**2 + 1,
            ((-1.5 * t + 2) * t + 0.5) * t,
            (0.5 * t - 0.5) * t**2,
        ],
        axis=1,
    )
    index = whole.astype(np.int64)[:, np.newaxis] + np.arange(-1, 3)
    if border == "constant":
        weight *= (index >= 0) & (index < length)
        return np.clip(index, 0, length - 1), weight
    period = max(2 * (length - 1), 1)  # abcd|cba
    folded = np.abs(index) % period
    return np.where(folded < length, folded, period - folded), weight
