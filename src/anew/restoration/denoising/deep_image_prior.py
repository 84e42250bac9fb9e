"""Deep image prior: a network fits the noisy image from a field of noise, and is stopped before it fits the noise.

Ulyanov, Vedaldi and Lempitsky, "Deep Image Prior", CVPR 2018: the layout of the network makes it learn what is natural
first. The field is disturbed a little at every step, and the results of the last steps are averaged, as there. When to
stop follows from the known level: when the average differs from the noisy image by as much as the noise does (the
discrepancy principle, Morozov 1966).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anew.arrays import Image
from anew.options import Count, NotNegative, checked_arguments
from anew.restoration.denoising.single_image import fit, private_randomness, require_torch, to_image, to_tensor
from anew.tiles import Progress

if TYPE_CHECKING:
    from torch import Tensor, nn

INPUTS = 32  # channels of the field
FIELD = 0.1  # its values are uniform in [0, FIELD]
DISTURBANCE = 1 / 30  # standard deviation
LEARNING_RATE = 0.01
AVERAGED = 50  # steps, on an exponential average
MIDDLE_GREY = np.float32(0.5)


@checked_arguments
def denoise_deep_image_prior(
    image: Image, sigma: NotNegative, *, steps: Count = 2000, progress: Progress | None = None
) -> Image:
    """Denoise with an untrained network that is fitted to this image alone.

    Every step passes the whole image: a photograph of 0.15 megapixels takes about ten minutes on two cores, and a large
    one in proportion. ``"recorrupted"`` is better and faster; this one is here for what it shows.

    Use it to see how much of a photograph the shape of a network knows before it has learned anything.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    sigma : float >= 0
        Noise standard deviation in units of the range; the fit ends when it leaves so much.
    steps : int >= 1
        The most that are made.
    progress : callable, optional
        Told the fraction that is done; 1 when the fit ends early.

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
    require_torch("deep-image-prior")
    from anew.networks.hourglass import Hourglass

    with private_randomness():
        network = Hourglass(inputs=INPUTS, channels=np.atleast_3d(image).shape[2])
        noisy = to_tensor(_at_least(image, network.least_side) - MIDDLE_GREY)
        fitted = _fit_until_noise(network, noisy, sigma, steps, progress)
    height, width = image.shape[:2]
    return to_image(fitted[:, :, :height, :width], image) + MIDDLE_GREY


def _at_least(image: Image, side: int) -> Image:
    """Mirror a small image to the least sides that the network takes."""
    rows, columns = (max(0, side - n) for n in image.shape[:2])
    return np.pad(image, ((0, rows), (0, columns), *((0, 0),) * (image.ndim - 2)), "symmetric")


def _fit_until_noise(network: nn.Module, noisy: Tensor, sigma: float, steps: int, progress: Progress | None) -> Tensor:
    """Minimise |network(field) - noisy|^2 until the averaged result leaves sigma^2: (1, C, H, W)."""
    import torch

    field = (FIELD * torch.rand(1, INPUTS, *noisy.shape[2:])).contiguous(memory_format=torch.channels_last)
    mean = torch.zeros_like(noisy)
    weight = 0.0  # of the steps in the mean, so that the first ones do not pull it to zero

    def loss() -> Tensor:
        nonlocal weight
        result = network(field + DISTURBANCE * torch.randn_like(field)).float()
        weight += (1 - weight) / AVERAGED
        mean.lerp_(result.detach(), 1 / AVERAGED / weight)
        return (result - noisy).square().mean()

    def done(step: int) -> bool:
        return step >= AVERAGED and float((mean - noisy).square().mean()) <= sigma**2

    fit(network, loss, steps=steps, learning_rate=LEARNING_RATE, constant=True, ended=done, progress=progress)
    return mean
