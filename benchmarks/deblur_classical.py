"""Measure deblurring with a known kernel beside scikit-image's methods.

    python -m benchmarks.deblur_classical [Set5] [kernels]

Circular convolution with each of Levin's 8 kernels, Gaussian noise of 2.55 and 7.65 of 255, RGB PSNR in dB; mean over
images and kernels (seconds per megapixel). scikit-image gets two fixed regularisations each, which
flatters it; ours takes its weights from sigma. Its Richardson-Lucy takes what lies beyond the border for black, so it
gets the picture wrapped around. Reading the kernels needs the package h5py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.fft
import skimage.restoration as peers
from numpy.typing import NDArray

import anew
from benchmarks.data import find_data, load_set, psnr

Image = NDArray[np.float32]


def load_kernels() -> list[NDArray[np.float32]]:
    """Read Levin's kernels, each scaled to sum 1."""
    try:
        import h5py
    except ImportError:
        sys.exit("reading kernels/Levin09.mat needs h5py: pip install h5py")
    with h5py.File(find_data("kernels", "Levin09.mat")) as file:
        kernels = [np.array(file[reference]).T for reference in file["kernels"][()].ravel()]
    return [(k / k.sum()).astype(np.float32) for k in kernels]


def blur(clean: Image, psf: NDArray[np.float32]) -> Image:
    """Convolve circularly; the centre of the psf is its pixel (h // 2, w // 2)."""
    wrapped = np.zeros(clean.shape[:2])
    wrapped[: psf.shape[0], : psf.shape[1]] = psf
    wrapped = np.roll(wrapped, [-(n // 2) for n in psf.shape], axis=(0, 1))
    product = scipy.fft.fft2(clean, axes=(0, 1)) * scipy.fft.fft2(wrapped)[:, :, None]
    return scipy.fft.ifft2(product, axes=(0, 1)).real.astype(np.float32)


def each_channel(function: Callable[[Image], Image], image: Image) -> Image:
    """Apply a function of (H, W) arrays to each channel."""
    return np.stack([function(image[:, :, c]) for c in range(image.shape[2])], axis=2)


def wrapped_richardson_lucy(y: Image, psf: NDArray[np.float32], num_iter: int) -> Image:
    """Give scikit-image's with what circular convolution has beyond the border."""
    inside = tuple(slice(n, -n) for n in psf.shape)

    def run(c: Image) -> Image:
        return peers.richardson_lucy(np.pad(c, [(n, n) for n in psf.shape], mode="wrap"), psf, num_iter)[inside]

    return each_channel(run, y)


Deblur = Callable[[Image, NDArray[np.float32], float], Image]
METHODS: dict[str, Deblur] = {
    "degraded": lambda y, k, s: y,
    **{
        name: lambda y, k, s, name=name: anew.deblur(y, k, s, method=name, border="circular")  # type: ignore[misc]
        for name in ("bm3d", "tv", "wiener", "richardson-lucy")
    },
    "skimage wiener 0.1": lambda y, k, s: each_channel(lambda c: peers.wiener(c, k, 0.1, clip=False), y),
    "skimage wiener 1": lambda y, k, s: each_channel(lambda c: peers.wiener(c, k, 1.0, clip=False), y),
    "skimage unsupervised": lambda y, k, s: each_channel(
        lambda c: peers.unsupervised_wiener(c, k, clip=False, rng=0)[0], y
    ),
    "skimage RL 10": lambda y, k, s: wrapped_richardson_lucy(y, k, 10),
    "skimage RL 30": lambda y, k, s: wrapped_richardson_lucy(y, k, 30),
}


def main(name: str = "Set5", count: str = "8") -> None:
    """Print the table."""
    kernels = load_kernels()[: int(count)]
    images = [c if c.ndim == 3 else c[:, :, None] for c in load_set(name).values()]
    print(f"{name} x {len(kernels)} kernels: PSNR in dB (s per megapixel)")
    for grey_levels in (2.55, 7.65):
        print(f"noise {grey_levels}")
        scores: dict[str, list[tuple[float, float]]] = {}
        for clean in images:
            for psf in kernels:
                noise = np.random.RandomState(0).normal(0, grey_levels / 255, clean.shape)
                degraded = (blur((clean / 255).astype(np.float32), psf) + noise).astype(np.float32)
                for method, deblur in METHODS.items():
                    start = time.perf_counter()
                    result = deblur(degraded, psf, grey_levels / 255)
                    seconds = (time.perf_counter() - start) / clean[:, :, 0].size * 1e6
                    scores.setdefault(method, []).append((psnr(result, clean), seconds))
        for method, values in scores.items():
            db, seconds = np.mean(values, axis=0)
            print(f"  {method:22} {db:6.2f} ({seconds:.2f})", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
