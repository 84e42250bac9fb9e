"""Holes: parts of the picture replaced by one colour, and the mask that says which.

With ``fill=0`` each is linear in the image, y = (1 - m) x, and its own adjoint.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from anew.arrays import Image, Mask
from anew.degradations.degraded import Degraded, check_between, check_level, check_whole
from anew.randomness import Rng, seed_of


def rectangles(image: Image, *, count: int = 3, size: float = 0.2, fill: float = 1.0, rng: Rng = None) -> Degraded:
    """Cut ``count`` rectangles whose sides are between half of ``size`` and ``size`` times those of the image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
    size : float in [0, 1]
    fill : float
        The value that stands in the holes.
    rng : int or Generator, optional
    """
    truth = {"count": count, "size": size, "fill": fill}
    return _cut(image, _rectangles_mask, truth, rng)


def strokes(image: Image, *, count: int = 4, width: float = 0.02, fill: float = 1.0, rng: Rng = None) -> Degraded:
    """Paint ``count`` wandering strokes, ``width`` times the longer side thick (at least 1 pixel)."""
    truth = {"count": count, "width": width, "fill": fill}
    return _cut(image, _strokes_mask, truth, rng)


def lettering(
    image: Image, *, text: str = "SAMPLE", size: float = 0.12, count: int = 3, fill: float = 1.0, rng: Rng = None
) -> Degraded:
    """Write ``text`` on ``count`` places, its letters ``size`` times the shorter side high (at least 6 pixels)."""
    truth = {"text": text, "size": size, "count": count, "fill": fill}
    return _cut(image, _lettering_mask, truth, rng)


def pixels(image: Image, *, density: float = 0.5, fill: float = 0.0, rng: Rng = None) -> Degraded:
    """Lose single pixels, each with probability ``density`` in [0, 1]."""
    truth = {"density": density, "fill": fill}
    return _cut(image, _pixels_mask, truth, rng)


def _rectangles_mask(shape: tuple[int, ...], seed: int, *, count: int, size: float) -> Mask:
    check_whole("count", count, 0, 10_000)
    check_between("size", size, 0, 1)
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape[:2], bool)
    for _ in range(int(count)):
        sides = [max(1, round(n * size * rng.uniform(0.5, 1))) for n in shape[:2]]
        top, left = (int(rng.integers(n - s + 1)) for n, s in zip(shape, sides, strict=False))
        mask[top : top + sides[0], left : left + sides[1]] = True
    return mask


def _strokes_mask(shape: tuple[int, ...], seed: int, *, count: int, width: float) -> Mask:
    import cv2

    check_whole("count", count, 0, 10_000)
    check_between("width", width, 0, 1)
    rng = np.random.default_rng(seed)
    canvas = np.zeros(shape[:2], np.uint8)
    side = max(shape[:2])
    for _ in range(int(count)):
        point = rng.random(2) * (shape[1], shape[0])
        heading = rng.uniform(0, 2 * np.pi)
        path = [point]
        for _ in range(int(rng.integers(40, 80))):
            heading += rng.normal(0, 0.25)
            path.append(path[-1] + side * 0.01 * np.array([np.cos(heading), np.sin(heading)]))
        thickness = max(1, round(side * width * rng.uniform(0.6, 1.2)))
        cv2.polylines(canvas, [np.rint(path).astype(np.int32)], False, 1, thickness)
    return canvas > 0


def _lettering_mask(shape: tuple[int, ...], seed: int, *, text: str, size: float, count: int) -> Mask:
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    check_whole("count", count, 0, 10_000)
    check_between("size", size, 0, 1)
    rng = np.random.default_rng(seed)
    canvas = Pillow.new("1", (shape[1], shape[0]))
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(max(6, size * min(shape[:2])))
    left, top, right, bottom = draw.textbbox((0, 0), str(text), font=font)
    for index in range(int(count)):
        x = rng.uniform(0, max(0, shape[1] - (right - left))) - left
        y = (index + rng.random()) / count * max(0, shape[0] - (bottom - top)) - top  # one below the other
        draw.text((x, y), str(text), fill=1, font=font)
    return np.asarray(canvas, bool)


def _pixels_mask(shape: tuple[int, ...], seed: int, *, density: float) -> Mask:
    check_between("density", density, 0, 1)
    return np.random.default_rng(seed).random(shape[:2]) < density


def _cut(image: Image, paint: Callable[..., Mask], truth: dict[str, Any], rng: Rng) -> Degraded:
    seed = seed_of(rng)
    fill = truth["fill"]
    check_level("fill", fill)
    mask = paint(image.shape, seed, **{k: v for k, v in truth.items() if k != "fill"})
    result = image.copy()
    result[mask] = fill
    return Degraded(result, mask, {**truth, "seed": seed})


def _adjoint(
    y: Image, shape: tuple[int, ...], *, paint: Callable[..., Mask], seed: int, fill: float = 0.0, **options: Any
) -> Image:
    """Apply the adjoint of the linear part: blank the same pixels again."""
    result = y.copy()
    result[paint(shape, seed, **options)] = 0
    return result


rectangles_adjoint = partial(_adjoint, paint=_rectangles_mask)
strokes_adjoint = partial(_adjoint, paint=_strokes_mask)
lettering_adjoint = partial(_adjoint, paint=_lettering_mask)
pixels_adjoint = partial(_adjoint, paint=_pixels_mask)
