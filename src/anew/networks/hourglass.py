"""The hourglass of the deep image prior: an encoder-decoder with thin skips whose very layout favours natural images.

After Ulyanov, Vedaldi and Lempitsky, "Deep Image Prior", CVPR 2018, figure 21 of the supplement: per level a strided
and a plain convolution down, bilinear enlargement up, a skip of few channels, batch normalisation, leaky ReLU,
reflection at the borders. It is narrower at the finest levels, where a CPU would spend most of its time.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def _unit(inputs: int, outputs: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, leaky ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, side, stride, side // 2, padding_mode="reflect" if side > 1 else "zeros"),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2),
    )


class _Level(nn.Module):
    """One level and, within it, all coarser ones."""

    def __init__(self, inputs: int, widths: Sequence[int], skip: int) -> None:
        super().__init__()
        width, *coarser = widths
        self.skip = _unit(inputs, skip, 1)
        self.down = nn.Sequential(_unit(inputs, width, stride=2), _unit(width, width))
        self.inner = _Level(width, coarser, skip) if coarser else nn.Identity()
        below = coarser[0] if coarser else width
        self.up = nn.Sequential(nn.BatchNorm2d(below + skip), _unit(below + skip, width), _unit(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.inner(self.down(x))
        enlarged = nn.functional.interpolate(inner, size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.up(torch.cat([enlarged, self.skip(x)], dim=1))


class Hourglass(nn.Module):
    """Make an image from a field of noise.

    Parameters
    ----------
    inputs : int
        Channels of the field.
    channels : int
        Of the image.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution.
    skip : int
        Channels of a skip.
    """

    def __init__(
        self, *, inputs: int = 32, channels: int = 3, widths: Sequence[int] = (16, 32, 64, 64, 64), skip: int = 4
    ) -> None:
        super().__init__()
        self.least_side = 2 ** (len(widths) + 1)
        self.body = _Level(inputs, widths, skip)
        self.tail = nn.Conv2d(widths[0], channels, 1)

    def forward(self, field: Tensor) -> Tensor:
        """(N, inputs, H, W) -> (N, channels, H, W); H and W at least ``least_side``."""
        image: Tensor = self.tail(self.body(field))
        return image
