"""Residual generator and discriminator in the manner of SNGAN, SAGAN and BigGAN.

Miyato et al., "Spectral Normalization for GANs", ICLR 2018; Zhang et al., "Self-Attention GANs", ICML 2019; Brock et
al., "Large Scale GAN Training", ICLR 2019. The label and the latent vector scale and shift normalised features in every
block. Unlike theirs nothing is computed at full resolution: the last layer of the generator shuffles features into
pixels, the first of the discriminator folds pixels into features, which a CPU runs several times faster. The
discriminator may be left without any normalisation, for losses with R1 and R2 (Huang et al., "The GAN is dead; long
live the GAN!", NeurIPS 2024).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu

from anew.networks.dcgan import coarsest
from anew.networks.dense_gan import normalise_spectrum
from anew.networks.label_conditioning import SLOPE, Conditioning, LabelledLatent, Verdict
from anew.networks.minibatch_std import MinibatchStd


class ConditionalBatchNorm(nn.Module):
    """Batch normalisation whose scale and shift follow from the condition: (1 + scale(c)) norm(x) + shift(c).

    References
    ----------
    De Vries et al., "Modulating Early Visual Processing by Language", NIPS 2017, section 3.
    """

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(width, affine=False)
        self.modulation = nn.Linear(condition, 2 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W), (N, E) -> (N, C, H, W)."""
        scale, shift = self.modulation(condition)[:, :, None, None].chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), 1 + scale)


