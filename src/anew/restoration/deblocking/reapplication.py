"""Deblocking by re-application of JPEG on shifted grids.

Nosratinia, Enhancement of JPEG-compressed images by re-application of JPEG, J. VLSI Signal Processing 27 (2001);
Postprocessing of JPEG-2000 images to remove compression artifacts, IEEE SPL 10 (2003). Every shift of the block grid
has its own block borders; their average has none. Our deviations: the average may be projected onto the set of images
that the encoder would have turned into the same file, narrowed to a share of the quantisation step; and the mean of a
block is quantised from black on, not from mid-grey as JPEG does, which is 0.02 dB better on three photographs.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.block_dct import DCT, pad_to_blocks
from anew.options import Positive, Quality, Share, checked_arguments
from anew.restoration.deblocking.jpeg_planes import on_jpeg_planes, project_on_quantiser, tile_table


@checked_arguments
def deblock_reapplication(
    image: Image, quality: Quality, *, strength: Positive = 1.0, narrow: Share | None = 0.6, step: Literal[1, 2, 4] = 1
) -> Image:
    """Average the image recompressed on shifted grids.

    Use it where no trained network may touch the picture: three quarters of a decibel above the input, and no
    coefficient moves further than the rounding of the file leaves open.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Decoded, with the block grid starting at its top left corner.
    quality : int in [1, 100]
        On the scale of libjpeg.
    strength : float > 0
        Factor of the quantisation steps that are applied again.
    narrow : float in (0, 1], optional
        No coefficient on the original grid changes by more than this share of half its quantisation step; 1 is the
        exact constraint. None: no constraint.
    step : {1, 2, 4}
        Distance of the shifts; 1 takes all 64, 2 takes 16, 4 takes 4.

    Returns
    -------
    float32 array of the same shape
    """

    def deblock(plane: Image, table: NDArray[np.float32]) -> Image:
        return _deblock_plane(plane, table, strength, narrow, step)

    return on_jpeg_planes(image, quality, deblock)


def _deblock_plane(plane: Image, table: NDArray[np.float32], strength: float, narrow: float | None, step: int) -> Image:
    """Average over the shifts.

    The transform is separable: for each vertical shift it is taken along the columns once, and undone once for the sum
    over all horizontal shifts. In between the plane is transposed, so that horizontal shifts are shifts of whole rows.
    """
    height, width = plane.shape
    # one block more on every side, so that shifted grids cover the border too
    x = np.pad(pad_to_blocks(plane), 8, mode="symmetric" if min(plane.shape) >= 8 else "edge")
    inner_height, inner_width = x.shape[0] - 8, x.shape[1] - 8
    total = np.zeros_like(x)
    shifts = range(0, 8, step)
    steps = tile_table(strength * table, x[8:, 8:]).T.reshape(-1, 8, inner_height)[:1]  # the same for all block columns
    inverse_steps = 1 / steps
    for dy in shifts:
        vertical = np.matmul(DCT, x[dy : dy + inner_height].reshape(-1, 8, x.shape[1]))
        columns = np.ascontiguousarray(vertical.reshape(inner_height, -1).T)
        requantised = np.zeros_like(columns)
        for dx in shifts:
            coefficients = np.matmul(DCT, columns[dx : dx + inner_width].reshape(-1, 8, inner_height))
            coefficients *= inverse_steps
            np.rint(coefficients, out=coefficients)
            coefficients *= steps
            requantised[dx : dx + inner_width] += np.matmul(DCT.T, coefficients).reshape(inner_width, inner_height)
        rows = np.ascontiguousarray(requantised.T).reshape(-1, 8, x.shape[1])
        total[dy : dy + inner_height] += np.matmul(DCT.T, rows).reshape(inner_height, -1)
    mean: Image = total[8:-8, 8:-8] / np.float32(len(shifts) ** 2)
    if narrow is not None:
        mean = project_on_quantiser(mean, x[8:-8, 8:-8], np.float32(narrow) * table)
    return mean[:height, :width]
