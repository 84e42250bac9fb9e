"""Cracks: the emulsion of a crumpled print breaks along kinked lines that fork and end at one another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, check_whole, planes_of
from anew.degradations.painting import around, blend, colour_of, fractal_noise, line, line_width, wander
from anew.randomness import Rng, seed_of

PAPER = (0.95, 0.92, 0.85)  # bared by the crack
MOST_CRACKS = 2000  # with their forks


@dataclass(frozen=True)
class _Start:
    """Where a crack begins, where it heads (radians), and how long and wide it is in pixels."""

    x: float
    y: float
    heading: float
    length: float
    width: float


def cracks(
    image: Image,
    *,
    count: int = 6,
    length: float = 0.6,
    width: float | None = None,
    forks: float = 4.0,
    relief: float = 0.12,
    rng: Rng = None,
) -> Degraded:
    """Crumple it: kinked cracks that show the paper, with a ridge of light and shadow along them.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
        Cracks that start on their own.
    length : float >= 0
        Typical length, in units of the longer side.
    width : float >= 0.1, optional
        Typical width in pixels; in proportion to the image if not given.
    forks : float in [0, 100]
        How many shorter cracks leave one of that length sideways, on average.
    relief : float in [0, 1]
        By how much, at most, the ridge brightens one side and darkens the other.
    rng : int or Generator, optional
    """
    check_whole("count", count, 0, 1000)
    check_between("length", length, 0, 10)
    check_between("forks", forks, 0, 100)
    check_between("relief", relief, 0, 1)
    thickness = line_width(image, width)
    check_between("width", thickness, 0.1, 1000)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    reach = length * max(image.shape[:2])
    covering, ridge = np.zeros((2, *image.shape[:2]), np.float32)  # how bare, how bent
    waiting = [_first(image.shape, generator, reach, thickness) for _ in range(int(count))]
    drawn = 0
    while waiting and drawn < MOST_CRACKS:
        waiting += _crack(covering, ridge, generator, waiting.pop(0), forks / max(reach, 1))
        drawn += 1
    result, bent = _bend(image, ridge, relief, 1.5 * thickness, generator.uniform(0, 2 * math.pi))
    grain = 1 + 0.03 * fractal_noise(image.shape, generator, exponent=1.6)
    result, bare = blend(result, covering, grain[:, :, np.newaxis] * colour_of(image, PAPER))
    truth = {"count": count, "length": length, "width": width, "forks": forks, "relief": relief, "seed": seed}
    return Degraded(result, bent | bare, truth)


def _first(shape: tuple[int, ...], rng: np.random.Generator, reach: float, width: float) -> _Start:
    """Place a crack: half of them enter at a border, which is what hands bend first."""
    height, width_of_image = shape[:2]
    x, y = rng.random(2) * (width_of_image, height)
    heading = rng.uniform(0, 2 * math.pi)
    if rng.random() < 0.5:
        side = int(rng.integers(4))
        x, y = ((x, 0.0), (width_of_image, y), (x, height), (0.0, y))[side]
        heading = math.radians(90 * (side + 1)) + rng.normal(0, 0.5)  # inwards; y points down
    return _Start(x, y, heading, reach * rng.lognormal(-0.1, 0.5), width * rng.lognormal(-0.1, 0.5))


def _crack(
    covering: Image, ridge: Image, rng: np.random.Generator, start: _Start, forks_per_pixel: float
) -> list[_Start]:
    """Draw one crack until it meets another or fades out; gives those that fork off it."""
    n = math.ceil(start.length)
    if n < 3:
        return []
    pieces = rng.geometric(1 / max(6 * start.width, 3), n)  # pixels between kinks
    kinks = np.repeat(rng.normal(0, 0.4, n), pieces)[:n]
    heading = start.heading + 0.25 * wander(n, rng, exponent=2.5) + kinks
    x, y = start.x + np.cumsum(np.cos(heading)), start.y + np.cumsum(np.sin(heading))
    height, width = covering.shape
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    met = ridge[rows.clip(0, height - 1), columns.clip(0, width - 1)] > 0.5
    met[: math.ceil(4 * start.width)] = False  # it leaves its parent
    ends = np.flatnonzero(met | ~inside)
    n = int(ends[0]) + 1 if len(ends) else n
    if n < 3:
        return []
    x, y, heading = x[:n], y[:n], heading[:n]
    # It opens unevenly, here and there not at all, and narrows towards an end that meets nothing.
    fading = np.ones(n) if len(ends) else np.linspace(1, 0, n) ** 0.5
    opened = np.clip(0.6 + 0.5 * wander(n, rng, exponent=1.5), 0, 1) * fading
    across = np.maximum(start.width * (0.4 + 0.6 * opened), 0.4)
    box = around(covering.shape, x, y, float(across.max()) + 2)
    for target, opacity in ((covering, opened * rng.uniform(0.5, 1)), (ridge, fading)):
        own = np.zeros(target.shape, np.float32)  # memory that is not drawn on is never touched
        line(own, x, y, across, opacity)
        np.maximum(target[box], np.minimum(own[box], 0.97), out=target[box])
    places = rng.integers(n, size=int(rng.poisson(forks_per_pixel * n)))
    return [
        _Start(
            float(x[place]),
            float(y[place]),
            float(heading[place]) + rng.choice([-1, 1]) * rng.uniform(0.6, 1.6),
            n * rng.uniform(0.15, 0.6),
            start.width * rng.uniform(0.5, 0.9),
        )
        for place in places
    ]


def _bend(image: Image, ridge: Image, relief: float, spread: float, light: float) -> tuple[Image, np.ndarray]:
    """Shade the ridge by its slope towards the light: y = x (1 + r)."""
    import cv2

    soft = cv2.GaussianBlur(ridge, (0, 0), spread)
    slope = math.cos(light) * cv2.Sobel(soft, cv2.CV_32F, 1, 0) + math.sin(light) * cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    steepest = float(np.abs(slope).max(initial=0))
    shade = np.float32(relief / max(steepest, 1e-6)) * slope
    mask = np.abs(shade) >= 0.004
    result = image.copy()
    planes_of(result)[mask] *= 1 + shade[mask][:, np.newaxis]
    return result, mask
