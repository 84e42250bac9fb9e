"""The one explicit list of all degradations, and the ways to apply one or several of them by name."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, as_image, like
from anew.degradations import (
    blur,
    camera,
    cracks,
    downscale,
    geometry,
    holes,
    jpeg,
    light,
    noise,
    scratches,
    stains,
    tears,
)
from anew.degradations.degraded import Degraded
from anew.options import near, number_of
from anew.randomness import Rng, check_rng

COLON = r"(?<!\d):|:(?!\d)"  # between digits it belongs to the value, as in subsampling=4:2:0

MOVING = frozenset({"lens", "keystone", "tilt", "downscale"})  # these carry the damage before them along

Step = tuple[str, dict[str, Any]]  # name, parameters


@dataclass(frozen=True)
class Degradation:
    """The facts of one degradation.

    Attributes
    ----------
    name : str
        What people type.
    function : callable
        ``function(image, *, ...)`` of a float32 image gives a ``Degraded``; its options are keyword-only.
    summary : str
        What it does, in one line.
    adjoint : callable, optional
        For those that are linear in the image (or affine: then of the linear part):
        ``adjoint(y, shape, **degraded.parameters)``, with ``shape`` that of the input.
    """

    name: str
    function: Callable[..., Degraded]
    summary: str
    adjoint: Callable[..., Image] | None = None

    @property
    def linear(self) -> bool:
        """Whether it is linear (or affine) in the image once its parameters are fixed."""
        return self.adjoint is not None

    @property
    def random(self) -> bool:
        """Whether it takes ``rng``."""
        return "rng" in inspect.signature(self.function).parameters

    @property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """Its options, without ``rng``."""
        signature = inspect.signature(self.function)
        keywords = (p for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY)
        return {p.name: p for p in keywords if p.name != "rng"}

    @property
    def defaults(self) -> dict[str, Any]:
        """Its options with their defaults; None for those that are measured or drawn, or must be given."""
        empty = inspect.Parameter.empty
        return {name: None if p.default is empty else p.default for name, p in self.parameters.items()}


_TABLE = (
    Degradation("noise", noise.noise, "Gaussian noise, white or correlated"),
    Degradation("poisson", noise.poisson, "Poisson-Gaussian noise of few photons"),
    Degradation("speckle", noise.speckle, "multiplicative noise"),
    Degradation("camera", camera.camera, "a camera's noise: raw, demosaiced, developed, saved as JPEG"),
    Degradation("impulse", noise.impulse, "salt and pepper, or random values, on single pixels"),
    Degradation("stripes", noise.stripes, "an offset per column or row"),
    Degradation("blur", blur.blur, "Gaussian blur", blur.blur_adjoint),
    Degradation("motion", blur.motion, "blur by a straight motion", blur.motion_adjoint),
    Degradation("defocus", blur.defocus, "blur by a lens out of focus", blur.defocus_adjoint),
    Degradation("kernel", blur.kernel, "convolution with any psf", blur.kernel_adjoint),
    Degradation("jpeg", jpeg.jpeg, "JPEG compression"),
    Degradation("double-jpeg", jpeg.double_jpeg, "JPEG twice, with shifted blocks if asked"),
    Degradation("downscale", downscale.downscale, "shrinking, antialiased bicubic", downscale.downscale_adjoint),
    Degradation("rectangles", holes.rectangles, "rectangular holes", holes.rectangles_adjoint),
    Degradation("strokes", holes.strokes, "holes along wandering strokes", holes.strokes_adjoint),
    Degradation("lettering", holes.lettering, "text written over it", holes.lettering_adjoint),
    Degradation("pixels", holes.pixels, "single pixels missing", holes.pixels_adjoint),
    Degradation("scratches", scratches.scratches, "fine broken scratches, in bundles"),
    Degradation("tears", tears.tears, "a torn corner, or a rip from the edge"),
    Degradation("folds", tears.folds, "cracked, flaking fold lines"),
    Degradation("cracks", cracks.cracks, "kinked cracks that fork, as in a crumpled print"),
    Degradation("stains", stains.stains, "brown stains with a dark rim"),
    Degradation("dust", stains.dust, "specks and hairs"),
    Degradation("fade", light.fade, "faded dyes on yellowed paper"),
    Degradation("cast", light.cast, "a colour cast", light.cast_adjoint),
    Degradation("exposure", light.exposure, "under- or over-exposure"),
    Degradation("low-light", light.low_light, "darkness, with its noise"),
    Degradation("uneven", light.uneven, "uneven light", light.uneven_adjoint),
    Degradation("vignette", light.vignette, "dark corners", light.vignette_adjoint),
    Degradation("lens", geometry.lens, "barrel or pincushion distortion", geometry.lens_adjoint),
    Degradation("keystone", geometry.keystone, "perspective", geometry.keystone_adjoint),
    Degradation("tilt", geometry.tilt, "rotation about the centre", geometry.tilt_adjoint),
)
DEGRADATIONS = {d.name: d for d in _TABLE}
assert len(DEGRADATIONS) == len(_TABLE), "a name stands twice in the table"


def degrade(image: ArrayLike, name: str, *, rng: Rng = None, **parameters: Any) -> NDArray[Any]:
    """Damage an image.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    name : str
        One of ``anew.degradations.catalogue.DEGRADATIONS``.
    rng : int or Generator, optional
        Makes random damage repeatable.
    **parameters
        The degradation's own; an unknown one is an error.

    Returns
    -------
    array of the same dtype and, except for downscale, shape; floats are not clipped

    Examples
    --------
    >>> import numpy as np, anew
    >>> anew.degrade(np.full((2, 2), 128, np.uint8), "tilt", angle=90)
    array([[128, 128],
           [128, 128]], dtype=uint8)
    """
    return like(degrade_with_truth(image, name, rng=rng, **parameters).image, image)


def degrade_with_truth(image: ArrayLike, name: str, *, rng: Rng = None, **parameters: Any) -> Degraded:
    """Damage an image and keep the truth: as ``degrade``, but gives a ``Degraded`` with a float32 image."""
    degradation = find(name, parameters)
    check_rng(rng)
    if degradation.random:
        parameters["rng"] = rng
    return degradation.function(as_image(image), **parameters)


def degrade_chain(image: ArrayLike, chain: str | Sequence[Step], *, rng: Rng = None) -> list[Degraded]:
    """Apply several degradations, each to the result of the one before.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array of uint8, uint16, bool or float
    chain : str as parse_chain takes it, or its (name, parameters) pairs
    rng : int or Generator, optional
        One seed for the whole chain.

    Returns
    -------
    list of one Degraded per step; the image of the last is the result
    """
    steps = parse_chain(chain) if isinstance(chain, str) else list(chain)
    check_rng(rng)
    generator = np.random.default_rng(rng)
    results: list[Degraded] = []
    current = as_image(image)
    for name, parameters in steps:
        results.append(degrade_with_truth(current, name, rng=generator, **parameters))
        current = results[-1].image
    return results


def chain_mask(chain: str | Sequence[Step], results: Sequence[Degraded]) -> NDArray[np.bool_]:
    """Give one mask for a whole chain, in the frame of its last image.

    Parameters
    ----------
    chain : str or sequence of steps
    results : sequence of Degraded
        What ``degrade_chain`` gave for it.

    Returns
    -------
    (H, W) bool array
        True where any step altered content locally; masks made before a geometric step are moved along by it.

    Raises
    ------
    ValueError
        If the chain has no steps: then no image says how large the mask is.
    """
    steps = parse_chain(chain) if isinstance(chain, str) else list(chain)
    if not steps:
        raise ValueError("expected a chain of at least one step, got none; without steps nothing is masked")
    mask: NDArray[np.bool_] | None = None
    for (name, _), result in zip(steps, results, strict=True):
        if mask is not None and name in MOVING:
            moved = DEGRADATIONS[name].function(mask.astype(np.float32), **result.parameters)
            mask = moved.image >= 0.5
        own = np.zeros(result.image.shape[:2], bool) if result.mask is None else result.mask
        mask = own if mask is None else mask | own
    assert mask is not None  # there was a step
    return mask


def chain_alpha(chain: Sequence[Step], results: Sequence[Degraded], alpha: Image) -> Image:
    """Move the opacity of an image along with its pixels; what a step paints beyond the border is opaque.

    Parameters
    ----------
    chain : sequence of steps
    results : sequence of Degraded
        What ``degrade_chain`` gave for it.
    alpha : (H, W) float32 array in [0, 1]

    Returns
    -------
    float32 array in [0, 1], in the frame of the last image
    """
    for (name, _), result in zip(chain, results, strict=True):
        if name in MOVING:
            opaque = {"fill": 1.0} if "fill" in result.parameters else {}
            alpha = DEGRADATIONS[name].function(alpha, **{**result.parameters, **opaque}).image
    return alpha.clip(0, 1)


def parse_chain(text: str) -> list[Step]:
    """Read ``NAME:KEY=VALUE:KEY=VALUE,NAME,...``, e.g. ``noise:sigma=0.1,jpeg:quality=30``.

    Values that look like int, float, fraction (25/255), bool (true, false) or a JSON array become that; others stay
    text.

    Raises
    ------
    ValueError
        If the text is not of that form, or holds an unknown name or key.
    """
    steps: list[Step] = []
    for part in _split_outside_brackets(text):
        name, *settings = (piece.strip() for piece in re.split(COLON, part))
        if not name:
            raise ValueError(f"expected NAME:KEY=VALUE,NAME,..., got an empty name in {text!r}")
        parameters: dict[str, Any] = {}
        for setting in settings:
            key, equals, value = (piece.strip() for piece in setting.partition("="))
            if not (key and equals and value):
                raise ValueError(f"expected KEY=VALUE after {name}:, got {setting!r}")
            if key in parameters:
                raise ValueError(f"{name} has {key} twice in {text!r}")
            parameters[key] = _value_of(value)
        find(name, parameters)
        steps.append((name, parameters))
    return steps


def find(name: str, parameters: dict[str, Any]) -> Degradation:
    """Give the degradation of that name; refuse an unknown name and unknown or missing parameters."""
    if "=" in name:
        raise ValueError(f"{name!r} names no damage; join the settings of one by colons: motion:length=15:angle=30")
    if name not in DEGRADATIONS:
        raise ValueError(f"unknown degradation {name!r}{near(name, DEGRADATIONS)} (one of {', '.join(DEGRADATIONS)})")
    degradation = DEGRADATIONS[name]
    allowed = degradation.parameters
    for key in parameters:
        if key not in allowed:
            raise ValueError(f"{name} has no parameter {key!r}{near(key, allowed)} (it takes {', '.join(allowed)})")
    for key, parameter in allowed.items():
        if parameter.default is inspect.Parameter.empty and key not in parameters:
            raise ValueError(f"{name} needs {key} (it takes {', '.join(allowed)})")
    return degradation


def _split_outside_brackets(text: str) -> list[str]:
    """Split at the commas that stand in no array."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _value_of(text: str) -> int | float | bool | list[Any] | str:
    if text.startswith("["):
        try:
            values: list[Any] = json.loads(text)
        except ValueError:
            return text
        return values
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, number_of):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
