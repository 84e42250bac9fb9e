"""Judge what was denoised: by the estimated risk, and by whether what was taken away is noise or texture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anew.arrays import Image, channel_mean, luminance
from anew.restoration.checks.risk import MeasuredNoise, monte_carlo_sure
from anew.restoration.checks.verdict import Verdict

Pieces = list[tuple[Image, Image]]  # of the picture before and after

WINDOW = 192  # pixels; side of the windows in which a denoiser is run again
MAX_WINDOWS = 4
MOST_GAIN = 20.0  # dB; an estimate beyond that is the estimate's own noise
LEAST_GAIN = 0.1  # dB; a smaller predicted gain is not worth touching the pixels
LEAST_SMOOTH = 0.35  # of sigma; noise cannot hide in the smooth parts, so that at least so much must be taken from them
IS_TEXTURE = "what it takes away is texture: in the smooth parts there is hardly any noise"
MOST_CHANGE = 1.5  # times sigma; noise of that level cannot have made more


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
    risk, variance = _risk(noisy, denoised, denoise, noise, deviation, sigma)
    gain = 10 * np.log10(variance / max(risk, variance / 10 ** (MOST_GAIN / 10)))
    pieces = [(noisy[w], denoised[w]) for w in _windows(noisy.shape, 4 * MAX_WINDOWS)]
    level, smooth_level = _residual_levels(pieces)
    correlation = float(np.mean([residual_correlation(before - after) for before, after in pieces]))
    figures = {
        "predicted_gain_db": round(float(gain), 3),
        **_residual_figures(level, smooth_level, sigma),
        "residual_correlation": round(correlation, 3),
    }
    if gain < LEAST_GAIN:
        return Verdict(False, f"by the unbiased risk estimate it would not help (gain {gain:+.1f} dB)", figures)
    if smooth_level < LEAST_SMOOTH * strength * sigma:
        return Verdict(False, IS_TEXTURE, figures)
    more = "more than " if gain > MOST_GAIN - 0.05 else ""
    return Verdict(True, f"the unbiased risk estimate predicts a gain of {more}{gain:.1f} dB", figures)


def _risk(
    noisy: Image,
    denoised: Image,
    denoise: Callable[[Image], Image],
    noise: MeasuredNoise,
    deviation: Image | float,
    sigma: float,
) -> tuple[float, float]:
    """Give the means of the estimated risk and of the variance of the noise, over the same pixels of some windows."""
    risks, variances = [], []
    for window in _windows(noisy.shape):
        y = luminance(denoised[window])
        inside = (y > 2 * sigma) & (y < 1 - 2 * sigma)  # elsewhere clipping has cut the noise
        where = inside if inside.mean() > 0.1 else None
        there = deviation[window] if isinstance(deviation, np.ndarray) else np.full_like(noisy[window], deviation)
        variances.append(np.mean(np.square(there if where is None else there[where], dtype=np.float64)))
        risks.append(
            monte_carlo_sure(
                noisy[window],
                denoise,
                there,
                autocorrelation=noise.autocorrelation,
                shared=noise.shared,
                where=where,
                denoised=denoised[window],
            )
        )
    return float(np.mean(risks)), float(np.mean(variances))


def check_compressed_noise(noisy: Image, denoised: Image, sigma: float, *, strength: float = 1.0) -> Verdict:
    """Judge noise that was compressed or developed, and has no law by which the risk of its removal is estimated.

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
    level, smooth_level = _residual_levels(pieces)
    figures = _residual_figures(level, smooth_level, sigma)
    if level > MOST_CHANGE * sigma:
        return Verdict(False, "it changes more than noise of that level can have made", figures)
    if smooth_level < LEAST_SMOOTH * strength * sigma:
        return Verdict(False, IS_TEXTURE, figures)
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


def _residual_levels(pieces: Pieces) -> tuple[float, float]:
    """Give the root mean square residual everywhere, and in the smooth parts."""
    everywhere, smooth = np.sqrt(np.mean([_residual_energies(*piece) for piece in pieces], axis=0))
    return everywhere, smooth


def _residual_figures(level: float, smooth_level: float, sigma: float) -> dict[str, float]:
    return {
        "residual_over_sigma": round(float(level / sigma), 3),
        "smooth_residual_over_sigma": round(float(smooth_level / sigma), 3),
    }


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
