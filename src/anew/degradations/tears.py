"""Tears (a corner or a wedge is gone, with a white fibrous rim) and folds (cracked, flaking lines).

Both are drawn from a distance field: the distance in pixels to a line, roughened by fractal noise, says what a pixel
has become.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_between, check_choice, check_level, check_whole, planes_of
from anew.degradations.painting import blend, colour_of, fractal_noise, line, line_width, smoothstep, wander
from anew.randomness import Rng, seed_of

PAPER = (0.95, 0.93, 0.88)
CORNERS = ("top-left", "top-right", "bottom-right", "bottom-left")


def tears(
    image: Image,
    *,
    kind: str = "corner",
    where: str = "any",
    count: int = 1,
    size: float = 0.3,
    fill: float = 0.97,
    rng: Rng = None,
) -> Degraded:
    """Tear pieces off, or rip in from the edge.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    kind : {"corner", "edge"}
        A corner is gone, or a wedge runs in from a border.
    where : {"any", "top-left", "top-right", "bottom-right", "bottom-left"}
        Which corner; for ``edge``, the border that runs clockwise from it.
    count : int >= 0
    size : float in [0, 1]
        How far it reaches, in units of the shorter side.
    fill : float
        What lies behind, e.g. the white lid of a scanner.
    rng : int or Generator, optional
    """
    check_choice("kind", kind, ("corner", "edge"))
    check_choice("where", where, ("any", *CORNERS))
    check_whole("count", count, 0, 100)
    check_between("size", size, 0, 1)
    check_level("fill", fill)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    result, mask = image.copy(), np.zeros(image.shape[:2], bool)
    order = generator.permutation(4)
    for index in range(int(count)):
        corner = int(order[index % 4]) if where == "any" else CORNERS.index(where)
        shape = image.shape[:2] if corner % 2 == 0 else image.shape[1::-1]
        distance = _corner(shape, generator, size) if kind == "corner" else _wedge(shape, generator, size)
        result, touched = _tear(result, np.rot90(distance, -corner), generator, fill)  # from the top left corner
        mask |= touched
    truth = {"kind": kind, "where": where, "count": count, "size": size, "fill": fill, "seed": seed}
    return Degraded(result, mask, truth)


def _corner(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Image:
    """Give the distance to a line across the top left corner, negative on the corner's side."""
    reach = size * min(shape[:2])
    a, b = rng.uniform(0.8, 1.3), rng.uniform(0.8, 1.3)  # where it meets the borders, in units of the reach
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    straight = (b * x + a * y - a * b * reach) / math.hypot(a, b)
    return straight + 0.055 * reach * fractal_noise(shape, rng, exponent=3.4)


def _wedge(shape: tuple[int, ...], rng: np.random.Generator, size: float) -> Image:
    """Give the distance to a rip that starts at the top border and narrows downwards, negative inside."""
    reach = max(1.0, size * min(shape[:2]))
    start, slant = shape[1] * rng.uniform(0.2, 0.8), rng.normal(0, 0.35)
    depth = np.arange(shape[0], dtype=np.float32)[:, np.newaxis]
    centre = start + slant * depth + 0.05 * reach * wander(shape[0], rng, exponent=2.6)[:, np.newaxis]
    opening = 0.10 * reach * np.clip(1 - depth / reach, 0, 1) ** 0.8
    x = np.arange(shape[1], dtype=np.float32)[np.newaxis, :]
    beyond = np.maximum(depth - reach, 0)
    distance = np.hypot(np.maximum(np.abs(x - centre) - opening, 0), beyond) - np.maximum(
        opening - np.abs(x - centre), 0
    )
    rough = 0.012 * reach * fractal_noise(shape, rng, exponent=3.0)
    return np.asarray(distance + rough * (opening > 0), np.float32)


def _tear(image: Image, distance: Image, rng: np.random.Generator, fill: float) -> tuple[Image, NDArray[np.bool_]]:
    """Replace what lies at distance < 0 by the background, bare the paper's core along the edge, cast its shadow."""
    import cv2

    shape = image.shape[:2]
    unit = max(1.0, max(shape) / 500)
    distance = distance + 0.7 * unit * fractal_noise(shape, rng, exponent=2.3)  # the finest raggedness
    gone = smoothstep(-distance, -0.7, 0.7)
    thickness = unit * np.clip(3.0 + 3.0 * fractal_noise(shape, rng, exponent=3.2), 0.3, 12)  # of the bared core
    left = thickness - distance + 0.8 * unit * fractal_noise(shape, rng, exponent=2.3)  # pixels to the print layer
    rim = smoothstep(left, 0, 1.5)
    fibres = fractal_noise(shape, rng, exponent=1.6)
    step = 0.22 * np.exp(-((left / (1.5 * unit)) ** 2))  # the shadow of the print layer's edge
    relief = 0.98 - 0.06 * np.clip(distance / thickness, 0, 1) + 0.025 * fibres - step
    result, bared = blend(image, rim, relief[:, :, np.newaxis] * colour_of(image, PAPER))
    offset = np.array([[1, 0, 1.5 * unit], [0, 1, 2.0 * unit]], np.float32)
    thrown = cv2.warpAffine(1 - gone, offset, (shape[1], shape[0]), borderMode=cv2.BORDER_REPLICATE)
    shade = cv2.GaussianBlur(thrown, (0, 0), 2.5 * unit, borderType=cv2.BORDER_REPLICATE)
    background = fill * (1 - 0.55 * shade[:, :, np.newaxis]) * np.ones(planes_of(image).shape[2], np.float32)
    result, lost = blend(result, gone, background)
    return result, bared | lost


