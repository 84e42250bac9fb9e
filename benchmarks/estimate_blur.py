"""Is a synthetic blur recognised and measured? LIVE1, noise of 2 of 255. Run: python benchmarks/estimate_blur.py

Printed per kernel: share of pictures for which the family is right, and among those the median errors of the width
(relative) and of the angle (degrees).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from anew.degradations.blur import blur, defocus, motion
from anew.diagnosis.blur import estimate_blur
from benchmarks.data import load_set

NOISE = 2 / 255


def main() -> None:
    """Measure every kernel and print a table."""
    images = [(x / 255).astype(np.float32) for x in load_set("LIVE1").values()]
    print(f"{'kernel':10}{'width':>6}{'right kind':>12}{'width error':>13}{'angle error':>13}")
    kernels = [("gaussian", w) for w in (1, 1.5, 2, 3)] + [("defocus", r) for r in (2, 3, 5, 8)]
    for kind, width in kernels + [("motion", length) for length in (5, 9, 15, 25)]:
        errors, angles = [], []
        for k, clean in enumerate(images):
            angle = 37 * k % 180
            estimate = estimate_blur(_blurred(clean, kind, width, angle, seed=k))
            if estimate.kind == kind:
                errors.append(abs(estimate.width - width) / width)
                angles.append(abs((estimate.angle - angle + 90) % 180 - 90))
        turned = f"{np.median(angles):13.1f}" if kind == "motion" and angles else ""
        error = np.median(errors) if errors else np.nan
        print(f"{kind:10}{width:6}{len(errors) / len(images):12.1%}{error:13.3f}{turned}")


def _blurred(clean: np.ndarray, kind: str, width: float, angle: float, *, seed: int) -> np.ndarray:
    if kind == "gaussian":
        y = blur(clean, sigma=width).image
    elif kind == "defocus":
        y = defocus(clean, radius=width).image
    else:
        y = motion(clean, length=width, angle=angle).image
    y = y + np.random.default_rng(seed).normal(0, NOISE, y.shape)
    return (np.rint(np.clip(y, 0, 1) * 255) / 255).astype(np.float32)


if __name__ == "__main__":
    main()
