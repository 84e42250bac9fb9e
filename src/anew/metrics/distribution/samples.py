"""What all measures of sets check first, and how many samples they need before they can be compared with others'."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Features = NDArray[np.float64]

ENOUGH = 2048  # samples a side, below which a figure is not to be compared with figures of other sample sizes
BLOCK_VALUES = 4_000_000  # of a block of a distance matrix: 32 MB


def as_features(features: ArrayLike, name: str, *, least: int) -> Features:
    """Check features and give them as float64.

    Parameters
    ----------
    features : (N, D) array
    name : str
        What they are called in the error.
    least : int
        Samples that are needed.

    Raises
    ------
    ValueError
        If the shape is wrong, there are too few, or a value is not finite.
    """
    x = np.asarray(features, np.float64)
    if x.ndim != 2 or x.shape[1] == 0:
        raise ValueError(f"expected {name} features of shape (N, D), got {x.shape}; see anew.metrics.features.extract")
    if len(x) < least:
        raise ValueError(f"at least {least} {name} samples are needed, got {len(x)}")
    if not np.isfinite(x).all():
        raise ValueError(f"the {name} features hold NaN or infinite values")
    return x


def as_feature_pair(real: ArrayLike, generated: ArrayLike, *, least: int) -> tuple[Features, Features]:
    """Check two sets of features of the same extractor."""
    x, y = as_features(real, "real", least=least), as_features(generated, "generated", least=least)
    check_same_features(x, "real", y, "generated")
    return x, y


def check_same_features(x: Features, x_name: str, y: Features, y_name: str) -> None:
    """Refuse two sets whose vectors have different lengths."""
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"both sets need the same features; {x_name} ones have {x.shape[1]}, {y_name} {y.shape[1]}")


def refuse_overflow(bound: float) -> None:
    """Refuse features if a bound of what is computed from them overflowed."""
    if not np.isfinite(bound):
        raise ValueError("the features are too large for float64; divide both sets by the same number")


def too_few(real: int, generated: int) -> str | None:
    """Say in one line that there are too few samples to compare a figure with others, or None."""
    if min(real, generated) >= ENOUGH:
        return None
    return (
        f"{real} real and {generated} generated samples; with fewer than {ENOUGH} the figures vary and are biased, so "
        "compare them only with figures of the same counts"
    )


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Cut the rows of a (rows, columns) matrix into blocks of bounded size."""
    step = max(1, BLOCK_VALUES // max(1, columns))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))
