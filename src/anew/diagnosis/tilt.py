"""Whether a picture stands crooked, told from its border, its lines of text, or its straight lines.

The edges of a crooked scan in its surround are the surest sign, lines of text the second, corners that mirror the
inside the third (``structure.surround``, ``structure.text_lines``, ``structure.mirrored_corners``). Of other pictures
only straight lines tell. Nearly vertical lines agree on a direction, which changes across the picture if the camera
looked up; in the middle of the picture it is the tilt. Nearly horizontal ones agree with them where a wall or a page
faces the camera. Lines that recede into the distance are not horizontal in the picture, so horizontals alone are
trusted only where they fill a page. A picture that has lines along the axes already is upright.

The minimum angles stand above what people leave in photographs that they keep: in 400 of them, the verticals are
1 degree off in the median and 2 degrees in every tenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anew.arrays import Image
from anew.diagnosis.finding import Finding
from anew.diagnosis.light import may_be_a_scene
from anew.structure.lines import Bundle, find_segments, fit_bundles
from anew.structure.mirrored_corners import find_mirrored_corners
from anew.structure.surround import find_surround, rotation_of
from anew.structure.text_lines import measure_text_lines

if TYPE_CHECKING:
    from anew.images import Picture

MAX_ANGLE = 11.0  # degrees; beyond, a tilt is meant
MAX_UPRIGHT = 0.3  # length of lines along the axes, relative to that of the tilted ones
SURROUND_MIN_ANGLE, TEXT_MIN_ANGLE = 0.4, 0.6  # degrees; a print may lie crooked on its own page by as much
ROWS_PROMINENCE, SAME_DIRECTION = 6.0, 0.5  # less prominent rows tell that a picture is upright, or make an angle exact
CORNER_MIN_ANGLE, HINT_MIN_ANGLE, WALL_MIN_ANGLE, PAGE_MIN_ANGLE = 1.5, 3.0, 3.0, 0.7  # degrees
MOST_CONVERGENCE = 4.0  # degrees; what few lines seem to converge more is chance
UPRIGHT_ANGLE = 0.5  # degrees
SHORTEST = 0.02  # of the diagonal, for a line


@dataclass(frozen=True)
class Tilt:
    """How far the content is rotated counter-clockwise (degrees; 0: not, or not surely), and how sure that is."""

    angle: float
    confidence: float


def estimate_tilt(image: Image, *, by_lines: bool = True) -> Tilt:
    """Estimate the tilt of an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    by_lines : bool
        Ask its straight lines, too, if its border and its text do not tell.

    Returns
    -------
    Tilt
        Angle 0 with confidence 0 where the picture does not tell.
    """
    surround = find_surround(image)
    if surround is not None:
        angle = rotation_of(surround)
        if angle is not None and SURROUND_MIN_ANGLE <= abs(angle) <= MAX_ANGLE:
            return Tilt(angle, 0.95)
    text = measure_text_lines(image)
    in_rows = text.prominence > ROWS_PROMINENCE
    if text.are_text or (in_rows and abs(text.angle) < TEXT_MIN_ANGLE):
        sure = TEXT_MIN_ANGLE <= abs(text.angle) <= MAX_ANGLE
        return Tilt(text.angle, 0.9) if sure else Tilt(0.0, 0.0)
    tilt = _tilt_without_text(image, by_lines=by_lines)
    if in_rows and tilt.angle != 0 and abs(text.angle - tilt.angle) < SAME_DIRECTION:
        return Tilt(text.angle, tilt.confidence)
    return tilt


def _tilt_without_text(image: Image, *, by_lines: bool) -> Tilt:
    mirrored = find_mirrored_corners(image)
    if mirrored.sure and abs(mirrored.angle) <= MAX_ANGLE:
        return Tilt(mirrored.angle, 0.95)
    for claim in _claims(image) if by_lines else ():
        if claim.least <= abs(claim.angle) <= MAX_ANGLE and claim.upright <= MAX_UPRIGHT:
            return Tilt(claim.angle, claim.confidence)
    return Tilt(0.0, 0.0)


def is_upright(image: Image) -> bool:
    """Tell whether a picture has structure, and its lines say that it stands upright within half a degree."""
    return any(abs(claim.angle) < UPRIGHT_ANGLE for claim in _claims(image)[:1])


def find_tilt(picture: Picture) -> Finding | None:
    """Report a tilt that is sure, or None."""
    # A part of a scene may hold lines of any direction.
    tilt = estimate_tilt(picture.pixels, by_lines=may_be_a_scene(picture.pixels))
    if tilt.angle == 0:
        return None
    side = "left" if tilt.angle > 0 else "right"
    return Finding(
        kind="tilt",
        value=tilt.angle,
        unit="degrees",
        confidence=tilt.confidence,
        message=f"The picture leans to the {side} by {abs(tilt.angle):.1f} degrees.",
        details={"angle": tilt.angle},
    )


@dataclass(frozen=True)
class _Claim:
    """What lines say: an angle (degrees), the least one to believe, the length of upright lines relative to theirs."""

    angle: float
    least: float
    upright: float
    confidence: float


def _claims(image: Image) -> list[_Claim]:
    """Ask the lines of a picture, the surest evidence first."""
    horizontal, vertical = fit_bundles(find_segments(image, min_length=SHORTEST), image.shape)
    asked = (judge(horizontal, vertical) for judge in (_both_agree, _both_hint, _standing_lines, _lines_of_a_page))
    return [claim for claim in asked if claim is not None]


def _both_agree(horizontal: Bundle, vertical: Bundle) -> _Claim | None:
    """Horizontal and vertical lines are off by the same angle: a wall or page seen frontally, a frame, an edge."""
    support = horizontal.support + vertical.support
    if min(horizontal.support, vertical.support) < 0.5 or support < 1.5:
        return None
    if abs(horizontal.tilt - vertical.tilt) > 0.7 or min(horizontal.spread, vertical.spread) < 0.3:
        return None
    if support < 0.4 * (horizontal.candidates + vertical.candidates):
        return None
    angle = (horizontal.tilt * horizontal.support + vertical.tilt * vertical.support) / support
    upright = horizontal.upright + vertical.upright
    return _Claim(angle, CORNER_MIN_ANGLE, upright / support, min(0.99, 0.8 + 0.05 * support))


def _both_hint(horizontal: Bundle, vertical: Bundle) -> _Claim | None:
    """The same with fewer lines: enough where the angle is larger than any that people leave."""
    support = horizontal.support + vertical.support
    if min(horizontal.support, vertical.support) < 0.3 or support < 1 or min(horizontal.count, vertical.count) < 3:
        return None
    if abs(horizontal.tilt - vertical.tilt) > 1.2 or support < 0.25 * (horizontal.candidates + vertical.candidates):
        return None
    angle = (horizontal.tilt * horizontal.support + vertical.tilt * vertical.support) / support
    return _Claim(angle, HINT_MIN_ANGLE, (horizontal.upright + vertical.upright) / support, 0.7)


def _standing_lines(horizontal: Bundle, vertical: Bundle) -> _Claim | None:
    """Several verticals all over the picture agree, and no stronger horizontals contradict."""
    strong = vertical.support > 0.6 and vertical.count >= 5 and vertical.spread > 0.4
    if not strong or vertical.support < 0.3 * vertical.candidates or abs(vertical.convergence) > MOST_CONVERGENCE:
        return None
    stronger = horizontal.support > max(1.5 * vertical.support, 0.4 * horizontal.candidates)
    if stronger and abs(horizontal.tilt - vertical.tilt) > 2.5:
        return None
    return _Claim(vertical.tilt, WALL_MIN_ANGLE, vertical.upright / vertical.support, 0.7)


def _lines_of_a_page(horizontal: Bundle, vertical: Bundle) -> _Claim | None:
    """Parallel lines fill the picture from top to bottom: text."""
    strong = horizontal.support > 3 and horizontal.count > 8 and horizontal.spread > 0.6
    if not strong or abs(horizontal.convergence) > 0.5:
        return None
    if horizontal.support < 0.6 * (horizontal.candidates + vertical.candidates):
        return None
    upright = horizontal.upright + vertical.upright
    return _Claim(horizontal.tilt, PAGE_MIN_ANGLE, upright / horizontal.support, 0.8)
