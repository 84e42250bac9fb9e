"""Noise that the channels share: brightness and colour apart.

JPEG files mostly hold colour at half size. What noise a picture had is then nearly the same in red, green and blue: its
finest grains are grey. A denoiser that expects independent channels takes what they agree in for content and leaves
most of it. So luma is denoised as a grey picture; and at half the size, beside the luma that is clean now, the
colours, at their own level (Dabov, Foi, Katkovnik and Egiazarian, "Color image denoising via sparse 3D collaborative
filtering with grouping constraint in luminance-chrominance space", ICIP 2007, go apart so for any noise).
"""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image
from anew.diagnosis.noise import estimate_noise_sigma
from anew.options import NotNegative, checked_arguments
from anew.restoration.by_name import find_method
from anew.ycbcr import change_at_half_size, halved, join_luma, split_luma

LEAST_SIDE = 32  # pixels of a picture whose colour is denoised too: at a quarter of it noise is measured
# From the noise of Cb and Cr, as measured, to that of red, green and blue. By the weights it is 1.4; of 1.4, 1.7 and
# 2.1 the last two are better by 0.1 dB on eight photographs, as what is measured is a little low.
FROM_CHROMA = 1.7
MAD = 0.6745  # median absolute deviation of the normal distribution of standard deviation 1
WINDOW = 7  # pixels
# Least noise that is finer than half the size, as a share of that of colour: independent channels have 1.1 of it, with
# JPEG at full colour resolution too; colour that was at half size has 0.3.
FINE = 0.6


@checked_arguments
def denoise_luma_chroma(
    image: Image, sigma: NotNegative, *, chroma_sigma: NotNegative | None = None, denoiser: str = "auto"
) -> Image:
    """Denoise brightness and colour apart.

    Use it for noise that red, green and blue share where no network is wanted (``denoiser="bm3d"``), and where JPEG
    below quality 50 lies over it; of other JPEG files ``"camera"`` makes more.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Three channels are R'G'B'; any other number is denoised as it is.
    sigma : float >= 0
        Standard deviation of the noise in brightness, in units of the range.
    chroma_sigma : float >= 0, optional
        That in colour, as ``measure_chroma_sigma`` gives it, which is asked if it is not given.
    denoiser : str
        The method of ``anew.methods("denoise")`` for each plane; ``"auto"`` is ``"unet"``.

    Returns
    -------
    float32 array of the same shape

    Raises
    ------
    ValueError
        If the denoiser is this method, ``"custom"``, or none.
    """
    if denoiser in ("luma-chroma", "custom"):
        raise ValueError(f"denoiser must be another method, one that needs no kernel, got {denoiser!r}")
    name = "unet" if denoiser == "auto" else denoiser
    denoise = find_method("denoise", "denoising", name)
    if image.ndim == 2 or image.shape[2] != 3:
        result: Image = denoise(image, sigma)
        return result

    y, cb, cr = split_luma(image)
    y_hat = np.asarray(denoise(y, sigma), np.float32)
    if sigma > 0 and min(image.shape[:2]) >= LEAST_SIDE:
        half = join_luma(halved(y_hat), halved(cb), halved(cr))
        level = measure_chroma_sigma(image) if chroma_sigma is None else chroma_sigma
        _, cb_half, cr_half = split_luma(denoise(half, min(level, sigma)))
        cb, cr = _without_fine_noise(cb, level), _without_fine_noise(cr, level)
        cb, cr = change_at_half_size(cb, lambda _: cb_half), change_at_half_size(cr, lambda _: cr_half)
    return join_luma(y_hat, cb, cr)


def _without_fine_noise(plane: Image, level: float) -> Image:
    """Shrink what is finer than half the size by its noise, with the local Wiener filter (Lee, IEEE TPAMI 2, 1980).

    Colour that was at half size holds next to none there, and stays as it is.
    """
    fine = change_at_half_size(plane, np.zeros_like)
    sigma = float(np.median(np.abs(fine))) / MAD
    if sigma < FINE * level:
        return plane
    power = cv2.blur(fine * fine, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    return plane - fine * np.minimum(1, np.float32(sigma**2) / np.maximum(power, np.float32(1e-12)))


def measure_chroma_sigma(image: Image) -> float:
    """Measure the noise that colour has at half size.

    Parameters
    ----------
    image : (H, W, 3) float32 array

    Returns
    -------
    float >= 0
        Its standard deviation in red, green and blue beside a clean luma, in units of the range.
    """
    # Halving has smoothed the noise of chroma; halved again it is white, and half as strong.
    levels = [2 * estimate_noise_sigma(halved(halved(plane))) for plane in split_luma(image)[1:]]
    return FROM_CHROMA * float(np.sqrt(np.mean(np.square(levels))))
