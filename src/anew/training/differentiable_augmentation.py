"""Augmentation that a generator's gradient passes through, so that a discriminator cannot learn little data by heart.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020: the same random colour, shift
and cut-out for real and generated images, in both players' losses. Karras et al., "Training GANs with Limited Data",
NeurIPS 2020: each operation happens with a probability p, which follows from how sure the discriminator is of the
training images (``next_chance``). p = 1 is DiffAugment.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anew.errors import InvalidSetting

OPERATIONS = ("colour", "translation", "cutout")
DRAWS = 8  # random numbers per image
ADJUST_BY = 1.0 / 50_000  # change of the chance per image that the discriminator has seen; 1 / 500,000 in the paper


def augment(
    x: Tensor, operations: Sequence[str], generator: torch.Generator, *, chance: float = 1.0, strength: float = 1.0
) -> Tensor:
    """Change colour, shift and blank images at random.

    Parameters
    ----------
    x : (N, C, H, W) float tensor in [-1, 1]
        Results may leave the range.
    operations : sequence of {"colour", "translation", "cutout"}
    chance : float in [0, 1]
        Probability of each operation on each image.
    strength : float >= 0
        1 is that of the paper: brightness +-0.5, a quarter of the range, contrast and saturation x 0.5 to 1.5 and 0
        to 2, shifts of an eighth of the side, squares of half the side; at 0 nothing changes.

    Returns
    -------
    (N, C, H, W) float tensor
    """
    unknown = [name for name in operations if name not in OPERATIONS]
    if unknown:
        raise InvalidSetting(f"no augmentation {unknown[0]!r}; there are {', '.join(OPERATIONS)}")
    for name in OPERATIONS:
        if name in operations and strength > 0:
            u = torch.rand(len(x), DRAWS, generator=generator, device=generator.device).to(x)
            amount = strength * (u[:, 0] < chance).to(x)  # (N,): 0 leaves the image alone
            x = {"colour": _colour, "translation": _translate, "cutout": _cut_out}[name](x, u[:, 1:], amount)
    return x


def next_chance(chance: float, sureness: float, *, target: float, images: int) -> float:
    """Move the probability of augmentation towards where the discriminator is as sure as the target says.

    Parameters
    ----------
    sureness : float in [-1, 1]
        r_t = E[sign(score of training images)] (Karras et al., equation 1): 0 is no overfitting, 1 is complete.
    target : float
        0.6 in the paper.
    images : int
        Training images that the discriminator was shown since the last change.
    """
    return min(max(chance + (1 if sureness > target else -1) * images * ADJUST_BY, 0.0), 1.0)


def _colour(x: Tensor, u: Tensor, amount: Tensor) -> Tensor:
    """Brightness, saturation, contrast, each about what it was."""
    brightness = (u[:, 0] - 0.5) * amount
    saturation, contrast = 1 + (2 * u[:, 1] - 1) * amount, 1 + (u[:, 2] - 0.5) * amount
    x = x + _each(brightness)
    if x.shape[1] > 1:
        grey = x.mean(dim=1, keepdim=True)
        x = grey + _each(saturation) * (x - grey)
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return mean + _each(contrast) * (x - mean)


def _translate(x: Tensor, u: Tensor, amount: Tensor) -> Tensor:
    """Shift by whole pixels; what comes in is middle grey, as in the paper."""
    for axis, draw in ((2, u[:, 0]), (3, u[:, 1])):
        side = x.shape[axis]
        reach = side / 8 * amount
        shift = ((2 * draw - 1) * (reach + 0.5)).round().clamp(-reach.floor(), reach.floor()).long()
        source = torch.arange(side, device=x.device) - shift[:, None]  # (N, side)
        shape = (len(x), 1, side, 1) if axis == 2 else (len(x), 1, 1, side)
        index = source.clamp(0, side - 1).reshape(shape).expand_as(x)
        inside = ((source >= 0) & (source < side)).reshape(shape)
        x = x.gather(axis, index) * inside
    return x


def _cut_out(x: Tensor, u: Tensor, amount: Tensor) -> Tensor:
    """Blank a square to middle grey; it may reach over the border."""
    height, width = x.shape[2:]
    half = amount.clamp(max=2) / 4  # of its side, in parts of the image's
    rows = (torch.arange(height, device=x.device) + 0.5) / height - u[:, :1]
    columns = (torch.arange(width, device=x.device) + 0.5) / width - u[:, 1:2]
    away = torch.maximum(rows.abs()[:, :, None], columns.abs()[:, None, :])
    return x * (away >= half[:, None, None])[:, None]


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
