"""Recorrupted-to-recorrupted: a network that learns from the noisy image alone.

From y = x + e, e of known covariance, and a fresh draw n of the same noise, two corruptions are made: y1 = y + a n and
y2 = y - n / a. Their noises e + a n and e - n / a are uncorrelated, hence, being Gaussian, independent, and the network
that best predicts y2 from y1 is the one that best predicts x: |f(y1) - y2|^2 is |f(y1) - x|^2 in the mean, but for a
constant (Pang, Zheng, Quan and Ji, "Recorrupted-to-Recorrupted: Unsupervised Deep Learning for Image Denoising", CVPR
2021, equation 5). Unlike blind spots and neighbours it needs no independence from pixel to pixel: correlated noise is
recorrupted with correlated noise. The result is the mean of f over several y1, with the network's averaged weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.diagnosis.noise_model import as_psd
from anew.options import Count, NotNegative, checked_arguments
from anew.restoration.denoising.single_image import (
    MeanWeights,
    fit,
    private_randomness,
    require_torch,
    to_image,
    to_tensor,
)
from anew.tiles import Progress, haloed_tiles

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

MIXING = 0.5  # a, of the paper
WIDTHS, BLOCKS, MIDDLE_BLOCKS = (24, 36, 54), 1, 2  # of the U-Net, at full resolution
LEARNING_RATE = 3e-3
MIDDLE_GREY = np.float32(0.5)
PATCH, BATCH = 64, 2
DRAWS = 8  # of y1, whose results are averaged
TILE, HALO = 512, 48  # pixels; the network sees 44 pixels around


@checked_arguments
def denoise_recorrupted(
    image: Image,
    sigma: NotNegative,
    *,
    psd: NDArray[np.floating] | None = None,
    steps: Count = 1500,
    progress: Progress | None = None,
) -> Image:
    """Denoise with a small U-Net that is trained on this image alone, without any clean one.

    Half a minute on two idle cores and a few minutes on one that is busy, whatever the size up to some megapixels: 1500
    steps see six million pixels.

    Use it where the noise or the picture is unlike anything that a trained network saw and you have minutes, not
    seconds; it can be told the spectrum of correlated noise.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    sigma : float >= 0
        Noise standard deviation in units of the range.
    psd : (h, w) float array, >= 0, optional
        Shape of the power spectrum of the noise in the order of ``numpy.fft.fft2``; only its shape matters, ``sigma``
        sets the scale. White if not given.
    steps : int >= 1
        Of the training; half of them cost about 0.2 dB.
    progress : callable, optional
        Told the fraction that is done.

    Returns
    -------
    float32 array of the same shape

    Raises
    ------
    Unavailable
        If torch is not installed.
    """
    if sigma == 0:
        return image.copy()
    require_torch("recorrupted")
    from anew.networks.unet import UNet

    with private_randomness() as generator:
        network = UNet(
            channels=np.atleast_3d(image).shape[2],
            widths=WIDTHS,
            blocks=BLOCKS,
            middle_blocks=MIDDLE_BLOCKS,
            unshuffle=1,
        )
        _start_as_identity(network)
        noise = NoiseSource(sigma, psd, generator)
        noisy = to_tensor(_padded(image, network.size_multiple) - MIDDLE_GREY)
        _train(network, noisy, noise, steps, progress)
        denoised = _mean_result(network, noisy, noise)
    height, width = image.shape[:2]
    return to_image(denoised[:, :, :height, :width] + MIDDLE_GREY, image)


def _start_as_identity(network: nn.Module) -> None:
    """Give the network small weights and a last convolution of zeros.

    In a short run this ends 0.4 dB higher than the initial weights that suit long ones.
    """
    import torch

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.reset_parameters()
    torch.nn.init.zeros_(network.tail.weight)
    torch.nn.init.zeros_(network.tail.bias)


class NoiseSource:
    """Draws Gaussian noise of a standard deviation and a spectrum.

    Parameters
    ----------
    sigma : float
        In units of the range.
    psd : (h, w) array or None
        Power spectrum, None for white.
    generator : torch.Generator
    """

    def __init__(self, sigma: float, psd: NDArray[np.floating] | None, generator: torch.Generator) -> None:
        self.sigma, self.generator = sigma, generator
        self._filter: NDArray[np.float64] | None = None
        if psd is not None:
            self._filter = np.fft.fftshift(np.fft.ifft2(np.sqrt(as_psd(psd))).real)

    @property
    def white(self) -> bool:
        """Whether pixels are independent."""
        return self._filter is None

    def draw(self, shape: torch.Size) -> Tensor:
        """Draw noise of a shape (N, C, H, W), independent from image to image and from channel to channel."""
        import torch

        if self._filter is None:
            return self.sigma * torch.randn(shape, generator=self.generator)
        taps = _centre(self._filter, shape[2:])
        taps = taps / np.sqrt((taps**2).sum())
        large = tuple(side + n - 1 for side, n in zip(shape[2:], taps.shape, strict=True))
        white = torch.randn((*shape[:2], *large), generator=self.generator)
        response = torch.fft.rfft2(torch.from_numpy(taps.astype(np.float32)), s=large)
        coloured = torch.fft.irfft2(torch.fft.rfft2(white) * response, s=large)
        return self.sigma * coloured[:, :, taps.shape[0] - 1 :, taps.shape[1] - 1 :]  # where nothing wrapped around


def _centre(taps: NDArray[np.float64], most: tuple[int, ...]) -> NDArray[np.float64]:
    """Cut a filter down to a size around its middle."""
    for axis, limit in enumerate(most):
        spare = max(0, taps.shape[axis] - limit)
        taps = np.take(taps, np.arange(spare - spare // 2, taps.shape[axis] - spare // 2), axis=axis)
    return taps


def _padded(image: Image, multiple: int) -> Image:
    """Mirror the image at its right and lower border up to a multiple of pixels."""
    rows, columns = (-side % multiple for side in image.shape[:2])
    return np.pad(image, ((0, rows), (0, columns), *((0, 0),) * (image.ndim - 2)), "symmetric")


def _train(network: nn.Module, noisy: Tensor, noise: NoiseSource, steps: int, progress: Progress | None) -> None:
    """Minimise |f(y + a n) - (y - n / a)|^2 over crops of y."""
    import torch

    level = torch.full((1, 1, 1, 1), noise.sigma)

    def loss() -> Tensor:
        crops = _crops(noisy, network.size_multiple, noise.generator, turn=noise.white)
        drawn = noise.draw(crops.shape)
        given = (crops + MIXING * drawn).contiguous(memory_format=torch.channels_last)
        predicted: Tensor = network(given, level.expand(len(crops), 1, 1, 1)).float()
        return (predicted - (crops - drawn / MIXING)).square().mean()

    mean = MeanWeights(network)
    fit(network, loss, steps=steps, learning_rate=LEARNING_RATE, ended=mean, progress=progress)
    mean.install()


def _crops(image: Tensor, multiple: int, generator: torch.Generator, *, turn: bool) -> Tensor:
    """Draw crops of a (1, C, H, W) image: (N, C, h, w), h and w at most ``PATCH``.

    White noise looks the same from all sides, so that crops come in all eight symmetries if ``turn``. Any other
    stationary noise keeps its spectrum under half a turn only.
    """
    import torch

    sides = [min(PATCH, side // multiple * multiple) for side in image.shape[2:]]
    if turn:
        sides = [min(sides)] * 2
    drawn = []
    for _ in range(BATCH):
        top, left, quarters, mirrored = (
            int(torch.randint(n, (), generator=generator))
            for n in (image.shape[2] - sides[0] + 1, image.shape[3] - sides[1] + 1, 4, 2)
        )
        crop = image[0, :, top : top + sides[0], left : left + sides[1]]
        crop = crop.rot90(quarters if turn else 2 * (quarters % 2), (1, 2))
        drawn.append(crop.flip(2) if turn and mirrored else crop)
    return torch.stack(drawn)


def _mean_result(network: nn.Module, noisy: Tensor, noise: NoiseSource) -> Tensor:
    """Average f over fresh corruptions of the image, tile by tile."""
    import torch

    result = torch.empty_like(noisy)
    level = torch.full((1, 1, 1, 1), noise.sigma)
    for t in haloed_tiles(tuple(noisy.shape[2:]), TILE, HALO):
        y = noisy[..., *t.wide]
        with torch.no_grad():
            total = torch.zeros_like(y)
            for _ in range(DRAWS):
                total += network(y + MIXING * noise.draw(y.shape), level)
        result[..., *t.place] = total[..., *t.inside] / DRAWS
    return result
