"""Fully connected generator and discriminator, as in Goodfellow et al., "Generative Adversarial Nets", NIPS 2014.

Unlike theirs, hidden units are leaky rectifiers in both, instead of maxout and sigmoids.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from anew.networks.label_conditioning import SLOPE, Conditioning, LabelledLatent, Verdict


class DenseGenerator(nn.Module):
    """Make square images from latent vectors.

    Parameters
    ----------
    channels, size : int
        Of the image.
    labels : int
        Number of labels; 0 for none.
    latent : int
        Length of the latent vector.
    widths : sequence of int
        Hidden units per layer.
    normalise : bool
        Normalise the hidden layers over the batch.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        latent: int = 64,
        widths: Sequence[int] = (256, 512),
        normalise: bool = True,
    ) -> None:
        super().__init__()
        self.labels, self.latent, self.shape = labels, latent, (channels, size, size)
        self.entry = LabelledLatent(latent, labels)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise([self.entry.width, *widths]):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after) if normalise else nn.Identity()]
            layers += [nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], channels * size * size))

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, Z) normal, (N,) int64 -> (N, C, H, W) in [-1, 1]."""
        return torch.tanh(self.layers(self.entry(latent, label)).unflatten(1, self.shape).float())


class DenseDiscriminator(nn.Module):
    """Score square images.

    Parameters
    ----------
    channels, size, labels : int
        As of the generator.
    widths : sequence of int
        Hidden units per layer.
    conditioning : str
        See ``Verdict``.
    spectral : bool
        Divide the weight of every layer by its largest singular value (Miyato et al., "Spectral Normalization", ICLR
        2018); not the embedding of the label, unlike Miyato and Koyama's code.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        widths: Sequence[int] = (512, 256),
        conditioning: Conditioning = "projection",
        spectral: bool = False,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise([channels * size * size, *widths]):
            layers += [nn.Linear(before, after), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers)
        self.verdict = Verdict(widths[-1], labels, conditioning)
        if spectral:
            normalise_spectrum(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) in [-1, 1], (N,) int64 -> scores (N,), and logits of the labels."""
        return self.verdict(self.layers(image), label)


def normalise_spectrum(network: nn.Module) -> None:
    """Put every convolution and linear layer under spectral normalisation (Miyato et al., ICLR 2018, algorithm 1)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spectral_norm(module)
