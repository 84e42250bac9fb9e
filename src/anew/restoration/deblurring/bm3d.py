"""BM3D deblurring: invert the blur boldly, then remove the coloured noise that this makes by BM3D; twice.

Dabov, Foi, Katkovnik and Egiazarian, "Image restoration by sparse 3D transform-domain collaborative filtering", SPIE
6812 (2008). The first inverse is regularised evenly, the second by the spectrum of the first result; each is far from
smooth enough alone, because the collaborative filter does the rest knowing the spectrum of the noise.

Deviation: the regularisation does not depend on the size of the image; the paper's constant is that of 256x256 pixels.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from anew.arrays import Image
from anew.kernels.block_matching import BLOCK
from anew.options import NotNegative, Positive, checked_arguments
from anew.restoration.deblurring.convolution import Border, backward, forward, on_periodic, transfer_function
from anew.restoration.denoising.bm3d import (
    choose_profile,
    decorrelate,
    first_estimate,
    pad_to_a_block,
    recorrelate,
    second_estimate,
)

EVEN = 26.0  # alpha_RI of the paper, 4e-4, times 256^2
SPECTRAL = 5e-3  # alpha_RWI of the paper
LEAST_ENERGY = 1e-12  # of a frequency, so that a black picture has a spectrum
LEAST_SIGMA = 0.1 / 255  # an inverse with no regularisation at all would blow up rounding errors


@checked_arguments
def deblur_bm3d(
    image: Image,
    psf: NDArray[np.floating],
    sigma: NotNegative,
    *,
    border: Border = "reflect",
    strength: Positive = 1.0,
    profile: Literal["normal", "fast"] = "normal",
) -> Image:
    """Undo a known blur by regularised inversion and collaborative filtering.

    Use it when the blur is known and there is noise: the best of our deblurring methods.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    psf : (h, w) float array, >= 0, sum 1
        The point-spread function; pixel (h // 2, w // 2) is its centre.
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1].
    border : {"reflect", "circular"}
        "reflect": the scene goes on beyond the border; "circular": the blur wrapped around.
    strength : float > 0
        Factor on both regularisations; more is smoother.
    profile : {"normal", "fast"}
        That of `denoise_bm3d`.

    Returns
    -------
    float32 array of the same shape
    """
    noise = max(float(sigma), LEAST_SIGMA)
    settings = choose_profile(profile)
    reach = 2 * max(settings.hard.radius, settings.wiener.radius) + BLOCK - 1  # between two pixels of a group

    def restore(x: NDArray[Any]) -> NDArray[Any]:
        shape = (x.shape[0], x.shape[1])
        transfer = transfer_function(psf, shape)
        power = np.abs(transfer) ** 2
        observed = [forward(plane.astype(np.float64)) for plane in decorrelate(x)]
        lag = np.fft.ifftshift(np.arange(-reach, reach + 1))
        lags = np.ix_(lag % shape[0], lag % shape[1])

        def invert(gain: NDArray[np.float64]) -> tuple[Image, float, NDArray[np.float64]]:
            """Apply conj(V) * gain; give the planes, the sigma and the spectrum of the noise in them."""
            inverse = np.conj(transfer) * gain
            planes = np.stack([backward(plane * inverse, shape).astype(np.float32) for plane in observed])
            correlation = backward(noise**2 * np.abs(inverse) ** 2, shape)[lags]
            return pad_to_a_block(planes), float(np.sqrt(correlation[0, 0])), scipy.fft.fft2(correlation).real

        inverted, left, spectrum = invert(1 / (power + strength * EVEN * noise**2))
        basic = first_estimate(inverted, left, spectrum, settings)
        # The luminance carries nearly all of the energy, so its spectrum regularises every plane.
        energy = np.abs(scipy.fft.rfft2(basic[0, : shape[0], : shape[1]].astype(np.float64))) ** 2 / (
            shape[0] * shape[1]
        )
        energy = np.maximum(energy, LEAST_ENERGY)
        inverted, left, spectrum = invert(energy / (power * energy + strength * SPECTRAL * noise**2))
        planes = second_estimate(inverted, basic, left, spectrum, settings)
        return recorrelate(planes[:, : shape[0], : shape[1]], x)

    return on_periodic(image, psf, noise, border, restore)
