"""Find out what is wrong with a picture."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, Mask, across_channels, are_values, is_value
from anew.diagnosis.blur import find_blur
from anew.diagnosis.colour import find_cast, find_fading
from anew.diagnosis.finding import Diagnosis, Finding
from anew.diagnosis.holes import estimate_empty_mask, find_holes, is_cut_out, report_holes
from anew.diagnosis.impulses import find_impulses
from anew.diagnosis.jpeg import find_jpeg
from anew.diagnosis.keystone import find_keystone
from anew.diagnosis.lens import find_lens
from anew.diagnosis.light import find_contrast, find_exposure, find_uneven_light
from anew.diagnosis.noise import estimate_noise_sigma, find_noise
from anew.diagnosis.resolution import find_resolution
from anew.diagnosis.scratches import find_scratches
from anew.diagnosis.tears import find_tears
from anew.diagnosis.text import find_text
from anew.diagnosis.tilt import find_tilt
from anew.images import Picture, as_picture
from anew.structure.drawn import is_drawn
from anew.structure.few_tones import has_few_tones, is_dithered
from anew.structure.screens import is_screened

Finder = Callable[[Picture], Finding | None]

# Each looks at the whole picture for one damage and is silent when unsure. The order is that of the report, after the
# holes, which are looked for first: the others get finite pixels only.
FINDERS: tuple[Finder, ...] = (
    find_impulses,
    find_noise,
    find_jpeg,
    find_blur,
    find_text,
    find_tears,
    find_scratches,
    find_exposure,
    find_contrast,
    find_uneven_light,
    find_fading,
    find_cast,
    find_lens,
    find_keystone,
    find_tilt,
    find_resolution,
)

# Beside parts that are empty: what a picture of few tones can show, as other damage makes more of them, and what one
# that is transparent at its margin can, an icon or a cut-out, whose lines, light and colours are its own.
OF_FEW_TONES: frozenset[Finder] = frozenset({find_tilt})
OF_A_CUT_OUT: frozenset[Finder] = frozenset({find_impulses, find_noise, find_jpeg, find_blur, find_resolution})
# What a program drew has no noise, light, lens or scratches, and is as sharp as it was drawn; thin lines are its own.
OF_A_DRAWING: frozenset[Finder] = frozenset({find_impulses, find_jpeg, find_text})
# What the dots of a screen are taken for.
LIKE_DOTS = frozenset({"impulses", "holes", "text", "scratches", "resolution"})

FALSIFIED_BY_IMPULSES = frozenset({"noise", "text"})

AT_ONCE, AT_ONCE_UP_TO = 2, 4e6  # finders; pixels of a picture, as each holds working memory of its own
STRONG_NOISE = 30.0  # of 255
SURE_TILT = 0.75  # confidence


def diagnose(picture: Picture | ArrayLike) -> Diagnosis:
    """Look for every damage that anew knows.

    Parameters
    ----------
    picture : Picture, or (H, W) or (H, W, C) array of uint8, uint16, bool or float
        C 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. Values that are not finite, or beyond 1,000,000 as those
        that maps mark missing data by, count as holes. The colours of what is fully transparent count as unknown.

    Returns
    -------
    Diagnosis
        ``str()`` of it says in words what was found.

    Examples
    --------
    >>> import anew, skimage.data
    >>> print(anew.diagnose(skimage.data.astronaut()))
    Nothing wrong was found.
    """
    picture = as_picture(picture)
    holes, seen = find_holes(picture), _seen(picture)
    empty = estimate_empty_mask(picture.pixels, picture.alpha)
    picture = _without_unseen(picture, seen)
    finders = finders_for(picture, seen)
    others = (_where_seen(finding, seen) for finding in _look_for_others(picture, finders))
    found = {finding.kind: finding for finding in others if finding is not None}
    if holes is not None and "text" in found:
        holes = without_letters(holes, found["text"])
    found_now = tuple(f for f in (holes, *found.values()) if f is not None)
    findings = without_impulses_in_them(without_chance_lines(without_dots(found_now, picture.pixels, empty)))
    holes = next((f for f in findings if f.kind == "holes"), None)
    by_kind = {finding.kind: finding for finding in findings}
    noise, jpeg = by_kind.get("noise"), by_kind.get("jpeg")
    weak_noise = estimate_noise_sigma(picture.pixels) if find_noise in finders and noise is None else 0.0
    return Diagnosis(
        findings=findings,
        noise_sigma=noise.value / 255 if noise else weak_noise,
        jpeg_quality=int(jpeg.value) if jpeg else None,
        hole_mask=holes.map if holes else None,
    )


def finders_for(picture: Picture, seen: Mask | None = None) -> tuple[Finder, ...]:
    """Choose the finders whose damage a picture can have, and show.

    Parameters
    ----------
    picture : Picture
    seen : (H, W) bool array, optional
        Its pixels that have values and are not transparent.
    """
    seen = _seen(picture) if seen is None else seen
    allowed = frozenset(FINDERS)
    if has_few_tones(picture.pixels, seen):
        allowed &= frozenset() if is_dithered(picture.pixels) else OF_FEW_TONES
    elif is_drawn(picture.pixels):
        allowed &= OF_A_DRAWING
    if picture.alpha is not None and is_cut_out(picture.alpha):
        allowed &= OF_A_CUT_OUT
    return tuple(find for find in FINDERS if find in allowed)


def _look_for_others(picture: Picture, finders: tuple[Finder, ...]) -> tuple[Finding | None, ...]:
    """Run the finders; most of their time is spent outside the interpreter, so that two can run side by side.

    Scratches are looked for by a network, which takes all cores by itself.
    """
    if picture.pixels.shape[0] * picture.pixels.shape[1] > AT_ONCE_UP_TO:
        return tuple(find(picture) for find in finders)
    single = [find for find in finders if find is not find_scratches]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(single, pool.map(lambda find: find(picture), single), strict=True))
    if find_scratches in finders:
        found[find_scratches] = find_scratches(picture)
    return tuple(found[find] for find in finders)


def without_letters(holes: Finding, text: Finding) -> Finding | None:
    """Leave out of the holes, which are of one colour too, what text covers with its rim."""
    if holes.map is None or text.map is None:
        return holes
    return report_holes(holes.map & ~text.map)


def without_chance_lines(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out a tilt that few lines tell in strong noise, whose grains line up by chance."""
    noisy = any(f.kind == "noise" and f.value >= STRONG_NOISE for f in findings)
    return tuple(f for f in findings if not (noisy and f.kind == "tilt" and f.confidence < SURE_TILT))


