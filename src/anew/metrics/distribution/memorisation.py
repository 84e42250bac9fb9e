"""Whether a generator copies: generated samples against those it was trained on, with fresh real ones to compare.

Distances to the nearest training sample, ranked against those of held-out real samples: Meehan, Chaudhuri and Dasgupta,
"A Non-Parametric Test to Detect Data-Copying in Generative Models", AISTATS 2020. Authenticity: Alaa, van Breugel,
Saveliev and van der Schaar, "How Faithful is your Synthetic Data?", ICML 2022.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.metrics.distribution.neighbours import nearest, radii
from anew.metrics.distribution.samples import Features, as_feature_pair, as_features


@dataclass(frozen=True)
class Memorisation:
    """How near generated samples are to training samples.

    Attributes
    ----------
    nearer_than_test : float in [0, 1]
        Chance that a generated sample is nearer to its nearest training sample than a held-out real one to its own
        (ties count half): 0.5 for an ideal generator, 1 for one that copies, below 0.5 for one that makes things
        unlike the data.
    copies : float in [0, 1]
        Share of generated samples that are nearer to a training sample than 99 in 100 held-out real ones are: about
        0.01 for an ideal generator.
    authentic, authentic_test : float in [0, 1]
        Share of samples that are farther from their nearest training sample than that one is from its nearest other
        training sample; of the generated ones, and of the held-out real ones.
    median, median_test : float
        Median distance to the nearest training sample.
    pairs : (P, 2) int64 array
        The most suspicious: indices of generated sample and training sample, nearest first.
    distances : (P,) float64 array
        Of these pairs.
    """

    nearer_than_test: float
    copies: float
    authentic: float
    authentic_test: float
    median: float
    median_test: float
    pairs: NDArray[np.int64]
    distances: NDArray[np.float64]


def memorisation(train: ArrayLike, generated: ArrayLike, test: ArrayLike, *, pairs: int = 16) -> Memorisation:
    """Compare the distances generated -> train with the distances test -> train.

    Parameters
    ----------
    train : (N, D) array
        What the generator was trained on, at least 2.
    generated : (M, D) array
    test : (K, D) array
        Real samples that it was not trained on.
    pairs : int >= 0
        How many of the nearest pairs to give.

    Returns
    -------
    Memorisation
    """
    x, y = as_feature_pair(train, generated, least=2)
    _, z = as_feature_pair(x, as_features(test, "test", least=2), least=2)
    to_train, index = nearest(y, x)
    of_test, test_index = nearest(z, x)
    reach = radii(x, 1)
    worst = np.argsort(to_train, kind="stable")[:pairs]
    return Memorisation(
        nearer_than_test=_chance_of_less(to_train, of_test),
        copies=float((to_train < np.quantile(of_test, 0.01)).mean()),
        authentic=float((to_train > reach[index]).mean()),
        authentic_test=float((of_test > reach[test_index]).mean()),
        median=float(np.median(to_train)),
        median_test=float(np.median(of_test)),
        pairs=np.stack([worst, index[worst]], axis=1),
        distances=to_train[worst],
    )


def _chance_of_less(a: Features, b: Features) -> float:
    """Give the share of pairs with a < b, ties counted half: the Mann-Whitney U statistic over the number of pairs."""
    ordered = np.sort(b)
    above = len(b) - np.searchsorted(ordered, a, side="right")
    ties = np.searchsorted(ordered, a, side="right") - np.searchsorted(ordered, a, side="left")
    return float((above + ties / 2).mean() / len(b))
