"""Mild damage as augmentation: some of ``anew.degradations``, with values kept in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from anew.arrays import Image
from anew.degradations.catalogue import degrade_with_truth


def damage(name: str) -> Callable[..., Image]:
    """Give the degradation of that name as a function of an image; ``seed`` for those that are random."""

    def apply(image: Image, *, seed: int | None = None, **parameters: Any) -> Image:
        return np.clip(degrade_with_truth(image, name, rng=seed, **parameters).image, 0, 1)

    return apply
