"""Our BM3D beside the package ``bm3d`` and the non-local means of OpenCV and scikit-image.

    python -m benchmarks.bm3d quality [--sets Set12 CBSD68] [--sigma 15 25 50] [--every 1] [--plot bm3d.png]
    python -m benchmarks.bm3d speed      512x512, grey and colour: median and range of 5 runs in turn, peak memory
    python -m benchmarks.bm3d growth     seconds and memory from 0.25 to 16 megapixels
    python -m benchmarks.bm3d start      process start to denoised 512x512 image, kernels compiled before
    python -m benchmarks.bm3d special    noise of known spectrum, Poisson-Gaussian noise

``bm3d`` (pip install bm3d==4.0.3; not for commercial use) is left out where it is not installed. Noise and PSNR follow
the field's protocol (``data.py``). Peak memory is what a process of its own needs beyond its size before the call.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from anew.threads import core_count
from benchmarks.data import add_noise, load_set, psnr

Array = NDArray[np.floating]


def ours(y: Array, sigma: float) -> Array:
    from anew.restoration.denoising.bm3d import denoise_bm3d

    return denoise_bm3d(y, sigma)


def ours_fast(y: Array, sigma: float) -> Array:
    from anew.restoration.denoising.bm3d import denoise_bm3d

    return denoise_bm3d(y, sigma, profile="fast")


def peer(y: Array, sigma: float) -> Array:
    import bm3d

    return (bm3d.bm3d_rgb if y.ndim == 3 else bm3d.bm3d)(y.astype(np.float64), sigma)


def opencv_nlm(y: Array, sigma: float) -> Array:
    import cv2

    eight_bit = np.rint(np.clip(y * 255, 0, 255)).astype(np.uint8)
    if y.ndim == 3:
        return cv2.fastNlMeansDenoisingColored(eight_bit, None, 230 * sigma, 230 * sigma, 5, 21) / 255.0
    return cv2.fastNlMeansDenoising(eight_bit, None, 230 * sigma, 5, 21) / 255.0


def skimage_nlm(y: Array, sigma: float) -> Array:
    from skimage.restoration import denoise_nl_means

    return denoise_nl_means(y, 5, 10, 0.6 * sigma, True, sigma, channel_axis=2 if y.ndim == 3 else None)


METHODS: dict[str, Callable[[Array, float], Array]] = {
    "anew bm3d": ours,
    "anew bm3d, fast": ours_fast,
    "bm3d": peer,
    "OpenCV NLM": opencv_nlm,
    "skimage NLM": skimage_nlm,
}
if importlib.util.find_spec("bm3d") is None:
    del METHODS["bm3d"]


def scene(side: int, *, colour: bool) -> NDArray[np.uint8]:
    """Give a photograph that every installation has, mirrored and cut to side x side."""
    import skimage.data

    photo = skimage.data.astronaut() if colour else skimage.data.camera()
    repeats = -(-side // 512)
    rows = np.concatenate([photo, photo[::-1]] * repeats)[:side]
    return np.concatenate([rows, rows[:, ::-1]] * repeats, axis=1)[:, :side]


def peak_memory(name: str, side: int, colour: bool) -> float:
    """Give the megabytes that a call takes beyond what its process held before, kernels and images included."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_memory, (name, side, colour))


