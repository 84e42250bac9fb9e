"""Recurrent CNN: one residual block, applied again and again with the same weights.

h_0 = conv(y, sigma);  h_t = h_0 + conv_2(relu(conv_1(relu(h_{t-1}))));  x_hat = y - conv(relu(h_T)). This is the
recursive block of Tai, Yang and Liu, "Image Super-Resolution via Deep Recursive Residual Network", CVPR 2017, equation
4, without its batch normalisation, whose statistics differ from one iteration to the next.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anew.networks.noise_map import fold, halo_for, initialise


class RecurrentCNN(nn.Module):
    """Remove noise of a known level by iterations that share their weights.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    width : int
        Feature channels.
    iterations : int
        How often the block is applied.
    unshuffle : int
        The features are at 1 / unshuffle of the image's resolution.
    """

    def __init__(self, *, channels: int = 3, width: int = 64, iterations: int = 6, unshuffle: int = 2) -> None:
        super().__init__()
        self.unshuffle = self.size_multiple = unshuffle
        self.iterations = iterations
        folded = channels * unshuffle**2
        self.head = nn.Conv2d(folded + 1, width, 3, padding=1)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.tail = nn.Conv2d(width, folded, 3, padding=1)
        initialise(self, self.second, self.tail)
        self.reach = (2 + 2 * iterations) * unshuffle + unshuffle - 1
        self.halo = halo_for(self.reach, self.size_multiple)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        h_0 = h = self.head(fold(noisy, sigma, self.unshuffle))
        for _ in range(self.iterations):
            h = h_0 + self.second(torch.relu(self.first(torch.relu(h))))
        return noisy - nn.functional.pixel_shuffle(self.tail(torch.relu(h)), self.unshuffle)
