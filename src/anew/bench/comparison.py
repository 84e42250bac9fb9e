"""All methods of a task on one picture: how long each takes, how good it seems, where they differ most."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.errors import AnewError

REGION = 96  # pixels
RISK_WINDOW = 384  # pixels; side of the part on which the risk is estimated
LEAST_INSIDE = 0.1  # share of pixels that must be left to judge by
TILE_WIDTH = 300


@dataclass(frozen=True)
class Compared:
    """What came of one method.

    Attributes
    ----------
    name : str
    result : (H, W, C) float32 array, or None if it could not run
    seconds, seconds_per_megapixel : float
    scores : dict
        ``psnr`` and ``ssim`` where there is a reference; else ``estimated_psnr`` (denoising) or ``niqe``, if they can
        be told.
    reason : str
        Why it could not run.
    changed : bool
        Whether it changed a pixel.
    """

    name: str
    result: Image | None
    seconds: float
    seconds_per_megapixel: float
    scores: Mapping[str, float]
    reason: str = ""
    changed: bool = True


def try_method(
    name: str,
    image: Image,
    run: Callable[[Image], Image],
    *,
    sigma: float | None = None,
    reference: Image | None = None,
    warm: bool = False,
) -> Compared:
    """Run one method and judge it.

    Parameters
    ----------
    name : str
    image : (H, W, C) float32 array
    run : callable
        Of an image.
    sigma : float, optional
        Noise level in units of the range, for denoisers that do not measure it themselves: their risk is estimated if
        there is no reference.
    reference : (H, W, C) float32 array, optional
        The clean picture, of the shape of the result.
    warm : bool
        Call it once before the call that is timed: of the first, most may go into compiling and opening a network.
    """
    try:
        if warm:
            run(image)
        start = time.perf_counter()
        result = run(image)
        seconds = time.perf_counter() - start
        scores = judge(result, reference)
    except (AnewError, ValueError, TypeError) as error:
        return Compared(name, None, 0.0, 0.0, {}, " ".join(str(error).split()))
    if reference is None and sigma:
        scores = {"estimated_psnr": estimated_psnr(image, run, sigma), **scores}
    megapixels = result.shape[0] * result.shape[1] / 1e6
    return Compared(name, result, seconds, seconds / megapixels, scores, changed=not np.array_equal(result, image))


def judge(result: Image, reference: Image | None) -> dict[str, float]:
    """Score a result against the reference, or without one; scores that need more pixels are left out."""
    from anew.metrics.error import psnr
    from anew.metrics.no_reference.niqe import PATCH, niqe
    from anew.metrics.structural import ssim

    x = np.clip(result, 0, 1)
    if reference is None:
        return {"niqe": niqe(x, data_range=1)} if min(x.shape[:2]) >= 2 * PATCH else {}
    if reference.shape != x.shape:
        raise ValueError(f"the reference has shape {reference.shape}, the result {x.shape}; they must be equal")
    scores = {"psnr": min(psnr(x, reference, data_range=1), 100.0)}
    return {**scores, "ssim": ssim(x, reference, data_range=1)} if min(x.shape[:2]) >= 11 else scores


def estimated_psnr(image: Image, denoise: Callable[[Image], Image], sigma: float) -> float:
    """Give the PSNR in dB that Stein's unbiased risk estimate predicts.

    By the middle of the picture, and there by the pixels that clipping to [0, 1] left alone, if there are enough.
    """
    from anew.restoration.checks import monte_carlo_sure

    starts = [max(0, (n - RISK_WINDOW) // 2) for n in image.shape[:2]]
    noisy = image[starts[0] : starts[0] + RISK_WINDOW, starts[1] : starts[1] + RISK_WINDOW]
    y = luminance(denoise(noisy))
    inside = (y > 2 * sigma) & (y < 1 - 2 * sigma)
    risk = monte_carlo_sure(noisy, denoise, sigma, where=inside if inside.mean() > LEAST_INSIDE else None)
    return -10 * math.log10(max(risk, 1e-8))


def ranked(methods: Sequence[Compared]) -> list[Compared]:
    """Give the best first, by the first of PSNR, estimated PSNR and NIQE that is there; those that failed last."""

    def key(m: Compared) -> tuple[bool, float]:
        scores = m.scores
        quality = scores.get("psnr", scores.get("estimated_psnr", -scores.get("niqe", 0.0)))
        return m.result is None, -quality

    return sorted(methods, key=key)


def regions_of_most_difference(results: Sequence[Image], count: int, side: int = REGION) -> list[tuple[int, int]]:
    """Give the (top, left) corners of windows in which results differ most, strongest first; they do not overlap.

    The difference is the standard deviation over the results of the luma, averaged over the window.
    """
    from scipy.ndimage import uniform_filter

    height, width = results[0].shape[:2]
    if len(results) < 2 or min(height, width) < side:
        return []
    spread = np.std([luminance(np.clip(r, 0, 1)) for r in results], axis=0)
    mean = uniform_filter(spread, side)[side // 2 : height - side // 2 + 1, side // 2 : width - side // 2 + 1].copy()
    corners = []
    for _ in range(count):
        top, left = (int(i) for i in np.unravel_index(int(np.argmax(mean)), mean.shape))
        if mean[top, left] <= 0:
            break
        corners.append((top, left))
        mean[max(0, top - side + 1) : top + side, max(0, left - side + 1) : left + side] = -1
    return corners


def draw_comparison(
    title: str, image: Image, methods: Sequence[Compared], *, reference: Image | None = None, regions: int = 3
) -> NDArray[np.uint8]:
    """Draw the sheet: every result whole, then the regions in which they differ most, close up.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    done = [m for m in methods if m.result is not None]
    results = [m.result for m in done if m.result is not None]
    tiles = [Tile("input", image)] + ([Tile("reference", reference)] if reference is not None else [])
    tiles += [Tile(m.name, r, caption(m)) for m, r in zip(done, results, strict=True)]
    columns = min(5, len(tiles))
    parts = [draw_contact_sheet(tiles, title=title, tile_width=TILE_WIDTH, columns=columns)]
    whole = [_enlarged(image, results[0].shape)] if results else [image]  # what was enlarged lies over its result
    whole += [reference] if reference is not None else []
    for top, left in regions_of_most_difference(results, regions):
        window = (slice(top, top + REGION), slice(left, left + REGION))
        cut = [Tile(t.name, x[window]) for t, x in zip(tiles, [*whole, *results], strict=True)]
        text = f"They differ most at x {left}, y {top}" if len(parts) == 1 else f"x {left}, y {top}"
        parts.append(draw_contact_sheet(cut, title=text, tile_width=TILE_WIDTH, columns=columns))
    return np.concatenate(parts, axis=0)


def _enlarged(image: Image, shape: tuple[int, ...]) -> Image:
    """Repeat pixels until an image has the size of what was made of it."""
    rows, columns = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in zip(shape[:2], image.shape[:2], strict=True))
    return image[rows][:, columns]


def caption(m: Compared) -> str:
    """Say in one line how good and how slow a method was."""
    words = {
        "psnr": "{:.2f} dB",
        "ssim": "SSIM {:.3f}",
        "estimated_psnr": "about {:.1f} dB",
        "niqe": "NIQE {:.1f}",
    }
    said = [words[name].format(value) for name, value in m.scores.items()]
    return ", ".join([*said, f"{m.seconds:.2f} s", *([] if m.changed else ["left it as it is"])])
