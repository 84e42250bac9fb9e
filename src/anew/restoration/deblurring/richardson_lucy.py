"""Richardson-Lucy deconvolution, stopped by the noise level, with total-variation damping.

Richardson, JOSA 62 (1972); Lucy, AJ 79 (1974): x <- x / H^T m . H^T (m y / H x), where m is 1 on the observed pixels.
An image with a border is a window on a larger unknown one (m = 0 outside), which leaves no ringing along the border
(Bertero and Boccacci, A&A 437 (2005)). Damping: Dey et al., Microscopy Res. Tech. 69 (2006). The iteration stops
when the residual falls to the noise (Morozov's discrepancy principle).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, across_channels
from anew.options import Count, NotNegative, checked_arguments
from anew.restoration.deblurring.convolution import (
    Border,
    backward,
    forward,
    make_periodic,
    transfer_function,
)

SMALL = np.float32(1e-6)
LEAST_SEEN = np.float32(1e-2)  # share of a pixel's light that falls into the image; of less it stays as it began
FEWEST_ITERATIONS = 3  # also where the blur is weaker than the noise: they gain, and make little of it
TV_PER_SIGMA = 1.0  # fitted to photographs blurred by shaken hands


@checked_arguments
def deblur_richardson_lucy(
    image: Image,
    psf: NDArray[np.float32],
    sigma: NotNegative,
    *,
    n_iter: Count = 100,
    border: Border = "reflect",
    tv: NotNegative | None = None,
) -> Image:
    """Deconvolve by Richardson and Lucy's iteration.

    Use it for counts of photons (telescopes, microscopes), with a known blur: results stay positive. More iterations
    are sharper, and noisier.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, >= 0 (negative values count as 0)
    psf : (h, w) array, >= 0, sum 1
        Its centre is the pixel (h // 2, w // 2).
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1].
    n_iter : int >= 1
        The most iterations; it stops earlier when the residual is as small as the noise.
    border : {"reflect", "circular"}
        "reflect": beyond the border the image is unknown and starts as its mirror image; "circular": periodic.
    tv : float >= 0, optional
        Weight of the total variation; 0 is the plain algorithm. From sigma if not given, or from what the blur takes
        away from the image if that is less: so much noise is not there.

    Returns
    -------
    float32 array of the same shape, >= 0
    """
    y = np.maximum(np.atleast_3d(image), 0)
    x = make_periodic(y, (2 * psf.shape[0], 2 * psf.shape[1])) if border == "reflect" else y
    shape = (x.shape[0], x.shape[1])
    h = transfer_function(psf, shape).astype(np.complex64)[:, :, None]

    def blur(u: Image) -> Image:
        return backward(h * forward(u), shape)

    def blur_adjoint(u: Image) -> Image:
        return backward(np.conj(h) * forward(u), shape)

    height, width = y.shape[:2]
    observed = np.zeros((*shape, 1), np.float32)
    observed[:height, :width] = 1
    sensitivity = blur_adjoint(observed)
    unseen = sensitivity < LEAST_SEEN
    sensitivity[unseen] = 1
    taken = float(np.sqrt(np.mean((y - blur(x)[:height, :width]) ** 2, dtype=np.float64)))
    # A blur takes away nearly all of the noise: there is no more, whatever was told, and more damping roughens.
    weight = np.float32(TV_PER_SIGMA * min(sigma, taken) if tv is None else tv)
    ratio = np.zeros_like(x)
    for done in range(n_iter):
        predicted = np.maximum(blur(x)[:height, :width], SMALL)
        if done >= FEWEST_ITERATIONS and sigma > 0 and np.mean((y - predicted) ** 2, dtype=np.float64) <= sigma**2:
            break
        ratio[:height, :width] = y / predicted
        update = np.where(unseen, 1, np.maximum(blur_adjoint(ratio), 0) / sensitivity)
        if weight > 0:
            update /= np.maximum(1 - weight * _curvature(x), np.float32(0.1))
        x = x * update
    return np.ascontiguousarray(x[:height, :width].reshape(image.shape), np.float32)


def _curvature(x: Image) -> Image:
    """Give div(grad x / |grad x|) with forward differences, periodic, the channels joint."""
    dy, dx = np.roll(x, -1, 0) - x, np.roll(x, -1, 1) - x
    length = np.sqrt(across_channels(np.add, dy**2 + dx**2))[:, :, None] + np.float32(1e-3)
    dy, dx = dy / length, dx / length
    return dy - np.roll(dy, 1, 0) + dx - np.roll(dx, 1, 1)
