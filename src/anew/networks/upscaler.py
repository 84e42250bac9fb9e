"""What the upscaling networks share: several factors in one network, and the interpolation that they add to."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self

import torch
from torch import Tensor, nn


class Upscaler(nn.Module):
    """Enlarge by one of several factors.

    A subclass gives ``features``, which all factors share, and ``enlarge``; and sets ``halo``, the pixels of
    surroundings that a result depends on.

    Attributes
    ----------
    scales : tuple of int
    exported_arguments : mapping
        What changes in the arguments of the network when it is exported.
    all_scales : bool
        Whether the results of all factors are given at once, as the exported network does.
    """

    size_multiple = 1
    halo: int
    exported_arguments: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, channels: int, scales: Sequence[int]) -> None:
        super().__init__()
        self.scales = tuple(scales)
        self.all_scales = False
        self.bases = nn.ModuleDict({str(s): cubic_convolution(channels, s) for s in scales})

    def features(self, image: Tensor, scale: Tensor) -> Tensor:
        """(N, C, H, W) and (N or 1, 1, 1, 1) -> (N, width, H, W)."""
        raise NotImplementedError

    def enlarge(self, image: Tensor, features: Tensor, scale: int) -> Tensor:
        """Give (N, C, H * scale, W * scale)."""
        raise NotImplementedError

    def interpolated(self, image: Tensor, scale: int) -> Tensor:
        """Give (N, C scale^2, H, W): the pixels that cubic convolution makes of each, in float32."""
        wide = nn.functional.pad(image, (2, 2, 2, 2), mode="replicate")
        with torch.autocast(image.device.type, enabled=False):
            result: Tensor = self.bases[str(scale)](wide)
        return result

    def forward(self, image: Tensor, scale: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Enlarge a batch by one factor, or by all.

        Parameters
        ----------
        image : (N, C, H, W) float tensor in [0, 1]
        scale : (N, 1, 1, 1) or (1, 1, 1, 1) float tensor
            One of ``scales``, the same for the whole batch.

        Returns
        -------
        (N, C, H * scale, W * scale) float tensor; with ``all_scales`` one for each, of which only that told is meant
        """
        features = self.features(image, scale)
        if self.all_scales:
            return tuple(self.enlarge(image, features, s) for s in self.scales)
        return self.enlarge(image, features, int(scale.flatten()[0]))

    def collapsed(self) -> Self:
        """Give the network as it is exported."""
        exported = copy.deepcopy(self)
        exported.all_scales = True
        return exported


def cubic_convolution(channels: int, scale: int) -> nn.Conv2d:
    """Give the convolution that interpolates ``scale * scale`` pixels in each, as Keys' cubic (IEEE TASSP 29, 1981)."""
    offsets = (torch.arange(scale) + 0.5) / scale - 0.5  # of the new centres, in pixels
    t = (torch.arange(-2, 3) - offsets[:, None]).abs()
    taps = torch.where(t <= 1, (1.5 * t - 2.5) * t**2 + 1, ((-0.5 * t + 2.5) * t - 4) * t + 2)
    taps = torch.where(t < 2, taps, 0.0)  # (scale, 5)
    convolution = nn.Conv2d(channels, channels * scale * scale, 5, groups=channels, bias=False)
    kernels = torch.einsum("iy,jx->ijyx", taps, taps).reshape(1, scale * scale, 1, 5, 5)
    with torch.no_grad():
        convolution.weight.copy_(kernels.expand(channels, -1, -1, -1, -1).reshape(-1, 1, 5, 5))
    return convolution
