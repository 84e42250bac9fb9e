"""Density and coverage: fidelity and diversity that one outlier cannot raise.

Naeem, Oh, Uh, Choi and Yoo, "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.distribution.neighbours import check_neighbours, in_balls, radii
from anew.metrics.distribution.samples import as_feature_pair
from anew.metrics.error import check_count


@dataclass(frozen=True)
class DensityCoverage:
    """Fidelity and diversity.

    Attributes
    ----------
    density : float >= 0
        Mean number of real balls that a generated sample lies in, divided by k; about 1 for equal distributions, more
        where the generator prefers the densest places.
    coverage : float in [0, 1]
        Share of the real samples whose ball holds a generated one.
    """

    density: float
    coverage: float


def density_coverage(real: ArrayLike, generated: ArrayLike, *, k: int = 5) -> DensityCoverage:
    """Give density and coverage (equations 3 and 5).

    The ball of a real sample reaches to its k-th nearest other real one, which lies in it (up to 1e-11 of the squared
    norms, for rounding). For equal distributions density has the mean 1, and coverage the mean that
    ``expected_coverage`` gives: 1 - 2^-k for many samples, 0.969 for k = 5.

    Parameters
    ----------
    real, generated : (N, D), (M, D) arrays
    k : int from 1 to N - 1
        The paper uses 5.

    Returns
    -------
    DensityCoverage
    """
    x, y = as_feature_pair(real, generated, least=2)
    inside, covered = 0, np.zeros(len(x), bool)
    for rows, hits in in_balls(x, radii(x, k), y):
        inside += int(hits.sum())
        covered[rows] = hits.any(axis=1)
    return DensityCoverage(density=inside / (k * len(y)), coverage=float(covered.mean()))


def expected_coverage(real: int, generated: int, *, k: int = 5) -> float:
    """Give the mean coverage of samples of one continuous distribution, exactly.

    A ball is missed if the k nearest of all other samples are real ones:
    1 - (N-1)...(N-k) / ((M+N-1)...(M+N-k)), lemma 1 of the paper.

    Parameters
    ----------
    real, generated : int >= 2, int >= 1
        N and M.
    k : int from 1 to N - 1
    """
    check_count("real", real, least=2)
    check_count("generated", generated, least=1)
    check_neighbours(k, real)
    missed = 1.0
    for i in range(1, k + 1):
        missed *= (real - i) / (real + generated - i)
    return 1 - missed
