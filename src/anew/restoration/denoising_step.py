"""Read a denoising step of a plan: the method, what it is told of the noise, and what has to be measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anew.arrays import Image
from anew.diagnosis.noise import estimate_noise_sigma, shares_channels
from anew.diagnosis.noise_model import estimate_correlation, estimate_signal_dependence, power_spectrum
from anew.options import finite_number
from anew.registry import METHODS, Method
from anew.restoration.checks import MeasuredNoise
from anew.restoration.denoising.luma_chroma import measure_chroma_sigma
from anew.restoration.denoising_choice import choose_denoising
from anew.restoration.plan import EXTRA_INPUTS, Step


@dataclass(frozen=True)
class Denoising:
    """A denoising step, read: called with an image, it denoises it.

    Attributes
    ----------
    method : Method
    options : mapping
        Of the method.
    sigma : float
        Standard deviation of the noise, in units of the range [0, 1].
    blind : bool
        Whether the method judges the level by the pixels; ``sigma`` only serves the check then.
    altered, white : bool
        Whether the noise was compressed, or developed by a camera; whether it is independent from pixel to pixel and
        of the light.
    clipped : (bool, bool), optional
        At which ends of the range it was clipped, black and white, where the plan says so.
    used : mapping
        All parameters, measured ones included (JSON-serialisable).
    """

    method: Method
    options: Mapping[str, Any]
    sigma: float
    blind: bool
    altered: bool
    white: bool
    clipped: tuple[bool, bool] | None
    used: Mapping[str, Any]

    def __call__(self, x: Image) -> Image:
        level = () if self.blind else (self.sigma,)
        result: Image = self.method.function(x, *level, **self.options)
        return result


def measure_noise(image: Image, told: Mapping[str, Any]) -> MeasuredNoise:
    """Measure the noise as it is now, by the estimator of the sort that the plan names."""
    if told.get("autocorrelation") is not None:
        correlation = estimate_correlation(image)
        return MeasuredNoise(correlation.sigma, autocorrelation=correlation.autocorrelation)
    shared = shares_channels(image)
    sigma = estimate_noise_sigma(image)
    if told.get("gain"):
        light = estimate_signal_dependence(image)
        if light.dependent:
            return MeasuredNoise(sigma, gain=light.gain, offset_sigma=light.offset_sigma, shared=shared)
    return MeasuredNoise(sigma, shared=shared)


def is_altered(told: Mapping[str, Any]) -> bool:
    """Tell whether a plan says that the noise was compressed or developed; it is not Gaussian, so the level is told."""
    return any(told.get(how, False) for how in ("compressed", "developed")) and "sigma" in told


def read_denoising(step: Step, image: Image, measured: MeasuredNoise) -> Denoising:
    """Read a step of a plan, and measure what it leaves open."""
    told: dict[str, Any] = dict(step.parameters)
    sigma = finite_number("sigma", told.get("sigma", measured.sigma))
    free = step.method == "auto" and "sigma" not in told
    method = METHODS.get("denoise", choose_denoising(shared=measured.shared) if free else step.method)
    if method.name == "luma-chroma" and image.shape[2] == 3 and "chroma_sigma" not in told:
        told["chroma_sigma"] = measure_chroma_sigma(image)  # of the whole picture, not of each tile
    options = {name: value for name, value in told.items() if name not in ("sigma", *EXTRA_INPUTS["denoise"])}
    autocorrelation = told.get("autocorrelation")
    if autocorrelation is not None and "psd" in method.parameters:
        options["psd"] = power_spectrum(autocorrelation)
    altered = is_altered(told)
    blind = method.blind and (altered or "sigma" not in told)
    white = not altered and autocorrelation is None and "gain" not in told
    used = told if blind else {**told, "sigma": sigma}
    return Denoising(method, options, sigma, blind, altered, white, _ends(told.get("clipped")), used)


def _ends(told: Any) -> tuple[bool, bool] | None:
    """Read at which ends of the range the noise was clipped, or None where a plan does not say."""
    if told is None:
        return None
    if not isinstance(told, list) or len(told) != 2 or not all(isinstance(end, bool) for end in told):
        raise ValueError(f"clipped must be two of true and false, for black and white, got {told!r}")
    return told[0], told[1]
