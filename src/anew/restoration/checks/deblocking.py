"""Judge a deblocked image: blocks fade, and the change fits into the quantiser's rounding."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, luminance
from anew.diagnosis.jpeg import MOSTLY_CLIPPED, clipped_blocks
from anew.jpeg_tables import quantisation_error
from anew.restoration.checks.verdict import Verdict

# Of the error that the compression can have made, by which steps across borders must fall more than those inside do. On
# photographs of qualities 30 to 80, with noise and without, repairs that gained 0.1 dB and more had 0.026 and more.
LEAST_FALL = 0.01
LEAST_STEP = (
    0.1 / 255
)  # of the range; with none inside the blocks, any step across their borders would be infinitely many
# Letters stand on no grid, and their edges are steeper than those of blocks. On a page it is the ripples beside them
# that a repair takes away: to 0.96 of what they were and less, on pages of quality 10 to 80 that gained 0.5 to 4 dB.
LARGEST_RIPPLE, MOST_RIPPLES = 24 / 255, 0.98
TELLING = 10.0  # times those inside; beyond, the figure says no more than that there are hardly any


def check_deblocked(image: Image, deblocked: Image, quality: int, offset: tuple[int, int] = (0, 0)) -> Verdict:
    """Judge a deblocked image: blocks fade, and the change is no larger than what quantisation can have lost."""
    before, after = blockiness(image, offset), blockiness(deblocked, offset)
    change = float(np.sqrt(np.mean((deblocked - image) ** 2, dtype=np.float64)))
    lost = quantisation_error(quality)
    fall = _excess(image, offset) - _excess(deblocked, offset)
    figures = {
        "blockiness_before": round(before, 4),
        "blockiness_after": round(after, 4),
        "change": round(change, 5),
        "fall": round(fall / lost, 4),
    }
    if change > lost:
        reason = f"it changes more ({change:.3f}) than this compression can have lost ({lost:.3f})"
        return Verdict(False, reason, figures)
    weaker = abs(after - 1) < abs(before - 1)
    if not weaker or fall < LEAST_FALL * lost:
        calmed = _calmed(image, deblocked)
        how = "hardly" if weaker else "no"
        return Verdict(bool(calmed), calmed or f"the borders of the blocks are {how} weaker than before", figures)
    reason = f"steps across the borders of blocks fell from {before:.2f} to {after:.2f} times those inside"
    if before > TELLING:
        reason = "there are hardly any steps inside the blocks, and those across their borders are weaker than before"
    return Verdict(True, reason, figures)


def _calmed(image: Image, deblocked: Image) -> str:
    """Say by how much the ripples between the letters of a page fell; nothing if they did not, or it is no page."""
    if np.mean(clipped_blocks(image)) <= MOSTLY_CLIPPED:
        return ""
    before, after = _ripples(image), _ripples(deblocked)
    if after > MOST_RIPPLES * before:
        return ""
    return f"ripples beside letters and edges fell from {before * 255:.1f} to {after * 255:.1f} of 255"


def _ripples(image: Image) -> float:
    """Give the mean of the steps between neighbours that are too small for the edge of a letter."""
    y = luminance(image)
    steps = np.concatenate([np.abs(np.diff(y, axis=axis)).ravel() for axis in (0, 1)])
    small = steps[steps < LARGEST_RIPPLE]
    return float(small.mean(dtype=np.float64)) if small.size else 0.0


def blockiness(image: Image, offset: tuple[int, int] = (0, 0)) -> float:
    """Give the mean step across the borders of 8 x 8 blocks, over the mean step inside them: 1 without blocks.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    offset : (int, int)
        Row and column of the first block's corner.
    """
    ratios = [(across + LEAST_STEP) / (inside + LEAST_STEP) for across, inside in _steps(image, offset)]
    return float(np.mean(ratios)) if ratios else 1.0


def _excess(image: Image, offset: tuple[int, int]) -> float:
    """Give by how much the mean step across borders is larger than the one inside, in units of the range."""
    gaps = [across - inside for across, inside in _steps(image, offset)]
    return float(np.mean(gaps)) if gaps else 0.0


def _steps(image: Image, offset: tuple[int, int]) -> list[tuple[float, float]]:
    """Give the mean step across the borders of blocks and the one inside them, down and along the rows."""
    y, found = luminance(image), []
    for axis in (0, 1):
        steps = np.abs(np.diff(y, axis=axis)).mean(axis=1 - axis, dtype=np.float64)
        at_border = (np.arange(len(steps)) + 1 - offset[axis]) % 8 == 0
        if at_border.any() and not at_border.all():
            found.append((float(steps[at_border].mean()), float(steps[~at_border].mean())))
    return found
