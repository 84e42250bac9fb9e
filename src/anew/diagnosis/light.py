"""Whether a picture is wrongly exposed, flat, or unevenly lit.

A dark picture is not a wrongly exposed one: a night shot has its lamps, a low key its highlights. Too little exposure
shows in a ceiling well below white that nothing passes, above all if clipped highlights pile up right at it, and in a
mean below middle grey: fog and plain skies have a low ceiling too. Of 1,050 photographs (400 of BSDS500, 650 of
ImageNet) 6 are reported as wrongly exposed, 1 as flat, none as unevenly lit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.degradations.light import decode_srgb
from anew.diagnosis.finding import Finding
from anew.diagnosis.levels import estimate_gamma, estimate_levels
from anew.small_copy import pick_pixels, picking_step, small_copy

if TYPE_CHECKING:
    from anew.images import Picture

TAIL = 0.1  # percent
FEWEST_PIXELS = 1000  # the tail of fewer is less than one
# Of a part of a scene nobody knows whether it should reach black or white: of clean parts of 200 photographs, of 100
# pixels a side, 15% would be called dark, flat or faded, of 150 pixels 8%, of 200 pixels 4%.
SMALLEST_SCENE = 30_000  # pixels

DARK_CEILING = 0.64  # 0.5% of good photographs stay below it
DARK_CEILING_GREY = 0.57
# What a denoiser leaves scatters around the truth, and its highest values lie above the ceiling. In a soft copy hardly
# any do: of 50 photographs taken 1.5 stops too dark, all stay below this limit after noise of 0.04 and 0.1, and 90%
# after 0.2, where 40% stay below the other in a sharp copy; of good photographs 0.8%.
REPAIRED_SOFTNESS, REPAIRED_MARGIN = 1.0, 0.015  # pixels; of the range
BAND = 256  # rows that are softened at a time
PILED_CEILING = 0.80
# Mean luma of pictures that need no more light, whatever their ceiling: cameras expose for 18% grey, which is 0.46. Of
# 133 photographs taken 1.5 stops too dark none is brighter, and the brightest reaches it nearly.
WELL_LIT = 0.43
BURNT = 0.15  # share of pixels at white in all channels
BURNT_FLOOR = 0.3  # 1st percentile of luminance; a page or a drawing on white has its dark ink
SHOULDER = 0.3  # share of nearly white pixels, relative to white ones; white paper and drawn white have next to none
LEAST_LEVELS = 60  # of 255; drawings and screenshots use few

FLAT_RANGE = 0.42
FLAT_BLACK = 0.10
# A veil over a photograph is neutral, so that its blacks end alike in all channels, and leaves texture as much of the
# range as it had; the sky, snow and fog have a colour, or are smooth. Relative to the range: of 293 photographs in a
# veil the darkest values of the channels never differ by more than 0.28, and the tenth of the blocks with most texture
# spans 0.36 at least. Of 420 clean parts of photographs 16 have so small a range, and 3 pass both. Grey is always
# neutral and needs more texture; there 11 of 18 pass.
NEUTRAL_BLACK = 0.28
LEAST_TEXTURE, LEAST_TEXTURE_GREY = 0.35, 0.42
TEXTURE_BLOCK = 16  # pixels a side

PAGE_BLOCKS = 24
PAGE_SHARE = 0.65  # of the pixels are paper
PAPER_TOLERANCE = 0.08
LEAST_FALL_OFF = 0.35  # of the light; papers curl and scanners vary by less


@dataclass(frozen=True)
class Ceiling:
    """The highest value that a channel reaches, and whether clipped values pile up there."""

    value: float
    piled_up: bool


def find_exposure(picture: Picture, *, repaired: bool = False) -> Finding | None:
    """Report a picture that was clearly given too little or too much light, or None.

    ``repaired`` says that something was taken away that had hidden it, such as noise.
    """
    pixels = pick_pixels(picture.pixels)
    if not is_photographic(pixels):
        return None
    brightest = pixels.max(axis=1)
    ceiling = find_ceiling(brightest)
    limit = DARK_CEILING_GREY if is_grey(pixels) else DARK_CEILING
    if repaired:
        brightest, limit = pick_soft_pixels(picture.pixels).max(axis=1), limit + REPAIRED_MARGIN
    white = float(np.percentile(brightest, 100 - TAIL))
    clipped_below_white = ceiling.piled_up and ceiling.value < PILED_CEILING
    well_lit = float(luminance_of(pixels).mean()) > WELL_LIT
    too_dark = white < limit and may_be_a_scene(picture.pixels)
    if (too_dark or clipped_below_white) and not well_lit and white > 2 / 255:
        return _underexposed(picture.pixels, white, clipped_below_white)
    darkest = pixels.min(axis=1)
    burnt = float((darkest >= 254 / 255).mean())
    shoulder = float(((darkest > 0.9) & (darkest < 0.99)).mean())
    if burnt > BURNT and shoulder > SHOULDER * burnt and np.percentile(luminance_of(pixels), 1) > BURNT_FLOOR:
        return Finding(
            kind="exposure",
            value=100 * burnt,
            unit="% of pixels burnt out",
            confidence=0.6,
            message=f"The picture is too bright: {burnt:.0%} of it is burnt out.",
            details=_curve_of(picture.pixels),
        )
    return None


def find_contrast(picture: Picture) -> Finding | None:
    """Report a picture that uses but a small part of the range, neither black nor white, or None."""
    pixels = pick_pixels(picture.pixels)
    if not may_be_a_scene(picture.pixels) or not is_photographic(pixels):
        return None
    grey = luminance_of(pixels)
    low, high = (float(np.percentile(grey, p)) for p in (TAIL, 100 - TAIL))
    if high - low >= FLAT_RANGE or low <= FLAT_BLACK or high - low < 8 / 255:
        return None
    blacks = np.percentile(pixels, TAIL, axis=0)
    least = LEAST_TEXTURE_GREY if is_grey(pixels) else LEAST_TEXTURE
    if np.ptp(blacks) > NEUTRAL_BLACK * (high - low) or range_of_texture(picture.pixels) < least * (high - low):
        return None
    return Finding(
        kind="contrast",
        value=100 * (high - low),
        unit="% of the range",
        confidence=0.8,
        message=f"The picture is flat: it uses {high - low:.0%} of the range from black to white.",
        details=_curve_of(picture.pixels),
    )


def find_uneven_light(picture: Picture) -> Finding | None:
    """Report a page whose paper is lit unevenly, or None: only paper tells what even light would look like."""
    paper = estimate_paper(picture.pixels)
    if paper is None:
        return None
    dark, bright = (float(np.percentile(paper, p)) for p in (2, 98))
    fall_off = 1 - dark / bright
    if fall_off < LEAST_FALL_OFF:
        return None
    return Finding(
        kind="uneven-light",
        value=100 * fall_off,
        unit="% less light",
        confidence=0.8,
        message=f"The page is lit unevenly: its darkest part gets {fall_off:.0%} less light than its brightest.",
        map=np.asarray(cv2.resize(paper, picture.pixels.shape[1::-1]), np.float32),
        details={"strength": 1.0, "page": True},
    )


def estimate_paper(image: Image) -> Image | None:
    """Give the brightness of the paper of a page as an (h, w) field of blocks, or None if this is no page.

    A page is mostly paper: in each part of it, most pixels are nearly as bright as the brightest ones.
    """
    grey = luminance(small_copy(image))
    if min(grey.shape) < 4 * PAGE_BLOCKS:
        return None
    block = int(np.ceil(max(grey.shape) / PAGE_BLOCKS))
    rows, columns = grey.shape[0] // block, grey.shape[1] // block
    tiles = grey[: rows * block, : columns * block].reshape(rows, block, columns, block).swapaxes(1, 2)
    paper = np.percentile(tiles, 90, axis=(2, 3)).astype(np.float32)
    paper = np.asarray(cv2.GaussianBlur(np.asarray(cv2.medianBlur(paper, 3)), (0, 0), 1.0), np.float32)
    local = tiles / np.maximum(paper[:, :, np.newaxis, np.newaxis], 1e-3)
    is_paper = np.abs(local - 1) < PAPER_TOLERANCE
    each_block = is_paper.mean(axis=(2, 3))
    if is_paper.mean() < PAGE_SHARE or np.percentile(each_block, 5) < 0.3 or not has_ink(local):
        return None
    return paper


def has_ink(local: NDArray[np.floating[Any]]) -> bool:
    """Tell whether some of a page, but not much, is far darker than its paper."""
    return 0.01 < float((local < 0.7).mean()) < 0.3


def find_ceiling(values: NDArray[np.float32]) -> Ceiling:
    """Find the highest value of a channel, and whether clipping shows: far more pixels there than just below."""
    counts = np.bincount(np.rint(np.clip(values, 0, 1) * 255).astype(np.int64), minlength=256) / max(values.size, 1)
    occupied = np.flatnonzero(counts > 2e-5)
    if len(occupied) == 0:
        return Ceiling(1.0, False)
    top = int(occupied[-1])
    below = counts[max(top - 12, 0) : max(top - 1, 0)]
    at_top = counts[max(top - 1, 0) : top + 1].sum()
    tail_is_smooth = len(below) > 0 and float((below > 0).mean()) > 0.7
    return Ceiling(top / 255, bool(tail_is_smooth and at_top > 0.002 and at_top > 8 * below.mean()))


def pick_soft_pixels(image: Image) -> Image:
    """Pick the same pixels of a soft copy, of which only a band is in memory at a time."""
    channels = np.atleast_3d(image)
    height, step = len(channels), picking_step(channels)
    rows, halo = step * max(1, BAND // step), math.ceil(4 * REPAIRED_SOFTNESS)
    picked = []
    for top in range(0, height, rows):
        start = max(0, top - halo)
        soft = np.atleast_3d(cv2.GaussianBlur(channels[start : top + rows + halo], (0, 0), REPAIRED_SOFTNESS))
        picked.append(soft[top - start : top - start + rows : step, ::step].reshape(-1, channels.shape[2]))
    return np.asarray(np.concatenate(picked), np.float32)


def luminance_of(pixels: Image) -> Image:
    """Give the (N,) luma of (N, C) pixels."""
    return luminance(pixels[np.newaxis])[0]


def may_be_a_scene(image: Image) -> bool:
    """Tell whether an image is large enough to be more than a part of one."""
    return image.shape[0] * image.shape[1] >= SMALLEST_SCENE


def is_photographic(pixels: Image) -> bool:
    """Tell whether (N, C) pixels are enough, and have the many tones of a photograph, not the few of a drawing."""
    if len(pixels) < FEWEST_PIXELS:
        return False
    levels = np.rint(np.clip(luminance_of(pixels), 0, 1) * 255).astype(np.int64)
    counts = np.sort(np.bincount(levels, minlength=256))[::-1] / max(len(levels), 1)
    span = max(int(np.ptp(levels)), 1)
    return bool((counts > 1e-4).sum() > min(LEAST_LEVELS, 0.7 * span) and counts[:3].sum() < 0.6 and span > 15)


def is_grey(pixels: Image) -> bool:
    """Tell whether all (N, C) pixels are grey."""
    return pixels.shape[1] == 1 or float(np.mean(np.ptp(pixels, axis=1))) < 2 / 255


def range_of_texture(image: Image) -> float:
    """Give the range of luma that the tenth of the blocks exceeds that has most."""
    grey = luminance(small_copy(image))
    block = np.ones((TEXTURE_BLOCK, TEXTURE_BLOCK), np.uint8)
    spans = (cv2.dilate(grey, block) - cv2.erode(grey, block))[TEXTURE_BLOCK // 2 :: TEXTURE_BLOCK]
    return float(np.percentile(spans[:, TEXTURE_BLOCK // 2 :: TEXTURE_BLOCK], 90)) if min(grey.shape) > 8 else 0.0


def _underexposed(image: Image, white: float, clipped_below_white: bool) -> Finding:
    stops = float(np.log2(decode_srgb(np.array(white, np.float32))))
    return Finding(
        kind="exposure",
        value=stops,
        unit="stops",
        confidence=0.9 if clipped_below_white or white < 0.5 else 0.75,
        message=f"The picture is underexposed by about {-stops:.1f} stops: nothing in it is brighter than {white:.0%}.",
        details=_curve_of(image),
    )


def _curve_of(image: Image) -> dict[str, float]:
    black, white = estimate_levels(image)
    return {"black": black, "white": white, "gamma": estimate_gamma((image - np.float32(black)) / (white - black))}
