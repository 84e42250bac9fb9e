"""Diffusion inpainting: let the known pixels diffuse into the hole until nothing changes.

The steady state of u_t = div(g grad u) with u fixed at the known pixels. With g = 1 it is the harmonic function of
Laplace's equation. With edge stopping, g = 1 / (1 + |du|^2 / K^2) (Perona and Malik, IEEE TPAMI 12 (1990)) on each
link between two neighbours, and the steady state is found by solving with g fixed and renewing g. After Bertalmio,
Sapiro, Caselles and Ballester, Image inpainting, SIGGRAPH 2000, who transport along isophotes between such diffusions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.options import Count, Positive, checked_arguments
from anew.restoration.inpainting.quadratic_fill import FIRST_DIFFERENCES, coarse_guess, differences, solve

LEAST_CONDUCTANCE = 1e-4  # keeps every pixel joined to the known ones


@checked_arguments
def inpaint_diffusion(image: Image, mask: Mask, *, contrast: Positive | None = None, n_iter: Count = 8) -> Image:
    """Fill holes by the steady state of a diffusion.

    Use it for holes in smooth surroundings, such as sky, skin and depth maps; nothing overshoots, so values stay within
    those at the border.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    contrast : float > 0, optional
        Contrast, in units of the range [0, 1], above which a step between neighbours is an edge and stops the flow;
        root mean square over the channels, which share the links: the K of Perona and Malik. None: no edge
        stopping, Laplace's equation.
    n_iter : int >= 1
        How often the conductances are renewed when there is a contrast.

    Returns
    -------
    float32 array of the same shape; known pixels are bit-identical
    """
    result = image.copy()
    if not mask.any():
        return result
    filled = _fill(np.atleast_3d(image), mask, contrast, n_iter)
    result[mask] = filled[mask].reshape(result[mask].shape)
    return result


def _fill(image: Image, mask: Mask, contrast: float | None, n_iter: int) -> Image:
    """Fill an (H, W, C) image."""
    links = differences(image, mask, FIRST_DIFFERENCES)

    def guess() -> NDArray[np.float64]:
        return coarse_guess(image, mask, lambda small, missing: _fill(small, missing, None, 1))[mask].astype(np.float64)

    u = solve(links, guess)
    for _ in range(n_iter if contrast is not None else 0):
        step_squared = np.mean((links.matrix @ u - links.known) ** 2, axis=1)
        g = np.maximum(1 / (1 + step_squared / contrast**2), LEAST_CONDUCTANCE)  # type: ignore[operator]
        u = solve(links, lambda u=u: u, g)  # type: ignore[misc]
    filled = image.copy()
    filled[mask] = u
    return filled
