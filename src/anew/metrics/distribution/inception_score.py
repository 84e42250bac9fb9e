"""Inception score: whether a classifier is sure of each image, and sees many classes.

Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen, "Improved Techniques for Training GANs", NeurIPS 2016. The name
is kept though the classifier may be any: say which.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from anew.metrics.error import check_count


@dataclass(frozen=True)
class InceptionScore:
    """A score from 1 to the number of classes.

    Attributes
    ----------
    value : float
        Mean over the splits.
    spread : float
        Standard deviation over the splits.
    """

    value: float
    spread: float


def inception_score(probabilities: ArrayLike, *, splits: int = 10) -> InceptionScore:
    """Score generated images by the exponential of the mean of KL(p(class | image) || p(class)).

    It sees neither whether images of one class differ, nor what real ones look like: 10 perfect images of digits, over
    and over, reach 10. Read coverage beside it.

    Parameters
    ----------
    probabilities : (N, K) array in [0, 1], rows of sum 1
        As ``anew.metrics.features.classify`` gives them.
    splits : int >= 1
        Parts, in the order given, that are scored on their own; fewer if there are fewer samples.

    Returns
    -------
    InceptionScore
    """
    p = np.asarray(probabilities, np.float64)
    if p.ndim != 2 or 0 in p.shape:
        raise ValueError(f"expected probabilities of shape (N, classes), got {p.shape}")
    if not (p >= 0).all() or not np.allclose(p.sum(axis=1), 1, atol=1e-3):
        raise ValueError("expected probabilities: rows that are >= 0 and sum to 1")
    check_count("splits", splits, least=1)
    scores = []
    for part in np.array_split(p, min(splits, len(p))):
        ratio = np.divide(part, part.mean(axis=0), out=np.ones_like(part), where=part > 0)
        scores.append(np.exp((part * np.log(ratio)).sum(axis=1).mean()))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