class GeneratorBlock(nn.Module):
    """x + conv(relu(norm(conv(relu(norm(x)))))), doubled in size and narrowed where the level changes.

    There the first convolution is a transposed one of 4 x 4, less than half the work of enlarging and a 3 x 3.
    """

    def __init__(self, before: int, after: int, condition: int, *, grow: bool) -> None:
        super().__init__()
        self.grow = grow
        self.first_norm = ConditionalBatchNorm(before, condition)
        self.first = nn.ConvTranspose2d(before, after, 4, 2, 1) if grow else nn.Conv2d(before, after, 3, padding=1)
        self.second_norm = ConditionalBatchNorm(after, condition)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(N, C, H, W), (N, E) -> (N, C', H', W')."""
        inner = self.first(torch.relu(self.first_norm(x, condition)))
        x = self.skip(x)
        if self.grow:
            x = interpolate(x, scale_factor=2.0, mode="nearest")
        return x + self.second(torch.relu(self.second_norm(inner, condition)))


class DiscriminatorBlock(nn.Module):
    """(x + conv(act(conv(act(x))))) / sqrt(2), halved in size where the level changes."""

    def __init__(self, before: int, after: int, *, shrink: bool) -> None:
        super().__init__()
        self.shrink = shrink
        self.first = nn.Conv2d(before, after, 3, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        if self.shrink:
            x = avg_pool2d(x, 2)
        inner = self.first(leaky_relu(x, SLOPE))
        return (self.skip(x) + self.second(leaky_relu(inner, SLOPE))) * math.sqrt(0.5)


class SelfAttention(nn.Module):
    """x + gamma attention(x) over all places, gamma from zero (Zhang et al., ICML 2019, equations 1 to 3)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(width // 8, 4)
        self.query = nn.Conv2d(width, inner, 1)
        self.key = nn.Conv2d(width, inner, 1)
        self.value = nn.Conv2d(width, width, 1)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=2)  # (N, places, places), rows of sum 1
        return x + self.gamma * (value @ weights.transpose(1, 2)).reshape(x.shape)


class ResidualGenerator(nn.Module):
    """Make square images from latent vectors.

    Parameters
    ----------
    channels, size, labels, latent : int
        As in ``DenseGenerator``.
    widths : sequence of int
        Features per level, coarsest first; each level doubles the resolution.
    blocks : int
        Residual blocks per level.
    unshuffle : int
        The last level works at 1 / unshuffle of the image's resolution.
    attention : int, optional
        The level, counted from the coarsest, that self-attention follows.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        latent: int = 64,
        widths: Sequence[int] = (128, 64),
        blocks: int = 1,
        unshuffle: int = 2,
        attention: int | None = None,
    ) -> None:
        super().__init__()
        side = _side(size, unshuffle, len(widths))
        self.labels, self.latent = labels, latent
        self.entry = LabelledLatent(latent, labels, embedding=32)
        condition = self.entry.width
        self.start = nn.Sequential(
            nn.Linear(condition, widths[0] * side * side), nn.Unflatten(1, (widths[0], side, side))
        )
        self.levels = nn.ModuleList()
        self.attention = nn.ModuleList()
        for index, (before, after) in enumerate(itertools.pairwise([widths[0], *widths])):
            level = nn.ModuleList([GeneratorBlock(before, after, condition, grow=index > 0)])
            level.extend(GeneratorBlock(after, after, condition, grow=False) for _ in range(blocks - 1))
            self.levels.append(level)
            self.attention.append(SelfAttention(after) if index == attention else nn.Identity())
        self.norm = ConditionalBatchNorm(widths[-1], condition)
        self.end = nn.Sequential(
            nn.Conv2d(widths[-1], channels * unshuffle**2, 3, padding=1), nn.PixelShuffle(unshuffle)
        )
        self.apply(initialise)
        self.apply(_start_small)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, Z) normal, (N,) int64 -> (N, C, H, W) in [-1, 1]."""
        condition = self.entry(latent, label)
        x = self.start(condition).contiguous(memory_format=torch.channels_last)
        for level, attention in zip(self.levels, self.attention, strict=True):
            for block in level:
                x = block(x, condition)
            x = attention(x)
        return torch.tanh(self.end(torch.relu(self.norm(x, condition))).float())


class ResidualDiscriminator(nn.Module):
    """Score square images.

    Parameters
    ----------
    channels, size, labels : int
        As of the generator.
    widths : sequence of int
        Features per level, finest first; each level halves the resolution.
    blocks, unshuffle : int
        As in ``ResidualGenerator``.
    conditioning, spectral
        As in ``DenseDiscriminator``.
    minibatch_std : bool
        See ``MinibatchStd``.
    attention : int, optional
        The level, counted from the finest, that self-attention follows.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        widths: Sequence[int] = (64, 128),
        blocks: int = 1,
        unshuffle: int = 2,
        conditioning: Conditioning = "projection",
        spectral: bool = False,
        minibatch_std: bool = False,
        attention: int | None = None,
    ) -> None:
        super().__init__()
        side = _side(size, unshuffle, len(widths))
        self.start = nn.Sequential(
            nn.PixelUnshuffle(unshuffle), nn.Conv2d(channels * unshuffle**2, widths[0], 3, padding=1)
        )
        self.levels = nn.ModuleList()
        for index, (before, after) in enumerate(itertools.pairwise([widths[0], *widths])):
            level: list[nn.Module] = [DiscriminatorBlock(before, after, shrink=index > 0)]
            level += [DiscriminatorBlock(after, after, shrink=False) for _ in range(blocks - 1)]
            level += [SelfAttention(after)] if index == attention else []
            self.levels.append(nn.Sequential(*level))
        self.end = nn.Sequential(
            *([MinibatchStd()] if minibatch_std else []),
            nn.Conv2d(widths[-1] + minibatch_std, widths[-1], side),
            nn.LeakyReLU(SLOPE),
            nn.Flatten(),
        )
        self.verdict = Verdict(widths[-1], labels, conditioning)
        self.apply(initialise)
        self.apply(_start_small)
        if spectral:
            normalise_spectrum(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) in [-1, 1], (N,) int64 -> scores (N,), and logits of the labels."""
        x = self.start(image)
        for level in self.levels:
            x = level(x)
        return self.verdict(self.end(leaky_relu(x, SLOPE)), label)


def initialise(module: nn.Module) -> None:
    """He initialisation for leaky rectifiers."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, a=SLOPE)
        nn.init.zeros_(module.bias)
    if isinstance(module, nn.ConvTranspose2d):  # a place sums up a quarter of the weights, counted by output channels
        with torch.no_grad():
            inputs, outputs, _, _ = module.weight.shape
            module.weight.mul_(2 * (outputs / inputs) ** 0.5)


def _side(size: int, unshuffle: int, levels: int) -> int:
    """Give the side of the coarsest level."""
    if size % unshuffle:
        raise ValueError(f"size must be a multiple of {unshuffle}, not {size}")
    return coarsest(size // unshuffle, levels - 1)


@torch.no_grad()
def _start_small(module: nn.Module) -> None:
    """Start close to plain normalisation, blocks close to their skips, and scores and pixels close to zero."""
    if isinstance(module, ConditionalBatchNorm):
        module.modulation.weight.mul_(0.3)
    if isinstance(module, GeneratorBlock | DiscriminatorBlock):
        module.second.weight.mul_(0.3)
    if isinstance(module, ResidualGenerator):
        module.end[0].weight.mul_(0.3)
    if isinstance(module, Verdict):
        module.score.weight.mul_(0.3)
