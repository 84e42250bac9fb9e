"""Run one step of a plan and judge it: for each task, what it needs, how it runs in tiles, and its check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from anew.arrays import Image, Mask, across_channels, are_values, is_value
from anew.degradations.blur import defocus_psf, gaussian_psf, motion_psf
from anew.diagnosis.jpeg import estimate_jpeg_quality
from anew.diagnosis.keystone import estimate_keystone
from anew.diagnosis.lens import estimate_lens
from anew.diagnosis.noise import VISIBLE_SIGMA, estimate_noise_sigma
from anew.diagnosis.tilt import estimate_tilt
from anew.options import finite_number
from anew.registry import METHODS, Method
from anew.restoration import checks, uncertainty
from anew.restoration.checks import MeasuredNoise, Verdict
from anew.restoration.deblurring_choice import choose_deblurring
from anew.restoration.declipping import clipped_ends, undo_clipping
from anew.restoration.denoising_step import Denoising, is_altered, measure_noise, read_denoising
from anew.restoration.inpainting_choice import choose_inpainting
from anew.restoration.plan import Step
from anew.restoration.tasks import as_psf
from anew.structure.homography import as_quad, corners_of
from anew.tiles import TILE, apply_in_tiles, fill_in_tiles, tiles_of

# An estimated psf is off by a little, which acts like noise of these levels; the first that passes the check is taken.
PSF_ERRORS = (1 / 255, 4 / 255, 12 / 255)
# A stretch of the tones that would clip is taken in part: the first of these shares that the check accepts.
LIGHT_PARTS, IN_PARTS = (0.8, 0.6, 0.4), frozenset({"exposure", "contrast"})
# What an unwarping measures where a plan does not say it (JSON-serialisable).
GEOMETRY: Mapping[str, tuple[str, Callable[[Image], Any]]] = {
    "tilt": ("angle", lambda image: float(estimate_tilt(image).angle)),
    "keystone": ("corners", lambda image: estimate_keystone(image).corners.tolist()),
    "lens": ("k1", lambda image: float(estimate_lens(image).k1)),
}


@dataclass(frozen=True)
class Situation:
    """What a step starts from.

    Attributes
    ----------
    image : (H, W, C) float32 array
    uncertainty : (H, W) float32 array
        From the steps before.
    mask : (H, W) bool array, optional
        For repairs under a mask.
    strength : float in (0, 1]
    check : bool
        Judge the result; a replay does without.
    progress : callable
        Told the fraction of the step that is done.
    """

    image: Image
    uncertainty: Image
    mask: Mask | None = None
    strength: float = 1.0
    check: bool = True
    progress: Callable[[float], None] = lambda fraction: None


@dataclass(frozen=True)
class Repair:
    """What a step made, and whether it stands.

    Attributes
    ----------
    image : (H, W, C) float32 array
    uncertainty : (H, W) float32 array
    method : str
    parameters : mapping
        All that were used, measured ones included (JSON-serialisable).
    verdict : Verdict
    """

    image: Image
    uncertainty: Image
    method: str
    parameters: Mapping[str, Any]
    verdict: Verdict


def run_step(step: Step, now: Situation) -> Repair:
    """Run one step.

    Parameters
    ----------
    step : Step
    now : Situation
        Never modified.
    """
    if now.mask is None and not are_values(now.image):
        return _dropped(step, now, "the picture holds values that are no numbers; its holes must be filled first")
    return _RUNNERS[step.task](step, now)


def _run_inpaint(step: Step, now: Situation) -> Repair:
    mask = now.mask
    if mask is None or not mask.any():
        return _dropped(step, now, "no damaged pixels were found")
    if mask.all():
        return _dropped(step, now, "every pixel is damaged; there is nothing to fill from")
    missing = mask | across_channels(np.logical_or, ~is_value(now.image))
    name, options, held_out = step.method, dict(step.parameters), float("nan")
    if name == "auto" or now.check:
        names = METHODS.names("inpaint") if name == "auto" else [name]
        name, held_out = choose_inpainting(now.image, missing, names, options)
    method = METHODS.get("inpaint", name)
    full = fill_in_tiles(lambda x, m: method.function(x, m, **options), now.image, missing, progress=now.progress)
    unsure = uncertainty.filled_uncertainty(full, mask, held_out)
    elsewhere = missing & ~mask  # what has no value and no part in this step
    full[elsewhere] = now.image[elsewhere]
    verdict = _verdict(now, lambda: checks.check_filled(now.image, full, mask, held_out, step.kind))
    if now.strength < 1:  # what has no value is filled wholly
        weakened = mask & across_channels(np.logical_and, is_value(now.image))
        left = uncertainty.left_damage(now.image[weakened], full[weakened], now.strength)
        unsure[weakened] = np.hypot(unsure[weakened], left)
        full[weakened] = _blend(now.image[weakened], full[weakened], now.strength)
    return Repair(full, np.where(mask, unsure, now.uncertainty), name, options, verdict)


def _run_denoise(step: Step, now: Situation) -> Repair:
    told = step.parameters
    measured = measure_noise(now.image, told) if now.check or "sigma" not in told else MeasuredNoise(0.0)
    if now.check and not is_altered(told) and measured.sigma < 0.5 * VISIBLE_SIGMA:
        return _dropped(step, now, "hardly any noise is measured in the picture as it is now")
    denoise = read_denoising(step, now.image, measured)
    if told.get("sigma") == 0:
        return _dropped(step, now, "the plan tells of no noise: a sigma of 0")
    full = apply_in_tiles(denoise, now.image, progress=now.progress)
    image = _blend(now.image, full, now.strength)
    verdict = _verdict(now, lambda: _judge_denoised(denoise, now, image, measured))
    unsure = _joined(now, _denoised_field(image, denoise.sigma, now.strength))
    used, ends = denoise.used, _clipped_ends(denoise, now, full)
    if verdict.kept and any(ends):
        image = _blend(now.image, _declipped(full, now.image, denoise.sigma, ends), now.strength)
        used = {**used, "clipped": list(ends)}
        names = " and ".join(name for name, end in zip(("shadows", "highlights"), ends, strict=True) if end)
        verdict = replace(verdict, reason=f"{verdict.reason}; {names} greyed by clipped noise were set right")
    return Repair(image, unsure, denoise.method.name, used, verdict)


def _judge_denoised(denoise: Denoising, now: Situation, image: Image, measured: MeasuredNoise) -> Verdict:
    if denoise.altered:
        return checks.check_compressed_noise(now.image, image, denoise.sigma, strength=now.strength)
    again = denoise if now.strength == 1 else lambda x: _blend(x, denoise(x), now.strength)
    return checks.check_denoised(now.image, image, again, measured, strength=now.strength)


def _denoised_field(image: Image, sigma: float, strength: float) -> Image:
    """Give the uncertainty of what was denoised, and of the noise that a strength below 1 leaves."""
    level = max(sigma, 1e-4)
    return np.hypot(uncertainty.denoised_uncertainty(image, level), np.float32((1 - strength) * level))


def _clipped_ends(denoise: Denoising, now: Situation, full: Image) -> tuple[bool, bool]:
    """Tell at which ends of the range the noise was clipped: as the plan says, else as white noise shows it."""
    if denoise.clipped is not None:
        return denoise.clipped
    return clipped_ends(now.image, full, denoise.sigma) if now.check and denoise.white else (False, False)


def _declipped(full: Image, given: Image, sigma: float, ends: tuple[bool, bool]) -> Image:
    """Undo the bias of clipped noise, in place unless it is the given picture's: a third copy would be in memory."""
    dark, bright = ends
    full = full.copy() if np.may_share_memory(full, given) else full
    for place in tiles_of(full.shape, TILE):
        full[place] = undo_clipping(full[place], sigma, dark=dark, bright=bright)
    return full


