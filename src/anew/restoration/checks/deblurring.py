"""Judge a deblurred image: edges gain more than noise does, and blurring it again gives the picture back."""

from __future__ import annotations

import cv2
import numpy as np

from anew.arrays import Image, luminance
from anew.degradations.blur import convolve
from anew.diagnosis.blur import share_of_unseen
from anew.diagnosis.noise import estimate_noise_sigma
from anew.restoration.checks.verdict import Verdict

LEAST_SHARPENING = 1.03  # times as steep as before, or the edges are no sharper
# Blurred again, the result may miss the picture by twice the noise, and by so much of the range in any case.
MISFIT_OF_NOISE, MISFIT_IN_ANY_CASE = 2.0, 0.02
# Noise may be so many times what it was, and so strong in any case.
MOST_AMPLIFIED, NOISE_IN_ANY_CASE = 3.0, 4 / 255
OVERSHOOT = 0.02  # of the range, beyond the darkest and brightest value of before: that is ringing
MOST_RINGING = 0.02  # share of the values
# Within a window of the psf's size, blur leaves some contrast where there was any. Repairs that brought photographs
# nearer to the truth changed them by 1.5 times that contrast at most, where it is richest.
MOST_CHANGE, RICHEST = 1.6, 0.3
# Of the steepness after it may stem from what noise hides in the picture before: in repairs of blurred photographs,
# with noise and without, 0.43 at most did.
MOST_UNSEEN = 0.5


def check_deblurred(image: Image, sharpened: Image, sigma: float, psf: Image | None) -> Verdict:
    """Judge a deblurred image: sharper, without ringing, and explaining what was seen.

    Parameters
    ----------
    image, sharpened : (H, W, C) float32 arrays
    sigma : float
        Standard deviation of the noise that was reckoned with.
    psf : (h, w) float32 array, optional
    """
    before, after = _sharpness(image), _sharpness(sharpened)
    noise = estimate_noise_sigma(sharpened)
    low, high = float(image.min()), float(image.max())
    ringing = float(np.mean((sharpened < low - OVERSHOOT) | (sharpened > high + OVERSHOOT)))
    figures = {
        "sharpness_gain": round(after / max(before, 1e-9), 3),
        "noise_after": round(noise, 5),
        "overshoot": round(ringing, 5),
        "unseen": round(share_of_unseen(image, sharpened), 3),
    }
    if psf is not None:
        again = convolve(sharpened, psf)
        misfit = float(np.sqrt(np.mean((again - image) ** 2, dtype=np.float64)))
        figures["misfit"] = round(misfit, 5)
        if misfit > MISFIT_OF_NOISE * sigma + MISFIT_IN_ANY_CASE:
            return Verdict(False, "blurring the result again does not give the picture back", figures)
        figures["change_over_contrast"] = round(_change_over_contrast(image, sharpened, psf), 3)
    if after < LEAST_SHARPENING * before:
        return Verdict(False, "edges are no sharper than before", figures)
    if noise > max(MOST_AMPLIFIED * sigma, NOISE_IN_ANY_CASE):
        return Verdict(False, f"it amplifies noise to {noise * 255:.1f} of 255", figures)
    if ringing > MOST_RINGING:
        return Verdict(False, f"edges ring: {ringing:.0%} of the values overshoot", figures)
    if figures.get("change_over_contrast", 0.0) > MOST_CHANGE:
        return Verdict(False, "it swings further about the edges than the blur can have levelled", figures)
    if figures["unseen"] > MOST_UNSEEN:
        return Verdict(False, "most of what makes its edges steeper is nowhere to be seen in the picture", figures)
    return Verdict(True, f"edges are {after / max(before, 1e-9):.2f} times as steep, without ringing", figures)


def _sharpness(image: Image) -> float:
    """Give the mean of the steepest tenth of the gradients."""
    y = luminance(image)
    if min(y.shape) < 2:
        return 0.0
    steps = np.hypot(np.diff(y, axis=1)[:-1], np.diff(y, axis=0)[:, :-1]).ravel()[:: max(1, y.size // 1_000_000)]
    return float(np.mean(steps[steps >= np.quantile(steps, 0.9)], dtype=np.float64))


def _change_over_contrast(image: Image, sharpened: Image, psf: Image) -> float:
    """Give the change over the contrast within windows of the psf's size, where that is richest."""
    before, after = luminance(image), luminance(sharpened)
    reach = np.argwhere(psf > 0.05 * psf.max())
    side = min(int(np.ptp(reach, axis=0).max()) + 1, *before.shape)
    change = cv2.blur((after - before) ** 2, (side, side))
    contrast = cv2.blur(before**2, (side, side)) - cv2.blur(before, (side, side)) ** 2
    rich = contrast >= np.quantile(contrast, 1 - RICHEST)
    return float(np.sqrt(change[rich].mean(dtype=np.float64) / max(contrast[rich].mean(dtype=np.float64), 1e-9)))
