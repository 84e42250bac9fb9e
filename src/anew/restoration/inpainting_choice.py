"""Choose an inpainting method by known pixels: beside the hole, a hole of the same shape is made and filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anew.arrays import Image, Mask
from anew.registry import METHODS
from anew.tiles import depth_of

CANDIDATES = ("diffusion", "navier-stokes", "biharmonic", "telea", "exemplar")  # the quickest first
AS_GOOD = 1.02  # times the least error: a quicker method with no more than that is taken
# Inside a deep hole texture cannot be guessed pixel by pixel: squared error prefers a flat smear, eyes prefer texture.
# Exemplars are taken there unless they are this many times worse.
DEEP = 12  # pixels from the nearest known one
DOTS = 2  # holes no deeper than this hold no texture; exemplars, the slowest, do not compete there
TEXTURE_AS_GOOD = 1.35
WINDOW = 160  # pixels; side of the windows in which methods compete
MAX_WINDOWS = 3
MAX_SHIFT_TRIES = 16


def choose_inpainting(
    image: Image, mask: Mask, names: Sequence[str], options: Mapping[str, Any] | None = None
) -> tuple[str, float]:
    """Find the method that fills held-out pixels best.

    Parameters
    ----------
    image : (H, W, C) float32 array
        Finite outside the mask; values under it are not read.
    mask : (H, W) bool array
        True where pixels are missing.
    names : sequence of str
        Methods to compare; those not in ``CANDIDATES`` compete only if they are alone.
    options : mapping, optional
        What the methods are run with.

    Returns
    -------
    name : str
    error : float
        Its root mean square error at the held-out pixels; nan if there was no room to hold any out.
    """
    depth = float(depth_of(mask).max())
    chosen = [name for name in CANDIDATES if name in names] or list(names[:1])
    if depth <= DOTS and len(chosen) > 1:
        chosen = [name for name in chosen if name != "exemplar"]
    trials = [(window, held) for window in busiest_windows(mask) if (held := hold_out(mask[window])) is not None]
    if not trials:
        return chosen[0], float("nan")
    errors = {}
    for name in chosen:
        squares, count = 0.0, 0
        for window, held in trials:
            x, missing = image[window].copy(), mask[window] | held
            x[missing] = 0
            filled = METHODS.get("inpaint", name).function(x, missing, **(options or {}))
            squares += float(np.sum((filled[held] - image[window][held]) ** 2, dtype=np.float64))
            count += int(held.sum()) * image.shape[2]
        errors[name] = float(np.sqrt(squares / count))
    least = min(errors.values())
    if "exemplar" in errors and errors["exemplar"] <= TEXTURE_AS_GOOD * least and depth > DEEP:
        return "exemplar", errors["exemplar"]
    best = next(name for name in chosen if errors[name] <= AS_GOOD * least)
    return best, errors[best]


def busiest_windows(mask: Mask) -> list[tuple[slice, slice]]:
    """Give up to ``MAX_WINDOWS`` windows in which the mask is present, those with the most of it first."""
    height, width = mask.shape
    tall, wide = min(height, WINDOW), min(width, WINDOW)
    places = []
    for top in sorted({min(t, height - tall) for t in range(0, height, tall)}):
        for left in sorted({min(x, width - wide) for x in range(0, width, wide)}):
            window = (slice(top, top + tall), slice(left, left + wide))
            covered = float(mask[window].mean())
            if 0 < covered < 0.6:
                places.append((covered, window))
    places.sort(key=lambda place: -place[0])
    return [window for _, window in places[:MAX_WINDOWS]]


def hold_out(mask: Mask) -> Mask | None:
    """Move the mask's shape onto known pixels: the shift, of a fixed list, that hits the most of them.

    Parameters
    ----------
    mask : (H, W) bool array

    Returns
    -------
    (H, W) bool array of known pixels to hide, or None if too few can be
    """
    height, width = mask.shape
    rng = np.random.default_rng(0)
    best, most = None, 0
    for _ in range(MAX_SHIFT_TRIES):
        dy = int(rng.integers(-height // 2, height // 2 + 1))
        dx = int(rng.integers(-width // 2, width // 2 + 1))
        shifted = np.zeros_like(mask)
        source = mask[max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
        shifted[max(0, dy) : max(0, dy) + source.shape[0], max(0, dx) : max(0, dx) + source.shape[1]] = source
        held = shifted & ~mask
        count = int(held.sum())
        if count > most and (mask | held).mean() < 0.8:
            best, most = held, count
    return best if most >= min(20, max(1, int(mask.sum()) // 4)) else None
