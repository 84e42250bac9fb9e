"""Convolutional autoencoder: an encoder, a narrow middle at a quarter of the resolution, a decoder, and no skips.

Everything that the result holds has passed the middle (Vincent et al., "Stacked Denoising Autoencoders", JMLR 11, 2010;
convolutional and for images: Mao, Shen and Yang, NeurIPS 2016, whose skips are left out here). It consists of the
U-Net's blocks at the U-Net's cost, so that the difference between the two is what the skips are worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from anew.networks.noise_map import fold, halo_for, initialise
from anew.networks.unet import ResidualBlock


class Autoencoder(nn.Module):
    """Remove noise of a known level by coding the image and decoding it again.

    Parameters
    ----------
    channels : int
        Of the image; 3 or 1.
    widths : sequence of int
        Feature channels per level, finest first; each level halves the resolution. The last one is the code.
    blocks : int
        Residual blocks per level, in the encoder and again in the decoder.
    middle_blocks : int
        Residual blocks at the coarsest level.
    unshuffle : int
        The first level works at 1 / unshuffle of the image's resolution.
    """

    def __init__(
        self,
        *,
        channels: int = 3,
        widths: Sequence[int] = (64, 128),
        blocks: int = 1,
        middle_blocks: int = 4,
        unshuffle: int = 2,
    ) -> None:
        super().__init__()
        self.unshuffle = unshuffle
        self.size_multiple = unshuffle * 2 ** (len(widths) - 1)
        folded = channels * unshuffle**2
        self.head = nn.Conv2d(folded + 1, widths[0], 3, padding=1)
        encoder: list[nn.Module] = []
        decoder: list[nn.Module] = []
        for fine, coarse in itertools.pairwise(widths):
            encoder += [*(ResidualBlock(fine) for _ in range(blocks)), nn.Conv2d(fine, coarse, 2, stride=2)]
            decoder = [nn.Conv2d(coarse, 4 * fine, 1), nn.PixelShuffle(2), *_blocks(fine, blocks), *decoder]
        self.encoder = nn.Sequential(*encoder, *_blocks(widths[-1], middle_blocks))
        self.decoder = nn.Sequential(*decoder)
        self.tail = nn.Conv2d(widths[0], folded, 3, padding=1)
        initialise(self, *(m.second for m in self.modules() if isinstance(m, ResidualBlock)), self.tail)
        convolutions = [4 * blocks] * (len(widths) - 1) + [2 * middle_blocks]  # 3x3, per level
        convolutions[0] += 2
        scales = [unshuffle * 2**level for level in range(len(widths))]
        self.reach = sum(n * s for n, s in zip(convolutions, scales, strict=True)) + scales[-1] - 1
        self.halo = halo_for(self.reach, self.size_multiple)

    def forward(self, noisy: Tensor, sigma: Tensor) -> Tensor:
        """Denoise.

        Parameters
        ----------
        noisy : (N, C, H, W) float tensor, nominally in [0, 1]; H and W multiples of ``size_multiple``
        sigma : (N, 1, 1, 1) or (N, 1, H, W) float tensor
            Noise standard deviation in units of the range.
        """
        code = self.encoder(torch.relu(self.head(fold(noisy, sigma, self.unshuffle))))
        return 0.5 + nn.functional.pixel_shuffle(self.tail(self.decoder(code)), self.unshuffle)


def _blocks(width: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(width) for _ in range(count)]
