"""Run a method on large images piece by piece, so that its working memory stays bounded.

Each tile is computed with a halo of its neighbours' pixels and only its inside is kept: a method whose result at a
pixel depends on pixels within the halo gives exactly what it gives on the whole image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from anew.arrays import Image, Mask

TILE = 768  # pixels; a multiple of 8, so that the grid of JPEG blocks stays where it is
WHOLE = 1024 * 1024  # images of up to so many pixels are done in one piece
HALO = 32
FILL_HALO = 64
DEEP = 16  # pixels from the nearest known one; deeper holes are filled in one piece, whatever their size

Progress = Callable[[float], None]
Place = tuple[slice, slice]  # rows and columns


@dataclass(frozen=True)
class Tile:
    """A piece of an image and what is read to compute it: ``result[t.place] = f(image[t.wide])[t.inside]``.

    Attributes
    ----------
    place : rows and columns of the result
    wide : rows and columns of the image, with the halo
    inside : rows and columns of what was computed from ``wide``
    """

    place: Place
    wide: Place
    inside: Place


def tiles_of(shape: tuple[int, ...], tile: int) -> Iterator[Place]:
    """Cut (H, W) into rows of tiles."""
    for top in range(0, shape[0], tile):
        for left in range(0, shape[1], tile):
            yield slice(top, min(top + tile, shape[0])), slice(left, min(left + tile, shape[1]))


def haloed_tiles(shape: tuple[int, ...], tile: int, halo: int, *, scale: int = 1) -> list[Tile]:
    """Cut (H, W) into tiles that are read with a halo, within the image.

    Parameters
    ----------
    shape : (H, W) or longer
    tile, halo : int
        In pixels of the image.
    scale : int
        Of the result, whose places are so many times as large.
    """
    return [with_halo(place, shape, halo, scale=scale) for place in tiles_of(shape, tile)]


def with_halo(place: Place, shape: tuple[int, ...], halo: int, *, scale: int = 1) -> Tile:
    """Widen one place of an image on all sides, within the image."""
    rows, columns = (_with_halo(part, length, halo, scale) for part, length in zip(place, shape[:2], strict=True))
    return Tile(*zip(rows, columns, strict=True))


def _with_halo(part: slice, length: int, halo: int, scale: int) -> tuple[slice, slice, slice]:
    """Give place, wide and inside along one axis."""
    wide = slice(max(0, part.start - halo), min(length, part.stop + halo))
    place = slice(scale * part.start, scale * part.stop)
    return place, wide, slice(place.start - scale * wide.start, place.stop - scale * wide.start)


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
    tiles = haloed_tiles(image.shape, tile, halo)
    for done, t in enumerate(tiles, 1):
        piece = function(np.ascontiguousarray(image[t.wide]))
        if result is None:
            result = np.empty((*image.shape[:2], piece.shape[2]), np.float32)
        result[t.place] = piece[t.inside]
        if progress is not None:
            progress(done / len(tiles))
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
    jobs = [*_deep_holes(mask), *((place, None) for place in tiles_of(mask.shape, tile))]
    for done, (place, hole) in enumerate(jobs, 1):
        wanted = missing[place] if hole is None else hole
        if wanted.any():
            t = with_halo(place, mask.shape, FILL_HALO)
            piece = fill(np.ascontiguousarray(result[t.wide]), np.ascontiguousarray(missing[t.wide]))
            result[place][wanted] = piece[t.inside][wanted]
            if hole is not None:
                missing[place] &= ~hole  # from now on its pixels count as known
        if progress is not None:
            progress(done / len(jobs))
    return result


def depth_of(mask: Mask) -> Image:
    """Give the distance of each missing pixel to the nearest known one, in pixels; 0 where known."""
    if mask.all():
        return np.full(mask.shape, np.float32(max(mask.shape)))
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _deep_holes(mask: Mask) -> list[tuple[Place, Mask]]:
    """Give bounding box and shape of each connected hole that a halo cannot see across."""
    deep = depth_of(mask) > DEEP
    if not deep.any():
        return []
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    holes = []
    for label in np.unique(labels[deep]):
        left, top, width, height = boxes[label, :4]
        place = (slice(int(top), int(top + height)), slice(int(left), int(left + width)))
        holes.append((place, labels[place] == label))
    return holes
