"""U-Net of a flow or diffusion model: an image, a time and a label in; a velocity, or a denoised image, out.

Residual blocks of two 3x3 convolutions whose inner features are scaled and shifted per channel by an embedding of time
and label, as in ADM (Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis", NeurIPS 2021). Unlike ADM it
starts with a pixel-unshuffle and has neither group normalisation nor attention: on a CPU those cost more time than the
convolutions. A last convolution of each block that starts small keeps the features in range instead.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

SIGMA_DATA = 0.5  # nominal standard deviation of images in [-1, 1]
LOWEST, HIGHEST = 0.5, 150.0  # angular frequencies that time is embedded with, geometrically spaced

Parametrisation = Literal["rectified", "edm"]


class Embedding(nn.Module):
    """Time and label as one vector; the label after the last is "no label".

    Parameters
    ----------
    labels : int
        Number of labels; 0 for none.
    width : int
        Of the vector; even.
    """

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        ratio = torch.linspace(0, 1, width // 2)
        self.register_buffer("frequencies", LOWEST * (HIGHEST / LOWEST) ** ratio, persistent=False)
        self.label = nn.Embedding(labels + 1, width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, time: Tensor, label: Tensor) -> Tensor:
        """(N,) float, (N,) int64 -> (N, width)."""
        angles = time[:, None] * self.frequencies
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        return nn.functional.silu(self.second(nn.functional.silu(self.first(waves))) + self.label(label))


class ConditionedBlock(nn.Module):
    """x + conv(relu((1 + scale) conv(x) + shift)), scale and shift from the embedding."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * width)

    def forward(self, x: Tensor, embedded: Tensor) -> Tensor:
        """(N, C, H, W), (N, E) -> (N, C, H, W)."""
        scale, shift = self.modulation(embedded)[:, :, None, None].chunk(2, dim=1)
        return x + self.second(torch.relu(torch.addcmul(shift, self.first(x), 1 + scale)))


class FlowUNet(nn.Module):
    """Velocity field or denoiser for images of a size that ``size_multiple`` divides.

    Parameters
    ----------
    channels : int
        Of the image.
    labels : int
        Number of labels; the label of this value means none.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution.
    blocks : int or sequence of int
        Residual blocks per level (of all but the coarsest) on the way down, and again on the way up.
    middle_blocks : int
        Residual blocks at the coarsest level.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    embedding : int
        Width of the embedding of time and label.
    parametrisation : {"rectified", "edm"}
        ``"rectified"``: time t in [0, 1], input (1 - t) x + t n, output the velocity n - x (Liu et al., "Flow Straight
        and Fast", ICLR 2023). ``"edm"``: time is sigma, input x + sigma n, output the denoised image (Karras et al.,
        "Elucidating the Design Space of Diffusion-Based Generative Models", NeurIPS 2022, equation 7).
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        labels: int = 10,
        widths: Sequence[int] = (64, 128),
        blocks: int | Sequence[int] = 2,
        middle_blocks: int = 4,
        unshuffle: int = 2,
        embedding: int = 128,
        parametrisation: Parametrisation = "rectified",
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.size_multiple = unshuffle * 2 ** (len(widths) - 1)
        self.labels = labels
        self.parametrisation = parametrisation
        counts = [blocks] * (len(widths) - 1) if isinstance(blocks, int) else list(blocks)
        folded = channels * unshuffle * unshuffle

        def level(count: int, width: int) -> nn.ModuleList:
            return nn.ModuleList(ConditionedBlock(width, embedding) for _ in range(count))

        pairs = list(itertools.pairwise(widths))
        self.embed = Embedding(labels, embedding)
        self.head = nn.Conv2d(folded, widths[0], 3, padding=1)
        self.down = nn.ModuleList(level(n, fine) for n, (fine, _) in zip(counts, pairs, strict=True))
        self.shrink = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.middle = level(middle_blocks, widths[-1])
        self.grow = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1) for fine, coarse in pairs)
        self.up = nn.ModuleList(level(n, fine) for n, (fine, _) in zip(counts, pairs, strict=True))
        self.tail = nn.Conv2d(widths[0], folded, 3, padding=1)
        self.apply(_initialise)

    def forward(self, image: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """Give the velocity, or the denoised image, of a batch.

        Parameters
        ----------
        image : (N, C, H, W) float tensor
            Clean images are in [-1, 1].
        time : (N,) float tensor
            t in [0, 1], or sigma > 0.
        label : (N,) int64 tensor in [0, labels]
        """
        if self.parametrisation == "rectified":
            return self.features(image, time, label)
        sigma = time[:, None, None, None]
        total = sigma.square() + SIGMA_DATA**2
        c_skip = SIGMA_DATA**2 / total
        c_out = sigma * SIGMA_DATA * total.rsqrt()
        c_in, c_noise = total.rsqrt(), time.log() / 4
        return c_skip * image + c_out * self.features(c_in * image, c_noise, label)

    def features(self, image: Tensor, time: Tensor, label: Tensor) -> Tensor:
        """Run the raw network."""
        embedded = self.embed(time, label)
        x = self.head(nn.functional.pixel_unshuffle(image, self.unshuffle))
        skips = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            for block in blocks:
                x = block(x, embedded)
            skips.append(x)
            x = shrink(x)
        for block in self.middle:
            x = block(x, embedded)
        for blocks, grow in zip(reversed(self.up), reversed(self.grow), strict=True):
            x = nn.functional.pixel_shuffle(grow(x), 2) + skips.pop()
            for block in blocks:
                x = block(x, embedded)
        return nn.functional.pixel_shuffle(self.tail(x), self.unshuffle).float()


def _initialise(module: nn.Module) -> None:
    """He initialisation; what ends a block, a modulation and the network starts small."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)
    with torch.no_grad():
        if isinstance(module, ConditionedBlock):
            module.second.weight.mul_(0.1)
            module.modulation.weight.mul_(0.1)
        if isinstance(module, FlowUNet):
            module.tail.weight.mul_(0.1)
            for grow in module.grow:
                grow.weight.mul_(math.sqrt(0.5))
