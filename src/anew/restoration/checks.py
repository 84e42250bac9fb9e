"""Did a repair help? Checks that need no clean image; each gives a verdict with its figures.

- denoise: Stein's unbiased estimate of the error, its divergence by Monte Carlo (Ramani, Blu and Unser, IEEE TIP 17,
  2008), and whether what was taken away is there in the smooth parts too, where noise cannot hide;
- inpaint: known pixels beside the hole are held out and filled; the best method is chosen by them, and the damaged
  pixels must differ from the fill by more than ordinary pixels do;
- deblock: the blocks must fade, and the change must fit into the quantiser's rounding;
- deblur: edges must gain more than noise does, and blurring the result again must give the picture back;
- relight: nothing may be clipped that was not;
- unwarp: more of the edges must stand straight or lie level, or mirrored corners must prove the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, are_values, channel_mean, luminance
from anew.diagnosis.tilt import estimate_tilt
from anew.restoration.uncertainty import local_spread
from anew.structure.mirrored_corners import find_mirrored_corners

WINDOW = 192  # pixels; side of the windows in which a denoiser is run again
MAX_WINDOWS = 4
# How odd pixels under a mask must be: their change over the error of filling ordinary pixels. Tails of Gaussian noise
# reach 2.1, impulses start at 3, or at 2.4 in noise of 0.2; holes are found by what content hardly shows, so a change
# that is seen suffices.
LEAST_ODDITY = {"marked": 0.0, "impulses": 2.3, "holes": 0.5, "text": 0.5}  # a person who marks pixels is right
LEAST_ODDITY_OF_OTHERS = 1.5
DETAIL = 2 / 255  # local spread of what is worth keeping
PROBE_SEED = 0x57E1  # of the probe b; not a seed that people type, or b could be the very noise of a synthetic test
MOST_GAIN = 20.0  # dB; an estimate beyond that is the estimate's own noise
SAME_ANGLE = 0.3  # degrees
LEAST_GAIN = 0.1  # dB; a smaller predicted gain is not worth touching the pixels


@dataclass(frozen=True)
class Verdict:
    """Whether a repair stands.

    Attributes
    ----------
    kept : bool
    reason : str
        In plain words.
    figures : mapping of str to float
        What decided.
    """

    kept: bool
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasuredNoise:
    """Noise as it was measured in a picture.

    Attributes
    ----------
    sigma : float
        Its standard deviation, in units of the range [0, 1].
    gain, offset_sigma : float >= 0
        If ``gain`` is not 0, its variance is gain * x + offset_sigma^2 at brightness x.
    autocorrelation : (2 n + 1, 2 n + 1) array, optional
        At lags -n..n; white if not given.
    shared : bool
        Whether it is the same in all channels.
    """

    sigma: float
    gain: float = 0.0
    offset_sigma: float = 0.0
    autocorrelation: NDArray[np.float64] | None = None
    shared: bool = False

    def deviation(self, clean: Image) -> Image | float:
        """Give the standard deviation at every value of an estimate of the clean image."""
        if self.gain == 0:
            return self.sigma
        return np.asarray(np.sqrt(self.gain * clean.clip(0, 1) + self.offset_sigma**2), np.float32)


def monte_carlo_sure(
    noisy: Image,
    denoise: Callable[[Image], Image],
    sigma: float | Image,
    *,
    autocorrelation: NDArray[np.float64] | None = None,
    shared: bool = False,
    where: Mask | None = None,
    denoised: Image | None = None,
    rng: int | np.random.Generator = PROBE_SEED,
) -> float:
    """Estimate the mean squared error of a denoiser from the noisy image alone.

    Algorithm 1 of Ramani et al. (2008): MSE ~ |y - f(y)|^2 / N - sigma^2 + 2 sigma^2 div f / N with
    div f ~ <b, f(y + eps b) - f(y)> / eps for one normal vector b. Noise of covariance S has the term
    2 tr(S J) / N instead, J the derivative of f, and a b of the noise's own law: correlated, or as strong as it at each
    pixel, or the same in all channels (Eldar, IEEE TSP 57, 2009, generalises the estimate).

    Parameters
    ----------
    noisy : (H, W) or (H, W, C) float32 array
    denoise : callable
        The same shape out.
    sigma : float > 0, or array that broadcasts to the image
        Standard deviation of the noise, in units of the range [0, 1].
    autocorrelation : (2 n + 1, 2 n + 1) array, optional
        Of the noise, at lags -n..n; white if not given.
    shared : bool
        Whether the noise is the same in all channels.
    where : (H, W) bool array, optional
        Pixels to judge by.
    denoised : array of the same shape, optional
        What the denoiser makes of it, where that is known. If it was made of more than these pixels, it differs from
        ``denoise(noisy)`` at the borders, by what has nothing to do with b: the expectation stays.
    rng : int or numpy generator

    Returns
    -------
    float
        In squared units of the range; it may come out slightly negative.
    """
    denoised = denoise(noisy) if denoised is None else denoised
    chosen = np.ones(noisy.shape[:2], bool) if where is None else where
    deviation = np.broadcast_to(np.asarray(sigma, np.float32), noisy.shape)
    variance = float(np.mean(deviation[chosen].astype(np.float64) ** 2))
    b = np.random.default_rng(rng).standard_normal((*noisy.shape[:2], 1) if shared else noisy.shape, np.float32)
    b = np.broadcast_to(b, noisy.shape).copy()
    if autocorrelation is not None:
        b = coloured(b, autocorrelation)
    b *= deviation / np.float32(np.sqrt(variance))
    eps = np.float32(max(0.2 * np.sqrt(variance), 2 / 255))  # above the rounding inside 8-bit library filters
    slope = b * (denoise(noisy + eps * b) - denoised)
    divergence = float(np.mean(slope[chosen], dtype=np.float64)) / float(eps)
    residual = float(np.mean((noisy - denoised)[chosen] ** 2, dtype=np.float64))
    return residual - variance + 2 * variance * divergence


def coloured(white: Image, autocorrelation: NDArray[np.float64]) -> Image:
    """Filter white noise so that it has an autocorrelation; its variance stays."""
    from anew.diagnosis.noise_model import power_spectrum

    response = np.fft.ifft2(np.sqrt(power_spectrum(autocorrelation))).real
    kernel = np.fft.fftshift(response / np.sqrt(np.sum(response**2))).astype(np.float32)
    middle = (len(kernel) // 2, len(kernel) // 2)
    return np.asarray(cv2.filter2D(white, -1, kernel, anchor=middle), np.float32).reshape(white.shape)


def check_denoised(
    noisy: Image,
    denoised: Image,
    denoise: Callable[[Image], Image],
    noise: MeasuredNoise,
    *,
    strength: float = 1.0,
) -> Verdict:
    """Judge a denoised image.

    Parameters
    ----------
    noisy, denoised : (H, W, C) float32 arrays
    denoise : callable
        What made the one of the other; it is run again on some windows.
    noise : MeasuredNoise
        As measured in ``noisy``, not as the denoiser was told.
    strength : float in (0, 1]
        The share of the change that was made.
    """
    deviation = noise.deviation(denoised)
    sigma = float(np.sqrt(np.mean(np.square(deviation, dtype=np.float64))))
    risks = []
    for window in _windows(noisy.shape):
        y = luminance(denoised[window])
        inside = (y > 2 * sigma) & (y < 1 - 2 * sigma)  # elsewhere clipping has cut the noise
        where = inside if inside.mean() > 0.1 else None
        here = deviation[window] if isinstance(deviation, np.ndarray) else deviation
        law = noise.autocorrelation
        risks.append(
            monte_carlo_sure(
                noisy[window],
                denoise,
                here,
                autocorrelation=law,
                shared=noise.shared,
                where=where,
                denoised=denoised[window],
            )
        )
    risk = max(float(np.mean(risks)), sigma**2 / 10 ** (MOST_GAIN / 10))
    gain = 10 * np.log10(sigma**2 / risk)
    pieces = [(noisy[w], denoised[w]) for w in _windows(noisy.shape, 4 * MAX_WINDOWS)]
    level, smooth_level = np.sqrt(np.mean([_residual_energies(*piece) for piece in pieces], axis=0))
    correlation = float(np.mean([residual_correlation(before - after) for before, after in pieces]))
    figures = {
        "predicted_gain_db": round(float(gain), 3),
        "residual_over_sigma": round(float(level / sigma), 3),
        "smooth_residual_over_sigma": round(float(smooth_level / sigma), 3),
        "residual_correlation": round(correlation, 3),
    }
    if gain < LEAST_GAIN:
        return Verdict(False, f"by the unbiased risk estimate it would not help (gain {gain:+.1f} dB)", figures)
    if smooth_level < 0.35 * strength * sigma:
        return Verdict(False, "what it takes away is texture: in the smooth parts there is hardly any noise", figures)
    more = "more than " if gain > MOST_GAIN - 0.05 else ""
    return Verdict(True, f"the unbiased risk estimate predicts a gain of {more}{gain:.1f} dB", figures)


def check_compressed_noise(noisy: Image, denoised: Image, sigma: float, *, strength: float = 1.0) -> Verdict:
    """Judge what was denoised after a compression, whose noise has no law by which its risk could be estimated.

    It must not change more than noise of that level can have made, and must change the smooth parts too.

    Parameters
    ----------
    noisy, denoised : (H, W, C) float32 arrays
    sigma : float > 0
        What the denoiser was told.
    strength : float in (0, 1]
        The share of the change that was made.
    """
    pieces = [(noisy[w], denoised[w]) for w in _windows(noisy.shape, 4 * MAX_WINDOWS)]
    level, smooth_level = np.sqrt(np.mean([_residual_energies(*piece) for piece in pieces], axis=0))
    figures = {
        "residual_over_sigma": round(float(level / sigma), 3),
        "smooth_residual_over_sigma": round(float(smooth_level / sigma), 3),
    }
    if level > 1.5 * sigma:
        return Verdict(False, "it changes more than noise of that level can have made", figures)
    if smooth_level < 0.35 * strength * sigma:
        return Verdict(False, "what it takes away is texture: in the smooth parts there is hardly any noise", figures)
    return Verdict(
        True, f"what it takes away is everywhere, {level * 255:.1f} of 255 strong, as noise would be", figures
    )


def residual_correlation(residual: Image) -> float:
    """Give the mean correlation of a residual with itself one pixel to the right and down: 0 for white noise."""
    r = np.atleast_3d(residual) - residual.mean()
    energy = float(np.mean(r * r, dtype=np.float64))
    if energy <= 0 or min(r.shape[:2]) < 2:
        return 0.0
    right = np.mean(r[:, 1:] * r[:, :-1], dtype=np.float64)
    down = np.mean(r[1:] * r[:-1], dtype=np.float64)
    return float((right + down) / (2 * energy))


def check_filled(original: Image, filled: Image, mask: Mask, held_out_error: float, kind: str) -> Verdict:
    """Judge filled holes.

    Parameters
    ----------
    original, filled : (H, W, C) float32 arrays
    mask : (H, W) bool array
    held_out_error : float
        Root mean square error at known pixels that were held out; nan if none could be.
    kind : str
        Of the damage.
    """
    before, after = original[mask], filled[mask]
    odd = float(np.sqrt(np.mean((before - after) ** 2, dtype=np.float64))) if are_values(before) else np.inf
    figures = {"held_out_error": round(held_out_error, 5), "change": round(min(odd, 1e6), 5)}
    if not np.isfinite(held_out_error):
        return Verdict(True, f"{_share(mask)} of the pixels were filled from their surroundings", figures)
    if odd < LEAST_ODDITY.get(kind, LEAST_ODDITY_OF_OTHERS) * held_out_error:
        reason = "the marked pixels look no odder than their surroundings: they may well be part of the picture"
        return Verdict(False, reason, figures)
    reason = f"{_share(mask)} of the pixels were filled; held-out ones return within {255 * held_out_error:.0f} of 255"
    return Verdict(True, reason, figures)


def blockiness(image: Image, offset: tuple[int, int] = (0, 0)) -> float:
    """Give the mean step across the borders of 8 x 8 blocks, over the mean step inside them: 1 without blocks.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    offset : (int, int)
        Row and column of the first block's corner.
    """
    y = luminance(image)
    ratios = []
    for axis in (0, 1):
        steps = np.abs(np.diff(y, axis=axis)).mean(axis=1 - axis, dtype=np.float64)
        at_border = (np.arange(len(steps)) + 1 - offset[axis]) % 8 == 0
        if at_border.any() and not at_border.all():
            ratios.append((steps[at_border].mean() + 1e-6) / (steps[~at_border].mean() + 1e-6))
    return float(np.mean(ratios)) if ratios else 1.0


def check_deblocked(image: Image, deblocked: Image, quality: int, offset: tuple[int, int] = (0, 0)) -> Verdict:
    """Judge a deblocked image: blocks fade, and the change is no larger than what quantisation can have lost."""
    from anew.jpeg_tables import quantisation_table

    before, after = blockiness(image, offset), blockiness(deblocked, offset)
    change = float(np.sqrt(np.mean((deblocked - image) ** 2, dtype=np.float64)))
    # Rounding to steps of q adds q^2 / 12 per coefficient at most; the DCT is orthonormal.
    lost = float(np.sqrt(np.mean(quantisation_table(quality).astype(np.float64) ** 2) / 12)) / 255
    figures = {"blockiness_before": round(before, 4), "blockiness_after": round(after, 4), "change": round(change, 5)}
    if change > lost:
        reason = f"it changes more ({change:.3f}) than this compression can have lost ({lost:.3f})"
        return Verdict(False, reason, figures)
    if abs(after - 1) >= abs(before - 1):
        return Verdict(False, "the borders of the blocks are no weaker than before", figures)
    reason = f"steps across the borders of blocks fell from {before:.2f} to {after:.2f} times those inside"
    return Verdict(True, reason, figures)


def check_deblurred(image: Image, sharpened: Image, sigma: float, psf: Image | None) -> Verdict:
    """Judge a deblurred image: sharper, without ringing, and explaining what was seen."""
    from anew.diagnosis.noise import estimate_noise_sigma

    before, after = _sharpness(image), _sharpness(sharpened)
    noise = estimate_noise_sigma(sharpened)
    low, high = float(image.min()), float(image.max())
    ringing = float(np.mean((sharpened < low - 0.02) | (sharpened > high + 0.02)))
    figures = {
        "sharpness_gain": round(after / max(before, 1e-9), 3),
        "noise_after": round(noise, 5),
        "overshoot": round(ringing, 5),
    }
    if psf is not None:
        again = cv2.filter2D(sharpened, -1, psf[::-1, ::-1], borderType=cv2.BORDER_REFLECT).reshape(image.shape)
        misfit = float(np.sqrt(np.mean((again - image) ** 2, dtype=np.float64)))
        figures["misfit"] = round(misfit, 5)
        if misfit > 2 * sigma + 0.02:
            return Verdict(False, "blurring the result again does not give the picture back", figures)
    if after < 1.03 * before:
        return Verdict(False, "edges are no sharper than before", figures)
    if noise > max(3 * sigma, 4 / 255):
        return Verdict(False, f"it amplifies noise to {noise * 255:.1f} of 255", figures)
    if ringing > 0.02:
        return Verdict(False, f"edges ring: {ringing:.0%} of the values overshoot", figures)
    return Verdict(True, f"edges are {after / max(before, 1e-9):.2f} times as steep, without ringing", figures)


def check_relit(image: Image, relit: Image) -> Verdict:
    """Judge changed light: no detail may be lost in black or white, and differences must not vanish."""
    before, after = _clipped(image), _clipped(relit)
    newly = np.zeros(image.shape[:2], bool)
    for c in range(image.shape[2]):
        newly |= after[:, :, c] & ~before[:, :, c]
    lost = float(np.mean(newly & (local_spread(image, 1.5) > DETAIL)))
    spread = float(luminance(relit).std()) / max(float(luminance(image).std()), 1e-6)
    figures = {
        "clipped_before": round(float(before.mean()), 5),
        "clipped_after": round(float(after.mean()), 5),
        "detail_clipped": round(lost, 5),
        "contrast_gain": round(spread, 3),
    }
    if lost > 0.03:
        return Verdict(False, f"it would clip {lost:.1%} of the picture where there is detail now", figures)
    if spread < 0.5:
        return Verdict(False, "it would flatten the picture", figures)
    return Verdict(True, f"blacks and whites keep their detail ({lost:.1%} of it is clipped)", figures)


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


# For what only lines of the picture hint at. Of 400 photographs, turned by 3 to 9 degrees and cut to their middle or
# left as they were, those that were turned by the wrong angle had less after it, with one exception; so had a third of
# those turned rightly.
LEAST_STRAIGHT, SURE = 0.1, 0.8


def check_unwarped(image: Image, unwarped: Image, valid: Mask, angle: float = 0.0) -> Verdict:
    """Judge straightened geometry: the upright and level share of the edges must grow.

    Corners that mirror the inside prove a turn by their angle, whatever the content.

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
    if shown < 0.5:
        return Verdict(False, f"only {shown:.0%} of the result would show real pixels", figures)
    if angle != 0:
        mirrored = find_mirrored_corners(image)
        if mirrored.sure and abs(mirrored.angle - angle) < SAME_ANGLE:
            figures["mirrored_corners"] = round(mirrored.correlation, 4)
            return Verdict(
                True, f"its corners mirror its inside, as a turn by {angle:.1f} degrees leaves them", figures
            )
    if after <= before:
        return Verdict(False, f"no more of the edges stand straight ({before:.1%} before, {after:.1%} after)", figures)
    if angle != 0 and after < LEAST_STRAIGHT and estimate_tilt(image).confidence < SURE:
        return Verdict(False, f"only {after:.1%} of the edges would stand straight or lie level", figures)
    return Verdict(True, f"{after:.1%} of the edges now stand straight or lie level (before: {before:.1%})", figures)


