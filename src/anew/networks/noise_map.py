"""How the restoring networks are told the noise level, and how their weights start.

All of them see the image at reduced resolution with the noise level as one more channel (Zhang, Zuo and Zhang,
"FFDNet", IEEE TIP 2018): on a CPU, wide convolutions at reduced resolution cost far less time per multiply-add than
narrow ones at full resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

START = 0.1  # factor on the first weights of a convolution whose result is added to something


def fold(noisy: Tensor, sigma: Tensor, factor: int) -> Tensor:
    """Give image and noise map at 1 / factor of the resolution, by pixel-unshuffle.

    Parameters
    ----------
    noisy : (N, C, H, W) float tensor; H and W multiples of ``factor``
    sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
        Noise standard deviation in units of the image's range.

    Returns
    -------
    (N, C factor^2 + 1, H / factor, W / factor) tensor
    """
    folded = nn.functional.pixel_unshuffle(noisy, factor)
    if sigma.shape[-1] > 1:
        noise_map = nn.functional.avg_pool2d(sigma, factor)
    else:
        noise_map = sigma.expand(-1, 1, folded.shape[2], folded.shape[3])
    return torch.cat([folded, noise_map.to(folded.dtype)], dim=1)


@torch.no_grad()
def initialise(network: nn.Module, *small: nn.Conv2d) -> None:
    """Give all convolutions the weights of He et al. (ICCV 2015); those named start ten times smaller."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for convolution in small:
        convolution.weight.mul_(START)


def halo_for(reach: int, grid: int) -> int:
    """Give the halo of a tile: at least ``reach`` pixels, and such that tiles start on the network's grid."""
    return -(-reach // grid) * grid
