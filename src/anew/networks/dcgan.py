"""DCGAN: Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional GANs", ICLR 2016.

Strided convolutions of 4 x 4 in place of pooling, batch normalisation, rectifiers in the generator and leaky ones in
the discriminator, weights drawn with standard deviation 0.02. The common tutorials use it as it is here.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.dense_gan import normalise_spectrum
from anew.networks.label_conditioning import SLOPE, Conditioning, LabelledLatent, Verdict


class DCGANGenerator(nn.Module):
    """Make square images from latent vectors.

    Parameters
    ----------
    channels, size, labels, latent : int
        As in ``DenseGenerator``.
    widths : sequence of int
        Features per resolution, coarsest first; the last one is doubled once more to the image.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        latent: int = 100,
        widths: Sequence[int] = (128, 64),
    ) -> None:
        super().__init__()
        side = coarsest(size, len(widths))
        self.labels, self.latent = labels, latent
        self.entry = LabelledLatent(latent, labels)
        self.project = nn.Linear(self.entry.width, widths[0] * side * side)
        self.start = nn.Sequential(nn.Unflatten(1, (widths[0], side, side)), nn.BatchNorm2d(widths[0]), nn.ReLU())
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1))
        self.apply(_initialise)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, Z) normal, (N,) int64 -> (N, C, H, W) in [-1, 1]."""
        return torch.tanh(self.layers(self.start(self.project(self.entry(latent, label)))).float())


class DCGANDiscriminator(nn.Module):
    """Score square images.

    Parameters
    ----------
    channels, size, labels : int
        As of the generator.
    widths : sequence of int
        Features per resolution, finest first.
    conditioning, spectral
        As in ``DenseDiscriminator``.
    normalise : bool
        Normalise over the batch, all layers but the first; not for losses with a gradient penalty.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        widths: Sequence[int] = (64, 128),
        conditioning: Conditioning = "projection",
        spectral: bool = False,
        normalise: bool = True,
    ) -> None:
        super().__init__()
        side = coarsest(size, len(widths))
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1), nn.LeakyReLU(SLOPE)]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=not normalise)]
            layers += [nn.BatchNorm2d(after) if normalise else nn.Identity(), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.verdict = Verdict(widths[-1] * side * side, labels, conditioning)
        self.apply(_initialise)
        if spectral:
            normalise_spectrum(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) in [-1, 1], (N,) int64 -> scores (N,), and logits of the labels."""
        return self.verdict(self.layers(image), label)


def coarsest(size: int, halvings: int) -> int:
    """Give the side that is left after so many halvings."""
    if size % 2**halvings:
        raise ValueError(f"size must be a multiple of {2**halvings}, not {size}")
    return size // 2**halvings


def _initialise(module: nn.Module) -> None:
    """Draw weights as in section 4 of the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
