"""Judge straightened geometry: by straight and level edges, or by a surround, text or mirrored corners."""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, Mask, luminance
from anew.diagnosis.tilt import estimate_tilt
from anew.restoration.checks.verdict import Verdict
from anew.structure.mirrored_corners import find_mirrored_corners
from anew.structure.surround import find_surround, rotation_of
from anew.structure.text_lines import measure_text_lines

SAME_ANGLE = 0.3  # degrees
LEAST_SHOWN = 0.5  # of the result that must show real pixels
# For what only lines of the picture hint at. Of 400 photographs, turned by 3 to 9 degrees and cut to their middle or
# left as they were, those that were turned by the wrong angle had less after it, with one exception; so had a third of
# those turned rightly.
LEAST_STRAIGHT, SURE = 0.1, 0.8
# Lines that are off by so many degrees people leave: the share of straight edges must clearly grow. In 2 photographs
# that were level it grew 1.08 and 1.10 times, in 2 that were turned 1.19 and 1.25 times.
SMALL_TURN, LEAST_RISE = (1.5, 2.5), 1.15


def check_unwarped(image: Image, unwarped: Image, valid: Mask, angle: float = 0.0) -> Verdict:
    """Judge straightened geometry: the upright and level share of the edges must grow.

    A surround, lines of text, and corners that mirror the inside prove a turn by their angle, whatever the content.

    Parameters
    ----------
    image, unwarped : (H, W, C) float32 arrays
    valid : (H, W) bool array
        Where the result shows real pixels.
    angle : float
        Degrees by which the picture was turned; 0 for other geometry.
    """
    before, after = straightness(image, valid), straightness(unwarped, valid)
    shown = float(valid.mean())
    figures = {"straight_before": round(before, 4), "straight_after": round(after, 4), "shown": round(shown, 4)}
    if shown < LEAST_SHOWN:
        return Verdict(False, f"only {shown:.0%} of the result would show real pixels", figures)
    proof = _proof_of(image, angle) if angle != 0 else None
    if proof is not None:
        reason, proving = proof
        return Verdict(True, reason, {**figures, **proving})
    if after <= before:
        return Verdict(False, f"no more of the edges stand straight ({before:.1%} before, {after:.1%} after)", figures)
    if SMALL_TURN[0] <= abs(angle) < SMALL_TURN[1] and after < LEAST_RISE * before:
        return Verdict(
            False, f"hardly more of the edges stand straight ({before:.1%} before, {after:.1%} after)", figures
        )
    if angle != 0 and after < LEAST_STRAIGHT and estimate_tilt(image).confidence < SURE:
        return Verdict(False, f"only {after:.1%} of the edges would stand straight or lie level", figures)
    return Verdict(True, f"{after:.1%} of the edges now stand straight or lie level (before: {before:.1%})", figures)


def _proof_of(image: Image, angle: float) -> tuple[str, dict[str, float]] | None:
    """Give what proves a turn by an angle whatever the content, in words and as a figure."""
    surround = find_surround(image)
    turn = None if surround is None else rotation_of(surround)
    if turn is not None and abs(turn - angle) < SAME_ANGLE:
        return f"the edges of its surround are turned by {angle:.1f} degrees", {"surround_angle": round(turn, 3)}
    text = measure_text_lines(image)
    if text.are_text and abs(text.angle - angle) < SAME_ANGLE:
        return f"its lines of text are turned by {angle:.1f} degrees", {"text_angle": round(text.angle, 3)}
    mirrored = find_mirrored_corners(image)
    if mirrored.sure and abs(mirrored.angle - angle) < SAME_ANGLE:
        reason = f"its corners mirror its inside, as a turn by {angle:.1f} degrees leaves them"
        return reason, {"mirrored_corners": round(mirrored.correlation, 4)}
    return None


def straightness(image: Image, valid: Mask | None = None) -> float:
    """Give the share of gradient energy whose edges stand within 1.5 degrees of upright or level.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    valid : (H, W) bool array, optional
        Where to look.
    """
    y = cv2.GaussianBlur(luminance(image), (0, 0), 1.5)
    gx, gy = cv2.Sobel(y, cv2.CV_32F, 1, 0), cv2.Sobel(y, cv2.CV_32F, 0, 1)
    energy = gx * gx + gy * gy
    if valid is not None:
        inside = cv2.erode(valid.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0)
        energy = energy * inside
    ax, ay = np.abs(gx), np.abs(gy)
    straight = np.minimum(ax, ay) < np.float32(np.tan(np.radians(1.5))) * np.maximum(ax, ay)
    return float(energy[straight].sum(dtype=np.float64) / max(energy.sum(dtype=np.float64), 1e-12))
