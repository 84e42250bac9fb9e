"""Measure the classical upscaling methods by the protocol of super-resolution.

    python -m benchmarks.upscale_classical

Input: the test sets' own low-resolution images (MATLAB's antialiased bicubic). PSNR in dB on Y of studio-range BT.601
YCbCr, output rounded to 8 bit, as many border pixels cut as the scale.
"""

from __future__ import annotations

import numpy as np

import anew
from anew.bench.protocols import exact_luma
from benchmarks.data import load_set

VARIANTS = [(m, b) for m in ("bicubic", "lanczos", "bilinear") for b in (False, True)] + [("nearest", False)]
PUBLISHED_BICUBIC = {"Set5": (33.66, 30.39, 28.42), "Set14": (30.24, 27.55, 26.00)}


def main() -> None:
    """Print the table."""
    labels = [f"{m}{' + bp' if b else ''}" for m, b in VARIANTS]
    print(f"{'':10}" + "".join(f"{label:>15}" for label in (*labels, "published")))
    for name, published in PUBLISHED_BICUBIC.items():
        for scale in (2, 3, 4):
            table = []
            pairs = zip(load_set(name).values(), load_set(f"{name}_LRx{scale}").values(), strict=True)
            for clean, small in pairs:
                row = []
                for method, back_project in VARIANTS:
                    options = {} if method == "nearest" else {"back_project": back_project}
                    result = exact_luma(anew.upscale(small, scale, method=method, **options))
                    truth = exact_luma(clean)[: result.shape[0], : result.shape[1]]
                    error = (result[: truth.shape[0], : truth.shape[1]] - truth)[scale:-scale, scale:-scale]
                    row.append(10 * np.log10(255**2 / np.mean(error**2)))
                table.append(row)
            scores = (*np.mean(table, axis=0), published[scale - 2])
            print(f"{name:6} x{scale} " + "".join(f"{db:15.2f}" for db in scores))


if __name__ == "__main__":
    main()
