"""Convolutional LSTM: the estimate is refined step by step by cells that remember, with the same weights in each step.

The cell is that of Shi et al., "Convolutional LSTM Network", NeurIPS 2015, equation 3, without the peephole terms. It
is unrolled over refinements of one image instead of over time, as in PReNet (Ren et al., "Progressive Image Deraining
Networks", CVPR 2019): each step sees the noisy image and the last estimate, and the cell carries what the steps before
have found out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from anew.networks.noise_map import fold, halo_for, initialise
from anew.networks.unet import ResidualBlock


class ConvLSTMCell(nn.Module):
    """One step of a convolutional LSTM.

    Parameters
    ----------
    width : int
        Channels of the input, of the state and of the memory.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)

    def forward(self, x: Tensor, hidden: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Give the new (hidden state, memory); all are (N, width, H, W).

        i, f, o = sigmoid(W * [x, h]), g = tanh(W_g * [x, h]);  c' = f c + i g;  h' = o tanh(c').
        """
        i, f, o, g = self.gates(torch.cat([x, hidden], dim=1)).chunk(4, dim=1)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(memory), memory


class ConvLSTM(nn.Module):
    """Remove noise of a known level.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    width : int
        Feature channels.
    blocks : int
        Residual blocks after the cell, in each step.
    iterations : int
        Number of refinements.
    unshuffle : int
        The features are at 1 / unshuffle of the image's resolution.
    """

    def __init__(
        self, *, channels: int = 3, width: int = 32, blocks: int = 2, iterations: int = 4, unshuffle: int = 2
    ) -> None:
        super().__init__()
        self.unshuffle = self.size_multiple = unshuffle
        self.iterations = iterations
        folded = channels * unshuffle**2
        self.head = nn.Conv2d(2 * folded + 1, width, 3, padding=1)
        self.cell = ConvLSTMCell(width)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, folded, 3, padding=1)
        initialise(self, *(m.second for m in self.blocks), self.tail)
        nn.init.constant_(self.cell.gates.bias[: 3 * width], 1.0)  # all gates open, until told otherwise
        self.reach = iterations * (3 + 2 * blocks) * unshuffle + unshuffle - 1
        self.halo = halo_for(self.reach, self.size_multiple)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        observed = fold(noisy, sigma, self.unshuffle)
        estimate = observed[:, :-1]
        hidden = memory = observed.new_zeros(()).expand(len(noisy), self.head.out_channels, *observed.shape[2:])
        for _ in range(self.iterations):
            features = torch.relu(self.head(torch.cat([observed, estimate], dim=1)))
            hidden, memory = self.cell(features, hidden, memory)
            estimate = estimate - self.tail(self.blocks(hidden))
        return nn.functional.pixel_shuffle(estimate, self.unshuffle)
