"""How near a set of generated images is to a set of real ones, judged on arrays of features, (N, D)."""

from anew.metrics.distribution.density_coverage import DensityCoverage, density_coverage
from anew.metrics.distribution.frechet import frechet_distance, frechet_distance_of_gaussians
from anew.metrics.distribution.inception_score import InceptionScore, inception_score
from anew.metrics.distribution.kernel import KernelDistance, kernel_distance
from anew.metrics.distribution.memorisation import Memorisation, memorisation
from anew.metrics.distribution.precision_recall import PrecisionRecall, precision_recall

__all__ = [
    "DensityCoverage",
    "InceptionScore",
    "KernelDistance",
    "Memorisation",
    "PrecisionRecall",
    "density_coverage",
    "frechet_distance",
    "frechet_distance_of_gaussians",
    "inception_score",
    "kernel_distance",
    "memorisation",
    "precision_recall",
]
