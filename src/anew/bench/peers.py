"""Methods of other libraries for the same tasks, with the parameters that are reasonable at every level.

They are yardsticks: nothing in anew calls them. Where a library's parameter has no rule for the level of the damage,
it was set by a few trials on training photographs, or is the library's default where that says more to its users.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.bench.protocols import Pixels, Trial, as_eight_bit, as_float

LARGEST_SHARE = 0.33  # of missing pixels; above it scikit-image's biharmonic fill takes minutes


@dataclass(frozen=True)
class Peer:
    """One method of another library.

    Attributes
    ----------
    name, task, summary : str
    package : str
        As it is installed.
    module : str
        As it is imported.
    run : callable
        ``run(trial)`` gives the result.
    """

    name: str
    task: str
    package: str
    module: str
    summary: str
    run: Callable[[Trial], Image]

    @property
    def version(self) -> str:
        """The installed version."""
        return version(self.package)


def missing_package(peer: Peer) -> str | None:
    """Name the package that a peer lacks, or None."""
    return None if find_spec(peer.module) else peer.package


def _bm3d(trial: Trial) -> Image:
    import bm3d

    y, sigma = trial.degraded, trial.inputs["sigma"]
    denoise = bm3d.bm3d_rgb if y.ndim == 3 and y.shape[2] == 3 else bm3d.bm3d
    return np.asarray(denoise(y, sigma), np.float32).reshape(y.shape)


def _skimage_nl_means(trial: Trial) -> Image:
    from skimage.restoration import denoise_nl_means

    s = trial.inputs["sigma"]
    axis = _channel_axis(trial.degraded)
    return np.asarray(denoise_nl_means(trial.degraded, 5, 10, 0.6 * s, True, s, channel_axis=axis), np.float32)


def _skimage_tv(trial: Trial) -> Image:
    from skimage.restoration import denoise_tv_chambolle

    weight = 1.35 * trial.inputs["sigma"] ** 1.25
    result = denoise_tv_chambolle(trial.degraded, weight, channel_axis=_channel_axis(trial.degraded))
    return np.asarray(result, np.float32)


def _skimage_wavelet(trial: Trial) -> Image:
    from skimage.restoration import denoise_wavelet

    y, sigma = trial.degraded, trial.inputs["sigma"]
    colour = y.ndim == 3 and y.shape[2] == 3
    result = denoise_wavelet(y, sigma, convert2ycbcr=colour, rescale_sigma=True, channel_axis=_channel_axis(y))
    return np.asarray(result, np.float32)


def _opencv_nl_means(trial: Trial) -> Image:
    import cv2

    y = as_eight_bit(trial.degraded)
    h = 0.9 * 255 * trial.inputs["sigma"]
    if y.ndim == 3 and y.shape[2] == 3:
        bgr = cv2.cvtColor(y, cv2.COLOR_RGB2BGR)  # OpenCV takes it for BGR when it goes to Lab
        denoised = cv2.fastNlMeansDenoisingColored(bgr, None, h, h, 5, 21)
        return as_float(np.asarray(cv2.cvtColor(denoised, cv2.COLOR_BGR2RGB), np.uint8))
    return as_float(np.asarray(cv2.fastNlMeansDenoising(y, None, h, 5, 21), np.uint8).reshape(y.shape))


def _opencv_bilateral(trial: Trial) -> Image:
    import cv2

    s = trial.inputs["sigma"]
    filtered = cv2.bilateralFilter(trial.degraded, 9, (2.2 + 8 * s) * s, 1.5)
    return np.asarray(filtered, np.float32).reshape(trial.degraded.shape)


def _skimage_biharmonic(trial: Trial) -> Image:
    from skimage.restoration import inpaint_biharmonic

    mask = trial.inputs["mask"].copy()  # it must be writable
    if mask.mean() > LARGEST_SHARE:
        raise ValueError(f"left out above a share of {LARGEST_SHARE:.0%} missing pixels, where it takes minutes")
    y = trial.degraded.astype(np.float64)
    # region by region: all at once, scikit-image 0.26 fails on some masks with an index out of its own matrix
    result = inpaint_biharmonic(y, mask, split_into_regions=True, channel_axis=_channel_axis(y))
    return np.asarray(result, np.float32)


def _opencv_inpaint(flag: str) -> Callable[[Trial], Image]:
    def run(trial: Trial) -> Image:
        import cv2

        mask = trial.inputs["mask"].astype(np.uint8)
        return as_float(np.asarray(cv2.inpaint(as_eight_bit(trial.degraded), mask, 3, getattr(cv2, flag)), np.uint8))

    return run


def _skimage_wiener(trial: Trial) -> Image:
    from skimage.restoration import wiener

    return _each_channel(lambda c: wiener(c, trial.inputs["psf"], 0.1, clip=False), trial.degraded)


def _skimage_unsupervised(trial: Trial) -> Image:
    from skimage.restoration import unsupervised_wiener

    def run(c: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = unsupervised_wiener(c, trial.inputs["psf"], clip=False, rng=0)[0]
        return result

    return _each_channel(run, trial.degraded)


def _skimage_richardson_lucy(trial: Trial) -> Image:
    from skimage.restoration import richardson_lucy

    psf = trial.inputs["psf"]
    inside = tuple(slice(n, -n) for n in psf.shape)

    def run(c: NDArray[Any]) -> NDArray[Any]:
        wrapped = np.pad(c, [(n, n) for n in psf.shape], mode="wrap")  # it takes what lies beyond the border for black
        result: NDArray[Any] = richardson_lucy(wrapped, psf, 10)[inside]
        return result

    return _each_channel(run, trial.degraded)


def _opencv_resize(flag: str) -> Callable[[Trial], Image]:
    def run(trial: Trial) -> Image:
        import cv2

        scale = trial.inputs["scale"]
        large = cv2.resize(trial.degraded, None, fx=scale, fy=scale, interpolation=getattr(cv2, flag))
        return np.asarray(large, np.float32)

    return run


def _pillow_lanczos(trial: Trial) -> Image:
    from PIL import Image as Pillow

    scale = int(trial.inputs["scale"])
    small = Pillow.fromarray(as_eight_bit(trial.degraded))
    large = small.resize((small.width * scale, small.height * scale), Pillow.Resampling.LANCZOS)
    return as_float(np.asarray(large, np.uint8))


def _skimage_clahe(trial: Trial) -> Image:
    from skimage.exposure import equalize_adapthist

    return np.asarray(equalize_adapthist(np.clip(trial.degraded, 0, 1)), np.float32)


def _opencv_clahe(trial: Trial) -> Image:
    import cv2

    clahe = cv2.createCLAHE(2.0, (8, 8))
    y: Pixels = as_eight_bit(trial.degraded)
    if y.ndim == 2:
        return as_float(np.asarray(clahe.apply(y), np.uint8))
    lab = cv2.cvtColor(y, cv2.COLOR_RGB2Lab)
    lab[:, :, 0] = clahe.apply(lab[:, :, 0])
    return as_float(np.asarray(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB), np.uint8))


def _channel_axis(image: NDArray[Any]) -> int | None:
    return None if image.ndim == 2 else 2


def _each_channel(function: Callable[[NDArray[Any]], NDArray[Any]], image: Image) -> Image:
    if image.ndim == 2:
        return np.asarray(function(image), np.float32)
    return np.stack([function(image[:, :, c]) for c in range(image.shape[2])], axis=2).astype(np.float32)


_SKIMAGE = ("scikit-image", "skimage")
_OPENCV = ("opencv-python-headless", "cv2")
PEERS = (
    Peer("bm3d (PyPI)", "denoise", "bm3d", "bm3d", "block matching, the authors' package (non-commercial)", _bm3d),
    Peer("skimage nl-means", "denoise", *_SKIMAGE, "denoise_nl_means, fast", _skimage_nl_means),
    Peer("skimage tv", "denoise", *_SKIMAGE, "denoise_tv_chambolle", _skimage_tv),
    Peer("skimage wavelet", "denoise", *_SKIMAGE, "denoise_wavelet, BayesShrink", _skimage_wavelet),
    Peer("opencv nl-means", "denoise", *_OPENCV, "fastNlMeansDenoising of 8 bits", _opencv_nl_means),
    Peer("opencv bilateral", "denoise", *_OPENCV, "bilateralFilter", _opencv_bilateral),
    Peer("skimage biharmonic", "inpaint", *_SKIMAGE, "inpaint_biharmonic", _skimage_biharmonic),
    Peer("opencv telea", "inpaint", *_OPENCV, "inpaint, INPAINT_TELEA", _opencv_inpaint("INPAINT_TELEA")),
    Peer("opencv navier-stokes", "inpaint", *_OPENCV, "inpaint, INPAINT_NS", _opencv_inpaint("INPAINT_NS")),
    Peer("skimage wiener", "deblur", *_SKIMAGE, "wiener, balance 0.1", _skimage_wiener),
    Peer("skimage unsupervised", "deblur", *_SKIMAGE, "unsupervised_wiener", _skimage_unsupervised),
    Peer("skimage richardson-lucy", "deblur", *_SKIMAGE, "richardson_lucy, 10 steps", _skimage_richardson_lucy),
    Peer("opencv cubic", "upscale", *_OPENCV, "resize, INTER_CUBIC", _opencv_resize("INTER_CUBIC")),
    Peer("opencv lanczos4", "upscale", *_OPENCV, "resize, INTER_LANCZOS4", _opencv_resize("INTER_LANCZOS4")),
    Peer("pillow lanczos", "upscale", "pillow", "PIL", "resize, LANCZOS", _pillow_lanczos),
    Peer("skimage clahe", "relight", *_SKIMAGE, "equalize_adapthist", _skimage_clahe),
    Peer("opencv clahe", "relight", *_OPENCV, "CLAHE on L", _opencv_clahe),
)
