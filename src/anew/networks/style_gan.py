"""Style-based generator with skip outputs, and its residual discriminator, after StyleGAN2.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020: a mapping network, a learned constant
that styles work upon, modulated and demodulated convolutions (equations 1 to 3), and an image that is summed up over
the resolutions (figure 7b). A style scales the input of a convolution and demodulation its output, which is the same
as scaling the weights for each image, and runs as one plain convolution. Noise inputs are left out: everything in the
picture follows from the latent vector. Convolutions after an enlargement see it by nearest neighbours.

The resolutions can be faded in one after the other (Karras et al., "Progressive Growing of GANs", ICLR 2018): ``grown``
is the number of resolutions, with a fraction, that the image is summed over. What has not begun to grow costs nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, leaky_relu

from anew.networks.dcgan import coarsest
from anew.networks.dense_gan import normalise_spectrum
from anew.networks.label_conditioning import SLOPE, Conditioning, LabelledLatent, Verdict
from anew.networks.minibatch_std import MinibatchStd
from anew.networks.residual_gan import DiscriminatorBlock, initialise


class Mapping(nn.Module):
    """Turn latent vector and label into the style vector w."""

    def __init__(self, latent: int, labels: int, width: int, layers: int) -> None:
        super().__init__()
        self.entry = LabelledLatent(latent, labels, embedding=latent)
        widths = [self.entry.width, *[width] * layers]
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(widths))

    def forward(self, latent: Tensor, label: Tensor | None) -> Tensor:
        """(N, Z), (N,) int64 -> (N, W)."""
        x = self.entry(_unit(latent), label)
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
        return x


class StyledConv(nn.Module):
    """Convolution under a style: y = d conv(s x), d_o = 1 / |s w_o|, then bias and leaky rectifier (equation 3)."""

    def __init__(self, before: int, after: int, style: int) -> None:
        super().__init__()
        self.style = nn.Linear(style, before)
        self.weight = nn.Parameter(torch.randn(after, before, 3, 3))
        self.bias = nn.Parameter(torch.zeros(after))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """(N, C, H, W), (N, W) -> (N, C', H, W)."""
        s = 1 + self.style(w)  # (N, C)
        norm = s.square() @ self.weight.square().sum(dim=(2, 3)).T  # (N, C')
        y = conv2d(x * s[:, :, None, None], self.weight, padding=1) * (norm + 1e-8).rsqrt()[:, :, None, None]
        return math.sqrt(2) * leaky_relu(y + self.bias[:, None, None], SLOPE)


class StyleGenerator(nn.Module):
    """Make square images from latent vectors.

    Parameters
    ----------
    channels, size, labels, latent : int
        As in ``DenseGenerator``.
    widths : sequence of int
        Features per resolution, coarsest first; each resolution doubles the one before.
    unshuffle : int
        Side of the square of pixels that a place of each resolution gives.
    style, layers : int
        Width of the style vector, and layers of the mapping network.

    Attributes
    ----------
    grown : float tensor, from 1 to the number of resolutions
        How many resolutions take part; a fraction fades the last one in. It is kept with the weights.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        latent: int = 64,
        widths: Sequence[int] = (128, 64),
        unshuffle: int = 2,
        style: int = 64,
        layers: int = 2,
    ) -> None:
        super().__init__()
        if size % unshuffle:
            raise ValueError(f"size must be a multiple of {unshuffle}, not {size}")
        side = coarsest(size // unshuffle, len(widths) - 1)
        self.labels, self.latent, self.resolutions = labels, latent, len(widths)
        self.mapping = Mapping(latent, labels, style, layers)
        self.constant = nn.Parameter(torch.randn(1, widths[0], side, side))
        self.first = nn.ModuleList(StyledConv(a, b, style) for a, b in itertools.pairwise([widths[0], *widths]))
        self.second = nn.ModuleList(StyledConv(width, width, style) for width in widths)
        self.to_image = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, channels * unshuffle**2, 1), nn.PixelShuffle(unshuffle)) for width in widths
        )
        self.register_buffer("grown", torch.tensor(float(len(widths))))
        self.apply(initialise)
        self.apply(_start_small)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, Z) normal, (N,) int64 -> (N, C, H, W) in [-1, 1]."""
        w = self.mapping(latent, label)
        x = self.constant.expand(w.shape[0], -1, -1, -1)
        image = torch.zeros(1, device=x.device)
        grown = float(self.grown)
        for level, (first, second, to_image) in enumerate(zip(self.first, self.second, self.to_image, strict=True)):
            if level:
                image = interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)
            if level < grown:
                if level:
                    x = interpolate(x, scale_factor=2.0, mode="nearest")
                x = second(first(x, w), w)
                image = image + (self.grown - level).clamp(max=1) * to_image(x)
        return torch.tanh(image.float())

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take checkpoints from before ``grown`` was in them, and leave it as it is."""
        state_dict.setdefault(f"{prefix}grown", self.grown)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class StyleDiscriminator(nn.Module):
    """Score square images: residual blocks, minibatch standard deviation, two linear layers.

    Parameters
    ----------
    channels, size, labels : int
        As of the generator.
    widths : sequence of int
        Features per level, finest first.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    conditioning, spectral
        As in ``DenseDiscriminator``.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        size: int = 28,
        labels: int = 0,
        widths: Sequence[int] = (64, 128),
        unshuffle: int = 2,
        conditioning: Conditioning = "projection",
        spectral: bool = False,
    ) -> None:
        super().__init__()
        side = coarsest(size // unshuffle, len(widths) - 1)
        folded = channels * unshuffle**2
        self.start = nn.Sequential(nn.PixelUnshuffle(unshuffle), nn.Conv2d(folded, widths[0], 1), nn.LeakyReLU(SLOPE))
        pairs = enumerate(itertools.pairwise([widths[0], *widths]))
        self.levels = nn.Sequential(*(DiscriminatorBlock(a, b, shrink=index > 0) for index, (a, b) in pairs))
        self.spread = MinibatchStd()
        self.hidden = nn.Linear((widths[-1] + 1) * side * side, widths[-1])
        self.verdict = Verdict(widths[-1], labels, conditioning)
        self.apply(initialise)
        if spectral:
            normalise_spectrum(self)

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W) in [-1, 1], (N,) int64 -> scores (N,), and logits of the labels."""
        x = leaky_relu(self.levels(self.start(image)), SLOPE)
        return self.verdict(leaky_relu(self.hidden(self.spread(x).flatten(1)), SLOPE), label)


def grow_images(x: Tensor, grown: float, resolutions: int) -> Tensor:
    """Take from real images what a generator that has ``grown`` so far cannot show yet.

    Parameters
    ----------
    x : (N, C, H, W) float tensor
    grown : float from 1 to ``resolutions``
    """
    missing = resolutions - math.ceil(grown)
    part = math.ceil(grown) - grown
    now = _coarser(x, 2**missing) if missing else x
    return now if part == 0 else (1 - part) * now + part * _coarser(x, 2 ** (missing + 1))


def _coarser(x: Tensor, factor: int) -> Tensor:
    small = nn.functional.avg_pool2d(x, factor)
    return interpolate(small, size=x.shape[2:], mode="bilinear", align_corners=False)


def _unit(latent: Tensor) -> Tensor:
    """Bring vectors to mean square 1, as in progressive growing."""
    return latent * (latent.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def _start_small(module: nn.Module) -> None:
    """Styles start close to 1."""
    if isinstance(module, StyledConv):
        with torch.no_grad():
            module.style.weight.mul_(0.3)