def folds(
    image: Image,
    *,
    count: int = 2,
    width: float | None = None,
    flaking: float = 0.5,
    angle: float | None = None,
    rng: Rng = None,
) -> Degraded:
    """Fold it and flatten it again: cracked lines from border to border where the emulsion flakes off.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    count : int >= 0
    width : float >= 0.1, optional
        Of the crack in pixels; in proportion to the image if not given.
    flaking : float in [0, 1]
        How much emulsion is gone along it.
    angle : float, optional
        Degrees from the x axis; near the diagonals or the axes if not given.
    rng : int or Generator, optional
    """
    check_whole("count", count, 0, 1000)
    check_between("flaking", flaking, 0, 1)
    if angle is not None:
        check_between("angle", angle, -np.inf)
    thickness = line_width(image, width)
    check_between("width", thickness, 0.1, 1000)
    seed = seed_of(rng)
    generator = np.random.default_rng(seed)
    result, mask = image.copy(), np.zeros(image.shape[:2], bool)
    for _ in range(int(count)):
        turned = generator.choice([0, 90, 35, -35]) + generator.normal(0, 8) if angle is None else angle
        result, touched = _fold(result, generator, float(turned), thickness, flaking)
        mask |= touched
    truth = {"count": count, "width": width, "flaking": flaking, "angle": angle, "seed": seed}
    return Degraded(result, mask, truth)


def _fold(
    image: Image, rng: np.random.Generator, angle: float, width: float, flaking: float
) -> tuple[Image, NDArray[np.bool_]]:
    """Draw one fold: relief shading to both sides, a crack of varying depth, flakes off along it, side cracks."""
    shape = image.shape[:2]
    turn = math.radians(angle)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    cx, cy = shape[1] * rng.uniform(0.25, 0.75), shape[0] * rng.uniform(0.25, 0.75)
    along = (x - cx) * math.cos(turn) - (y - cy) * math.sin(turn)
    reach = math.ceil(math.hypot(*shape)) + 1
    places = np.arange(-reach, reach + 1)
    drift = 2.5 * width * wander(len(places), rng, exponent=3.0) + 0.3 * width * wander(len(places), rng, exponent=1.2)

    def spread(profile: NDArray[np.float64]) -> Image:
        return np.interp(along, places, profile).astype(np.float32)

    across = (x - cx) * math.sin(turn) + (y - cy) * math.cos(turn) - spread(drift)
    relief = 0.10 * np.sign(across) * smoothstep(-np.abs(across), -5 * width, -0.5 * width)
    result, mask = image.copy(), np.abs(relief) >= 0.004
    planes_of(result)[mask] *= 1 + relief[mask][:, np.newaxis]

    depth = spread(np.clip(0.65 + 0.45 * wander(len(places), rng, exponent=1.4), 0, 1))
    crack = depth * smoothstep(-np.abs(across), -0.8 * width - 0.4, -0.2 * width)
    bare = spread(flaking * width * np.clip(0.3 + 2.6 * wander(len(places), rng, exponent=1.8), 0, 8))  # half-width
    rough = fractal_noise(shape, rng, exponent=3.0) + 0.5 * fractal_noise(shape, rng, exponent=2.0)
    flakes = smoothstep(bare * np.clip(0.9 + 0.6 * rough, 0, 2) - np.abs(across), -0.5, 0.7) * (bare > 0.3)
    covering = np.maximum(0.85 * crack, flakes)
    for place in rng.uniform(-0.5, 0.5, int(rng.poisson(10 * flaking))) * max(shape):
        offset = float(np.interp(place, places, drift))
        root_x = cx + place * math.cos(turn) + offset * math.sin(turn)
        root_y = cy - place * math.sin(turn) + offset * math.cos(turn)
        _crack(covering, rng, (root_x, root_y), turn, width)
    grain = 1 + 0.025 * fractal_noise(shape, rng, exponent=1.6)
    result, cracked = blend(result, covering, grain[:, :, np.newaxis] * colour_of(image, PAPER))
    return result, mask | cracked


def _crack(covering: Image, rng: np.random.Generator, root: tuple[float, float], turn: float, width: float) -> None:
    """Draw a fine crack that leaves a fold sideways, zigzags and fades out."""
    n = math.ceil(width * rng.uniform(15, 70))
    heading = turn + rng.choice([-1, 1]) * rng.uniform(0.5, 1.5) + rng.choice([0, math.pi])
    kinks = np.repeat(rng.normal(0, 0.45, n), rng.integers(3, 9, n))[:n]
    x = root[0] + np.cumsum(np.cos(heading + kinks))
    y = root[1] - np.cumsum(np.sin(heading + kinks))
    fading = np.linspace(1, 0, n) ** 0.6
    drawn = np.zeros_like(covering)
    opacity = np.clip(0.6 + 0.4 * wander(n, rng, exponent=1.2), 0, 1) * fading
    line(drawn, x, y, np.maximum(0.8 * width * fading, 0.4), opacity)
    np.maximum(covering, np.minimum(drawn, 0.9), out=covering)
