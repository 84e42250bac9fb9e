"""Contrast-limited adaptive histogram equalisation.

Zuiderveld, Graphics Gems IV (1994): each tile of the picture gets the equalising curve of its own histogram, whose
slope is limited by clipping the histogram; between the centres of tiles, curves are blended bilinearly. It acts on
luminance, colours follow. Deviation: the curve is interpolated between its bins, so that deep pictures stay deep
(library versions round to the bins, and with 65,536 of them the clipping of small tiles fails).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.options import Count, checked_arguments
from anew.restoration.relighting.tone import with_luminance

BINS = 256
REDISTRIBUTIONS = 8  # rounds after which next to nothing stands above the limit


@checked_arguments
def relight_clahe(image: Image, *, clip: Annotated[float, Ge(1)] = 2.0, tiles: Count = 8) -> Image:
    """Raise local contrast.

    Use it to see detail in X-rays, microscope and aerial pictures, whose areas differ in contrast. On photographs of
    people it looks harsh.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
    clip : float >= 1
        The steepest slope of a curve; 1 leaves the picture as it is.
    tiles : int >= 1
        Tiles along each side.

    Returns
    -------
    float32 array of the same shape
    """
    y = luminance(image)
    if clip == 1 or min(y.shape) < 2:
        return image.copy()
    return with_luminance(image, _equalise(y, clip, tiles))


def _equalise(y: Image, clip: float, tiles: int) -> Image:
    rows = _edges(y.shape[0], tiles)
    columns = _edges(y.shape[1], tiles)
    curves = [[_curve(y[r0:r1, c0:c1], clip) for c0, c1 in pairwise(columns)] for r0, r1 in pairwise(rows)]
    result = np.empty_like(y)
    for (r0, r1), (i, k), down in _cells(rows):
        for (c0, c1), (j, m), right in _cells(columns):
            part = y[r0:r1, c0:c1]
            upper = _apply(curves[i][j], part) * (1 - right) + _apply(curves[i][m], part) * right
            lower = _apply(curves[k][j], part) * (1 - right) + _apply(curves[k][m], part) * right
            result[r0:r1, c0:c1] = upper * (1 - down[:, np.newaxis]) + lower * down[:, np.newaxis]
    return result


def _edges(length: int, tiles: int) -> NDArray[np.int64]:
    """Cut a side into tiles of nearly the same size, at least one pixel each."""
    return np.unique(np.linspace(0, length, min(tiles, length) + 1).round().astype(np.int64))


def _cells(edges: NDArray[np.int64]) -> list[tuple[tuple[int, int], tuple[int, int], Image]]:
    """Give, for each stretch between neighbouring tile centres: its pixels, the two tiles, the weight of the second."""
    centres = (edges[:-1] + edges[1:] - 1) / 2
    borders = [int(edges[0]), *(int(np.ceil(c)) for c in centres), int(edges[-1])]
    cells = []
    for n, (start, stop) in enumerate(pairwise(borders)):
        if start == stop:
            continue
        first, second = max(n - 1, 0), min(n, len(centres) - 1)
        distance = max(float(centres[second] - centres[first]), 1.0)
        weight = (np.arange(start, stop) - centres[first]) / distance if first != second else np.zeros(stop - start)
        cells.append(((start, stop), (first, second), weight.astype(np.float32)))
    return cells


def _curve(tile: Image, clip: float) -> NDArray[np.float64]:
    """Give the (BINS + 1,) values of the tile's curve at the borders of its bins: the clipped histogram, summed up."""
    histogram = np.histogram(np.clip(tile, 0, 1), bins=BINS, range=(0, 1))[0] / tile.size
    limit = clip / BINS
    for _ in range(REDISTRIBUTIONS):  # what is cut off is spread evenly, which may lift others above the limit
        excess = np.maximum(histogram - limit, 0).sum()
        histogram = np.minimum(histogram, limit) + excess / BINS
    return np.concatenate([[0.0], np.cumsum(histogram)])


def _apply(curve: NDArray[np.float64], part: Image) -> Image:
    inside = np.clip(part, 0, 1)
    curved = np.interp(inside, np.linspace(0, 1, BINS + 1), curve)
    return np.asarray(curved + (part - inside), np.float32)
