"""What JPEG does to the planes of a picture, in floating point: luma, chroma at half size, quantised coefficients.

ITU-T Recommendation T.81 (1992), annexes A and K. Values are in units of the range [0, 1], so depth plays no part.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.block_dct import blocks_to_coefficients, coefficients_to_blocks
from anew.jpeg_tables import CHROMINANCE, LUMINANCE, quantisation_table
from anew.ycbcr import change_at_half_size, join_luma, split_luma


def tile_table(table: NDArray[np.float32], plane: Image) -> Image:
    """Repeat an (8, 8) table over a plane of whole blocks."""
    return np.tile(table, (plane.shape[0] // 8, plane.shape[1] // 8))


def project_on_quantiser(plane: Image, decoded: Image, table: NDArray[np.float32]) -> Image:
    """Keep every coefficient within half a step of the decoded one; both planes have whole blocks."""
    room = tile_table(np.float32(0.5) * table, plane)
    given = blocks_to_coefficients(np.ascontiguousarray(decoded))
    wanted = blocks_to_coefficients(np.ascontiguousarray(plane))
    return coefficients_to_blocks(np.clip(wanted, given - room, given + room))


def on_jpeg_planes(image: Image, quality: int, deblock: Callable[[Image, NDArray[np.float32]], Image]) -> Image:
    """Deblock luma and, at half size, chroma, each with its quantisation table.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Three channels are taken as R'G'B' (JFIF: full-range BT.601, chroma at half size in both directions); any
        other number as independent grey planes.
    quality : int in [1, 100]
    deblock : callable
        From an (H, W) plane and its (8, 8) table to the mended plane.

    Returns
    -------
    float32 array of the same shape
    """
    tables = (quantisation_table(quality, base) for base in (LUMINANCE, CHROMINANCE))
    luma_table, chroma_table = ((table / 255).astype(np.float32) for table in tables)
    if image.ndim == 2:
        return deblock(image, luma_table)
    if image.shape[2] != 3:
        return np.stack([deblock(np.ascontiguousarray(c), luma_table) for c in np.moveaxis(image, 2, 0)], axis=2)
    y, cb, cr = split_luma(image)
    cb, cr = (change_at_half_size(plane, lambda half: deblock(half, chroma_table)) for plane in (cb, cr))
    return join_luma(deblock(y, luma_table), cb, cr)
