"""Two sets of pictures compared as wholes: every measure of ``anew.metrics.distribution`` at once."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from anew.metrics.distribution import (
    DensityCoverage,
    KernelDistance,
    Memorisation,
    PrecisionRecall,
    density_coverage,
    frechet_distance,
    kernel_distance,
    memorisation,
    precision_recall,
)
from anew.metrics.distribution.density_coverage import expected_coverage
from anew.metrics.distribution.samples import as_feature_pair

LEAST = 6  # samples a side: one more than the neighbours that density and coverage count


@dataclass(frozen=True)
class SetComparison:
    """How near a set of generated pictures is to a set of real ones.

    Attributes
    ----------
    frechet_distance : float
        0 is best; to be compared at the same counts, and in the same features, alone.
    kernel_distance : KernelDistance
    fidelity : PrecisionRecall
        With 3 neighbours, as in its paper.
    spread : DensityCoverage
        With 5, as in its paper.
    best_coverage : float
        Coverage that as many fresh real pictures have on average.
    copying : Memorisation or None
        Where the pictures that the generator learned from are known.
    """

    frechet_distance: float
    kernel_distance: KernelDistance
    fidelity: PrecisionRecall
    spread: DensityCoverage
    best_coverage: float
    copying: Memorisation | None


def compare_sets(real: ArrayLike, generated: ArrayLike, *, train: ArrayLike | None = None) -> SetComparison:
    """Compare generated pictures with real ones by their features.

    Parameters
    ----------
    real, generated : (N, D), (M, D) arrays of at least 6 samples
        Of the same extractor (``anew.metrics.features.extract``). The real ones should be none that the generator was
        trained on, which it may have learned by heart.
    train : (K, D) array, optional
        What it was trained on, to see whether it copies.

    Returns
    -------
    SetComparison
    """
    x, y = as_feature_pair(real, generated, least=LEAST)
    return SetComparison(
        frechet_distance=frechet_distance(x, y),
        kernel_distance=kernel_distance(x, y),
        fidelity=precision_recall(x, y),
        spread=density_coverage(x, y),
        best_coverage=expected_coverage(len(x), len(y)),
        copying=None if train is None else memorisation(train, y, x),
    )