def _run_deblock(step: Step, now: Situation) -> Repair:
    options: dict[str, Any] = dict(step.parameters)
    quality, offset = options.pop("quality", None), options.pop("offset", (0, 0))
    if quality is None:
        quality = estimate_jpeg_quality(now.image)
        if quality is None:
            return _dropped(step, now, "no traces of JPEG compression are left")
    quality = _whole("quality", quality)
    method = METHODS.get("deblock", step.method)
    if not isinstance(offset, list | tuple) or len(offset) != 2:
        raise ValueError(f"offset must be two whole numbers, row and column, got {offset!r}")
    row, column = (_whole("offset", o) % 8 for o in offset)
    above, left = -row % 8, -column % 8  # the methods expect the first block in the corner
    aligned = np.pad(now.image, ((above, 0), (left, 0), (0, 0)), mode="edge") if above or left else now.image
    full = apply_in_tiles(lambda x: method.function(x, quality, **options), aligned, progress=now.progress)
    full = np.ascontiguousarray(full[above:, left:])
    verdict = _verdict(now, lambda: checks.check_deblocked(now.image, full, quality, (row, column)))
    unsure = _joined(now, uncertainty.deblocked_uncertainty(full, quality))
    image = _blend(now.image, full, now.strength)
    return Repair(image, unsure, method.name, {"quality": quality, "offset": [row, column], **options}, verdict)