def _windows(shape: tuple[int, ...], count: int = MAX_WINDOWS) -> list[tuple[slice, slice]]:
    """Choose windows spread over the image; the whole of a small one."""
    height, width = shape[:2]
    if height * width <= count * WINDOW**2:
        return [(slice(0, height), slice(0, width))]
    tall, wide = min(height, WINDOW), min(width, WINDOW)
    tops = np.linspace(0, height - tall, count + 2)[1:-1].astype(int)
    lefts = np.linspace(0, width - wide, count + 2)[1:-1].astype(int)
    order = np.arange(count) * (count // 2 + 1 if count > 4 else 3) % count  # not along a diagonal
    return [(slice(t, t + tall), slice(x, x + wide)) for t, x in zip(tops.tolist(), lefts[order].tolist(), strict=True)]


def _residual_energies(noisy: Image, denoised: Image, block: int = 8) -> tuple[float, float]:
    """Give the mean square residual everywhere, and in the smoothest quarter of the blocks that clipping spares."""
    residual = channel_mean((noisy - denoised) ** 2)
    energy = float(residual.mean(dtype=np.float64))
    y = luminance(denoised)
    rows, columns = y.shape[0] // block, y.shape[1] // block

    def per_block(x: Image) -> Image:
        blocks = x[: rows * block, : columns * block].reshape(rows, block, columns, block)
        return blocks.mean(axis=(1, 3)).ravel()

    if rows * columns < 16:
        return energy, energy
    mean, power, noise = per_block(y), per_block(y * y), per_block(residual)
    spread = power - mean**2
    margin = max(2 * energy**0.5, 0.02)
    usable = (mean > margin) & (mean < 1 - margin)
    if np.count_nonzero(usable) < 16:
        return energy, energy
    smooth = usable & (spread <= np.quantile(spread[usable], 0.25))
    return energy, float(noise[smooth].mean(dtype=np.float64))


def _sharpness(image: Image) -> float:
    """Give the mean of the steepest tenth of the gradients."""
    y = luminance(image)
    if min(y.shape) < 2:
        return 0.0
    steps = np.hypot(np.diff(y, axis=1)[:-1], np.diff(y, axis=0)[:, :-1]).ravel()[:: max(1, y.size // 1_000_000)]
    return float(np.mean(steps[steps >= np.quantile(steps, 0.9)], dtype=np.float64))


def _clipped(image: Image) -> NDArray[np.bool_]:
    return (image <= 0.5 / 255) | (image >= 1 - 0.5 / 255)


def _share(mask: Mask) -> str:
    share = float(mask.mean())
    return f"{share:.1%}" if share >= 0.0005 else f"{share:.3%}"
