"""SRCNN: three convolutions on the interpolated image, the first learned upscaler.

Dong, Loy, He and Tang, "Image Super-Resolution Using Deep Convolutional Networks", IEEE TPAMI 38 (2016), the net 9-1-5.

Our deviations: it learns what to add to the interpolation, which is the start of cubic convolution and learns along;
one set of weights serves all factors, as the net of Kim et al. (VDSR, CVPR 2016) does.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.upscaler import Upscaler


class SRCNN(Upscaler):
    """Enlarge by interpolation, then sharpen.

    Parameters
    ----------
    channels : int
        Of the image; 1 is luma alone.
    scales : sequence of int
    widths : (int, int)
        Channels after the first and after the second convolution.
    """

    halo = 6  # (4 + 2) / 2 pixels of the convolutions at x2, and those of the interpolation, rounded up

    def __init__(
        self, *, channels: int = 1, scales: Sequence[int] = (2, 3, 4), widths: Sequence[int] = (64, 32)
    ) -> None:
        super().__init__(channels, scales)
        self.extract = nn.Conv2d(channels, widths[0], 9, padding=4)
        self.map = nn.Conv2d(widths[0], widths[1], 1)
        self.reconstruct = nn.Conv2d(widths[1], channels, 5, padding=2)
        with torch.no_grad():
            self.reconstruct.weight.mul_(0.1)

    def features(self, image: Tensor, scale: Tensor) -> Tensor:
        """Give the image itself: all that is learned comes after the interpolation."""
        return image

    def enlarge(self, image: Tensor, features: Tensor, scale: int) -> Tensor:
        """Interpolate, then convolve at the full size."""
        x = nn.functional.pixel_shuffle(self.interpolated(image, scale), scale)
        y = torch.relu(self.map(torch.relu(self.extract(x))))
        return x + self.reconstruct(y)
