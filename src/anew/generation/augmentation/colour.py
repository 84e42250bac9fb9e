"""Colour jitter: brightness, contrast, saturation, hue and gamma. All give values in [0, 1]; grey stays grey.

Images are (H, W, C) float32, C 1 or 3; every amount is 0 for no change.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, luminance


def adjust_brightness(image: Image, *, amount: float) -> Image:
    """Multiply by 1 + amount."""
    return _fit(image * np.float32(1 + amount))


def adjust_contrast(image: Image, *, amount: float) -> Image:
    """Stretch by 1 + amount about the mean luma."""
    mean = np.float32(luminance(image).mean(dtype=np.float64))
    return _fit(mean + (image - mean) * np.float32(1 + amount))


def adjust_saturation(image: Image, *, amount: float) -> Image:
    """Stretch colours by 1 + amount away from their luma; -1 gives grey."""
    if image.shape[2] == 1:
        return image.copy()
    grey = luminance(image)[:, :, None]
    return _fit(grey + (image - grey) * np.float32(1 + amount))


def adjust_hue(image: Image, *, degrees: float) -> Image:
    """Turn the hue of the HSV cone: 120 makes red green, green blue and blue red."""
    import cv2

    if image.shape[2] == 1 or degrees % 360 == 0:
        return _fit(image)
    hsv = np.asarray(cv2.cvtColor(_fit(image), cv2.COLOR_RGB2HSV)).reshape(image.shape)
    hsv[:, :, 0] = (hsv[:, :, 0] + np.float32(degrees % 360)) % 360
    return _fit(np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32).reshape(image.shape))


def adjust_gamma(image: Image, *, amount: float) -> Image:
    """Raise to the power exp(amount): above 0 the mid-tones darken, below 0 they lighten, black and white stay."""
    return _fit(_fit(image) ** np.float32(np.exp(amount)))


def jitter(image: Image, *, brightness: float, contrast: float, saturation: float, hue: float, gamma: float) -> Image:
    """All five, in that order; ``hue`` in degrees."""
    for adjust, amount in (
        (adjust_brightness, brightness),
        (adjust_contrast, contrast),
        (adjust_saturation, saturation),
    ):
        image = adjust(image, amount=amount)
    return adjust_gamma(adjust_hue(image, degrees=hue), amount=gamma)


def _fit(image: Image) -> Image:
    return np.clip(image, 0, 1).astype(np.float32, copy=False)
