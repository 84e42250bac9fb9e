"""Judge changed light: no detail may be lost in black or white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.restoration.checks.verdict import Verdict
from anew.restoration.uncertainty import local_spread

DETAIL = 2 / 255  # local spread of what is worth keeping
MOST_CLIPPED = 0.03  # of the picture, where there was detail; highlights that were darkened may become white again
LEAST_CONTRAST = 0.5  # of what it was, or the picture is flattened


def check_relit(image: Image, relit: Image) -> Verdict:
    """Judge changed light: no detail may be lost in black or white, and differences must not vanish."""
    before, after = _clipped(image), _clipped(relit)
    newly = np.zeros(image.shape[:2], bool)
    for c in range(image.shape[2]):
        newly |= after[:, :, c] & ~before[:, :, c]
    lost = float(np.mean(newly & (local_spread(image, 1.5) > DETAIL)))
    spread = float(luminance(relit).std()) / max(float(luminance(image).std()), 1e-6)
    figures = {
        "clipped_before": round(float(before.mean()), 5),
        "clipped_after": round(float(after.mean()), 5),
        "detail_clipped": round(lost, 5),
        "contrast_gain": round(spread, 3),
    }
    if lost > MOST_CLIPPED:
        return Verdict(False, f"it would clip {lost:.1%} of the picture where there is detail now", figures)
    if spread < LEAST_CONTRAST:
        return Verdict(False, "it would flatten the picture", figures)
    return Verdict(True, f"blacks and whites keep their detail ({lost:.1%} of it is clipped)", figures)


def _clipped(image: Image) -> NDArray[np.bool_]:
    return (image <= 0.5 / 255) | (image >= 1 - 0.5 / 255)
