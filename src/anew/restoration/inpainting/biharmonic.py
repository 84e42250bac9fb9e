"""Biharmonic inpainting: the surface of least bending energy through the known pixels.

Damelin and Hoang, On surface completion and image inpainting by biharmonic functions, Int. J. Math. Math. Sci. (2018).
We minimise the energy of a thin plate, the sum of u_xx^2 + 2 u_xy^2 + u_yy^2, whose Euler equation is the biharmonic
one; in the interior this is the usual 13-point stencil. The border of the image is a free edge of the plate.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.options import NotNegative, checked_arguments
from anew.restoration.inpainting.quadratic_fill import (
    FIRST_DIFFERENCES,
    SECOND_DIFFERENCES,
    Differences,
    coarse_guess,
    differences,
    solve,
)

OVERSHOOT = 0.25  # of the known range: far from known pixels the plate may bend without bound, a picture may not


@checked_arguments
def inpaint_biharmonic(image: Image, mask: Mask, *, tension: NotNegative = 0.4) -> Image:
    """Fill holes by a thin plate.

    Use it for small and narrow holes: dead pixels, scratches, writing. The best of all where half of the pixels are
    missing; wide holes become smooth bumps.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    tension : float >= 0
        Weight of the membrane energy u_x^2 + u_y^2, against overshoot: measured on photographs, 0.4 costs 0.1 dB at
        5% random pixels and gains 0.2 dB on scratches and 0.8 dB on rectangles. 0 is the pure plate, which fills
        polynomials of degree 3 exactly.

    Returns
    -------
    float32 array of the same shape; known pixels are bit-identical
    """
    result = image.copy()
    if not mask.any():
        return result
    filled = _fill(np.atleast_3d(image), mask, tension)
    result[mask] = filled[mask].reshape(result[mask].shape)
    return result


def _fill(image: Image, mask: Mask, tension: float) -> Image:
    """Fill an (H, W, C) image."""
    known = image[~mask]
    terms = differences(image, mask, SECOND_DIFFERENCES)
    if tension == 0 and _on_one_line(mask):
        tension = 1e-3  # the plate could still tilt about that line
    if tension > 0:
        membrane = differences(image, mask, FIRST_DIFFERENCES, weight=tension**0.5)
        terms = Differences(
            sp.vstack([terms.matrix, membrane.matrix], format="csr"), np.concatenate([terms.known, membrane.known])
        )

    def guess() -> NDArray[np.float64]:
        return coarse_guess(image, mask, lambda small, missing: _fill(small, missing, tension))[mask].astype(np.float64)

    low, high = known.min(axis=0), known.max(axis=0)
    room = OVERSHOOT * (high - low)
    filled = image.copy()
    filled[mask] = np.clip(solve(terms, guess), low - room, high + room)
    return filled


def _on_one_line(mask: Mask) -> bool:
    """Tell whether the known pixels all lie on one straight line."""
    ys, xs = np.nonzero(~mask)
    places = np.stack([ys - ys[0], xs - xs[0]])
    return bool(np.linalg.matrix_rank(places @ places.T) < 2)