def without_impulses_in_them(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out what is seen only once the impulses are repaired: they are measured as noise, and read as letters."""
    impulses = any(f.kind == "impulses" for f in findings)
    return tuple(f for f in findings if not (impulses and f.kind in FALSIFIED_BY_IMPULSES))


def without_dots(findings: tuple[Finding, ...], image: Image, empty: Mask) -> tuple[Finding, ...]:
    """Leave out of the findings in a screen what its dots are taken for, but not the holes that are surely empty."""
    if not any(f.kind in LIKE_DOTS for f in findings) or not is_screened(image):
        return findings
    holes = report_holes(empty)
    return tuple(f for f in (holes, *findings) if f is not None and (f is holes or f.kind not in LIKE_DOTS))


def _seen(picture: Picture) -> Mask:
    """Mark the pixels that have values, and are not fully transparent."""
    everywhere = np.ones(picture.pixels.shape[:2], bool)
    values = everywhere if are_values(picture.pixels) else across_channels(np.logical_and, is_value(picture.pixels))
    return values if picture.alpha is None else values & (picture.alpha > 0)


def _without_unseen(picture: Picture, seen: Mask) -> Picture:
    """Put the median of its channel in place of what is not seen: a flat patch misleads no estimator."""
    if seen.all():
        return picture
    pixels = picture.pixels.copy()
    pixels[~seen] = np.median(pixels[seen], axis=0) if seen.any() else 0
    return picture.with_pixels(pixels)


def _where_seen(finding: Finding | None, seen: Mask) -> Finding | None:
    """Leave out of a finding what is not seen; None if that is most of it."""
    if finding is None or finding.map is None or finding.map.dtype != np.bool_ or seen.all():
        return finding
    left = finding.map & seen
    return replace(finding, map=left) if 2 * left.sum() > finding.map.sum() else None
