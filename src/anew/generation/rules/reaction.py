"""Reaction and diffusion: spots, stripes, mazes and coral that two substances make of nothing.

Gray and Scott, Chemical Engineering Science 39 (1984); Pearson, "Complex patterns in a simple system", Science 261
(1993). The substances react on a small torus, and the picture is read from it by cubic interpolation: the pattern is
smooth, and it tiles.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import check_between, check_choice, check_whole
from anew.generation.rules.canvas import Rng, Shape, check_shape, enlarged, shaded
from anew.generation.rules.palettes import Palette, colourise
from anew.randomness import as_generator

DIFFUSION = (1.0, 0.5)  # of the two substances, per step
WAVE = 10.5  # samples from one stripe to the next
SMALLEST_WAVE = 4.0  # pixels; finer stripes cannot be shown
LARGEST_TORUS = 1_000_000  # samples

REGIMES: dict[str, tuple[float, float]] = {  # feed, kill
    "coral": (0.0545, 0.062),
    "maze": (0.029, 0.057),
    "spots": (0.030, 0.0625),
    "holes": (0.039, 0.058),
    "fingerprint": (0.037, 0.060),
    "worms": (0.046, 0.063),
    "labyrinth": (0.022, 0.051),
    "mitosis": (0.0367, 0.0649),
}


def reaction_diffusion(
    shape: Shape,
    *,
    palette: Palette = "lagoon",
    regime: str = "coral",
    feed: float | None = None,
    kill: float | None = None,
    waves: float = 22.0,
    iterations: int = 5000,
    relief: float = 0.4,
    rng: Rng = 0,
) -> Image:
    """Let two substances react until a pattern stands.

    Parameters
    ----------
    shape : (H, W)
    palette : see ``palettes.palette_colours``
    regime : {"coral", "maze", "spots", "holes", "fingerprint", "worms", "labyrinth", "mitosis"}
    feed, kill : float in [0, 0.2], optional
        In place of those of the regime; many pairs give nothing but a plain ground.
    waves : float in [1, 90]
        Stripes along the shorter side, each at least four pixels wide; the time grows with the square.
    iterations : int in [0, 100000]
    relief : float in [0, 2]
        How raised the pattern looks.
    rng : int, Generator or None
        Places the seeds of the reaction.

    Returns
    -------
    (H, W, 3) float32 array in [0, 1]; it tiles
    """
    check_shape(shape)
    check_choice("regime", regime, tuple(REGIMES))
    usual = REGIMES[regime]
    feed, kill = usual[0] if feed is None else feed, usual[1] if kill is None else kill
    check_between("feed", feed, 0, 0.2)
    check_between("kill", kill, 0, 0.2)
    check_between("waves", waves, 1, 90)
    check_whole("iterations", iterations, 0, 100_000)
    check_between("relief", relief, 0, 2)
    waves = max(1.0, min(waves, min(shape) / SMALLEST_WAVE))
    torus = (max(8, round(waves * WAVE * shape[0] / min(shape))), max(8, round(waves * WAVE * shape[1] / min(shape))))
    if torus[0] * torus[1] > LARGEST_TORUS:
        raise ValueError(f"waves must be smaller for a picture this long, got {waves:g}: it takes {torus} samples")
    _, v = gray_scott(torus, feed=feed, kill=kill, steps=iterations, rng=rng)
    field = enlarged(v, shape, tileable=True)
    field = np.clip(field / np.float32(max(float(np.percentile(v, 99.5)), 0.05)), 0, 1)
    light = shaded(field * np.float32(0.3 * relief * min(shape) / waves / 3), elevation=55)
    return np.clip(colourise(field, palette) * np.clip(0.45 + 0.55 * light, 0.3, 1.35)[:, :, None], 0, 1)


def gray_scott(shape: Shape, *, feed: float, kill: float, steps: int, rng: Rng = 0) -> tuple[Image, Image]:
    """Run the reaction from a ground of the first substance with patches of the second.

    Parameters
    ----------
    shape : (h, w)
        Samples of the torus.
    feed, kill : float
    steps : int
        Of length 1.
    rng : int, Generator or None

    Returns
    -------
    u, v : (h, w) float32 arrays
    """
    from anew.kernels.gray_scott import react

    generator = as_generator(rng)
    u, v = np.ones(shape, np.float32), np.zeros(shape, np.float32)
    for _ in range(max(3, shape[0] * shape[1] // 700)):
        row, column = (int(generator.integers(side)) for side in shape)
        here = np.ix_(np.arange(row - 3, row + 4) % shape[0], np.arange(column - 3, column + 4) % shape[1])
        u[here], v[here] = 0.5, 0.25
    v += np.float32(0.01) * generator.random(shape, np.float32) * (v > 0)
    react(u, v, int(steps), *(np.float32(number) for number in (*DIFFUSION, feed, kill)))
    return u, v
