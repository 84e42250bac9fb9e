"""Variational autoencoder of plain residual convolutions, with one latent vector per image.

Encoder and decoder mirror each other: a pixel-unshuffle, residual blocks at falling resolution, and one linear map
between the coarsest features and the latent vector (Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014).

The latent vectors of images do not fill the prior that they are trained with, and what lies in its gaps decodes to no
image. So samples come from a mixture of normal distributions that is fitted to the vectors afterwards, one for each
label (Ghosh et al., "From Variational to Deterministic Autoencoders", ICLR 2020).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from anew.networks.unet import ResidualBlock

Likelihood = Literal["bernoulli", "gaussian"]
LARGEST_LOG_VAR = 8.0


class VAE(nn.Module):
    """Encode images as normal distributions over a latent space; decode points of that space.

    Parameters
    ----------
    channels, size : int
        Of the images, which are square.
    latent : int
        Length of the latent vector.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution.
    blocks : int
        Residual blocks per level, in the encoder and again in the decoder.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    likelihood : {"bernoulli", "gaussian"}
        What the decoder's output means: logits of a pixel being white, or means of a normal distribution whose one
        variance is learned, for images in [0, 1].

    Attributes
    ----------
    component_weight : (L, K) float tensor
        Of the K components of each label's mixture, which sum to 1; before it is fitted, one component of one label.
    component_mean, component_factor : (L, K, Z) and (L, K, Z, Z) float tensors
        Their means, and the lower triangular factors of their covariances; first those of the prior.
    """

    component_weight: Tensor
    component_mean: Tensor
    component_factor: Tensor

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        latent: int = 40,
        widths: Sequence[int] = (32, 64),
        blocks: int = 1,
        unshuffle: int = 2,
        likelihood: Likelihood = "bernoulli",
    ) -> None:
        super().__init__()
        if likelihood not in get_args(Likelihood):
            raise ValueError(f"likelihood must be one of {', '.join(get_args(Likelihood))}, not {likelihood!r}")
        shrink = unshuffle * 2 ** (len(widths) - 1)
        if size % shrink:
            raise ValueError(f"size must be a multiple of {shrink}, not {size}")
        self.latent, self.likelihood, self.unshuffle = latent, likelihood, unshuffle
        side, folded, pairs = size // shrink, channels * unshuffle**2, list(itertools.pairwise(widths))

        def level(width: int) -> list[nn.Module]:
            return [ResidualBlock(width) for _ in range(blocks)]

        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(unshuffle),
            nn.Conv2d(folded, widths[0], 3, padding=1),
            *level(widths[0]),
            *(m for fine, coarse in pairs for m in (nn.Conv2d(fine, coarse, 2, stride=2), *level(coarse))),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(widths[-1] * side * side, 2 * latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, widths[-1] * side * side),
            nn.Unflatten(1, (widths[-1], side, side)),
            *level(widths[-1]),
            *(m for fine, coarse in reversed(pairs) for m in (_Grow(coarse, fine), *level(fine))),
            nn.ReLU(),
            nn.Conv2d(widths[0], folded, 3, padding=1),
            nn.PixelShuffle(unshuffle),
        )
        if likelihood == "gaussian":
            self.log_sigma = nn.Parameter(torch.full((1, 1, 1, 1), -1.0))
        prior = {"weight": torch.ones(1, 1), "mean": torch.zeros(1, 1, latent), "factor": torch.eye(latent)[None, None]}
        for name, value in prior.items():  # fitted when the training is over, so no part of its state
            self.register_buffer(f"component_{name}", value, persistent=False)
        self.apply(_initialise)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) in [0, 1] -> mean and log-variance of q(z | x), (N, Z) each."""
        mean, log_var = self.encoder(image).float().chunk(2, dim=1)
        return mean, log_var.clamp(max=LARGEST_LOG_VAR)

    def decode(self, z: Tensor) -> Tensor:
        """(N, Z) -> logits or means, (N, C, H, W)."""
        decoded: Tensor = self.decoder(z).float()
        return decoded

    def place(self, noise: Tensor, label: Tensor, component: Tensor) -> Tensor:
        """Standard normal (N, Z) and (N,) int64 indices -> latent vectors of these labels and components, (N, Z)."""
        factor = self.component_factor[label, component]
        return self.component_mean[label, component] + (factor @ noise[:, :, None])[:, :, 0]

    def forward(self, image: Tensor, latent: Tensor, label: Tensor, component: Tensor) -> tuple[Tensor, ...]:
        """Encode some images, and place and decode some vectors, which need not be as many.

        Parameters
        ----------
        image : (N, C, H, W) float tensor in [0, 1]
        latent : (M, Z) float tensor
            Decoded as they are; or standard normal numbers, to be placed.
        label, component : (M,) int64 tensors

        Returns
        -------
        mean, log_var : (N, Z) float tensors
        placed : (M, Z) float tensor
            Latent vectors of the component, if ``latent`` is standard normal.
        result : (M, C, H, W) float tensor
            Expected pixels, in [0, 1] for a Bernoulli likelihood and not clipped for a normal one.
        log_std : (M, C, H, W) float tensor
            Logarithm of the standard deviation of each pixel around that.
        weight : (L, K) float tensor
            ``component_weight``.
        """
        mean, log_var = self.encode(image)
        placed = self.place(latent, label, component)
        decoded = self.decode(latent)
        if self.likelihood == "gaussian":
            return mean, log_var, placed, decoded, self.log_sigma.expand_as(decoded), self.component_weight
        log_std = (nn.functional.logsigmoid(decoded) + nn.functional.logsigmoid(-decoded)) / 2  # of p (1 - p)
        return mean, log_var, placed, decoded.sigmoid(), log_std, self.component_weight


class _Grow(nn.Sequential):
    """Double the resolution."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__(nn.Conv2d(coarse, 4 * fine, 1), nn.PixelShuffle(2))


def _initialise(module: nn.Module) -> None:
    """He initialisation; the second convolution of a block starts small."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        nn.init.zeros_(module.bias)
    with torch.no_grad():
        if isinstance(module, ResidualBlock):
            module.second.weight.mul_(0.1)
        if isinstance(module, VAE):
            module.encoder[-1].weight.mul_(0.1)
