"""ESPCN: three convolutions on the small image, the last one giving all new pixels of each old one.

Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural
Network", CVPR 2016.

Our deviations: it learns what to add to the interpolation, which starts as cubic convolution and learns along; one body
serves several factors, with a last convolution for each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.upscaler import Upscaler


class ESPCN(Upscaler):
    """Enlarge by sub-pixel convolution.

    Parameters
    ----------
    channels : int
        Of the image; 1 is luma alone.
    scales : sequence of int
    widths : (int, int)
        Channels after the first and after the second convolution.
    """

    halo = 4  # 2 + 1 + 1 pixels

    def __init__(
        self, *, channels: int = 1, scales: Sequence[int] = (2, 3, 4), widths: Sequence[int] = (64, 32)
    ) -> None:
        super().__init__(channels, scales)
        self.first = nn.Conv2d(channels, widths[0], 5, padding=2)
        self.second = nn.Conv2d(widths[0], widths[1], 3, padding=1)
        self.tails = nn.ModuleDict({str(s): nn.Conv2d(widths[1], channels * s * s, 3, padding=1) for s in scales})
        for tail in self.tails.values():
            with torch.no_grad():
                tail.weight.mul_(0.1)

    def features(self, image: Tensor, scale: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, widths[1], H, W)."""
        return torch.tanh(self.second(torch.tanh(self.first(image))))

    def enlarge(self, image: Tensor, features: Tensor, scale: int) -> Tensor:
        """Interpolate and add what the features say."""
        return nn.functional.pixel_shuffle(self.interpolated(image, scale) + self.tails[str(scale)](features), scale)
