"""Frechet distance between Gaussians fitted to two sets of features.

Dowson and Landau, "The Frechet distance between multivariate normal distributions", J. Multivariate Analysis 12 (1982);
as a distance between sets of images: Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, NeurIPS 2017. As there, the
number is the *squared* distance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.distribution.samples import Features, as_feature_pair, row_blocks


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
    return frechet_distance_of_gaussians(*_moments(x), *_moments(y))


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
    """
    m_a, m_b = np.asarray(mean_a, np.float64), np.asarray(mean_b, np.float64)
    a, b = np.asarray(covariance_a, np.float64), np.asarray(covariance_b, np.float64)
    values, vectors = np.linalg.eigh(a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ b @ root
    trace = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    squared = float((m_a - m_b) @ (m_a - m_b) + np.trace(a) + np.trace(b) - 2 * trace)
    return max(squared, 0.0)


def _moments(x: Features) -> tuple[Features, Features]:
    """Give mean and covariance, the latter summed over blocks."""
    mean = x.mean(axis=0)
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for rows in row_blocks(*x.shape):
        centred = x[rows] - mean
        covariance += centred.T @ centred
    return mean, covariance / (len(x) - 1)
