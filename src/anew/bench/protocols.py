"""How the benchmark damages clean pictures and scores what a method makes of them: one protocol per task.

They are those of the literature where it has one, so that the figures can be laid beside published ones. Everything
is a function of the picture alone (seed 0 for each), so two runs give the same figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, are_values

Pixels = NDArray[np.uint8]
Level = float | str

QUALITIES = ("psnr", "ssim", "gmsd", "epi", "perceptual")  # what every result is scored by

DEBLUR_KERNELS = (
    "gaussian 1",
    "gaussian 2",
    "defocus 2",
    "defocus 4",
    "motion 9",
    "motion 9 at 45",
    "motion 15 at 120",
    "motion 21 at 20",
)
RELIGHT_DAMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "-1.5 stops": ("exposure", {"stops": -1.5}),
    "-3 stops": ("exposure", {"stops": -3.0}),
    "warm cast": ("cast", {}),
    "cold cast": ("cast", {"red": 0.8, "blue": 1.1}),
    "faded": ("fade", {"amount": 0.5}),
}
COLOUR_DAMAGES = ("warm cast", "cold cast", "faded")
INPAINT_DAMAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "random 50%": ("pixels", {"density": 0.5, "fill": 0.0}),
    "strokes": ("strokes", {"fill": 0.0}),
    "text": ("lettering", {"fill": 0.0, "size": 0.1, "count": 4}),
    "rectangles": ("rectangles", {"fill": 0.0, "count": 5, "size": 0.12}),
}


@dataclass(frozen=True)
class Trial:
    """One damaged picture, what a method may know about it, and what its result is compared with.

    Attributes
    ----------
    reference : (H, W) or (H, W, 3) float32 array in [0, 1] of 8-bit values
    degraded : float32 array, what the method gets
    inputs : mapping
        By the names of the registry: ``sigma``, ``mask``, ``psf``, ``scale``, ``quality``.
    """

    reference: Image
    degraded: Image
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocol:
    """How one task is measured.

    Attributes
    ----------
    task : str
    levels : tuple
        The strengths or kinds of damage; each is a column of the table.
    label : str
        Format of a column's head.
    statement : str
        The protocol in words, for people who want to compare.
    degrade : callable
        ``degrade(clean, level, variant) -> Trial`` of a uint8 picture.
    variants : tuple of str
        Each level is run once per variant and averaged.
    prepare : callable
        What is done to a clean picture first.
    """

    task: str
    levels: tuple[Level, ...]
    label: str
    statement: str
    degrade: Callable[[Pixels, Level, str], Trial]
    variants: tuple[str, ...] = ("",)
    prepare: Callable[[Pixels], Pixels] = lambda clean: clean

    def head(self, level: Level) -> str:
        """Give the head of a level's column."""
        return self.label.format(f"{level:g}" if isinstance(level, float | int) else level)

    def applies(self, clean: Pixels, level: Level) -> bool:
        """Say whether the damage exists for such a picture; colours cannot go wrong in a grey one."""
        return not (level in COLOUR_DAMAGES and (clean.ndim == 2 or clean.shape[2] == 1))


def luma(image: Pixels) -> Pixels:
    """Give Y of studio-range BT.601, rounded to 8 bits, in [16, 235]; grey pictures as they are."""
    y: Pixels = np.rint(exact_luma(image)).astype(np.uint8)
    return y


def exact_luma(image: Pixels) -> NDArray[np.float64]:
    """Give Y of studio-range BT.601, not rounded, in [16, 235]; grey pictures as they are."""
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2]).astype(np.float64)
    y: NDArray[np.float64] = 16 + image @ np.array([65.481, 128.553, 24.966]) / 255
    return y


def as_float(image: Pixels) -> Image:
    """Give 8-bit values as float32 in [0, 1]."""
    return image.astype(np.float32) / np.float32(255)


def as_eight_bit(image: NDArray[Any]) -> Pixels:
    """Clip and round values in [0, 1] to 8 bits."""
    rounded: Pixels = np.rint(np.clip(np.nan_to_num(image), 0, 1) * 255).astype(np.uint8)
    return rounded


def add_field_noise(clean: Pixels, grey_levels: float) -> Image:
    """Add Gaussian noise as the denoising literature does: seed 0 per picture, neither clipped nor rounded."""
    noise = np.random.RandomState(0).normal(0, grey_levels / 255.0, clean.shape)
    return (clean / 255.0 + noise).astype(np.float32)


def _noisy(clean: Pixels, level: Level, variant: str) -> Trial:
    return Trial(as_float(clean), add_field_noise(clean, float(level)), {"sigma": float(level) / 255})


def _compressed(clean: Pixels, level: Level, variant: str) -> Trial:
    import cv2

    _, data = cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, int(level)])
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return Trial(as_float(clean), as_float(decoded), {"quality": int(level)})


def _small(clean: Pixels, level: Level, variant: str) -> Trial:
    from anew.degradations.downscale import resize_bicubic

    factor = int(level)
    height, width = clean.shape[0] // factor * factor, clean.shape[1] // factor * factor
    reference = as_float(clean[:height, :width])
    return Trial(reference, resize_bicubic(reference, scale=1 / factor, eight_bit=True), {"scale": float(factor)})


