"""Losses that compare images pixel by pixel, or frequency by frequency."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from anew.losses.shapes import check_same_shape

Loss = Callable[[Tensor, Tensor], Tensor]


def l1(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean absolute error: its minimiser is the conditional median, and its gradient does not fade near the goal."""
    check_same_shape(x_hat, x)
    return (x_hat - x).abs().mean()


def mse(x_hat: Tensor, x: Tensor) -> Tensor:
    """Mean squared error: its minimiser is the conditional mean, the best PSNR."""
    check_same_shape(x_hat, x)
    return (x_hat - x).square().mean()


def charbonnier(x_hat: Tensor, x: Tensor, eps: float = 1e-3) -> Tensor:
    """Smooth L1, sqrt(d^2 + eps^2) (Charbonnier et al., ICIP 1994)."""
    check_same_shape(x_hat, x)
    return ((x_hat - x).square() + eps * eps).sqrt().mean()


def fft(x_hat: Tensor, x: Tensor) -> Tensor:
    """L1 plus 0.05 times the L1 of the orthonormal Fourier coefficients (Cho et al., MIMO-UNet, ICCV 2021)."""
    check_same_shape(x_hat, x)
    difference = torch.fft.rfft2((x_hat - x).float(), norm="ortho")
    return l1(x_hat, x) + 0.05 * torch.view_as_real(difference).abs().mean()


LOSSES: dict[str, Loss] = {"l1": l1, "mse": mse, "charbonnier": charbonnier, "fft": fft}