def _peak_memory(name: str, side: int, colour: bool) -> float:
    y = add_noise(scene(side, colour=colour), 25)
    METHODS[name](y[:64, :64], 25 / 255)
    before, seen, done = _resident(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            seen.append(_resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    METHODS[name](y, 25 / 255)
    done.set()
    watcher.join()
    return max(seen) - before


def _resident() -> float:
    """Give the megabytes that this process holds now (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def quality(arguments: argparse.Namespace) -> None:
    points = []
    for name in arguments.sets:
        images = list(load_set(name, grey=not name.startswith("C")).values())[:: arguments.every]
        for sigma in arguments.sigma:
            print(f"\n{name}, {len(images)} images, sigma {sigma:g}: PSNR in dB, seconds per megapixel")
            for method, denoise in METHODS.items():
                noisy = [add_noise(clean, sigma) for clean in images]
                start = time.perf_counter()
                results = [denoise(y, sigma / 255) for y in noisy]
                seconds = (time.perf_counter() - start) / sum(c.shape[0] * c.shape[1] / 1e6 for c in images)
                mean = float(np.mean([psnr(r, c) for r, c in zip(results, images, strict=True)]))
                points.append((f"{name} {sigma:g}", method, mean, seconds))
                print(f"  {method:18s} {mean:6.2f} {seconds:8.2f}", flush=True)
    if arguments.plot:
        plot(points, arguments.plot)


def plot(points: list[tuple[str, str, float, float]], path: str) -> None:
    """Draw quality against time, if matplotlib is installed."""
    if importlib.util.find_spec("matplotlib") is None:
        print("no plot: matplotlib is not installed")
        return
    import matplotlib.pyplot as plt

    for method in METHODS:
        mine = [(seconds, mean) for _, of, mean, seconds in points if of == method]
        plt.semilogx(*zip(*mine, strict=True), "o", label=method)
    plt.xlabel("seconds per megapixel")
    plt.ylabel("PSNR in dB")
    plt.legend()
    plt.savefig(path, dpi=150)


def speed(arguments: argparse.Namespace) -> None:
    for colour in (False, True):
        clean = scene(512, colour=colour)
        y = add_noise(clean, 25)
        times: dict[str, list[float]] = {name: [] for name in METHODS}
        processor: dict[str, list[float]] = {name: [] for name in METHODS}
        for denoise in METHODS.values():  # compiles and loads
            denoise(y, 25 / 255)
        for _ in range(5):
            for name, denoise in METHODS.items():
                start, used = time.perf_counter(), time.process_time()
                denoise(y, 25 / 255)
                times[name].append(time.perf_counter() - start)
                processor[name].append(time.process_time() - used)
        fastest = statistics.median(times["anew bm3d"])
        print(f"\n512x512 {'colour' if colour else 'grey'}, sigma 25: s (range), times ours, processor s, MB, dB")
        for name, denoise in METHODS.items():
            median, used = statistics.median(times[name]), statistics.median(processor[name])
            memory = peak_memory(name, 512, colour)
            print(
                f"  {name:18s} {median:6.2f} ({min(times[name]):.2f}-{max(times[name]):.2f}) {median / fastest:6.1f}"
                f" {used:7.2f} {memory:6.0f} {psnr(denoise(y, 25 / 255), clean):6.2f}",
                flush=True,
            )


def growth(arguments: argparse.Namespace) -> None:
    ours(add_noise(scene(64, colour=False), 25), 25 / 255)
    print("megapixels, s, s per megapixel, processor s per megapixel, MB, MB per MB of float32 image")
    for side in (512, 1024, 2048, 4096):
        y = add_noise(scene(side, colour=False), 25)
        start, used = time.perf_counter(), time.process_time()
        ours(y, 25 / 255)
        seconds, used = time.perf_counter() - start, time.process_time() - used
        megapixels, memory = side * side / 1e6, peak_memory("anew bm3d", side, False)
        ratio = memory / (y.nbytes / 2**20)
        print(
            f"{megapixels:6.2f} {seconds:7.2f} {seconds / megapixels:6.2f} {used / megapixels:6.2f}"
            f" {memory:6.0f} {ratio:5.1f}",
            flush=True,
        )


def start(arguments: argparse.Namespace) -> None:
    program = (
        "import numpy as np, anew; y = np.random.default_rng(0).random((512, 512), np.float32);"
        "anew.denoise(y, 0.1, method='bm3d')"
    )
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        times.append(time.perf_counter() - begin)
    print(f"process start to result: median {statistics.median(times[1:]):.2f} s, least {min(times[1:]):.2f} s")
    print(f"standard error of the last one: {done.stderr!r}")


def special(arguments: argparse.Namespace) -> None:
    """Coloured noise with its spectrum known, and Poisson-Gaussian noise, against BM3D told only the overall level."""
    import skimage.data

    from anew.restoration.denoising.bm3d import denoise_bm3d
    from anew.restoration.denoising.poisson_gaussian import denoise_poisson_gaussian

    rng = np.random.default_rng(0)
    photos = [skimage.data.camera(), skimage.data.brick(), skimage.data.moon(), skimage.data.coins()[:, :300]]
    sigma = 25 / 255

    def decibels(results: list[Array]) -> float:
        return float(np.mean([psnr(r, c) for r, c in zip(results, photos, strict=True)]))

    for name in ("low-pass", "stripes", "high-pass"):
        plain, informed = [], []
        for clean in photos:
            fy, fx = np.fft.fftfreq(clean.shape[0])[:, None], np.fft.fftfreq(clean.shape[1])[None, :]
            psd = {
                "low-pass": np.exp(-(fx**2 + fy**2) / (2 * 0.15**2)) + 0.02,
                "stripes": np.exp(-((fx / 0.5) ** 2 + (fy / 0.02) ** 2) / 2) + 0.02,
                "high-pass": fx**2 + fy**2 + 0.001,
            }[name]
            white = np.fft.fft2(rng.normal(size=clean.shape))
            noise = np.fft.ifft2(white * np.sqrt(psd / psd.mean())).real
            y = (clean / 255 + sigma * noise).astype(np.float32)
            plain.append(denoise_bm3d(y, sigma))
            informed.append(denoise_bm3d(y, sigma, psd=psd))
        print(f"{name:10s} noise, sigma 25: plain {decibels(plain):.2f}, spectrum known {decibels(informed):.2f} dB")
    for gain, read_out in ((1 / 100, 0.01), (1 / 20, 0.02), (1 / 5, 0.02)):
        plain, known, told = [], [], []
        for clean in photos:
            x = clean / 255.0
            y = (gain * rng.poisson(x / gain) + rng.normal(0, read_out, x.shape)).astype(np.float32)
            level = float(np.sqrt(gain * x.mean() + read_out**2))
            plain.append(denoise_bm3d(y, level))
            known.append(denoise_poisson_gaussian(y, level, gain=gain, offset_sigma=read_out, denoiser="bm3d"))
            told.append(denoise_poisson_gaussian(y, level, denoiser="bm3d"))
        print(
            f"{1 / gain:4.0f} photons, read-out {read_out:.2f}: plain {decibels(plain):.2f}, parameters known "
            f"{decibels(known):.2f}, estimated {decibels(told):.2f} dB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["quality", "speed", "growth", "start", "special"])
    parser.add_argument("--sets", nargs="+", default=["Set12", "CBSD68"])
    parser.add_argument("--sigma", nargs="+", type=float, default=[15, 25, 50])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--plot")
    arguments = parser.parse_args()
    libraries = [f"{n} {version(n)}" for n in ("numpy", "numba", "opencv-python-headless", "scikit-image")]
    if "bm3d" in METHODS:
        libraries.append(f"bm3d {version('bm3d')}")
    print(f"{platform.machine()}, {core_count()} cores, {', '.join(libraries)}")
    globals()[arguments.what](arguments)


if __name__ == "__main__":
    main()