def _run_deblur(step: Step, now: Situation) -> Repair:
    options: dict[str, Any] = dict(step.parameters)
    given: dict[str, Any] = {name: options.pop(name) for name in ("psf", "blur", "width", "angle") if name in options}
    given_sigma = options.pop("sigma", None)
    psf = _psf_of(**given)
    method = choose_deblurring(step.method, knows_psf=psf is not None)
    measured = estimate_noise_sigma(now.image) if now.check or given_sigma is None else 0.0
    levels = [max(measured, floor) for floor in PSF_ERRORS]
    if given_sigma is not None:
        levels = [finite_number("sigma", given_sigma)]
    for sigma in dict.fromkeys(levels):
        inputs = (psf, sigma) if "psf" in method.takes else (sigma,)
        full = _deblurred(method, now, inputs, options)
        verdict = checks.check_deblurred(now.image, full, sigma, psf) if now.check else Verdict(True, "replayed")
        if verdict.kept:
            break
    image = _blend(now.image, full, now.strength)
    used = {"sigma": sigma, **given, **options}
    unsure = uncertainty.changed_uncertainty(now.image, full)
    if now.strength < 1:
        unsure = np.hypot(unsure, uncertainty.left_damage(now.image, full, now.strength))
    return Repair(image, _joined(now, unsure), method.name, used, verdict)


def _run_relight(step: Step, now: Situation) -> Repair:
    method, options = METHODS.get("relight", step.method), dict(step.parameters)
    part = finite_number("part", options.pop("part", 1.0))
    full = method.function(now.image, **options)
    for share in dict.fromkeys(
        (part, *(p for p in LIGHT_PARTS if p < part and step.kind in IN_PARTS)) if now.check else (part,)
    ):
        lit = _blend(now.image, full, share)
        verdict = checks.check_relit(now.image, lit) if now.check else Verdict(True, "replayed")
        if verdict.kept:
            break
    image = _blend(now.image, lit, now.strength)
    unsure = uncertainty.relit_uncertainty(now.image, image, now.uncertainty)
    used = options if share == 1 else {**options, "part": share}
    return Repair(image, unsure, method.name, used, verdict)


