"""Lines through points, smooth at any width: what curves, L-systems and flow lines are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.generation.rules.canvas import Shape, check_shape

Points = NDArray[Any]

FRACTION_BITS = 4  # OpenCV takes coordinates in sixteenths of a pixel
SMALL = 300_000  # pixels; up to this, lines are drawn four times as large, above twice


def draw_lines(shape: Shape, lines: Sequence[Points], colours: Image, widths: Sequence[float], ground: Image) -> Image:
    """Draw polylines one over the other.

    Parameters
    ----------
    shape : (H, W)
    lines : sequence of (n, 2) arrays
        Points as (x, y) in pixels, pixel centres at halves.
    colours : (len(lines), 3) float32 array in [0, 1]
    widths : sequence of float > 0
        In pixels; a thinner line than half a pixel is drawn as wide as that.
    ground : (3,) float32 array in [0, 1]

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    import cv2

    height, width = shape
    factor = 4 if height * width <= SMALL else 2
    large = np.empty((height * factor, width * factor, 3), np.uint8)
    large[:] = _bytes(ground)
    for points, colour, thickness in zip(lines, colours, widths, strict=True):
        fixed = np.rint((points * factor - 0.5) * (1 << FRACTION_BITS)).astype(np.int32).reshape(-1, 1, 2)
        value = [int(v) for v in _bytes(colour)]
        cv2.polylines(large, [fixed], False, value, max(1, round(thickness * factor)), cv2.LINE_AA, FRACTION_BITS)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(height, width, 3), np.float32) / np.float32(255)


def fitted(points: Points, shape: Shape, margin: float) -> Points:
    """Scale and move points so that they fill a picture, with a margin (a share of the shorter side) around.

    Parameters
    ----------
    points : (n, 2) array of (x, y), y down

    Returns
    -------
    (n, 2) float64 array in pixels
    """
    check_shape(shape)
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.array([shape[1], shape[0]]) - 2 * margin * min(shape)
    extent = np.maximum(high - low, 1e-9)
    scale = float((room / extent).min())
    centre = np.array([shape[1], shape[0]]) / 2
    return np.asarray((points - (low + high) / 2) * scale + centre)


def _bytes(colour: Image) -> NDArray[np.uint8]:
    return np.rint(np.clip(colour, 0, 1) * 255).astype(np.uint8)
