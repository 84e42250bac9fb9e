"""Kernel distance: the maximum mean discrepancy under a cubic kernel, with a confidence interval.

Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs", ICLR 2018 (there: KID). They average over random
subsets; here all samples are used at once, and the interval comes from the jackknife, so nothing is random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.distribution.samples import Features, as_feature_pair, refuse_overflow, row_blocks, too_few

Z_95 = 1.959963984540054  # two-sided 95% of the normal distribution


@dataclass(frozen=True)
class KernelDistance:
    """A kernel distance, and how sure it is.

    Attributes
    ----------
    value : float
        The unbiased estimate; below 0 by chance where the sets are alike.
    low, high : float
        A 95% confidence interval.
    real, generated : int
        Samples.
    warning : str or None
        That these are too few to compare the figure with others.
    """

    value: float
    low: float
    high: float
    real: int
    generated: int
    warning: str | None


def kernel_distance(real: ArrayLike, generated: ArrayLike) -> KernelDistance:
    """Squared maximum mean discrepancy under k(x, y) = (x.y / D + 1)^3, by the unbiased estimator; 0 is best.

    mean k(x, x') + mean k(y, y') - 2 mean k(x, y) over different samples (Gretton et al., JMLR 13 (2012), equation 3):
    unlike the Frechet distance it does not depend on the number of samples, only its spread does.
    The interval is the jackknife's over the samples of both sets, taken as normal; in simulations with 100 to 500
    samples it held the truth in 82% (one feature with heavy tails) to 99% (many features) of the draws.

    Parameters
    ----------
    real, generated : (N, D), (M, D) arrays, N and M at least 3

    Returns
    -------
    KernelDistance
    """
    x, y = as_feature_pair(real, generated, least=3)
    n, m = len(x), len(y)
    with np.errstate(over="ignore"):
        own_x, own_y = _kernel_of_itself(x), _kernel_of_itself(y)
        refuse_overflow(((n + m) * max(own_x.max(), own_y.max())) ** 2)  # |k(x, y)| <= max(k(x, x), k(y, y))
    within_x, within_y = _row_sums(x, x) - own_x, _row_sums(y, y) - own_y  # (N,), (M,)
    across_x, across_y = _row_sums(x, y), _row_sums(y, x)
    sum_x, sum_y, sum_xy = within_x.sum(), within_y.sum(), across_x.sum()
    mean_x, mean_y = sum_x / (n * (n - 1)), sum_y / (m * (m - 1))
    value = mean_x + mean_y - 2 * sum_xy / (n * m)

    # the estimate without one sample, from the sums of its row
    without_x = (sum_x - 2 * within_x) / ((n - 1) * (n - 2)) + mean_y - 2 * (sum_xy - across_x) / ((n - 1) * m)
    without_y = (sum_y - 2 * within_y) / ((m - 1) * (m - 2)) + mean_x - 2 * (sum_xy - across_y) / ((m - 1) * n)
    variance = (n - 1) * without_x.var() + (m - 1) * without_y.var()
    half = Z_95 * float(np.sqrt(variance))
    return KernelDistance(float(value), float(value) - half, float(value) + half, n, m, too_few(n, m))


def _row_sums(x: Features, y: Features) -> Features:
    """Give the sum over y of k(x, y), for each x."""
    sums = np.empty(len(x))
    for rows in row_blocks(len(x), len(y)):
        kernel = x[rows] @ y.T / x.shape[1] + 1
        sums[rows] = np.einsum("ij,ij,ij->i", kernel, kernel, kernel)
    return sums


def _kernel_of_itself(x: Features) -> Features:
    return (np.einsum("nd,nd->n", x, x) / x.shape[1] + 1) ** 3
