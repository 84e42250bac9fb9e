"""One image in many styles: tones, posters, films, sketches, and the colours of another image.

Images are (H, W, C) float32 in [0, 1], C 1 or 3, and stay so: a grey image gets the tones of a style, not its colours.

Reinhard, Ashikhmin, Gooch and Shirley, "Color transfer between images", IEEE CG&A 21 (2001) (``transfer``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance

SEPIA = np.array([1.351, 1.203, 0.937], np.float32) / 1.203  # what the usual sepia matrix makes of white, by its green
DUOTONES = {  # shadows and highlights, sRGB
    "night": ("#0b1340", "#9ad7e0"),
    "sunset": ("#3b0f53", "#ffc46b"),
    "forest": ("#0f2f25", "#e9e3a6"),
    "rose": ("#40122e", "#ffd3c9"),
    "riso": ("#2447b5", "#ff9ea3"),
}
LOOKS = {  # of film: tint of the shadows, tint of the highlights, how far blacks are lifted, saturation
    "warm": ((-0.02, 0.00, 0.04), (0.07, 0.02, -0.08), 0.02, 1.05),
    "cool": ((-0.03, 0.01, 0.08), (-0.06, 0.02, 0.06), 0.02, 0.85),
    "faded": ((0.04, 0.02, 0.06), (0.03, 0.02, -0.03), 0.11, 0.60),
}
GRAIN = 0.025  # standard deviation in the mid-tones
LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])  # equation 4
LAB = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1.0, 1, 1], [1, 1, -2], [1, -1, 0]])  # equation 6
SAMPLE = 256  # pixels of the longer side, of the copy in which a poster's colours are found
DARKEST = 1 / 255  # the logarithm of black is not finite


def sepia(image: Image, *, strength: float) -> Image:
    """Tone brown like an old print; ``strength`` in [0, 1]."""
    return _blend(image, _coloured(luminance(image)[:, :, None] * SEPIA, image), strength)


def black_and_white(image: Image, *, red: float, green: float, blue: float, contrast: float) -> Image:
    """Mix the channels to grey, as a colour filter before the lens does, then raise the contrast.

    Parameters
    ----------
    red, green, blue : float >= 0
        Weights; their sum does not matter.
    contrast : float in [0, 1]
        Of an S-curve; 0 for none.
    """
    weights = np.array([red, green, blue], np.float32)
    weights = weights / weights.sum() if weights.sum() > 0 else np.full(3, 1 / 3, np.float32)
    grey = (image @ weights)[:, :, None] if image.shape[2] == 3 else image
    toned = _s_curve(np.asarray(grey, np.float32), contrast)
    return np.repeat(toned, image.shape[2], axis=2)


def duotone(image: Image, *, palette: str) -> Image:
    """Print with two inks: from the darkest in one colour to the lightest in another."""
    dark, light = (_hex(colour) for colour in DUOTONES[palette])
    grey = luminance(image)[:, :, None]
    low, high = np.percentile(grey, (1, 99)).astype(np.float32)
    grey = np.clip((grey - low) / (high - low), 0, 1) if high - low > 0.01 else grey
    return _coloured(dark + (light - dark) * grey, image)


def poster(image: Image, *, colours: int) -> Image:
    """Flatten: smooth between edges, then print in so many colours (median cut, Heckbert, SIGGRAPH 1982), vividly."""
    import cv2
    from PIL import Image as PillowImage

    smooth = np.clip(image, 0, 1)
    for _ in range(3):
        smooth = np.asarray(cv2.bilateralFilter(smooth, 9, 0.12, 5.0), np.float32).reshape(image.shape)
    eight_bit = np.rint(np.repeat(smooth, 3 // image.shape[2], axis=2) * 255).astype(np.uint8)
    whole = PillowImage.fromarray(eight_bit)
    few = whole.copy()
    few.thumbnail((SAMPLE, SAMPLE), PillowImage.Resampling.NEAREST)
    inks = few.quantize(colours, PillowImage.Quantize.MEDIANCUT, kmeans=3)
    printed = whole.quantize(palette=inks, dither=PillowImage.Dither.NONE)
    flat = (np.asarray(printed.convert("RGB")) / 255).astype(np.float32)
    grey = luminance(flat)[:, :, None]
    vivid = np.clip(_s_curve(grey, 0.5) + (flat - grey) * np.float32(1.4), 0, 1)
    return _coloured(vivid, image)


def film(image: Image, *, look: str, strength: float, seed: int) -> Image:
    """Give the look of film: a soft S-curve, tinted shadows and highlights, darker corners, and grain.

    Parameters
    ----------
    look : {"warm", "cool", "faded"}
    strength : float in [0, 1]
    seed : int
        Of the grain.
    """
    shadows, highlights, lift, colour = LOOKS[look]
    height, width, channels = image.shape
    x = _s_curve(np.clip(image, 0, 1), 0.6)
    grey = luminance(x)[:, :, None]
    if channels == 3:
        x = grey + (x - grey) * np.float32(colour)
        x = x + (1 - grey) ** 2 * np.array(shadows, np.float32)
        x = x + grey**2 * np.array(highlights, np.float32)
    x = np.float32(lift) + x * np.float32(1 - 1.3 * lift)
    down, along = (2 * (np.arange(n, dtype=np.float32) + 0.5) / n - 1 for n in (height, width))
    x = x * (1 - 0.09 * (down[:, None] ** 2 + along**2))[:, :, None]
    grain = np.random.default_rng(seed).standard_normal((height, width, 1), np.float32)
    x = x + grain * (GRAIN * 2 * np.sqrt(np.clip(grey * (1 - grey), 0, 1)))
    return _blend(image, x.astype(np.float32), strength)


def sketch(image: Image, *, width: float, strength: float) -> Image:
    """Draw in pencil: the grey image divided by its blurred self (colour dodge), so that only edges stay dark.

    Parameters
    ----------
    width : float in (0, 0.1]
        Of the strokes, as a share of the shorter side.
    strength : float >= 0
        Darkness of the strokes.
    """
    import cv2

    grey = np.clip(luminance(image), 0, 1)
    sigma = max(0.8, width * min(grey.shape))
    around = np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma)).reshape(grey.shape)
    drawn = np.minimum((grey + 0.02) / (around + 0.02), 1) ** np.float32(strength)
    return np.repeat(drawn[:, :, None].astype(np.float32), image.shape[2], axis=2)


def transfer(image: Image, other: Image, *, strength: float) -> tuple[Image, float]:
    """Give the image the colours of another: the mean and the spread of each axis of its l-alpha-beta space.

    Parameters
    ----------
    image : (H, W, C) float32 array
    other : (h, w, C) float32 array
    strength : float in [0, 1]

    Returns
    -------
    image, and the weight 1: its label stays
    """
    if image.shape[2] != other.shape[2]:
        other = np.repeat(other, 3, axis=2) if image.shape[2] == 3 else luminance(other)[:, :, None]
    x, target = to_lab(image), to_lab(other)
    spread = x.std(axis=(0, 1))
    gain = np.where(spread > 1e-6, target.std(axis=(0, 1)) / np.maximum(spread, 1e-6), 1.0)
    moved = (x - x.mean(axis=(0, 1))) * gain + target.mean(axis=(0, 1))  # equations 10 and 11
    return _blend(image, from_lab(moved), strength), 1.0


def to_lab(image: Image) -> NDArray[np.float64]:
    """Convert RGB to l-alpha-beta (equations 4 to 6); grey to its logarithm."""
    x = np.maximum(image.astype(np.float64), DARKEST)
    if image.shape[2] == 1:
        return np.log10(x)
    return np.log10(x @ LMS.T) @ LAB.T


def from_lab(lab: NDArray[np.float64]) -> Image:
    """Convert l-alpha-beta back to RGB, or a logarithm to grey; not clipped."""
    if lab.shape[2] == 1:
        return (10**lab).astype(np.float32)
    return ((10 ** (lab @ np.linalg.inv(LAB).T)) @ np.linalg.inv(LMS).T).astype(np.float32)


def _coloured(styled: Image, image: Image) -> Image:
    """Give a styled RGB image the channels of the image that it was made of."""
    return styled if image.shape[2] == 3 else luminance(styled)[:, :, None]


def _blend(image: Image, styled: Image, strength: float) -> Image:
    return np.clip(image + (styled - image) * np.float32(strength), 0, 1).astype(np.float32)


def _s_curve(x: Image, strength: float) -> Image:
    x = np.clip(x, 0, 1)
    return np.asarray(x + np.float32(strength) * (x * x * (3 - 2 * x) - x), np.float32)


def _hex(colour: str) -> Image:
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
