"""Score an upscaler by the protocol of super-resolution and write the scores into its card.

``python -m benchmarks.score_upscale src/anew/inference/weights/upscale-x2.onnx --write``
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import anew
from anew.bench.protocols import exact_luma
from anew.inference.ensemble import Ensemble
from anew.inference.models import open_model
from anew.metrics.structural import ssim
from anew.restoration.upscaling.compact import upscale_compact
from anew.threads import core_count
from benchmarks.data import load_set
from benchmarks.score_model import write_card

PROTOCOL = (
    "the test sets' own low-resolution images (MATLAB's antialiased bicubic, 8 bits); output clipped and rounded to 8 "
    "bits; PSNR in dB on Y of studio-range BT.601, as many border pixels cut as the scale; mean over the images; "
    "'lanczos' is our Lanczos with back-projection"
)


def scores_of(model: str, ensemble: Ensemble) -> dict[str, dict[str, float]]:
    """Give {set and row: {scale: mean PSNR}} for the network, without its back-projection, and for Lanczos."""
    rows = ("", " without back-projection", " lanczos")
    scores: dict[str, dict[str, float]] = {}
    enlarge = partial(upscale_compact, model=model, ensemble=ensemble)
    for name in ("Set5", "Set14"):
        for scale in open_model(model).card.facts["scales"]:
            values, similar = [], []
            pairs = zip(load_set(name).values(), load_set(f"{name}_LRx{scale}").values(), strict=True)
            for clean, small in pairs:
                y = small.astype(np.float32) / np.float32(255)
                results = (
                    enlarge(y, scale),
                    enlarge(y, scale, back_project=False),
                    anew.upscale(y, scale, method="lanczos"),
                )
                measured = [measure(x, clean, scale) for x in results]
                values.append([db for db, _ in measured])
                similar.append(measured[0][1])
            means = np.mean(values, axis=0)
            for row, mean in zip(rows, means, strict=True):
                scores.setdefault(name + row, {})[f"x{scale}"] = round(float(mean), 3)
            least = min(v[0] - v[2] for v in values)
            shown = ", ".join(f"{row.strip() or 'compact'} {m:.2f}" for row, m in zip(rows, means, strict=True))
            print(f"{name} x{scale}: {shown}; SSIM {np.mean(similar):.4f}; least gain on lanczos {least:+.2f} dB")
    return scores


def seconds_per_megapixel(model: str, scale: int, *, back_project: bool) -> float:
    """Give the median of five warm runs that make about a megapixel of colour, per megapixel of the result."""
    side = 1024 // scale
    image = np.random.default_rng(0).random((side, side, 3), np.float32)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        upscale_compact(image, scale, model=model, back_project=back_project)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) / (side * side * scale * scale / 1e6)


def measure(result: NDArray[np.float32], clean: NDArray[np.uint8], scale: int) -> tuple[float, float]:
    """Give PSNR in dB and SSIM on Y within the border."""
    x = exact_luma(np.rint(np.clip(result, 0, 1) * 255).astype(np.uint8))
    truth = exact_luma(clean)[: x.shape[0], : x.shape[1]]
    inside = slice(scale, -scale)
    x, truth = (plane[: truth.shape[0], : truth.shape[1]][inside, inside] for plane in (x, truth))
    return float(10 * np.log10(255**2 / np.mean((x - truth) ** 2))), float(ssim(x, truth, data_range=255))


def main() -> None:
    """Measure, print, and write the card if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--ensemble", type=int, default=1, help="mean over as many turned copies (never written)")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    model = str(arguments.model)
    scores = scores_of(model, arguments.ensemble)
    costs = []
    for scale in open_model(model).card.facts["scales"]:
        whole, net = (seconds_per_megapixel(model, scale, back_project=b) for b in (True, False))
        costs.append(f"x{scale}: {whole:.2f} ({net:.2f} without back-projection)")
    cost = f"seconds per megapixel of the result, colour, {core_count()} CPU cores: {'; '.join(costs)}"
    print(cost)
    if arguments.write and arguments.ensemble == 1:
        write_card(arguments.model, {"scores": scores, "protocol": PROTOCOL, "cost": cost})


if __name__ == "__main__":
    main()
