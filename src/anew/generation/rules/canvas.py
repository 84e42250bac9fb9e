"""Where the pixels of a picture lie, how an edge is smoothed, how a field is warped: what all the rules share.

Points are in units of the shorter side: pixel centres lie at ``(i + 0.5) / min(H, W)``, x to the right, y down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image

Shape = tuple[int, int]
Rng = int | np.random.Generator | None


def check_shape(shape: Shape) -> None:
    """Refuse what is not a height and a width."""
    if len(shape) != 2 or not all(isinstance(side, int | np.integer) and side >= 1 for side in shape):
        raise ValueError(f"expected a shape (H, W) of whole pixels, at least 1 x 1, got {shape!r}")


def axes(shape: Shape) -> tuple[Image, Image]:
    """Give x as (1, W) and y as (H, 1) float32 arrays, in units of the shorter side."""
    check_shape(shape)
    height, width = shape
    side = np.float32(min(shape))
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / side
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / side
    return x[None, :], y[:, None]


def cell_axes(shape: Shape, cells: float, tileable: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """Lay a lattice over a picture.

    Parameters
    ----------
    shape : (H, W)
    cells : float > 0
        Cells along the shorter side.
    tileable : bool
        Round to whole numbers of cells along both sides, so that the lattice can go on at the other edge.

    Returns
    -------
    x : (W,) float64 array, y : (H,) float64 array
        Pixel centres in units of cells, from 0.
    columns, rows : int
        Cells that the picture reaches.
    """
    check_shape(shape)
    height, width = shape
    cells = min(cells, min(shape))  # finer cannot be shown
    if tileable:
        columns, rows = (max(1, round(cells * side / min(shape))) for side in (width, height))
        return (np.arange(width) + 0.5) * columns / width, (np.arange(height) + 0.5) * rows / height, columns, rows
    pitch = cells / min(shape)
    x, y = ((np.arange(side, dtype=np.float64) + 0.5) * pitch for side in (width, height))
    return x, y, int(x[-1]) + 1, int(y[-1]) + 1


def coverage(distance: Image) -> Image:
    """Give the share of a pixel that lies inside an edge, from its signed distance in pixels (inside positive)."""
    return np.clip(distance + np.float32(0.5), 0, 1)


def smoothstep(low: float, high: float, x: Image) -> Image:
    """Give 0 below ``low``, 1 above ``high``, and 3 t^2 - 2 t^3 between."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mixed(first: Image, second: Image, share: Image) -> Image:
    """Mix two (H, W, C) pictures or colours by an (H, W) share of the second."""
    return np.asarray(first + (second - first) * share[..., None], np.float32)


def warped(field: Image, dx: Image, dy: Image) -> Image:
    """Read a field at displaced pixels; outside, the field goes on from its other edge.

    Parameters
    ----------
    field : (H, W) or (H, W, 3) float32 array
    dx, dy : (H, W) float32 arrays
        Displacements in pixels; rounded to 1 / 32 of one.

    Returns
    -------
    float32 array of the shape of the field
    """
    import cv2

    height, width = field.shape[:2]
    x = np.arange(width, dtype=np.float32)[None, :] + dx
    y = np.arange(height, dtype=np.float32)[:, None] + dy
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def slopes(field: Image, tileable: bool = True) -> tuple[Image, Image]:
    """Give the central differences of a field along x and y, per pixel; beyond the edges it goes on or is level."""
    padded = np.pad(field, 1, mode="wrap" if tileable else "edge")
    half = np.float32(0.5)
    return half * (padded[1:-1, 2:] - padded[1:-1, :-2]), half * (padded[2:, 1:-1] - padded[:-2, 1:-1])


def shaded(height: Image, *, angle: float = 135.0, elevation: float = 50.0, tileable: bool = True) -> Image:
    """Light a surface from one side (Lambert); level ground gives 1.

    Parameters
    ----------
    height : (H, W) float32 array, in pixels
    angle : float
        Where the light comes from, in degrees counter-clockwise from the right; 135 is the upper left.
    elevation : float in (0, 90]
        Of the light above the surface, in degrees.
    tileable : bool
        Whether the surface goes on at its other edge.

    Returns
    -------
    (H, W) float32 array >= 0
    """
    right, down = slopes(height, tileable)
    turn, rise = np.radians(angle), np.radians(elevation)
    x, y, z = np.cos(turn) * np.cos(rise), -np.sin(turn) * np.cos(rise), np.sin(rise)
    light = (np.float32(z) - np.float32(x) * right - np.float32(y) * down) / np.float32(z)
    light /= np.sqrt(1 + right * right + down * down)
    return np.maximum(light, 0)


def enlarged(image: Image, shape: Shape, *, tileable: bool) -> Image:
    """Enlarge a smooth picture by cubic interpolation.

    Parameters
    ----------
    image : (h, w) or (h, w, 3) float32 array
    shape : (H, W)
    tileable : bool
        Whether it goes on at its other edge; otherwise the edge is repeated.

    Returns
    -------
    (H, W) or (H, W, 3) float32 array
    """
    if image.shape[:2] == tuple(shape):
        return image
    import cv2

    margin = 4
    rim = [(margin, margin)] * 2 + [(0, 0)] * (image.ndim - 2)
    padded = np.pad(image, rim, mode="wrap" if tileable else "edge")
    height, width = image.shape[:2]
    x = (np.arange(shape[1]) + 0.5) * (width / shape[1]) - 0.5 + margin
    y = (np.arange(shape[0]) + 0.5) * (height / shape[0]) - 0.5 + margin
    grid_x, grid_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(padded, grid_x, grid_y, cv2.INTER_CUBIC))
