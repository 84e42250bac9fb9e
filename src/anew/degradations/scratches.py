"""Scratches: fine broken lines where something dragged over the emulsion, in bundles of one direction."""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, check_whole
from anew.degradations.painting import blend, colour_of, dot, line, line_width, wander
from anew.randomness import Rng, seed_of

PAPER = (0.96, 0.94, 0.88)  # bared through the emulsion
DIRT = (0.10, 0.09, 0.08)  # rubbed into the scratch


def scratches(
    image: Image,
    *,
    count: int = 12,
    length: float = 0.4,
    width: float | None = None,
    angle: float | None = None,
    opacity: float = 0.9,
    dark: float = 0.15,
    rng: Rng = None,
) -> Degraded:
    """Scratch the surface.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
    length : float >= 0
        Typical length, in units of the longer side.
    width : float > 0, optional
        Typical width in pixels; in proportion to the image if not given.
    angle : float, optional
        Degrees from the x axis of all of them, to within a few; drawn per bundle if not given.
    opacity : float in [0, 1]
        Of the deepest ones.
    dark : float in [0, 1]
        Share of scratches filled with dirt; the others show the paper.
    rng : int or Generator, optional
    """
    check_whole("count", count, 0, 10_000)
    check_between("length", length, 0, 10)
    check_between("opacity", opacity, 0, 1)
    check_between("dark", dark, 0, 1)
    if angle is not None:
        check_between("angle", angle, -np.inf)
    thickness = line_width(image, width)
    check_between("width", thickness, 0, 1000)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    coverings = np.zeros((2, *image.shape[:2]), np.float32)  # paper, dirt
    for index in range(int(count)):
        if index % 4 == 0:  # a new bundle: one thing dragged along leaves several scratches side by side
            start = generator.random(2) * image.shape[1::-1]
            heading = generator.uniform(0, 180) if angle is None else angle
        where = start + generator.normal(0, 0.08, 2) * max(image.shape[:2])
        turned = math.radians(heading + generator.normal(0, 4))
        target = coverings[int(generator.random() < dark)]
        reach = length * max(image.shape[:2]) * generator.lognormal(-0.1, 0.5)
        _scratch(target, generator, where, turned, reach, thickness * generator.lognormal(-0.2, 0.4), opacity)
    result, bright = blend(image, coverings[0], colour_of(image, PAPER))
    result, dirty = blend(result, coverings[1], colour_of(image, DIRT))
    truth = {"count": count, "length": length, "width": width, "angle": angle, "opacity": opacity, "dark": dark}
    return Degraded(result, bright | dirty, {**truth, "seed": seed})


def _scratch(
    covering: Image,
    rng: np.random.Generator,
    centre: np.ndarray,
    angle: float,
    length: float,
    width: float,
    opacity: float,
) -> None:
    """Draw one: a slightly bent line that the tool presses on unevenly, so that it breaks into dashes and specks."""
    n = max(4, math.ceil(length * 1.5))
    along = np.linspace(-length / 2, length / 2, n)
    bend = 0.02 * length * wander(n, rng, exponent=4) + 0.25 * wander(n, rng, exponent=1)
    x = centre[0] + along * math.cos(angle) + bend * math.sin(angle)
    y = centre[1] - along * math.sin(angle) + bend * math.cos(angle)
    ends = np.clip(4 * (1 - np.abs(np.linspace(-1, 1, n))), 0, 1)
    pressure = 0.6 + 0.5 * wander(n, rng, exponent=1.6) + 0.35 * rng.standard_normal(n)
    press = np.clip(pressure, 0, 1) * ends
    drawn = np.zeros_like(covering)
    line(drawn, x, y, width * (0.45 + 0.55 * press), opacity * rng.uniform(0.5, 1) * np.sqrt(press))
    specks = rng.choice(n, max(1, n // 12), p=(ends + 1e-3) / (ends + 1e-3).sum())
    scatter = rng.normal(0, 1.5 * width, (2, len(specks)))
    dot(drawn, x[specks] + scatter[0], y[specks] + scatter[1], opacity * width**2 * rng.uniform(0.2, 1.0, len(specks)))
    np.maximum(covering, np.minimum(drawn, opacity), out=covering)
