"""Noise that the channels share: brightness and colour apart.

JPEG files mostly hold colour at half size. What noise a picture had is then nearly the same in red, green and blue: its
finest grains are grey. A denoiser that expects independent channels takes what they agree in for content and leaves
most of it. So luma is denoised as a grey picture, and chroma as grey pictures of half the size, each at its own level
(Dabov, Foi, Katkovnik and Egiazarian, "Color image denoising via sparse 3D collaborative filtering with grouping
constraint in luminance-chrominance space", ICIP 2007, go apart so for any noise).
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, channel_mean
from anew.restoration.ycbcr import change_at_half_size, halved, join_luma, split_luma

LEAST_SIDE = 32  # pixels of a picture whose colour is denoised too: at a quarter of it noise is measured


def denoise_luma_chroma(image: Image, sigma: float, *, denoiser: str = "auto") -> Image:
    """Denoise brightness and colour apart.

    Use it for noise that red, green and blue share: photographs that went through JPEG with halved chroma, and grain of
    black-and-white film on a coloured picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
        Three channels are R'G'B'; any other number is denoised as it is.
    sigma : float >= 0
        Standard deviation of the noise in brightness, in units of the range. That of colour is measured.
    denoiser : str
        The method of ``anew.methods("denoise")`` for each plane.

    Returns
    -------
    float32 array of the same shape

    Raises
    ------
    ValueError
        If the denoiser is this method.
    """
    from anew.diagnosis.noise import estimate_noise_sigma
    from anew.registry import METHODS

    if denoiser == "luma-chroma":
        raise ValueError("denoiser must be another method, got 'luma-chroma'")
    denoise = METHODS.get("denoise", denoiser).function
    if image.ndim == 2 or image.shape[2] != 3:
        result: Image = denoise(image, sigma)
        return result

    def denoise_plane(plane: Image, level: float) -> Image:
        if denoiser not in ("auto", "unet"):
            return np.asarray(denoise(plane, level), np.float32)
        # The network for colour knows grey pictures too, and computes in 8 bits: it takes a fourth of the time.
        return channel_mean(denoise(np.repeat(plane[:, :, None], 3, axis=2), level))

    def denoise_chroma(half: Image) -> Image:
        # Halving has smoothed the noise; halved again it is white, and half as strong as it is here.
        level = min(2 * estimate_noise_sigma(halved(half)), sigma)
        return denoise_plane(half + np.float32(0.5), level) - np.float32(0.5)

    y, cb, cr = split_luma(image)
    if sigma > 0 and min(image.shape[:2]) >= LEAST_SIDE:
        cb, cr = change_at_half_size(cb, denoise_chroma), change_at_half_size(cr, denoise_chroma)
    return join_luma(denoise_plane(y, sigma), cb, cr)
