"""U-Net of plain residual blocks with a noise map: the workhorse of restoration.

The layout is that of DRUNet (Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI
2022): residual blocks of two 3x3 convolutions without normalisation, strided convolutions down, sub-pixel convolutions
up, skips by addition, the noise level as an extra input channel. Unlike DRUNet it starts with a pixel-unshuffle (Zhang,
Zuo and Zhang, "FFDNet", IEEE TIP 2018): on a CPU, wide convolutions at reduced resolution cost far less time per
multiply-add than narrow ones at full resolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from anew.networks.noise_map import halo_for
from anew.networks.quantised import QuantisedConv2d

LEAST_SCALE = 4 / 255  # of steps that grow with the noise: with less of it, values no longer shrink


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x)))."""

    def __init__(self, width: int, *, quantised: bool = False) -> None:
        super().__init__()
        if quantised:
            first: nn.Conv2d = QuantisedConv2d(width, width, 3, padding=1, rounds=False)
            second: nn.Conv2d = QuantisedConv2d(width, width, 3, padding=1, rectified=True)
        else:
            first, second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.first, self.second = first, second

    def forward(self, x: Tensor, scale: Tensor | None = None) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W), in 8 bits with steps of the second convolution that ``scale`` multiplies."""
        hidden = torch.relu(self.first(x))
        return x + (self.second(hidden) if scale is None else self.second(hidden, scale))


class UNet(nn.Module):
    """Remove noise of a known level from images of any size that ``size_multiple`` divides.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution.
    blocks : int
        Residual blocks per level, on the way down and again on the way up.
    middle_blocks : int
        Residual blocks at the coarsest level.
    up_blocks : sequence of int, optional
        Residual blocks of each level on the way up, finest first, where they are not as many as on the way down.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    quantised : bool
        Compute all but the first and the last convolution in 8 bits.
    scaled_steps : bool
        The steps of the last block grow with the noise, as its values do: it makes what is subtracted. Only for
        networks that are always told the level; the block ends without a bias.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        widths: Sequence[int] = (56, 112, 192),
        blocks: int = 2,
        middle_blocks: int = 3,
        up_blocks: Sequence[int] | None = None,
        unshuffle: int = 2,
        quantised: bool = False,
        scaled_steps: bool = False,
    ) -> None:
        super().__init__()
        up_blocks = up_blocks or [blocks] * (len(widths) - 1)
        self.unshuffle, self.scales_steps = unshuffle, scaled_steps and quantised
        self.size_multiple = unshuffle * 2 ** (len(widths) - 1)
        convolutions = [2 * (blocks + count) for count in up_blocks] + [2 * middle_blocks]  # 3x3, per level
        convolutions[0] += 2
        pixels = [unshuffle * 2**level for level in range(len(widths))]
        self.reach = sum(n * side for n, side in zip(convolutions, pixels, strict=True)) + pixels[-1] - 1
        self.halo = halo_for(self.reach, self.size_multiple)
        folded = unshuffle * unshuffle
        convolution = QuantisedConv2d if quantised else nn.Conv2d
        block = partial(ResidualBlock, quantised=quantised)
        self.head = nn.Conv2d(channels * folded + 1, widths[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(*(block(fine) for _ in range(blocks)), convolution(fine, coarse, 2, stride=2))
            for fine, coarse in itertools.pairwise(widths)
        )
        self.middle = nn.Sequential(*(block(widths[-1]) for _ in range(middle_blocks)))
        self.up = nn.ModuleList(
            nn.Sequential(convolution(coarse, fine * 4, 1), nn.PixelShuffle(2), *(block(fine) for _ in range(count)))
            for (fine, coarse), count in zip(itertools.pairwise(widths), up_blocks, strict=True)
        )
        if scaled_steps:
            self.up[0].get_submodule(f"{1 + up_blocks[0]}.second").register_parameter("bias", None)
        self.tail = nn.Conv2d(widths[0], channels * folded, 3, padding=1)
        self.apply(_initialise)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        folded = nn.functional.pixel_unshuffle(noisy, self.unshuffle)
        if sigma.shape[-1] > 1:
            noise_map = nn.functional.avg_pool2d(sigma, self.unshuffle)
        else:
            noise_map = sigma.expand(-1, 1, folded.shape[2], folded.shape[3])
        x = self.head(torch.cat([folded, noise_map.to(folded.dtype)], dim=1))
        skips = []
        for level in self.down:
            features = level[:-1](x)
            skips.append(features)
            x = level[-1](features)
        x = self.middle(x)
        for level in reversed(self.up):
            x = level[1](level[0](x)) + skips.pop()
            if self.scales_steps and level is self.up[0]:
                x = level[-1](level[2:-1](x), sigma.amax((1, 2, 3), keepdim=True).clamp(min=LEAST_SCALE))
            else:
                x = level[2:](x)
        return noisy - nn.functional.pixel_shuffle(self.tail(x), self.unshuffle)


def _initialise(module: nn.Module) -> None:
    """He initialisation; the last convolution of a block starts small, so that the block starts near identity."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, ResidualBlock):
        nn.init.kaiming_normal_(module.second.weight, nonlinearity="relu")
        with torch.no_grad():
            module.second.weight.mul_(0.1)
    if isinstance(module, UNet):
        with torch.no_grad():
            module.tail.weight.mul_(0.1)
