"""A small U-Net that says for every pixel how likely it is damaged, one output per kind of damage.

The layout is that of ``unet.py`` (a pixel-unshuffle first, skips by addition); image in, log-odds out (Ronneberger,
Fischer and Brox, "U-Net", MICCAI 2015, is the original for masks). Unlike a restorer it need not keep the image's
values, so its blocks are normalised (Ioffe and Szegedy, "Batch normalization", ICML 2015): it then learns several times
faster, and the runtime folds the normalisation into the convolutions. In 8 bits it is folded from the start. Beside the
colours it is shown the top-hats of the brightness (Meyer 1978; Serra, "Image Analysis and Mathematical Morphology",
1982): what is thinner than a window, brighter or darker than its surroundings.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from anew.networks.quantised import QuantisedConv2d

TOP_HATS = (5, 11)  # pixels a side; scratches and hairs are thinner
TOP_HAT_GAIN = 4.0


class NormalisedBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))); in 8 bits without norm, and told whether x has no negative values."""

    def __init__(self, width: int, *, quantised: bool = False, rectified: bool = False) -> None:
        super().__init__()
        if quantised:  # the places of the normalisations stay, so that the layers keep their names
            self.body = nn.Sequential(
                QuantisedConv2d(width, width, 3, padding=1, rectified=rectified, rounds=False),
                nn.Identity(),
                nn.ReLU(),
                QuantisedConv2d(width, width, 3, padding=1, rectified=True),
                nn.Identity(),
            )
        else:
            self.body = nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return torch.relu(x + self.body(x))


def top_hats(grey: Tensor) -> Tensor:
    """Give grey - opening and closing - grey for each window: (N, 1, H, W) -> (N, 2 windows, H, W)."""

    def dilated(x: Tensor, side: int) -> Tensor:
        rows = nn.functional.max_pool2d(x, (side, 1), stride=1, padding=(side // 2, 0))
        return nn.functional.max_pool2d(rows, (1, side), stride=1, padding=(0, side // 2))

    hats = []
    for side in TOP_HATS:
        hats += [grey - dilated(-dilated(-grey, side), side), -dilated(-dilated(grey, side), side) - grey]
    return torch.cat(hats, dim=1)


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
        Blocks per level, on the way down and again on the way up; the last number is of the coarsest level,
        which is passed once.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    quantised : bool
        Compute all but the first and the last convolution in 8 bits, without normalisation.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        kinds: int = 3,
        widths: Sequence[int] = (24, 32, 48, 64),
        blocks: Sequence[int] = (1, 1, 2, 2),
        unshuffle: int = 2,
        quantised: bool = False,
    ) -> None:
        super().__init__()
        if len(blocks) != len(widths):
            raise ValueError(f"blocks must have one number for each of {len(widths)} widths, got {tuple(blocks)}")
        self.unshuffle = unshuffle
        self.size_multiple = unshuffle * 2 ** (len(widths) - 1)
        folded = unshuffle * unshuffle
        self.head = nn.Conv2d((channels + 2 * len(TOP_HATS)) * folded, widths[0], 3, padding=1)
        levels = list(zip(itertools.pairwise(widths), blocks, strict=False))

        def blocks_of(width: int, count: int) -> list[nn.Module]:
            return [NormalisedBlock(width, quantised=quantised, rectified=k > 0) for k in range(count)]

        convolution = partial(QuantisedConv2d, rectified=True) if quantised else nn.Conv2d
        self.down = nn.ModuleList(
            nn.Sequential(*blocks_of(fine, n), convolution(fine, coarse, 2, stride=2)) for (fine, coarse), n in levels
        )
        self.middle = nn.Sequential(*blocks_of(widths[-1], blocks[-1]))
        self.up = nn.ModuleList(
            nn.Sequential(convolution(coarse, fine * 4, 1), nn.PixelShuffle(2), *blocks_of(fine, n))
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
        shown = torch.cat([image - 0.5, TOP_HAT_GAIN * top_hats(image.mean(dim=1, keepdim=True))], dim=1)
        x = self.head(nn.functional.pixel_unshuffle(shown, self.unshuffle))
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
    """He initialisation; at first damage is unlikely everywhere."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, MaskUNet):
        with torch.no_grad():
            module.tail.weight.mul_(0.3)
            nn.init.constant_(module.tail.bias, -3.0)
