"""Materials: wood, marble, clouds, granite, paper, water, lava; each a small recipe of noise.

After Perlin, "An image synthesizer", SIGGRAPH 1985 (marble, turbulence), and Ebert et al., Texturing and Modeling
(wood as distorted rings, clouds as warped fractal sums). All of them tile unless told otherwise.
"""

from __future__ import annotations

import math

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import check_between
from anew.generation.rules.canvas import Rng, Shape, check_shape, mixed, shaded, smoothstep, warped
from anew.generation.rules.noise import (
    PERLIN_SPREAD,
    evened,
    nearest_points,
    octaves_of,
    perlin_rows,
    started_anywhere,
    unit_gradients,
)
from anew.generation.rules.palettes import Palette, colour_table, colourise
from anew.randomness import as_generator

HEART = 0.25  # of half a board's width: how far the saw passes from the middle of the trunk


def wood(
    shape: Shape,
    *,
    palette: Palette = "oak",
    rings: float = 9.0,
    distortion: float = 0.5,
    grain: float = 0.5,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Saw a board along the trunk: rings cut at a flat angle, fine fibres, pores.

    Parameters
    ----------
    shape : (H, W)
        The grain runs along the height.
    palette : see ``palettes.palette_colours``
    rings : float in [1, 200]
        Growth rings across the width.
    distortion : float in [0, 4]
        How much the rings wander.
    grain : float in [0, 2]
        Strength of fibres and pores.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("rings", rings, 1, 200)
    check_between("distortion", distortion, 0, 4)
    check_between("grain", grain, 0, 2)
    generator = as_generator(rng)
    along, across = 1.3, 4.0  # cells of the wandering, along and across the fibres
    wander = _stretched(shape, across, along, 3, tileable, generator)
    broad = _stretched(shape, 1.6, 0.8, 1, tileable, generator)
    x = ((np.arange(shape[1], dtype=np.float32) + np.float32(0.5)) / shape[1])[None, :]
    # how far the rings are out, from the board's heart: they are cut the flattest there
    wave = (
        0.5 - 0.5 * np.cos(np.float32(2 * math.pi) * x) if tileable else np.hypot(2 * x - 1, np.float32(HEART)) - HEART
    )
    t = np.float32(rings) * (wave + np.float32(0.16 * distortion) * broad + np.float32(0.035 * distortion) * wander)
    ring = t - np.floor(t)
    # spring wood darkens slowly, late wood ends sharply
    slow = ring ** np.float32(1.6) * (1 - smoothstep(0.9, 1.0, ring))
    tone = 0.86 - 0.62 * slow + 0.07 * wander + 0.05 * broad
    cells = min(220.0, min(shape) / 2.5)
    fibre = _stretched(shape, cells, cells / 30, 2, tileable, generator)
    pores = smoothstep(1.5, 2.6, _stretched(shape, cells, cells / 12, 1, tileable, generator)) * (0.4 + 0.6 * ring)
    tone += np.float32(grain) * (0.085 * fibre - 0.55 * pores)
    return colourise(tone, palette)


def marble(
    shape: Shape,
    *,
    palette: Palette = "carrara",
    veins: float = 3.0,
    turbulence: float = 1.0,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Cut a block of marble: fine veins where warped noise crosses zero, over soft clouds.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; its first colour is that of the veins
    veins : float in [0.5, 50]
        Cells of the noise that makes them, along the shorter side.
    turbulence : float in [0, 4]
        How ragged they are.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("veins", veins, 0.5, 50)
    check_between("turbulence", turbulence, 0, 4)
    generator = as_generator(rng)
    rough = octaves_of(shape, 2 * veins, 6, 0.55, "fbm", tileable, generator)
    clouds = evened(octaves_of(shape, 1.2 * veins, 5, 0.5, "fbm", tileable, generator))
    presence = smoothstep(0.25, 0.85, evened(octaves_of(shape, veins, 2, 0.5, "fbm", tileable, generator)))
    tone = 0.62 + 0.36 * clouds
    for cells, width, depth in ((veins, 0.10, 0.85), (1.7 * veins, 0.05, 0.5), (3.1 * veins, 0.035, 0.28)):
        smooth = octaves_of(shape, cells, 2, 0.4, "fbm", tileable, generator)
        line = np.abs(smooth + np.float32(0.28 * turbulence) * rough)
        vein = np.exp(-line / np.float32(width)) + 0.35 * np.exp(-line / np.float32(4 * width))
        tone -= np.float32(depth) * vein * (0.25 + 0.75 * presence)
    return colourise(tone, palette)


def clouds(
    shape: Shape,
    *,
    palette: Palette = "sky",
    cells: float = 2.5,
    cover: float = 0.5,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Look up into a sky with cumulus clouds, lit from the upper left.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``; from the sky to the brightest cloud
    cells : float in [0.5, 100]
        Clouds along the shorter side, about.
    cover : float in [0, 1]
        Share of the sky that is covered.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 0.5, 100)
    check_between("cover", cover, 0, 1)
    generator = as_generator(rng)
    form = octaves_of(shape, cells, 8, 0.52, "fbm", tileable, generator)
    billow = octaves_of(shape, 2 * cells, 6, 0.55, "billow", tileable, generator)
    density = evened(form - 0.22 * billow)
    body = smoothstep(1 - cover - 0.12, 1 - cover + 0.42, density)
    veil = evened(octaves_of(shape, 0.8 * cells, 5, 0.45, "fbm", tileable, generator))
    lit = shaded(evened(form) * np.float32(0.22 * min(shape) / cells), elevation=55, tileable=tileable)
    table = colour_table(palette)
    ground = table[np.asarray((0.02 + 0.26 * veil) * (len(table) - 1), np.int32)]
    bright = np.clip(0.55 + 0.45 * lit + 0.1 * billow - 0.25 * body * (1 - lit), 0.35, 1)
    cloud = table[np.asarray(bright * (len(table) - 1), np.int32)]
    return mixed(ground, cloud, body)


def granite(
    shape: Shape, *, palette: Palette = "granite", cells: float = 45.0, tileable: bool = True, rng: Rng = 0
) -> Image:
    """Polish a granite: interlocking grains of a few minerals, in three sizes.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [2, 400]
        Large grains along the shorter side.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 2, 400)
    generator = as_generator(rng)
    patches = evened(octaves_of(shape, max(2, cells / 12), 3, 0.6, "fbm", tileable, generator))
    tone = np.zeros(shape, np.float32)
    for scale, weight in ((1.0, 0.55), (2.3, 0.45)):
        index, first, second, _ = nearest_points(shape, min(cells * scale, 1000), 1.0, tileable, generator)
        mineral = generator.choice([0.02, 0.35, 0.62, 0.8, 1.0], int(index.max()) + 1, p=[0.16, 0.2, 0.28, 0.22, 0.14])
        soft = smoothstep(0.0, 0.25, second - first)
        tone += np.float32(weight) * (mineral.astype(np.float32)[index] * soft + 0.45 * (1 - soft))
        tone += np.float32(0.04 * weight) * (0.5 - first)
    dust = octaves_of(shape, min(shape) / 3, 2, 0.7, "fbm", tileable, generator)
    return colourise(0.08 + 0.78 * tone + 0.16 * patches + 0.03 * dust, palette)


def paper(
    shape: Shape, *, palette: Palette = "paper", roughness: float = 0.5, tileable: bool = True, rng: Rng = 0
) -> Image:
    """Scan a sheet of hand-made paper: a cloudy body, fibres, tooth lit from one side.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    roughness : float in [0, 2]
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("roughness", roughness, 0, 2)
    generator = as_generator(rng)
    body = evened(octaves_of(shape, 4, 6, 0.6, "fbm", tileable, generator))
    tooth = octaves_of(shape, min(90.0, min(shape) / 6), 3, 0.75, "fbm", tileable, generator)
    fibres = octaves_of(shape, min(24.0, min(shape) / 8), 3, 0.5, "fbm", tileable, generator)
    strand = np.exp(-np.abs(fibres) / np.float32(0.03)) * smoothstep(0.4, 0.9, body)
    depth = np.float32(0.35 * roughness * min(shape) / 500)
    light = shaded((tooth + 1.2 * strand) * depth, tileable=tileable) - 1
    return colourise(0.6 + 0.22 * body + 0.5 * light + 0.05 * strand, palette)


def water(shape: Shape, *, palette: Palette = "pool", cells: float = 7.0, tileable: bool = True, rng: Rng = 0) -> Image:
    """Look into a pool: a net of bright caustics on the ground, blurred by the waves.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 200]
        Meshes of the net along the shorter side.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 200)
    generator = as_generator(rng)
    step = np.float32(0.30 * min(shape) / cells)
    dx, dy = (octaves_of(shape, cells * 0.8, 2, 0.5, "fbm", tileable, generator) * step for _ in range(2))
    net = np.zeros(shape, np.float32)
    for scale, weight in ((1.0, 0.75), (1.6, 0.45)):
        _, _, _, border = nearest_points(shape, cells * scale, 0.9, tileable, generator)
        line = np.exp(-border / np.float32(0.045)) + 0.45 * np.exp(-border / np.float32(0.16))
        net += np.float32(weight) * warped(line, dx, dy)
    depth = evened(octaves_of(shape, max(1.0, cells / 4), 3, 0.5, "fbm", tileable, generator))
    return colourise(0.16 + 0.34 * depth + 0.46 * net, palette)


def lava(
    shape: Shape,
    *,
    palette: Palette = "lava",
    cells: float = 6.0,
    heat: float = 0.5,
    tileable: bool = True,
    rng: Rng = 0,
) -> Image:
    """Let a crust of basalt crack over glowing rock.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    cells : float in [1, 200]
        Plates along the shorter side.
    heat : float in [0, 1]
        Width of the cracks and the glow round them.
    tileable : bool
    rng : int, Generator or None

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]
    """
    check_between("cells", cells, 1, 200)
    check_between("heat", heat, 0, 1)
    generator = as_generator(rng)
    step = np.float32(0.13 * min(shape) / cells)
    dx, dy = (octaves_of(shape, 2 * cells, 4, 0.55, "fbm", tileable, generator) * step for _ in range(2))
    _, _, _, border = nearest_points(shape, cells, 1.0, tileable, generator)
    border = warped(border, dx, dy)
    flow = evened(octaves_of(shape, cells / 2, 4, 0.5, "fbm", tileable, generator))
    rock = octaves_of(shape, 3 * cells, 6, 0.6, "ridged", tileable, generator)
    width = (0.02 + 0.10 * np.float32(heat)) * (0.3 + 1.4 * flow)
    glow = np.exp(-border / width) + np.float32(0.35 * heat) * np.exp(-border / (4 * width)) * flow
    crust = 0.14 + 0.05 * rock + 0.12 * (shaded(rock * np.float32(min(shape) / 450), tileable=tileable) - 1)
    return colourise(np.clip(crust, 0.0, 0.3) + 0.85 * glow, palette)


def _stretched(
    shape: Shape, across: float, along: float, octaves: int, tileable: bool, rng: np.random.Generator
) -> Image:
    """Give fractal noise with ``across`` cells along the width and ``along`` cells along the height, spread 1."""
    check_shape(shape)
    total, power = np.zeros(shape, np.float32), 0.0
    for k in range(octaves):
        columns, rows = (max(1, round(n * 2**k)) for n in (across, along))
        x = started_anywhere((np.arange(shape[1]) + 0.5) * columns / shape[1], tileable, rng)
        y = started_anywhere((np.arange(shape[0]) + 0.5) * rows / shape[0], tileable, rng)
        if not tileable:
            columns, rows = columns + 1, rows + 1  # begun within a cell, it ends within another
        octave = perlin_rows(x, y, unit_gradients(rows, columns, tileable, rng))
        total += octave * np.float32(0.5**k / PERLIN_SPREAD)
        power += 0.25**k
    return total / np.float32(math.sqrt(power))
