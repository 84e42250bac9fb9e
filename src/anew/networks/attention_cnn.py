"""A U-Net whose coarse level looks around by self-attention within windows.

Attention among the places of one window, with learned weights for their relative positions, and every other time in
windows moved by half a side, so that neighbours across a border meet (Liu et al., "Swin Transformer", ICCV 2021; for
restoration: Liang et al., "SwinIR", ICCVW 2021). Queries and keys are compared by their angle (Swin V2, CVPR 2022),
which needs no normalisation of the features. At the border of the image the windows are cut: what lies outside is
masked, not filled up, so any size is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.noise_map import fold, halo_for, initialise
from anew.networks.unet import ResidualBlock

OUTSIDE = -1e4  # added to the logits of masked places; exp of it is 0 in every precision


class WindowAttention(nn.Module):
    """x + conv(attention(x)) within windows.

    Parameters
    ----------
    width : int
        Channels; a multiple of ``heads``.
    heads : int
    window : int
        Side of the windows, in pixels of the feature map; even.
    moved : bool
        Whether the grid of windows begins half a side outside the map.
    """

    def __init__(self, width: int, *, heads: int, window: int, moved: bool) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, {heads}, not {width}")
        self.heads, self.window, self.start = heads, window, window // 2 if moved else 0
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.mix = nn.Conv2d(width, width, 1)
        self.log_scale = nn.Parameter(torch.full((heads, 1, 1), 10.0).log())
        self.position = nn.Parameter(torch.zeros(heads, (2 * window - 1) ** 2))
        y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        place = torch.stack([y, x]).flatten(1)
        apart = place[:, :, None] - place[:, None] + window - 1  # (2, window^2, window^2), from 0 to 2 window - 2
        self.register_buffer("apart", (apart[0] * (2 * window - 1) + apart[1]).flatten(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        height, width = x.shape[2:]
        q, k, v = self._split(self.qkv(x))  # (N, windows, heads, window^2, C / heads)
        inside = self._split_one(torch.ones_like(x[:1, :1]))[:, :, None, :, 0]  # (1, windows, 1, window^2)
        places = self.window**2
        bias = self.position[:, self.apart].reshape(self.heads, places, places)
        q, k = nn.functional.normalize(q, dim=-1), nn.functional.normalize(k, dim=-1)
        logits = self.log_scale.exp() * (q @ k.transpose(-2, -1)) + bias + OUTSIDE * (1 - inside[:, :, :, None])
        attended = logits.softmax(dim=-1).to(v.dtype) @ v
        return x + self.mix(self._join(attended, height, width))

    def _split(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 3 C, H, W) -> queries, keys and values of the heads, by windows."""
        windows = self._split_one(features)
        n, count, places, channels = windows.shape
        heads = windows.reshape(n, count, places, 3, self.heads, channels // (3 * self.heads)).permute(3, 0, 1, 4, 2, 5)
        return heads[0], heads[1], heads[2]

    def _split_one(self, features: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, windows, window^2, C), zero outside the map."""
        n, channels, height, width = features.shape
        side = self.window
        rows, columns = self._grid(height, width)
        padded = nn.functional.pad(features, (self.start, side, self.start, side))[
            :, :, : rows * side, : columns * side
        ]
        tiles = padded.reshape(n, channels, rows, side, columns, side).permute(0, 2, 4, 3, 5, 1)
        return tiles.reshape(n, rows * columns, side * side, channels)

    def _join(self, windows: Tensor, height: int, width: int) -> Tensor:
        """(N, windows, heads, window^2, C / heads) -> (N, C, H, W)."""
        n, _, _, _, depth = windows.shape
        side = self.window
        rows, columns = self._grid(height, width)
        tiles = windows.reshape(n, rows, columns, self.heads, side, side, depth).permute(0, 3, 6, 1, 4, 2, 5)
        padded = tiles.reshape(n, self.heads * depth, rows * side, columns * side)
        return padded[:, :, self.start : self.start + height, self.start : self.start + width]

    def _grid(self, height: int, width: int) -> tuple[int, int]:
        """Give the number of windows down and across."""
        more = self.start + self.window - 1
        return (height + more) // self.window, (width + more) // self.window


class AttentionCNN(nn.Module):
    """Remove noise of a known level.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    widths : pair of int
        Feature channels at 1 / unshuffle of the resolution, and at half of that.
    blocks : int
        Residual blocks at the finer level, on the way down and again on the way up.
    layers : int
        Pairs of a residual block and an attention, at the coarser level.
    heads, window : int
        Of the attention; the window is measured in pixels of the coarser level.
    unshuffle : int
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        widths: Sequence[int] = (64, 96),
        blocks: int = 1,
        layers: int = 5,
        heads: int = 3,
        window: int = 8,
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        fine, coarse = widths
        self.unshuffle, self.size_multiple = unshuffle, 2 * unshuffle
        folded = channels * unshuffle**2
        self.head = nn.Conv2d(folded + 1, fine, 3, padding=1)
        self.before = nn.Sequential(*(ResidualBlock(fine) for _ in range(blocks)))
        self.shrink = nn.Conv2d(fine, coarse, 2, stride=2)
        self.middle = nn.Sequential(
            *(
                part
                for layer in range(layers)
                for part in (
                    ResidualBlock(coarse),
                    WindowAttention(coarse, heads=heads, window=window, moved=layer % 2 == 1),
                )
            )
        )
        self.grow = nn.Conv2d(coarse, 4 * fine, 1)
        self.after = nn.Sequential(*(ResidualBlock(fine) for _ in range(blocks)))
        self.tail = nn.Conv2d(fine, folded, 3, padding=1)
        added = [m.second for m in self.modules() if isinstance(m, ResidualBlock)]
        added += [m.mix for m in self.modules() if isinstance(m, WindowAttention)]
        initialise(self, *added, self.tail)
        self.reach = _reach(unshuffle, 2 * blocks + 1, layers, window)
        self.halo = halo_for(self.reach, self.size_multiple * window)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        fine = self.before(self.head(fold(noisy, sigma, self.unshuffle)))
        coarse = self.middle(self.shrink(fine))
        x = self.after(fine + nn.functional.pixel_shuffle(self.grow(coarse), 2))
        return noisy - nn.functional.pixel_shuffle(self.tail(x), self.unshuffle)


def _reach(unshuffle: int, fine: int, layers: int, window: int) -> int:
    """Give how far from a pixel the input may lie that it depends on: walk back from every place of the grid."""
    grid = 2 * unshuffle * window
    farthest = 0
    for pixel in range(grid):
        cell = (pixel // unshuffle - fine) // 2  # at the coarser level, after the convolutions of the finer one
        for layer in reversed(range(layers)):
            start = window // 2 if layer % 2 else 0
            cell = (cell + start) // window * window - start  # the window's first place
            cell -= 2  # the residual block before it
        farthest = max(farthest, pixel - (2 * cell - fine) * unshuffle)
    return farthest
