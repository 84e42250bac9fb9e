"""What a task is run with: the method that "auto" stands for, and what was measured, for words and for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anew.images import Picture

UNCHANGED = {"unwarp": "nothing to straighten", "relight": "nothing to mend"}


@dataclass(frozen=True)
class Chosen:
    """How one picture is repaired.

    Attributes
    ----------
    method : str
        By its own name.
    inputs : mapping
        What the task is given beside the picture; None is left to the method.
    facts : mapping
        What ``--json`` tells beside the method.
    words : str
        The same for a person; empty if there is nothing to say.
    """

    method: str
    inputs: Mapping[str, Any]
    facts: Mapping[str, Any]
    words: str = ""

    def told(self, task: str, before: Picture, after: Picture) -> str:
        """Say what was done, or that nothing was."""
        import numpy as np

        alike = after.alpha is None or before.alpha is None or np.array_equal(before.alpha, after.alpha)
        if alike and np.array_equal(before.pixels, after.pixels):
            return f"{UNCHANGED.get(task, self.words)}; pixels as they were"
        return ", ".join(filter(None, (self.method, self.words)))


def choose(task: str, method: str, inputs: Mapping[str, Any], settings: Mapping[str, Any], picture: Picture) -> Chosen:
    """Measure what was not given, and choose the method, as the function of the task does.

    Parameters
    ----------
    task, method : str
        The method may be ``"auto"``.
    inputs : mapping
        What the task takes beside the picture, by name; None is measured, or read in the tables of a JPEG file.
    settings : mapping
        The options of the method.
    picture : Picture
    """
    from anew.registry import METHODS

    if task in ("denoise", "deblur"):
        return (_choose_denoising if task == "denoise" else _choose_deblurring)(method, inputs, settings, picture)
    chosen = Chosen(METHODS.get(task, method).name, inputs, {})
    if task == "deblock":
        return _with_quality(chosen, picture)
    if task == "upscale":
        scale = float(inputs["scale"])
        return replace(chosen, facts={"scale": scale}, words=f"{scale:g} times as large")
    if task == "inpaint":
        share = float(inputs["mask"].mean())
        return replace(chosen, facts={"filled": round(share, 6)}, words=f"{100 * share:.1f}% of the picture filled")
    return chosen


def _choose_denoising(method: str, inputs: Mapping[str, Any], settings: Mapping[str, Any], picture: Picture) -> Chosen:
    from anew.restoration.tasks import choose_denoiser

    chosen, level = choose_denoiser(_values(picture), inputs["sigma"], method, plain=not settings)
    if level is None:
        return Chosen(chosen.name, inputs, {"sigma": None}, "noise judged by the pixels")
    return _with_noise(chosen.name, inputs, level)


def _choose_deblurring(method: str, inputs: Mapping[str, Any], settings: Mapping[str, Any], picture: Picture) -> Chosen:
    from anew.restoration.deblurring_choice import choose_deblurring
    from anew.restoration.tasks import as_psf, level_under_blur

    x, given, psf = _values(picture), inputs["sigma"], inputs["psf"]
    name = choose_deblurring(method, knows_psf=psf is not None).name
    if psf is None:
        return _with_noise(name, inputs, _noise_of(x) if given is None else given)
    made = _with_noise(name, inputs, level_under_blur(x, as_psf(psf), given))
    return replace(made, words=f"psf given, {made.words}")


def _with_noise(name: str, inputs: Mapping[str, Any], sigma: float) -> Chosen:
    """Tell a method the level of the noise, and say where it comes from."""
    given = inputs["sigma"]
    how = "measured" if given is None else "given" if sigma == given else "that of the rounding"
    words = f"noise {255 * sigma:.1f} of 255, {how}"
    return Chosen(name, {**inputs, "sigma": sigma}, {"sigma": sigma}, words)


def _with_quality(chosen: Chosen, picture: Picture) -> Chosen:
    """Add the quality of a JPEG: given, from the tables of the file, or measured; None if there is no trace of one."""
    from anew.diagnosis.jpeg import estimate_jpeg_quality

    quality, how = chosen.inputs["quality"], "given"
    if quality is None:
        quality, how = quality_from_tables(picture), "from the tables"
    if quality is None:
        quality, how = estimate_jpeg_quality(_values(picture)), "measured"
    words = "no trace of JPEG was found" if quality is None else f"quality {quality}, {how}"
    return replace(chosen, inputs={"quality": quality}, facts={"quality": quality}, words=words)


def quality_from_tables(picture: Picture) -> int | None:
    """Give the quality that the tables of a JPEG file stand for, if it was one."""
    from anew.diagnosis.jpeg import quality_of_table

    tables = picture.facts.jpeg_quantisation
    return quality_of_table(tables[0])[0] if tables else None


def _noise_of(x: Any) -> float:
    from anew.diagnosis.noise import estimate_noise_sigma

    return estimate_noise_sigma(x)


def _values(picture: Picture) -> Any:
    """Give the pixels; refuse those that are no numbers."""
    from anew.arrays import as_image

    return as_image(picture.pixels)
