"""Judge filled holes: what stood there must be odder than ordinary pixels are, unless a person marked it."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, Mask, are_values
from anew.diagnosis.finding import share_in_words
from anew.restoration.checks.verdict import Verdict

# How odd pixels under a mask must be: their change over the error of filling ordinary pixels. Tails of Gaussian noise
# reach 2.1, impulses start at 3, or at 2.4 in noise of 0.2; holes are found by what content hardly shows, so a change
# that is seen suffices.
LEAST_ODDITY = {"marked": 0.0, "impulses": 2.3, "holes": 0.5, "text": 0.5}  # a person who marks pixels is right
LEAST_ODDITY_OF_OTHERS = 1.5


def check_filled(original: Image, filled: Image, mask: Mask, held_out_error: float, kind: str) -> Verdict:
    """Judge filled holes.

    Parameters
    ----------
    original, filled : (H, W, C) float32 arrays
    mask : (H, W) bool array
    held_out_error : float
        Root mean square error at known pixels that were held out; nan if none could be.
    kind : str
        Of the damage; what a person marked, and what has no value, is filled in any case.
    """
    before, after = original[mask], filled[mask]
    odd = float(np.sqrt(np.mean((before - after) ** 2, dtype=np.float64))) if are_values(before) else np.inf
    figures = {"held_out_error": round(held_out_error, 5), "change": round(min(odd, 1e6), 5)}
    if not np.isfinite(held_out_error):
        if kind == "marked" or odd == np.inf:
            return Verdict(True, f"{share_in_words(mask)} of the pixels were filled from their surroundings", figures)
        reason = "too few known pixels are left to tell whether the marked ones are damaged"
        return Verdict(False, reason, figures)
    if odd < LEAST_ODDITY.get(kind, LEAST_ODDITY_OF_OTHERS) * held_out_error:
        reason = "the marked pixels look no odder than their surroundings: they may well be part of the picture"
        return Verdict(False, reason, figures)
    returned = f"held-out ones return within {255 * held_out_error:.0f} of 255"
    return Verdict(True, f"{share_in_words(mask)} of the pixels were filled; {returned}", figures)
