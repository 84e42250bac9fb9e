"""Score the camera denoiser on real photographs, beside BM3D and the Gaussian denoiser.

``python -m benchmarks.score_camera [--every 5] [--best] [--write]``

The 50 pairs of PolyU (Xu et al., "Real-world Noisy Image Denoising: A New Benchmark", 2018): 512 x 512 crops of JPEG
files of real cameras, and the mean of many shots of the same still scene.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import anew
from anew.diagnosis.noise import estimate_noise_sigma
from anew.inference.models import WEIGHTS
from anew.metrics.structural import ssim
from benchmarks.data import find_data, psnr
from benchmarks.score_model import write_card

METHODS = ("noisy", "bm3d", "unet", "camera")
LEVELS = (4, 8, 12, 20)  # of 255, of which the one that fits the reference best is taken with --best
PROTOCOL = (
    "PolyU, the 50 pairs of 512 x 512 pixels; BM3D and the Gaussian denoiser with the level that we estimate, the "
    "camera denoiser blind; output clipped and rounded to 8 bits; PSNR in dB over RGB and SSIM, mean over the images"
)


def measure(path: Path, *, best: bool) -> dict[str, tuple[float, float, float]]:
    """Give {method: (PSNR, SSIM, seconds)} of one pair."""
    noisy = anew.read(path).pixels
    clean = np.rint(anew.read(path.with_name(path.name.replace("_real", "_mean"))).pixels * 255).astype(np.uint8)
    sigma = estimate_noise_sigma(noisy)

    def judged(method: str, level: float | None) -> tuple[float, float, float]:
        start = time.perf_counter()
        result = noisy if method == "noisy" else anew.denoise(noisy, level, method=method)
        took = time.perf_counter() - start
        levels = np.rint(np.clip(result, 0, 1) * 255)
        return psnr(result, clean), ssim(levels, clean.astype(np.float64), data_range=255), took

    row = {method: judged(method, None if method == "camera" else sigma) for method in METHODS}
    if best:
        row |= {f"{m}, best level": max(judged(m, level / 255) for level in LEVELS) for m in ("bm3d", "unet")}
    return row


def main() -> None:
    """Measure, print, and write the card if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th pair (never written)")
    parser.add_argument("--best", action="store_true", help="also with the best level, which nobody knows")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    pairs = sorted(find_data("polyu_real_noise").glob("*_real.JPG"))[:: arguments.every]
    rows = []
    for path in pairs:
        rows.append(measure(path, best=arguments.best))
        print(f"{path.name}: " + ", ".join(f"{method} {v[0]:.2f}" for method, v in rows[-1].items()), flush=True)
    scores: dict[str, dict[str, float]] = {}
    for method in rows[0]:
        table = np.array([row[method] for row in rows])
        gains = table[:, 0] - np.array([row["noisy"][0] for row in rows])
        decibels, similarity, seconds = table[:, 0].mean(), table[:, 1].mean(), np.median(table[:, 2])
        scores[f"PolyU {method}"] = {"PSNR": round(float(decibels), 3), "SSIM": round(float(similarity), 4)}
        print(
            f"{method}: {decibels:.2f} dB, SSIM {similarity:.4f}; least gain {gains.min():+.2f} dB, worse by more than "
            f"0.05 dB: {int(np.sum(gains < -0.05))} of {len(pairs)}; {seconds / (512 * 512 / 1e6):.2f} s per megapixel"
        )
    if arguments.write and arguments.every == 1:
        write_card(WEIGHTS / "camera-unet.onnx", {"scores": scores, "protocol": PROTOCOL})


if __name__ == "__main__":
    main()