def _run_unwarp(step: Step, now: Situation) -> Repair:
    method = METHODS.get("unwarp", step.method)
    # Mirrored, the corners that are not seen would look like those of a picture that was turned, and be turned back.
    options = {"border": "nearest", **step.parameters}
    name, measure = GEOMETRY[method.name]
    if options.get(name) is None:  # left to each call, it would be measured of the alpha and the uncertainty too
        options[name] = measure(now.image)
    weakened = weakened_geometry(method.name, options, now.image.shape, now.strength)
    image = method.function(now.image, **weakened)
    valid = shown_by(method, image.shape, weakened)
    angle = finite_number("angle", options.get("angle", 0.0))
    verdict = _verdict(now, lambda: checks.check_unwarped(now.image, image, valid, angle))
    invented = np.float32(np.std(now.image))
    unsure = np.maximum(method.function(now.uncertainty, **weakened), 0)
    gradient = uncertainty.local_spread(image, 1.0) * np.float32(0.15)  # what resampling costs near edges
    unsure = np.where(valid, np.hypot(unsure, gradient), invented).astype(np.float32)
    return Repair(image, unsure, method.name, options, verdict)


_RUNNERS: Mapping[str, Callable[[Step, Situation], Repair]] = {
    "inpaint": _run_inpaint,
    "denoise": _run_denoise,
    "deblock": _run_deblock,
    "deblur": _run_deblur,
    "relight": _run_relight,
    "unwarp": _run_unwarp,
}


def weakened_geometry(name: str, options: Mapping[str, Any], shape: tuple[int, ...], strength: float) -> dict[str, Any]:
    """Scale a warp's parameters: half a repair is half the turn, not a blend of two pictures."""
    weaker = dict(options)
    if strength == 1:
        return weaker
    for key in ("angle", "k1", "k2"):
        if key in weaker:
            weaker[key] = strength * finite_number(key, weaker[key])
    if name == "keystone" and weaker.get("corners") is not None:
        rest = corners_of(shape)
        weaker["corners"] = rest + strength * (as_quad(weaker["corners"]) - rest)
    return weaker


def shown_by(method: Method, shape: tuple[int, ...], options: Mapping[str, Any]) -> Mask:
    """Tell where an unwarping has real pixels to show; everywhere, if the method cannot say."""
    module = import_module(method.function.__module__)
    valid = getattr(module, f"valid_{method.name.replace('-', '_')}", None)
    if valid is None:
        return np.ones(shape[:2], bool)
    asked = {k: v for k, v in options.items() if k not in ("border", "fill")}
    mask: Mask = valid(shape, **asked)
    return mask


def _deblurred(method: Method, now: Situation, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Image:
    return apply_in_tiles(lambda x: method.function(x, *inputs, **options), now.image, halo=64, progress=now.progress)


def _psf_of(psf: Any = None, blur: str | None = None, width: Any = 0.0, angle: Any = 0.0) -> Image | None:
    """Give the point-spread function that a plan names."""
    if psf is not None:
        return as_psf(psf)
    if blur is None:
        return None
    if blur == "motion":
        return motion_psf(finite_number("width", width), finite_number("angle", angle))
    if blur not in ("gaussian", "defocus"):
        raise ValueError(f"blur must be gaussian, defocus or motion, got {blur!r}")
    return (gaussian_psf if blur == "gaussian" else defocus_psf)(finite_number("width", width))


def _whole(name: str, value: Any) -> int:
    number = finite_number(name, value)
    if number != int(number):
        raise ValueError(f"{name} must be whole, got {value!r}")
    return int(number)


def _verdict(now: Situation, judge: Callable[[], Verdict]) -> Verdict:
    return judge() if now.check else Verdict(True, "replayed")


def _dropped(step: Step, now: Situation, reason: str) -> Repair:
    return Repair(now.image, now.uncertainty, step.method, dict(step.parameters), Verdict(False, reason))


def _blend(before: Image, after: Image, strength: float) -> Image:
    if strength == 1:
        return after
    return np.asarray(before + np.float32(strength) * (after - before), np.float32)


def _joined(now: Situation, field: Image) -> Image:
    """Add independent uncertainties; what was invented before stays as unsure as it was."""
    return np.asarray(np.hypot(now.uncertainty, field), np.float32)
