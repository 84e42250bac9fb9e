"""Where a small picture occurs in a large one: zero-normalised cross-correlation.

Lewis, Fast normalized cross-correlation, Vision Interface (1995): sums by FFT, in double precision, so that windows
that are nearly flat are judged rightly. Brightness and contrast do not matter, shape does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from anew.arrays import Image, Mask

FLAT = 1e-5  # standard deviation, in units of the image's range, below which a window is taken as flat


@dataclass(frozen=True)
class Match:
    """One place where a template was found.

    Attributes
    ----------
    x, y : float
        Centre of the match in pixels of the image.
    score : float in [-1, 1]
        Correlation; 1 is a perfect match.
    scale : float
        Size of the match in units of the template's.
    angle : float
        Degrees by which the template was turned counter-clockwise.
    width, height : int
        Box, in pixels, of the scaled and turned template.
    """

    x: float
    y: float
    score: float
    scale: float
    angle: float
    width: int
    height: int


def match_template(image: Image, template: Image, *, mask: Mask | None = None) -> Image:
    """Correlate a template with every window of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    template : (h, w) or (h, w, C) float32 array, not larger than the image
        In colour, each channel has its own mean and all share one norm.
    mask : (h, w) bool array, optional
        True where the template counts. Default: everywhere.

    Returns
    -------
    (H - h + 1, W - w + 1) float32 array in [-1, 1]
        At [y, x] the score of the window whose top left pixel is (x, y); 0 where window or template is flat.
    """
    f, t = (np.asarray(np.atleast_3d(a), np.float64) for a in (image, template))
    if f.shape[2] != t.shape[2] or t.shape[0] > f.shape[0] or t.shape[1] > f.shape[1]:
        raise ValueError(f"expected a template within shape {image.shape}, same channels, got {template.shape}")
    m = np.ones(t.shape[:2]) if mask is None else np.asarray(mask, np.float64)
    if m.shape != t.shape[:2]:
        raise ValueError(f"expected a mask of shape {t.shape[:2]} like the template, got {m.shape}")
    count = m.sum()
    if count == 0:
        raise ValueError("the mask of the template is False everywhere; at least one pixel must count")
    f = f - f.mean(axis=(0, 1))
    t = (t - (t * m[..., None]).sum(axis=(0, 1)) / count) * m[..., None]
    covariance = np.zeros((f.shape[0] - t.shape[0] + 1, f.shape[1] - t.shape[1] + 1))
    energy = np.zeros_like(covariance)
    for c in range(f.shape[2]):
        covariance += _correlate(f[:, :, c], t[:, :, c])
        energy += _correlate(f[:, :, c] ** 2, m) - _correlate(f[:, :, c], m) ** 2 / count
    template_energy = np.sum(t**2)
    flat = count * (FLAT * float(np.ptp(f))) ** 2
    usable = (energy > flat) & (template_energy > count * (FLAT * float(np.ptp(template))) ** 2)
    scores = np.zeros_like(covariance)
    scores[usable] = covariance[usable] / np.sqrt(energy[usable] * template_energy)
    return np.clip(scores, -1, 1).astype(np.float32)


def find_template(
    image: Image,
    template: Image,
    *,
    mask: Mask | None = None,
    threshold: float = 0.7,
    max_matches: int = 100,
    scales: Sequence[float] = (1.0,),
    angles: Sequence[float] = (0.0,),
) -> list[Match]:
    """Find the places where a template occurs.

    Parameters
    ----------
    image, template, mask
        As in ``match_template``.
    threshold : float in [-1, 1]
        Least score.
    max_matches : int >= 1
        Only so many of the best are given.
    scales : sequence of float > 0
        Sizes to try, in units of the template's; those that do not fit into the image are skipped.
    angles : sequence of float
        Turns to try, in degrees counter-clockwise.

    Returns
    -------
    list of Match
        Best first; of matches whose centres lie within half a template of each other only the best is kept.
    """
    if not (isinstance(max_matches, int | np.integer) and max_matches >= 1):
        raise ValueError(f"max_matches must be an integer of at least 1, got {max_matches!r}")
    candidates: list[Match] = []
    for scale in scales:
        for angle in angles:
            height, width = _shape_of(template, scale, angle)
            if height > image.shape[0] or width > image.shape[1]:
                continue
            turned, turned_mask = _transform(template, mask, scale, angle)
            if not turned_mask.any():
                continue
            scores = match_template(image, turned, mask=turned_mask)
            # Only local maxima can survive the suppression below.
            peaks = (scores >= threshold) & (
                scores >= cv2.dilate(scores, np.ones((3, 3), np.uint8)).reshape(scores.shape)
            )
            for y, x in np.argwhere(peaks):
                centre = (float(x + (width - 1) / 2), float(y + (height - 1) / 2))
                candidates.append(Match(*centre, float(scores[y, x]), float(scale), float(angle), width, height))
    return _suppress(candidates, max_matches)


def _correlate(f: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(fftconvolve(f, t[::-1, ::-1], mode="valid"))


def _shape_of(template: Image, scale: float, angle: float) -> tuple[int, int]:
    """Give the height and width of the box around a scaled and turned template."""
    if not 0 < scale < np.inf:
        raise ValueError(f"scales must be finite numbers > 0, got {scale}")
    if not np.isfinite(angle):
        raise ValueError(f"angles must be finite numbers, got {angle}")
    height, width = template.shape[:2]
    cos, sin = abs(np.cos(np.radians(angle))), abs(np.sin(np.radians(angle)))
    return max(1, round(scale * (width * sin + height * cos))), max(1, round(scale * (width * cos + height * sin)))


def _transform(template: Image, mask: Mask | None, scale: float, angle: float) -> tuple[Image, Mask]:
    """Scale and turn a template about its centre; pixels that come from outside it do not count."""
    full = np.ones(template.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    if scale == 1 and angle == 0:
        return template, full
    height, width = template.shape[:2]
    source = template
    if scale < 1:  # average what falls together before sampling
        blur = 0.5 * np.sqrt(1 / scale**2 - 1)
        blurred = cv2.GaussianBlur(template, (0, 0), blur, borderType=cv2.BORDER_REFLECT)
        source = np.asarray(blurred, np.float32).reshape(template.shape)
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    new_height, new_width = _shape_of(template, scale, angle)
    linear = scale * np.array([[cos, sin], [-sin, cos]])  # y points down
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([(new_width - 1) / 2, (new_height - 1) / 2]) - linear @ centre
    matrix, size = np.column_stack([linear, shift]), (new_width, new_height)
    channels = np.atleast_3d(source)
    turned = np.stack(
        [
            cv2.warpAffine(np.ascontiguousarray(channels[:, :, c]), matrix, size, borderMode=cv2.BORDER_REPLICATE)
            for c in range(channels.shape[2])
        ],
        axis=2,
    ).reshape(new_height, new_width, *template.shape[2:])
    counts = cv2.warpAffine(full.astype(np.float32), matrix, size).reshape(new_height, new_width) > 0.99
    return np.asarray(turned, np.float32), np.asarray(counts)


def _suppress(candidates: list[Match], max_matches: int) -> list[Match]:
    """Keep the best of every cluster of matches."""
    kept: list[Match] = []
    for match in sorted(candidates, key=lambda m: (-m.score, m.y, m.x)):
        if len(kept) == max_matches:
            break
        near = (
            abs(match.x - k.x) < (match.width + k.width) / 4 and abs(match.y - k.y) < (match.height + k.height) / 4
            for k in kept
        )
        if not any(near):
            kept.append(match)
    return kept
