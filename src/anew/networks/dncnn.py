"""DnCNN: a plain chain of convolutions with batch normalisation that tells the noise, which is then subtracted.

Zhang et al., "Beyond a Gaussian Denoiser: Residual Learning of Deep CNN for Image Denoising", IEEE TIP 26 (2017). We
deviate in two points, both those of its successor FFDNet: the noise level is an input, and the chain works at half
resolution after a pixel-unshuffle, where the paper's 17 layers of 64 channels cost a fifth as much. And the chain
starts near the identity (Zagoruyko and Komodakis, "DiracNets", 2017): from random weights alone hardly any of the input
reaches the end of so many layers, and the first thousand steps teach it nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anew.networks.noise_map import fold, halo_for, initialise

SPREAD = 0.2  # of the random weights of He et al. that are added to the identity


class DnCNN(nn.Module):
    """Remove noise of a known level.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    width : int
        Feature channels.
    depth : int >= 2
        Number of convolutions.
    unshuffle : int
        The chain works at 1 / unshuffle of the image's resolution; 1 is the paper's.
    """

    def __init__(self, *, channels: int = 3, width: int = 64, depth: int = 15, unshuffle: int = 2) -> None:
        super().__init__()
        self.unshuffle = self.size_multiple = unshuffle
        folded = channels * unshuffle**2
        middle = [
            layer
            for _ in range(depth - 2)
            for layer in (nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        ]
        self.chain = nn.Sequential(
            nn.Conv2d(folded + 1, width, 3, padding=1),
            nn.ReLU(),
            *middle,
            tail := nn.Conv2d(width, folded, 3, padding=1),
        )
        initialise(self, tail)
        with torch.no_grad():
            for layer in middle:
                if isinstance(layer, nn.Conv2d):
                    layer.weight.mul_(SPREAD).add_(nn.init.dirac_(torch.empty_like(layer.weight)))
        self.reach = depth * unshuffle + unshuffle - 1
        self.halo = halo_for(self.reach, self.size_multiple)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        noise = self.chain(fold(noisy, sigma, self.unshuffle))
        return noisy - nn.functional.pixel_shuffle(noise, self.unshuffle)
