"""The recipe of a restoration: all that it takes to do it again, as JSON that travels in the file's metadata."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Sequence
from importlib import metadata
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from anew import __version__
from anew.arrays import Mask
from anew.errors import InvalidPlan
from anew.images import Picture
from anew.restoration.plan import Plan, Step, describe_error

LIBRARIES = ("numpy", "scipy", "scikit-image", "opencv-python-headless", "numba", "PyWavelets", "onnxruntime")
DATA_URI = "data:image/png;base64,"
MASK_LIMIT = 24_000  # characters for all masks together; metadata of a JPEG file end at 64 kB


class InputFacts(BaseModel):
    """Which picture the recipe is for; the hash is over its decoded pixels and alpha."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    height: int
    width: int
    channels: int
    format: str | None = None
    bit_depth: int | None = None


class Recipe(BaseModel):
    """What was done, to what, with which versions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    anew: str
    libraries: dict[str, str]
    seed: int = 0
    input: InputFacts
    plan: Plan


def make_recipe(original: Picture, plan: Plan, steps: Sequence[Step], masks: Sequence[Mask | None]) -> str:
    """Write the recipe of a restoration.

    Parameters
    ----------
    original : Picture
    plan : Plan
        For its strength.
    steps : sequence of Step
        Those that were kept, with the methods and parameters that ran.
    masks : sequence of (H, W) bool arrays or None
        Beside the steps. Small ones are stored as PNG; of large ones the hash is, and replay detects them again.

    Returns
    -------
    str
        JSON in one line.
    """
    room = MASK_LIMIT
    stored = []
    for step, mask in zip(steps, masks, strict=True):
        text = None
        if mask is not None:
            text = encode_mask(mask)
            if len(text) > room:
                text = mask_hash(mask)
            room -= len(text)
        stored.append(step.model_copy(update={"mask": text, "reason": ""}))
    recipe = Recipe(
        anew=__version__,
        libraries={name: version for name in LIBRARIES if (version := _version(name))},
        input=input_facts(original),
        plan=Plan(strength=plan.strength, steps=tuple(stored)),
    )
    return json.dumps(recipe.model_dump(exclude_none=True), separators=(",", ":"))


def read_recipe(text: str) -> Recipe:
    """Read a recipe; InvalidPlan, in one line, if it is none."""
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise InvalidPlan(f"the recipe does not validate: {describe_error(error, Recipe)}") from None


def version_changes(recipe: str) -> list[str]:
    """Say which versions differ from those of the recipe, e.g. ``"numpy 2.0 -> 2.1"``; results may then differ too."""
    read = read_recipe(recipe)
    then = {"anew": read.anew, **read.libraries}
    now = {"anew": __version__, **{name: _version(name) for name in read.libraries}}
    return [f"{name} {then[name]} -> {now[name] or 'not installed'}" for name in then if then[name] != now[name]]


def input_facts(picture: Picture) -> InputFacts:
    """Say which picture this is."""
    digest = hashlib.sha256(np.ascontiguousarray(picture.pixels).data)
    if picture.alpha is not None:
        digest.update(np.ascontiguousarray(picture.alpha).data)
    height, width, channels = picture.pixels.shape
    facts: Any = picture.facts
    return InputFacts(
        sha256=digest.hexdigest(),
        height=height,
        width=width,
        channels=channels,
        format=getattr(facts, "format", None) or None,
        bit_depth=getattr(facts, "bit_depth", None),
    )


def encode_mask(mask: Mask) -> str:
    """Give a mask as a data URI of a PNG with one bit per pixel."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, format="PNG", optimize=True)
    return DATA_URI + base64.b64encode(buffer.getvalue()).decode("ascii")


def decode_mask(text: str, shape: tuple[int, int]) -> Mask:
    """Read a mask back; InvalidPlan if it is none, or not of that shape."""
    from PIL import Image

    try:
        data = base64.b64decode(text.removeprefix(DATA_URI), validate=True)
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if (image.height, image.width) != shape:  # before its pixels are decoded
                raise InvalidPlan(
                    f"a mask is {image.width} x {image.height}, the picture {shape[1]} x {shape[0]}; they must match"
                )
            return np.asarray(image.convert("L")) >= 128
    except (ValueError, OSError, SyntaxError) as error:
        raise InvalidPlan(f"a mask must be a PNG as '{DATA_URI}...'; this one does not read ({error})") from None


def mask_hash(mask: Mask) -> str:
    """Name a mask by its content."""
    return f"sha256:{hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()}"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
