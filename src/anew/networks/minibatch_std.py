"""Minibatch standard deviation: a discriminator sees how much the images of a batch differ."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchStd(nn.Module):
    """Add one feature map that holds the standard deviation over a group of images, averaged over features and places.

    Parameters
    ----------
    group : int
        Images that are compared; a batch that it does not divide is one group.

    References
    ----------
    Karras et al., "Progressive Growing of GANs", ICLR 2018, section 3; groups as in StyleGAN.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + 1, H, W)."""
        count = len(x)
        group = self.group if count % self.group == 0 else count
        apart = x.reshape(group, count // group, -1)  # images n, n + N / group, ... stand together
        variance = (apart - apart.mean(dim=0)).square().mean(dim=0)
        spread = (variance + 1e-8).sqrt().mean(dim=1).repeat(group)
        return torch.cat([x, spread[:, None, None, None].expand(-1, 1, *x.shape[2:])], dim=1)
