"""A small U-Net that says for every pixel how likely it is damaged, one output per kind of damage.

The layout is that of ``unet.py`` (residual blocks without normalisation, a pixel-unshuffle first, skips by addition);
image in, log-odds out (Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015, is the original for masks).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.unet import ResidualBlock


class MaskUNet(nn.Module):
    """Tell damaged pixels of images of any size that ``size_multiple`` divides.

    Parameters
    ----------
    channels : int
        Of the image.
    kinds : int
        Kinds of damage.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution.
    blocks : sequence of int
        Residual blocks per level, on the way down and again on the way up; the last number is of the coarsest level,
        which is passed once.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        kinds: int = 3,
        widths: Sequence[int] = (24, 32, 48, 64),
        blocks: Sequence[int] = (1, 1, 2, 2),
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        if len(blocks) != len(widths):
            raise ValueError(f"blocks must have one number for each of {len(widths)} widths, got {tuple(blocks)}")
        self.unshuffle = unshuffle
        self.size_multiple = unshuffle * 2 ** (len(widths) - 1)
        folded = unshuffle * unshuffle
        self.head = nn.Conv2d(channels * folded, widths[0], 3, padding=1)
        levels = list(zip(itertools.pairwise(widths), blocks, strict=False))
        self.down = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(fine) for _ in range(n)), nn.Conv2d(fine, coarse, 2, stride=2))
            for (fine, coarse), n in levels
        )
        self.middle = nn.Sequential(*(ResidualBlock(widths[-1]) for _ in range(blocks[-1])))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(coarse, fine * 4, 1), nn.PixelShuffle(2), *(ResidualBlock(fine) for _ in range(n)))
            for (fine, coarse), n in levels
        )
        self.tail = nn.Conv2d(widths[0], kinds * folded, 3, padding=1)
        self.apply(_initialise)

    def forward(self, image: Tensor) -> Tensor:
        """Give log-odds.

        Parameters
        ----------
        image : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``

        Returns
        -------
        (N, kinds, H, W) float tensor
        """
        x = self.head(nn.functional.pixel_unshuffle(image - 0.5, self.unshuffle))
        skips = []
        for level in self.down:
            features = level[:-1](x)
            skips.append(features)
            x = level[-1](features)
        x = self.middle(x)
        for level in reversed(self.up):
            x = level[1](level[0](x)) + skips.pop()
            x = level[2:](x)
        return nn.functional.pixel_shuffle(self.tail(torch.relu(x)), self.unshuffle)


def _initialise(module: nn.Module) -> None:
    """He initialisation; the last convolution of a block starts small; at first damage is unlikely everywhere."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, ResidualBlock):
        with torch.no_grad():
            module.second.weight.mul_(0.1)
    if isinstance(module, MaskUNet):
        with torch.no_grad():
            module.tail.weight.mul_(0.1)
            nn.init.constant_(module.tail.bias, -3.0)
