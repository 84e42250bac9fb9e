"""Stains (liquid that dried with a dark rim) and dust (specks and hairs)."""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, check_whole, planes_of
from anew.degradations.painting import (
    FAINTEST,
    around,
    blend,
    colour_of,
    dot,
    fractal_noise,
    line,
    line_width,
    smoothstep,
    wander,
)
from anew.randomness import Rng, seed_of

COFFEE = (0.62, 0.43, 0.20)  # transmittance of the densest part
LINT = (0.95, 0.95, 0.93)
SOOT = (0.08, 0.08, 0.08)


def stains(image: Image, *, count: int = 2, size: float = 0.3, strength: float = 0.7, rng: Rng = None) -> Degraded:
    """Spill something brown:  y = x (1 - a (1 - t)),  a the density of the stain, t the colour of its densest part.

    Drying liquid carries its pigment to the rim (Deegan et al., Nature 389 (1997)), hence the dark edge.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
    size : float >= 0
        Typical diameter, in units of the longer side.
    strength : float in [0, 1]
        Density at the rim.
    rng : int or Generator, optional
    """
    check_whole("count", count, 0, 1000)
    check_between("size", size, 0, 10)
    check_between("strength", strength, 0, 1)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    density = np.zeros(image.shape[:2], np.float32)
    for _ in range(int(count)):
        np.maximum(density, _stain(image.shape, generator, size), out=density)
    density *= np.float32(strength)
    mask = density >= FAINTEST
    result = image.copy()
    planes = planes_of(result)
    planes[mask] *= 1 - density[mask][:, np.newaxis] * (1 - colour_of(image, COFFEE))
    return Degraded(result, mask, {"count": count, "size": size, "strength": strength, "seed": seed})


def _stain(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Image:
    """Give the density in [0, 1] of one stain: merged puddles with a ragged outline, a rim, and droplets around."""
    side = max(shape[:2])
    radius = max(1.0, side * size / 2 * rng.uniform(0.7, 1.2))
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    centre = rng.random(2) * (shape[1], shape[0])
    distance = np.full(shape[:2], np.inf, np.float32)  # to the outline, in radii; negative inside
    for _ in range(int(rng.integers(2, 5))):
        px, py = centre + rng.normal(0, 0.45, 2) * radius
        stretch, own = rng.uniform(0.75, 1.3), rng.uniform(0.5, 0.9)
        np.minimum(distance, np.hypot((x - px) * stretch, (y - py) / stretch) / radius - own, out=distance)
    distance += 0.10 * fractal_noise(shape, rng, exponent=3.2)
    edge = max(1.0 / radius, 0.012)
    for _ in range(int(rng.integers(3, 12))):  # droplets
        px, py = centre + rng.normal(0, 1.1, 2) * radius
        own = abs(rng.normal(0, 0.035))
        box = around(shape, px, py, (own + edge) * radius + 1)  # further out it shows nothing
        near = distance[box]
        np.minimum(near, np.hypot(x[box] - px, y[box] - py) / radius - own, out=near)
    inside = smoothstep(-distance, -0.5 * edge, edge)
    rim = np.exp(-(((distance + 1.5 * edge) / (2.2 * edge)) ** 2)) + 0.35 * np.exp(np.minimum(distance, 1) / 0.12)
    mottle = 0.30 + 0.07 * fractal_noise(shape, rng, exponent=2.6) + 0.03 * fractal_noise(shape, rng, exponent=1.2)
    return np.clip(inside * (mottle + 0.62 * rim), 0, 1)


def dust(image: Image, *, count: int = 120, hairs: int = 3, dark: float = 0.2, rng: Rng = None) -> Degraded:
    """Scan it unclean: specks, clustered, and hairs.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
        Specks.
    hairs : int >= 0
    dark : float in [0, 1]
        Share of dark specks; dust on a negative prints white.
    rng : int or Generator, optional
    """
    check_whole("count", count, 0, 1_000_000)
    check_whole("hairs", hairs, 0, 10_000)
    check_between("dark", dark, 0, 1)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    unit = line_width(image, None)
    coverings = np.zeros((2, *image.shape[:2]), np.float32)  # white, dark
    size = np.array(image.shape[1::-1])
    centres = generator.random((max(1, int(count) // 25), 2)) * size
    for _ in range(int(count)):
        where = generator.random(2) * size
        if generator.random() < 0.5:  # dust gathers
            where = centres[generator.integers(len(centres))] + generator.normal(0, 0.06, 2) * size.max()
        _speck(coverings[int(generator.random() < dark)], generator, where, unit)
    for _ in range(int(hairs)):
        _hair(coverings[int(generator.random() < dark)], generator, generator.random(2) * size, unit)
    result, white = blend(image, np.minimum(coverings[0], 0.95), colour_of(image, LINT))
    result, sooty = blend(result, np.minimum(coverings[1], 0.9), colour_of(image, SOOT))
    return Degraded(result, white | sooty, {"count": count, "hairs": hairs, "dark": dark, "seed": seed})


def _speck(covering: Image, rng: np.random.Generator, where: np.ndarray, unit: float) -> None:
    """Draw one speck: an irregular, elongated cluster; most are smaller than a pixel or two, a few larger."""
    radius = unit * min(rng.lognormal(-0.6, 0.6), 4.0)
    n = max(6, math.ceil(12 * radius**2))
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(1, 2.2)
    u, v = rng.normal(0, radius / 2, (2, n)) * [[math.sqrt(stretch)], [1 / math.sqrt(stretch)]]
    x = where[0] + u * math.cos(turn) - v * math.sin(turn)
    y = where[1] + u * math.sin(turn) + v * math.cos(turn)
    dot(covering, x, y, rng.uniform(0.6, 1.6) * math.pi * radius**2 / n)


def _hair(covering: Image, rng: np.random.Generator, where: np.ndarray, unit: float) -> None:
    """Draw one hair: a thin line whose direction drifts and now and then kinks."""
    n = math.ceil(unit * rng.uniform(40, 160))
    bends = rng.uniform(0.3, 1.6) * wander(n, rng, exponent=3.4) + rng.uniform(0, 0.25) * wander(n, rng)
    heading = rng.uniform(0, 2 * np.pi) + bends
    for _ in range(int(rng.integers(0, 2))):
        heading[int(rng.integers(n)) :] += rng.normal(0, 0.8)
    x, y = where[0] + np.cumsum(np.cos(heading)), where[1] + np.cumsum(np.sin(heading))
    taper = np.clip(np.linspace(0, 12, n), 0.5, 1)
    line(covering, x, y, unit * 0.9 * taper, rng.uniform(0.55, 0.9) * (1 + 0.12 * wander(n, rng, exponent=1)))
