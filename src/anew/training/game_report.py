"""How an adversarial game stands: distance, coverage and recall of the images, and plain words when it goes wrong.

Neither player's loss tells how good the images are; these do. Counts are small, so that it is quick: compare the
figures of one run with each other, not with those of a benchmark.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from anew.inference.models import model_names
from anew.metrics.distribution import density_coverage, frechet_distance, precision_recall
from anew.metrics.features import extract, open_extractor

THUMBNAIL = 8  # pixels
SURE = 0.98  # share of pairs that the discriminator ranks right when it has won
WINNING = 0.9
FADED = 0.02  # of the largest gradient so far: the generator learns nothing more
VANISHED = 0.6  # of the best coverage so far: kinds of images are gone
FEW = 0.02  # least coverage at which something has been learned that may vanish


@dataclass
class GameReport:
    """Compares sets of images by features, and keeps those of the real ones.

    Attributes
    ----------
    extractor : str
        A name or path for ``metrics.features``; where it is not shipped or does not fit, thumbnails serve.
    """

    extractor: str
    known: tuple[Tensor, NDArray[np.float32]] | None = None

    def compare(self, real: Tensor, made: Tensor) -> dict[str, float]:
        """Give squared Frechet distance, coverage (k = 5) and recall (k = 3).

        Parameters
        ----------
        real : (N, C, H, W) uint8 tensor
        made : (M, C, H, W) float tensor in [-1, 1]
        """
        if self.known is None or self.known[0] is not real:
            self.known = real, self.features(real.float() / 255)
        x, y = self.known[1], self.features((made.float().clamp(-1, 1) + 1) / 2)
        if not np.isfinite(y).all():
            return {}
        count = min(len(x), len(y))
        scores = {"validation_distance": frechet_distance(x, y)}
        if count > 5:
            scores["validation_coverage"] = density_coverage(x, y, k=5).coverage
            scores["validation_recall"] = precision_recall(x, y, k=3).recall
        return scores

    def features(self, images: Tensor) -> NDArray[np.float32]:
        """Describe (N, C, H, W) images in [0, 1] by a vector each."""
        if fits(self.extractor, images.shape[2]):
            return extract(images.permute(0, 2, 3, 1).cpu().numpy(), self.extractor)
        return np.asarray(adaptive_avg_pool2d(images, THUMBNAIL).flatten(1).cpu().numpy())


def fits(extractor: str, side: int) -> bool:
    """Tell whether an extractor is there, and describes images of this side."""
    there = Path(extractor).is_file() if extractor.endswith(".onnx") else f"features-{extractor}" in model_names()
    if not there:
        return False
    opened = open_extractor(extractor)
    return opened.resizes or opened.size in (None, (side, side))


def describe(extractor: str, side: int) -> str:
    """Say what distances of a run on images of this side are measured in."""
    return f"features-{extractor}" if fits(extractor, side) else f"thumbnails of {THUMBNAIL} x {THUMBNAIL} pixels"


def find_trouble(log: Sequence[dict[str, Any]]) -> str | None:
    """Say in plain words what goes wrong, judged by the entries of the log so far; nothing if all is well."""
    if not log:
        return None
    now, words = log[-1], []
    losses = [value for key, value in now.items() if key.startswith("loss")]
    if not all(math.isfinite(value) for value in losses):
        return "a loss is no number any more: go back to an earlier checkpoint and lower the learning rate"
    if now.get("ranked_right", 0.5) > SURE:
        words.append(
            f"the discriminator wins: it ranks {now['ranked_right']:.1%} of the pairs right; lower its rate, raise r1, "
            "or augment"
        )
    norms = [entry["gradient_generator"] for entry in log if "gradient_generator" in entry]
    if norms and norms[-1] < FADED * max(norms) and now.get("ranked_right", 1.0) > WINNING:
        words.append(
            f"the generator's gradient has faded to {norms[-1] / max(norms):.1%} of what it was: it learns nothing more"
        )
    coverage = [entry["validation_coverage"] for entry in log if "validation_coverage" in entry]
    if coverage and max(coverage) > FEW and coverage[-1] < VANISHED * max(coverage):
        words.append(
            f"modes vanish: coverage fell from {max(coverage):.2f} to {coverage[-1]:.2f}, kinds of images are missing"
        )
    return "; ".join(words) or None
