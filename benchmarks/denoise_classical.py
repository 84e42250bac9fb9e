"""Our classical denoisers beside the same method of a library: PSNR and seconds per megapixel on BSD68, grey.

    python -m benchmarks.denoise_classical [--every 4] [--sigma 15 25 50] [--only tv nlm]

Ours run with their defaults. The library calls have the parameters written out below, reasonable at every noise level:
TV, Wiener, median, mean, Gaussian and OpenCV's bilateral filter follow our own rules for sigma, the others a few trials
on training photographs. Noise and PSNR follow the field's protocol (``data.py``). The time is the better of two runs
over all images; the two of a pair take turns in one process.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
import scipy.ndimage
import scipy.signal
import skimage.restoration as sr
from numpy.typing import NDArray

import anew
from benchmarks.data import add_noise, load_set, psnr

Array = NDArray[np.floating]
Denoiser = Callable[[Array, float], Array]


def fast_nlm_uint8(y: Array, s: float) -> Array:
    eight_bit = np.rint(np.clip(y * 255, 0, 255)).astype(np.uint8)
    return cv2.fastNlMeansDenoising(eight_bit, None, 0.9 * 255 * s, 5, 21) / 255.0


def fast_nlm_uint16(y: Array, s: float) -> Array:
    sixteen_bit = np.rint(np.clip(y, 0, 1) * 65535).astype(np.uint16)
    h = [0.9 * 65535 * s]
    return cv2.fastNlMeansDenoising(sixteen_bit, h, None, 5, 21, cv2.NORM_L1) / 65535.0


def wavelet_spun(y: Array, s: float) -> Array:
    options = {"wavelet": "db2", "sigma": s, "mode": "soft", "method": "BayesShrink", "rescale_sigma": False}
    return sr.cycle_spin(y, func=sr.denoise_wavelet, max_shifts=3, func_kw=options, workers=1)


def side(s: float, *starts: float) -> int:
    return 3 + 2 * sum(s >= start for start in starts)


# (our method, the library's name, the library's call)
PAIRS: tuple[tuple[str, str, Denoiser | None], ...] = (
    ("nlm", "skimage nl_means, fast", lambda y, s: sr.denoise_nl_means(y, 5, 10, 0.6 * s, True, s)),
    ("nlm", "cv2 fastNlMeans uint8", fast_nlm_uint8),
    ("nlm", "cv2 fastNlMeans uint16 L1", fast_nlm_uint16),
    ("tv", "skimage tv_chambolle", lambda y, s: sr.denoise_tv_chambolle(y, 1.35 * s**1.25)),
    ("wavelet", "skimage wavelet, 16 shifts", wavelet_spun),
    ("bilateral", "cv2 bilateralFilter", lambda y, s: cv2.bilateralFilter(y, 9, (2.2 + 8 * s) * s, 1.5)),
    ("bilateral", "skimage bilateral", lambda y, s: sr.denoise_bilateral(np.clip(y, 0, 1), 9, 1.8 * s, 1.5)),
    ("wiener", "scipy wiener", lambda y, s: scipy.signal.wiener(y, side(s, 0.04, 0.12), s**2)),
    ("median", "scipy median_filter", lambda y, s: scipy.ndimage.median_filter(y, side(s, 0.105, 0.19))),
    ("mean", "scipy uniform_filter", lambda y, s: scipy.ndimage.uniform_filter(y, side(s, 0.145, 0.23))),
    ("gaussian", "scipy gaussian_filter", lambda y, s: scipy.ndimage.gaussian_filter(y, 3.9 * s**0.6)),
)
ALONE = ("guided", "perona-malik", "coherence")  # no core dependency has these


def measure(
    denoiser: Denoiser, noisy: list[Array], clean: list[NDArray[np.uint8]], sigma: float
) -> tuple[float, float]:
    """Give the mean PSNR in dB and the seconds per megapixel of one pass over the images."""
    start = time.perf_counter()
    results = [denoiser(y, sigma) for y in noisy]
    seconds = time.perf_counter() - start
    quality = float(np.mean([psnr(r, c) for r, c in zip(results, clean, strict=True)]))
    return quality, seconds / (sum(c.size for c in clean) / 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="take every n-th image only")
    parser.add_argument("--sigma", type=float, nargs="+", default=[15, 25, 50], help="noise in grey levels of 255")
    parser.add_argument("--only", nargs="+", help="these of our methods only")
    arguments = parser.parse_args()
    clean = list(load_set("BSD68", grey=True).values())[:: arguments.every]
    print(f"BSD68 grey, {len(clean)} images; OpenCV {cv2.__version__}; PSNR in dB, time in s per megapixel")
    print(f"{'method':14}{'library call':28}{'sigma':>6}{'ours':>8}{'theirs':>8}{'gain':>7}", end="")
    print(f"{'ours':>9}{'theirs':>9}{'faster':>8}")
    for level in arguments.sigma:
        sigma = level / 255
        noisy = [add_noise(c, level) for c in clean]
        pairs = [*PAIRS, *((name, "-", None) for name in ALONE)]
        for name, library, theirs in pairs:
            if arguments.only and name not in arguments.only:
                continue

            def ours(y: Array, s: float, name: str = name) -> Array:
                return anew.denoise(y, s, method=name)

            calls = [ours] if theirs is None else [ours, theirs]
            for call in calls:
                call(noisy[0], sigma)  # warm up: compile, load
            first, second = ([measure(call, noisy, clean, sigma) for call in calls] for _ in range(2))
            best = [(a[0], min(a[1], b[1])) for a, b in zip(first, second, strict=True)]
            line = f"{name:14}{library:28}{level:6.0f}{best[0][0]:8.2f}"
            if theirs is None:
                print(f"{line}{'':15}{best[0][1]:9.3f}", flush=True)
                continue
            gain, faster = best[0][0] - best[1][0], best[1][1] / best[0][1]
            print(f"{line}{best[1][0]:8.2f}{gain:+7.2f}{best[0][1]:9.3f}{best[1][1]:9.3f}{faster:7.1f}x", flush=True)


if __name__ == "__main__":
    main()
