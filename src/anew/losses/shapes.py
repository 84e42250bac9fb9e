"""The check of losses that compare two tensors element by element, which torch would broadcast without a word."""

from __future__ import annotations

from torch import Tensor


def check_same_shape(a: Tensor, b: Tensor) -> None:
    """Refuse two tensors of different shapes."""
    if a.shape != b.shape:
        raise ValueError(f"expected two tensors of the same shape, got {tuple(a.shape)} and {tuple(b.shape)}")
