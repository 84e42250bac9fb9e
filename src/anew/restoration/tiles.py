"""Run a method on large images piece by piece, so that its working memory stays bounded.

Each tile is computed with a halo of its neighbours' pixels and only its inside is kept: a method whose result at a
pixel depends on pixels within the halo gives exactly what it gives on the whole image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np

from anew.arrays import Image, Mask

TILE = 768  # pixels; a multiple of 8, so that the grid of JPEG blocks stays where it is
WHOLE = 1024 * 1024  # images of up to so many pixels are done in one piece
HALO = 32
FILL_HALO = 64
DEEP = 16  # pixels from the nearest known one; deeper holes are filled in one piece, whatever their size

Progress = Callable[[float], None]


def tiles_of(shape: tuple[int, ...], tile: int) -> Iterator[tuple[slice, slice]]:
    """Cut (H, W) into rows of tiles."""
    for top in range(0, shape[0], tile):
        for left in range(0, shape[1], tile):
            yield slice(top, min(top + tile, shape[0])), slice(left, min(left + tile, shape[1]))


def with_halo(rows: slice, columns: slice, shape: tuple[int, ...], halo: int) -> tuple[slice, slice]:
    """Widen a tile on all sides, within the image."""
    return (
        slice(max(0, rows.start - halo), min(shape[0], rows.stop + halo)),
        slice(max(0, columns.start - halo), min(shape[1], columns.stop + halo)),
    )


def apply_in_tiles(
    function: Callable[[Image], Image],
    image: Image,
    *,
    halo: int = HALO,
    tile: int = TILE,
    whole: int = WHOLE,
    progress: Progress | None = None,
) -> Image:
    """Run a function of images tile by tile.

    Parameters
    ----------
    function : callable
        (H, W, C) float32 in, (H, W) and any number of channels out.
    image : (H, W, C) float32 array
    halo, tile : int
        In pixels; multiples of 8 for methods that work on JPEG blocks.
    whole : int
        Images of at most so many pixels are not cut.
    progress : callable, optional
        Told the fraction that is done.

    Returns
    -------
    (H, W, C') float32 array
    """
    if image.shape[0] * image.shape[1] <= whole:
        return function(image)
    result: Image | None = None
    places = list(tiles_of(image.shape, tile))
    for done, (rows, columns) in enumerate(places, 1):
        wide_rows, wide_columns = with_halo(rows, columns, image.shape, halo)
        piece = function(np.ascontiguousarray(image[wide_rows, wide_columns]))
        top, left = rows.start - wide_rows.start, columns.start - wide_columns.start
        if result is None:
            result = np.empty((*image.shape[:2], piece.shape[2]), np.float32)
        result[rows, columns] = piece[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]
        if progress is not None:
            progress(done / len(places))
    assert result is not None
    return result


def fill_in_tiles(
    fill: Callable[[Image, Mask], Image],
    image: Image,
    mask: Mask,
    *,
    tile: int = TILE,
    whole: int = WHOLE,
    progress: Progress | None = None,
) -> Image:
    """Run an inpainting function where the mask is, hole by hole for deep ones, else tile by tile.

    Parameters
    ----------
    fill : callable
        ((H, W, C) float32, (H, W) bool) in, the image with the missing pixels filled out.
    image : (H, W, C) float32 array
        Finite outside the mask; values under it are not read.
    mask : (H, W) bool array

    Returns
    -------
    (H, W, C) float32 array; a copy of the image outside the mask
    """
    result = image.copy()
    result[mask] = 0
    if image.shape[0] * image.shape[1] <= whole:
        result[mask] = fill(result, mask)[mask]
        return result
    missing = mask.copy()
    jobs = [*_deep_holes(mask), *((rows, columns, None) for rows, columns in tiles_of(mask.shape, tile))]
    for done, (rows, columns, hole) in enumerate(jobs, 1):
        wanted = missing[rows, columns] if hole is None else hole
        if wanted.any():
            place = with_halo(rows, columns, mask.shape, FILL_HALO)
            piece = fill(np.ascontiguousarray(result[place]), np.ascontiguousarray(missing[place]))
            top, left = rows.start - place[0].start, columns.start - place[1].start
            inside = piece[top : top + wanted.shape[0], left : left + wanted.shape[1]]
            result[rows, columns][wanted] = inside[wanted]
            if hole is not None:
                missing[rows, columns] &= ~hole  # from now on its pixels count as known
        if progress is not None:
            progress(done / len(jobs))
    return result


def depth_of(mask: Mask) -> Image:
    """Give the distance of each missing pixel to the nearest known one, in pixels; 0 where known."""
    if mask.all():
        return np.full(mask.shape, np.float32(max(mask.shape)))
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _deep_holes(mask: Mask) -> list[tuple[slice, slice, Mask]]:
    """Give bounding box and shape of each connected hole that a halo cannot see across."""
    deep = depth_of(mask) > DEEP
    if not deep.any():
        return []
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    holes = []
    for label in np.unique(labels[deep]):
        left, top, width, height = boxes[label, :4]
        place = (slice(int(top), int(top + height)), slice(int(left), int(left + width)))
        holes.append((*place, labels[place] == label))
    return holes
