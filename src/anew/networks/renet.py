"""ReNet: rows and columns read as sequences, in both directions each, by gated recurrent units.

Visin et al., "ReNet: A Recurrent Neural Network Based Alternative to Convolutional Networks", arXiv:1505.00393 (2015):
a layer sweeps a bidirectional GRU along every row, and another along every column of what came out, so that after one
layer every place has seen the whole image. For restoration the layers stand between residual blocks of convolutions and
their results are added, as fine detail is the convolutions' strength and long structure the sweeps'.
"""

from __future__ import annotations

from torch import Tensor, nn

from anew.networks.noise_map import fold, initialise
from anew.networks.unet import ResidualBlock

HALO = 64  # pixels; a sweep's memory has no sharp end, its gates decide how far it reaches


class Sweep(nn.Module):
    """A bidirectional GRU along the rows of a feature map, of any height and width.

    Parameters
    ----------
    width : int
        Channels in and out; even, half of them for each direction.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W): states of the sweep to the right, then of the sweep to the left."""
        n, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(n * height, width, channels)
        states, _ = self.gru(rows)
        return states.reshape(n, height, width, channels).permute(0, 3, 1, 2)


class SweepBlock(nn.Module):
    """x + conv(columns(rows(x)))."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rows, self.columns = Sweep(width), Sweep(width)
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        swept = self.columns(self.rows(x).transpose(2, 3)).transpose(2, 3)
        return x + self.mix(swept)


class ReNet(nn.Module):
    """Remove noise of a known level.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    width : int
        Feature channels; even.
    blocks : int
        Residual blocks of convolutions at 1 / unshuffle of the resolution, half of them before the sweeps.
    layers : int
        Sweep blocks, each before a residual block, at half of that resolution.
    coarse_width : int
        Feature channels there; even.
    unshuffle : int
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        width: int = 64,
        blocks: int = 2,
        layers: int = 4,
        coarse_width: int = 96,
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        self.unshuffle, self.size_multiple, self.halo = unshuffle, 2 * unshuffle, HALO
        folded = channels * unshuffle**2
        self.head = nn.Conv2d(folded + 1, width, 3, padding=1)
        self.before = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks // 2)))
        self.shrink = nn.Conv2d(width, coarse_width, 2, stride=2)
        self.sweeps = nn.Sequential(
            *(part for _ in range(layers) for part in (SweepBlock(coarse_width), ResidualBlock(coarse_width)))
        )
        self.grow = nn.Conv2d(coarse_width, 4 * width, 1)
        self.after = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks - blocks // 2)))
        self.tail = nn.Conv2d(width, folded, 3, padding=1)
        added = [m.second for m in self.modules() if isinstance(m, ResidualBlock)]
        added += [m.mix for m in self.modules() if isinstance(m, SweepBlock)]
        initialise(self, *added, self.tail)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        fine = self.before(self.head(fold(noisy, sigma, self.unshuffle)))
        coarse = self.sweeps(self.shrink(fine))
        x = self.after(fine + nn.functional.pixel_shuffle(self.grow(coarse), 2))
        return noisy - nn.functional.pixel_shuffle(self.tail(x), self.unshuffle)
