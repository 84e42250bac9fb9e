"""Find out what is wrong with a picture."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import are_values, is_value
from anew.diagnosis.blur import find_blur
from anew.diagnosis.colour import find_cast, find_fading
from anew.diagnosis.finding import Diagnosis, Finding
from anew.diagnosis.holes import find_holes, report_holes
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

if TYPE_CHECKING:
    from anew.images import Picture

Finder = Callable[["Picture"], Finding | None]

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

AT_ONCE, AT_ONCE_UP_TO = 2, 4e6  # finders; pixels of a picture, as each holds working memory of its own
STRONG_NOISE = 30.0  # of 255
SURE_TILT = 0.75  # confidence


def diagnose(picture: Picture | ArrayLike) -> Diagnosis:
    """Look for every damage that anew knows.

    Parameters
    ----------
    picture : Picture, or (H, W) or (H, W, C) array of uint8, uint16, bool or float
        C 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. Values that are not finite, or beyond 1,000,000 as those
        that maps mark missing data by, count as holes.

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
    from anew.images import as_picture

    picture = as_picture(picture)
    holes = find_holes(picture)
    picture = _without_nan(picture)
    others = _look_for_others(picture)
    found = {finding.kind: finding for finding in others if finding is not None}
    if holes is not None and "text" in found:
        holes = without_letters(holes, found["text"])
    findings = without_chance_lines(tuple(f for f in (holes, *found.values()) if f is not None))
    by_kind = {finding.kind: finding for finding in findings}
    noise, jpeg = by_kind.get("noise"), by_kind.get("jpeg")
    return Diagnosis(
        findings=findings,
        noise_sigma=noise.value / 255 if noise else estimate_noise_sigma(picture.pixels),
        jpeg_quality=int(jpeg.value) if jpeg else None,
        hole_mask=holes.map if holes else None,
    )


def _look_for_others(picture: Picture) -> tuple[Finding | None, ...]:
    """Run the finders; most of their time is spent outside the interpreter, so that two can run side by side.

    Scratches are looked for by a network, which takes all cores by itself.
    """
    if picture.pixels.shape[0] * picture.pixels.shape[1] > AT_ONCE_UP_TO:
        return tuple(find(picture) for find in FINDERS)
    single = [find for find in FINDERS if find is not find_scratches]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(single, pool.map(lambda find: find(picture), single), strict=True))
    found[find_scratches] = find_scratches(picture)
    return tuple(found[find] for find in FINDERS)


def without_letters(holes: Finding, text: Finding) -> Finding | None:
    """Leave out of the holes, which are of one colour too, what text covers with its rim."""
    if holes.map is None or text.map is None:
        return holes
    return report_holes(holes.map & ~text.map)


def without_chance_lines(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Leave out a tilt that few lines tell in strong noise, whose grains line up by chance."""
    noisy = any(f.kind == "noise" and f.value >= STRONG_NOISE for f in findings)
    return tuple(f for f in findings if not (noisy and f.kind == "tilt" and f.confidence < SURE_TILT))


def _without_nan(picture: Picture) -> Picture:
    """Put the median of its channel in place of what is no value of a picture: a flat patch misleads no estimator."""
    if are_values(picture.pixels):
        return picture
    finite = is_value(picture.pixels)
    pixels = picture.pixels.copy()
    for c in range(pixels.shape[2]):
        known = finite[:, :, c]
        pixels[~known, c] = np.median(pixels[known, c]) if known.any() else 0
    return picture.with_pixels(pixels)
