"""A small residual network that tells classes apart, and whose last layer describes an image.

Residual blocks of two 3x3 convolutions with batch normalisation (He et al., "Deep Residual Learning", CVPR 2016), a
strided convolution first, so that nothing is computed at full resolution, and the average over the picture last. The
vector before the classes is what distances between sets of images are measured in (Heusel et al., NeurIPS 2017); the
maps of each level are what a perceptual distance compares (Zhang et al., CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))); the second norm starts at zero, the block at the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = _convolution(width, width)
        nn.init.zeros_(self.second[1].weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class Classifier(nn.Module):
    """Give a description of each image, and the logits of its classes.

    Parameters
    ----------
    channels, classes : int
    widths : sequence of int
        Channels per level, finest first; the first level works at half the image's resolution, each further one at
        half of the one before.
    blocks : int
        Residual blocks per level.
    features : int
        Length of the description; 0 takes the average of the last level as it is.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        classes: int = 10,
        widths: Sequence[int] = (40, 64),
        blocks: int = 1,
        features: int = 96,
    ) -> None:
        super().__init__()
        self.size_multiple = 1
        self.levels = nn.ModuleList()
        before = channels
        for index, width in enumerate(widths):
            entry = _convolution(before, width, size=3 if index else 5, stride=2)
            self.levels.append(nn.Sequential(entry, nn.ReLU(), *(ResidualBlock(width) for _ in range(blocks))))
            before = width
        self.widen = nn.Sequential(_convolution(before, features, size=1), nn.ReLU()) if features else nn.Identity()
        self.head = nn.Linear(features or before, classes)

    def maps(self, image: Tensor) -> list[Tensor]:
        """Give the output of each level, finest first: (N, C_l, H_l, W_l)."""
        x = 4 * image - 2  # a photograph's pixels, about centred and of unit size
        outputs = []
        for level in self.levels:
            x = level(x)
            outputs.append(x)
        return outputs

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Describe and classify.

        Parameters
        ----------
        image : (N, C, H, W) float tensor in [0, 1]

        Returns
        -------
        (N, features) float tensor >= 0, and (N, classes) logits
        """
        features = self.widen(self.maps(image)[-1]).mean(dim=(2, 3))
        return features, self.head(features)


def _convolution(before: int, after: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolve and normalise."""
    convolution = nn.Conv2d(before, after, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(convolution, nn.BatchNorm2d(after))
