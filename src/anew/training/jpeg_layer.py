"""JPEG as arithmetic on tensors: whole batches at once, each crop with a quality of its own, on any device.

The steps are those of libjpeg (ITU-T T.81; T.871 for the colours): rounded Y'CbCr, 4:2:0 chroma by means of four and
back by triangle filters, the DCT of 8 x 8 blocks, division by the tables of Annex K scaled to the quality, and back
with rounding. Differences to the codec itself are those of its fixed-point arithmetic: 0.1 to 0.5 levels on average of
photographs, a few at most. Gradients are not meant to pass.
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor

from anew.arrays import LUMA
from anew.jpeg_tables import CHROMINANCE, LUMINANCE, quantisation_table

HALF = 0.5 + 1e-4  # ties, which whole levels make common, are rounded up in spite of float32


@torch.no_grad()
def jpeg(images: Tensor, quality: Tensor, half_chroma: Tensor) -> Tensor:
    """Compress and decompress.

    Parameters
    ----------
    images : (N, 3, H, W) float32 tensor in [0, 1]
        R'G'B'; rounded to 8 bits first. Three equal channels come back equal, as a grey JPEG would be.
    quality : (N,) int64 tensor in [1, 100], on the scale of libjpeg
    half_chroma : (N,) bool tensor
        4:2:0 instead of 4:4:4.

    Returns
    -------
    (N, 3, H, W) float32 tensor in [0, 1], multiples of 1 / 255
    """
    height, width = images.shape[2:]
    with torch.autocast(images.device.type, enabled=False):
        levels = (images.float().clamp(0, 1) * 255).round()
        padding = (0, -width % 16, 0, -height % 16)
        ycc = _to_ycc(torch.nn.functional.pad(levels, padding, mode="replicate"))
        luma, chroma = (table[quality] for table in _tables(images.device))
        small = _quantise(_halve(ycc[:, 1:]), chroma)
        full = _quantise(ycc[:, 1:], chroma)
        wide = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
        wide = torch.floor(wide + HALF)
        colours = torch.where(half_chroma[:, None, None, None], wide, full)
        decoded = _to_rgb(torch.cat([_quantise(ycc[:, :1], luma), colours], dim=1))
        return decoded[:, :, :height, :width] / 255


def grey_of(images: Tensor) -> Tensor:
    """Give the BT.601 luma of (N, 3, H, W), rounded to 8 bits, in three equal channels."""
    weights = torch.tensor(LUMA, device=images.device).reshape(1, 3, 1, 1)
    luma = (images * weights).sum(dim=1, keepdim=True)
    return ((luma * 255).round() / 255).expand_as(images)


def _to_ycc(rgb: Tensor) -> Tensor:
    """Rounded Y'CbCr of R'G'B' levels (T.871, section 7)."""
    red, green, blue = rgb.unbind(1)
    y = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return torch.stack([y, (blue - y) / 1.772 + 128, (red - y) / 1.402 + 128], dim=1).round().clamp(0, 255)


def _to_rgb(ycc: Tensor) -> Tensor:
    """Rounded R'G'B' levels of Y'CbCr."""
    y, cb, cr = ycc[:, 0], ycc[:, 1] - 128, ycc[:, 2] - 128
    green = y - (LUMA[2] * 1.772 * cb + LUMA[0] * 1.402 * cr) / LUMA[1]
    return torch.stack([y + 1.402 * cr, green, y + 1.772 * cb], dim=1).round().clamp(0, 255)


def _halve(planes: Tensor) -> Tensor:
    """Means of four levels, ties down in even columns and up in odd ones, as libjpeg has it."""
    means = torch.nn.functional.avg_pool2d(planes, 2)
    means[..., 0::2] += 0.25
    means[..., 1::2] += 0.5
    return means.floor()


def _quantise(planes: Tensor, table: Tensor) -> Tensor:
    """Round the DCT coefficients of (N, C, H, W) levels to multiples of the (N, 8, 8) tables, and go back."""
    count, channels, height, width = planes.shape
    basis = _basis(planes.device)
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4) - 128
    steps = table[:, None, None, None]
    ratios = basis @ blocks @ basis.T / steps
    coefficients = torch.sign(ratios) * torch.floor(ratios.abs() + HALF) * steps
    decoded = torch.floor(basis.T @ coefficients @ basis + HALF) + 128
    return decoded.clamp(0, 255).transpose(3, 4).reshape(planes.shape)


@functools.cache
def _basis(device: torch.device) -> Tensor:
    """The orthonormal DCT of 8 values, as a matrix."""
    return torch.from_numpy(dct(np.eye(8), axis=0, norm="ortho").astype(np.float32)).to(device)


@functools.cache
def _tables(device: torch.device) -> tuple[Tensor, Tensor]:
    """Luma's and chroma's quantisation tables of all qualities: (101, 8, 8) each; that of quality 0 is not used."""

    def tables_of(base: NDArray[np.int_]) -> Tensor:
        tables = [quantisation_table(max(quality, 1), base) for quality in range(101)]
        return torch.from_numpy(np.stack(tables).astype(np.float32)).to(device)

    return tables_of(LUMINANCE), tables_of(CHROMINANCE)
