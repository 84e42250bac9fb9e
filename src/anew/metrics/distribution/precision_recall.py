"""Precision and recall of a generator: what of it is real, and how much of reality it makes.

Kynkaanniemi, Karras, Laine, Lehtinen and Aila, "Improved Precision and Recall Metric for Assessing Generative Models",
NeurIPS 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.distribution.neighbours import in_balls, radii
from anew.metrics.distribution.samples import Features, as_feature_pair


@dataclass(frozen=True)
class PrecisionRecall:
    """Two shares in [0, 1].

    Attributes
    ----------
    precision : float
        Of the generated samples that lie among the real ones.
    recall : float
        Of the real samples that lie among the generated ones.
    """

    precision: float
    recall: float


def precision_recall(real: ArrayLike, generated: ArrayLike, *, k: int = 3) -> PrecisionRecall:
    """Give precision and recall from the balls around all samples (equations 1 and 2).

    A sample lies among a set if it is no farther from one of its samples than that one's k-th nearest neighbour in the
    set (up to 1e-11 of their squared norms, for rounding). A single outlier with a large ball raises both;
    ``density_coverage`` is built against that.

    Parameters
    ----------
    real, generated : (N, D), (M, D) arrays
    k : int from 1 to min(N, M) - 1
        The paper uses 3.

    Returns
    -------
    PrecisionRecall
    """
    x, y = as_feature_pair(real, generated, least=2)
    return PrecisionRecall(precision=_share_among(x, y, k), recall=_share_among(y, x, k))


def _share_among(x: Features, y: Features, k: int) -> float:
    """Give the share of y that lies in a ball of x."""
    inside = np.zeros(len(y), bool)
    for _, hits in in_balls(x, radii(x, k), y):
        inside |= hits.any(axis=0)
    return float(inside.mean())
