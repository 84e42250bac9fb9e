"""Score a robust upscaler on damaged pictures, beside bicubic, the default upscaler, and repair in steps.

``python -m benchmarks.score_robust runs/robust/model.onnx [--write]``
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

import anew
from anew.degradations.downscale import resize_bicubic
from anew.degradations.jpeg import compress
from benchmarks.data import load_set, psnr
from benchmarks.score_model import write_card

Pixels = NDArray[np.float32]
SCALES = (2, 3, 4)
DAMAGES = {  # blur before shrinking, as a share of the scale in pixels; sigma of the noise of 255; JPEG quality
    "nothing": (0.0, 0.0, 0),
    "blur": (0.5, 0.0, 0),
    "noise": (0.0, 10.0, 0),
    "JPEG": (0.0, 0.0, 50),
    "blur, noise, JPEG": (0.4, 6.0, 60),
}
PROTOCOL = (
    "Set14 in colour, blurred by a Gaussian (0.4 or 0.5 pixels of the small image), shrunk by antialiased bicubic, "
    "noise of numpy.random.default_rng(0), JPEG at 4:2:0; output clipped and rounded; PSNR in dB over RGB, as many "
    "border pixels cut as the scale; mean over the 14 images. 'repaired in steps': deblocked and denoised, told the "
    "quality and the level, then enlarged by the default; 'robust' is told nothing"
)


def damage(clean: Pixels, scale: int, blur: float, sigma: float, quality: int) -> Pixels:
    """Make the small image."""
    soft = gaussian_filter(clean, (blur * scale, blur * scale, 0)) if blur else clean
    small = resize_bicubic(soft, scale=1 / scale)
    noisy = small + np.random.default_rng(0).normal(0, sigma / 255, small.shape).astype(np.float32)
    eight_bit = (np.rint(np.clip(noisy, 0, 1) * 255) / 255).astype(np.float32)
    return compress(eight_bit, quality) if quality else eight_bit


def repaired_in_steps(y: Pixels, scale: int, sigma: float, quality: int) -> Any:
    """Undo the compression, then the noise, then enlarge."""
    x = anew.deblock(y, quality) if quality else y
    x = anew.denoise(x, sigma / 255) if sigma else x
    return anew.upscale(x, scale)


def main() -> None:
    """Measure, print, and write the card if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="made by anew train upscale-robust")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    images = [np.asarray(x if x.ndim == 3 else np.repeat(x[:, :, None], 3, axis=2)) for x in load_set("Set14").values()]
    scores: dict[str, dict[str, float]] = {}
    for name, (blur, sigma, quality) in DAMAGES.items():
        for scale in SCALES:
            methods: dict[str, Callable[[Pixels], Any]] = {
                "bicubic": lambda y, s=scale: anew.upscale(y, s, method="bicubic"),
                "compact": lambda y, s=scale: anew.upscale(y, s),
                "repaired in steps": lambda y, s=scale, n=sigma, q=quality: repaired_in_steps(y, s, n, q),
                "robust": lambda y, s=scale: anew.upscale(y, s, method="robust", model=arguments.model),
            }
            values: dict[str, list[float]] = {method: [] for method in methods}
            for image in images:
                height, width = (side // scale * scale for side in image.shape[:2])
                clean = image[:height, :width]
                y = damage(clean.astype(np.float32) / np.float32(255), scale, blur, sigma, quality)
                inside = np.s_[scale:-scale, scale:-scale]
                for method, enlarge in methods.items():
                    values[method].append(psnr(enlarge(y)[inside], clean[inside]))
            for method, found in values.items():
                scores.setdefault(f"Set14 {name}: {method}", {})[f"x{scale}"] = round(float(np.mean(found)), 3)
            shown = ", ".join(f"{method} {np.mean(found):.2f}" for method, found in values.items())
            gains = np.subtract(values["robust"], values["repaired in steps"])
            print(f"{name} x{scale}: {shown}; robust beside steps {gains.min():+.2f} to {gains.max():+.2f}", flush=True)
    if arguments.write:
        write_card(Path(arguments.model), {"scores": scores, "protocol": PROTOCOL})


if __name__ == "__main__":
    main()
