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
from anew.metrics.distribution.samples import Features, as_features, check_same_features
from anew.metrics.error import check_count

TIE = 1e-9  # two distances are equal if they differ by less, relatively: the features were rounded


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
        At least 1, to ask about a single image.
    test : (K, D) array
        Real samples that it was not trained on, at least 1; ``copies`` needs 100 to mean what it says.
    pairs : int >= 0
        How many of the nearest pairs to give.

    Returns
    -------
    Memorisation
    """
    check_count("pairs", pairs, least=0)
    x = as_features(train, "training", least=2)
    y, z = as_features(generated, "generated", least=1), as_features(test, "test", least=1)
    check_same_features(x, "training", y, "generated")
    check_same_features(x, "training", z, "test")
    to_train, index = nearest(y, x)
    of_test, test_index = nearest(z, x)
    reach = (1 + TIE) * radii(x, 1)
    worst = np.argsort(to_train, kind="stable")[:pairs]
    return Memorisation(
        nearer_than_test=_chance_of_less(to_train, of_test),
        copies=float((to_train < (1 - TIE) * np.quantile(of_test, 0.01)).mean()),
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
    below = np.searchsorted(ordered, (1 - TIE) * a, side="left")
    not_above = np.searchsorted(ordered, (1 + TIE) * a, side="right")
    return float((len(b) - (below + not_above) / 2).mean() / len(b))
