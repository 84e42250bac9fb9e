"""Frechet distance between Gaussians fitted to two sets of features.

Dowson and Landau, "The Frechet distance between multivariate normal distributions", J. Multivariate Analysis 12 (1982);
as a distance between sets of images: Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, NeurIPS 2017. As there, the
number is the *squared* distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.distribution.samples import Features, as_feature_pair, refuse_overflow, row_blocks

TOLERANCE = 1e-5  # of the largest entry or eigenvalue: what rounding to float32 may do to a covariance


def frechet_distance(real: ArrayLike, generated: ArrayLike) -> float:
    """Squared Frechet distance of two sets of features; 0 is best.

    Mean and covariance (divided by N - 1) of each set, then ``frechet_distance_of_gaussians``. It is biased upwards,
    the more so the fewer samples there are: compare only figures of the same counts, and of the same extractor.

    Parameters
    ----------
    real, generated : (N, D), (M, D) arrays, N and M at least 2

    Returns
    -------
    float >= 0

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(500, 4))
    >>> round(frechet_distance(x, x + 0.5), 6)
    1.0
    """
    x, y = as_feature_pair(real, generated, least=2)
    with np.errstate(over="ignore", invalid="ignore"):  # refused by _distance
        moments = *_moments(x), *_moments(y)
    return _distance(*moments)


def frechet_distance_of_gaussians(
    mean_a: ArrayLike, covariance_a: ArrayLike, mean_b: ArrayLike, covariance_b: ArrayLike
) -> float:
    """Squared Frechet (2-Wasserstein) distance of two Gaussians.

    |m_a - m_b|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2), equation 4 of Dowson and Landau. The product is symmetric and
    positive semi-definite, so its square root has the trace of the square roots of its eigenvalues: no complex
    numbers, and no constant added to singular covariances.

    Parameters
    ----------
    mean_a, mean_b : (D,) arrays
    covariance_a, covariance_b : (D, D) arrays, symmetric, positive semi-definite
        Up to 1e-5 of the largest entry and eigenvalue, for rounding.

    Raises
    ------
    ValueError
        If the shapes do not fit, a value is not finite, or a covariance is none.
    """
    m_a, a = _as_gaussian(mean_a, covariance_a)
    m_b, b = _as_gaussian(mean_b, covariance_b)
    if len(m_a) != len(m_b):
        raise ValueError(f"both Gaussians need the same dimension, got {len(m_a)} and {len(m_b)}")
    return _distance(m_a, a, m_b, b)


def _as_gaussian(mean: ArrayLike, covariance: ArrayLike) -> tuple[Features, Features]:
    """Check a mean and a covariance and give them as float64."""
    m, c = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    if m.ndim != 1 or c.shape != (len(m), len(m)) or len(m) == 0:
        raise ValueError(f"expected a mean of shape (D,) and a covariance of shape (D, D), got {m.shape} and {c.shape}")
    if not (np.isfinite(m).all() and np.isfinite(c).all()):
        raise ValueError("a mean or covariance holds NaN or infinite values")
    if np.abs(c - c.T).max() > TOLERANCE * np.abs(c).max():
        raise ValueError("expected a symmetric covariance, got one that differs from its transpose")
    values = np.linalg.eigvalsh(c)
    if values[0] < -TOLERANCE * np.abs(values).max():
        raise ValueError(f"expected a covariance with eigenvalues >= 0, the least is {values[0]:g}")
    return m, c


def _distance(m_a: Features, a: Features, m_b: Features, b: Features) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        gap, trace_a, trace_b = (m_a - m_b) @ (m_a - m_b), np.trace(a), np.trace(b)
        refuse_overflow(gap + trace_a + trace_b + trace_a * trace_b)  # the traces bound all entries and eigenvalues
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ b @ root
    trace = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    squared = float(gap + trace_a + trace_b - 2 * trace)
    return max(squared, 0.0)


def _moments(x: Features) -> tuple[Features, Features]:
    """Give mean and covariance, the latter summed over blocks."""
    mean = x.mean(axis=0)
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for rows in row_blocks(*x.shape):
        centred = x[rows] - mean
        covariance += centred.T @ centred
    return mean, covariance / (len(x) - 1)
