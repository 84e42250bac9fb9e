"""The tables of JPEG: ITU-T Recommendation T.81 (1992), annex K.

Quantisation tables are scaled to a quality as libjpeg does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LUMINANCE = np.array([  # table K.1, in natural order
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
])  # fmt: skip
CHROMINANCE = np.full((8, 8), 99)  # table K.2
CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def quantisation_table(quality: int, base: NDArray[np.int_] = LUMINANCE) -> NDArray[np.int_]:
    """Give libjpeg's table of a quality.

    Parameters
    ----------
    quality : int in [1, 100]
    base : (8, 8) int array
        ``LUMINANCE`` or ``CHROMINANCE``.

    Returns
    -------
    (8, 8) int array in [1, 255], in natural order
    """
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((base * percent + 50) // 100, 1, 255)


def quantisation_error(quality: int) -> float:
    """Give what quantisation can have lost of the luma: root mean square, in units of the range [0, 1].

    Rounding to steps of q adds q^2 / 12 per coefficient at most; the DCT is orthonormal.

    Parameters
    ----------
    quality : int in [1, 100]
    """
    return float(np.sqrt(np.mean(quantisation_table(quality).astype(np.float64) ** 2) / 12)) / 255