def _holed(clean: Pixels, level: Level, variant: str) -> Trial:
    from anew.degradations.catalogue import degrade_with_truth

    name, parameters = INPAINT_DAMAGES[str(level)]
    reference = as_float(clean)
    holed = degrade_with_truth(reference, name, rng=0, **parameters)
    mask = holed.mask
    if mask is None or not mask.any():  # a stroke may pass by a very small picture
        mask = np.zeros(clean.shape[:2], bool)
        mask[: clean.shape[0] // 4 + 1, : clean.shape[1] // 4 + 1] = True
    degraded = reference.copy()
    degraded[mask] = 0
    return Trial(reference, degraded, {"mask": mask})


def _blurred(clean: Pixels, level: Level, variant: str) -> Trial:
    from anew.degradations.blur import convolve

    psf = deblur_kernel(variant)
    noise = np.random.RandomState(0).normal(0, float(level) / 255, clean.shape)
    blurred = convolve(as_float(clean), psf, border="circular") + noise
    return Trial(as_float(clean), blurred.astype(np.float32), {"psf": psf, "sigma": float(level) / 255})


def deblur_kernel(name: str) -> Image:
    """Give one of ``DEBLUR_KERNELS``: a shape, its size in pixels and, after ``at``, its angle in degrees."""
    from anew.degradations.blur import defocus_psf, gaussian_psf, motion_psf

    shape, size, *rest = name.split()
    if shape == "motion":
        return motion_psf(float(size), float(rest[1]) if rest else 0.0)
    return gaussian_psf(float(size)) if shape == "gaussian" else defocus_psf(float(size))


def _badly_lit(clean: Pixels, level: Level, variant: str) -> Trial:
    from anew.degradations.catalogue import degrade_with_truth

    name, parameters = RELIGHT_DAMAGES[str(level)]
    damaged = degrade_with_truth(as_float(clean), name, **parameters)
    return Trial(as_float(clean), as_float(as_eight_bit(damaged.image)))


PROTOCOLS = {
    protocol.task: protocol
    for protocol in (
        Protocol(
            "denoise",
            (15.0, 25.0, 50.0),
            "σ {}",
            "Gaussian noise of standard deviation sigma (of 255), numpy RandomState(0) per picture, neither clipped "
            "nor rounded; sigma is known to the methods. Results clipped and rounded to 8 bits; PSNR over all "
            "channels, no border cut.",
            _noisy,
        ),
        Protocol(
            "deblock",
            (10.0, 20.0, 30.0, 40.0),
            "quality {}",
            "Y of studio-range BT.601 (grey pictures as they are), rounded, compressed by cv2.imencode; the quality is "
            "known to the methods, as it is from a file. Results clipped and rounded to 8 bits; no border cut.",
            _compressed,
            prepare=luma,
        ),
        Protocol(
            "upscale",
            (2.0, 3.0, 4.0),
            "×{}",
            "Cropped to a multiple of the scale, shrunk by MATLAB's antialiased bicubic with rounding to 8 bits. "
            "Scores on Y of studio-range BT.601, not rounded, of the result rounded to 8 bits; as many border pixels "
            "cut as the scale. The row input repeats pixels.",
            _small,
        ),
        Protocol(
            "inpaint",
            tuple(INPAINT_DAMAGES),
            "{}",
            "Missing pixels set to 0, the mask is known, seed 0. PSNR over the missing pixels, other scores over the "
            "whole picture; results clipped and rounded to 8 bits.",
            _holed,
        ),
        Protocol(
            "deblur",
            (2.55, 7.65),
            "noise {}",
            "Circular convolution with each of 8 kernels (Gaussian, defocus, motion), then Gaussian noise (of 255), "
            "RandomState(0); kernel and noise level are known to the methods that take them. Results clipped and "
            "rounded to 8 bits; no border cut.",
            _blurred,
            variants=DEBLUR_KERNELS,
        ),
        Protocol(
            "relight",
            tuple(RELIGHT_DAMAGES),
            "{}",
            "Exposure changed in linear light, channel gains, or a faded print; clipped and rounded to 8 bits. The "
            "methods know nothing about the damage. Scores against the picture before it.",
            _badly_lit,
        ),
    )
}


def score(task: str, trial: Trial, result: Image) -> dict[str, float | None]:
    """Score one result.

    Returns
    -------
    dict
        ``psnr`` (dB; 100 for equal images), ``ssim``, ``gmsd``, ``epi``, ``perceptual``; None where the picture is too
        small for it.

    Raises
    ------
    ValueError
        If the result holds values that are no picture's.
    """
    from anew.metrics.error import psnr
    from anew.metrics.gradient import edge_preservation, gmsd
    from anew.metrics.perceptual import SMALLEST, perceptual_distance
    from anew.metrics.structural import ssim

    if not are_values(result):
        raise ValueError("its result holds values that are NaN or no picture's")
    x: NDArray[Any] = as_eight_bit(result).reshape(trial.reference.shape)
    y: NDArray[Any] = as_eight_bit(trial.reference)
    if task == "upscale":
        border = int(trial.inputs["scale"])
        x, y = (exact_luma(z)[border:-border, border:-border] for z in (x, y))
    mask: Mask | None = trial.inputs.get("mask")
    where = slice(None) if mask is None else mask
    chosen_x, chosen_y = (z[where].reshape(1, -1) if mask is not None else z for z in (x, y))
    side: int = min(x.shape[:2])
    large = side >= 11
    return {
        "psnr": min(psnr(chosen_x, chosen_y, data_range=255), 100.0),
        "ssim": ssim(x, y, data_range=255) if large else None,
        "gmsd": gmsd(x, y, data_range=255) if large else None,
        "epi": edge_preservation(x, y) if large else None,
        "perceptual": perceptual_distance(x, y, data_range=255) if side >= SMALLEST else None,
    }
