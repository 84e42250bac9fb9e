"""Denoisers that learn from the one noisy image, beside BM3D.

    python -m benchmarks.denoise_single_image [METHOD ...] [--images 17] [--sigma 25] [--steps N]

BSD68, evenly chosen images, Gaussian noise in float, not clipped (seed: the image's number); results clipped to [0, 1],
PSNR in dB. White noise, and noise whose power spectrum is a Gaussian of standard deviation 0.127 cycles per pixel,
which all methods are told. The time is per image.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.registry import METHODS
from benchmarks.data import load_set

CUTOFF = 0.18  # cycles per pixel, where the spectrum has fallen to 1 / e
PSD_SIDE = 32


def spectrum(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Give the power spectrum of the correlated noise, in the order of ``numpy.fft.fft2``."""
    fy, fx = (np.fft.fftfreq(side) for side in shape)
    return np.exp(-(fy[:, None] ** 2 + fx[None, :] ** 2) / CUTOFF**2)


def add_noise(image: Image, sigma: float, seed: int, *, correlated: bool) -> Image:
    """Add Gaussian noise."""
    noise = np.random.default_rng(seed).standard_normal(image.shape)
    if correlated:
        power = spectrum(image.shape)
        noise = np.fft.ifft2(np.fft.fft2(noise) * np.sqrt(power / power.mean())).real
    return (image + sigma * noise).astype(np.float32)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    trained = [name for name in METHODS.names("denoise") if METHODS.get("denoise", name).trains]
    parser.add_argument("methods", nargs="*", default=trained)
    parser.add_argument("--images", type=int, default=17)
    parser.add_argument("--sigma", type=float, default=25.0)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    sigma = options.sigma / 255
    pictures = list(load_set("BSD68").items())[:: max(1, 68 // options.images)]
    for correlated in (False, True):
        for name in ["bm3d", *options.methods]:
            method = METHODS.get("denoise", name)
            if correlated and "psd" not in method.parameters:
                continue
            extra = {"psd": spectrum((PSD_SIDE, PSD_SIDE))} if correlated else {}
            if options.steps and method.trains:
                extra["steps"] = options.steps
            scores, seconds = [], 0.0
            for seed, (_, pixels) in enumerate(pictures):
                clean = (np.squeeze(pixels) / 255).astype(np.float32)
                noisy = add_noise(clean, sigma, seed, correlated=correlated)
                started = time.perf_counter()
                result = method.function(noisy, sigma, **extra)
                seconds += time.perf_counter() - started
                scores.append(-10 * np.log10(((result.clip(0, 1) - clean) ** 2).mean()))
            kind = "correlated" if correlated else "white"
            each = " ".join(f"{score:.2f}" for score in scores)
            print(
                f"{kind:<11}{name:<17}{np.mean(scores):6.2f} dB {seconds / len(pictures):7.1f} s   {each}", flush=True
            )


if __name__ == "__main__":
    main()
