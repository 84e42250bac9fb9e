"""Rule files: JSON that lays several pictures over each other, each with a blend mode, an opacity and a mask.

    {"size": [1024, 768],
     "layers": [{"what": "marble", "options": {"palette": "verde"}},
                {"what": "voronoi", "blend": "soft-light", "opacity": 0.6,
                 "mask": {"what": "radial-gradient", "invert": true}}]}

The first layer lies at the bottom. Blend modes: W3C, Compositing and Blending Level 1 (2024), section 10.1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from anew.arrays import Image, luminance
from anew.errors import AnewError
from anew.generation.catalogue import checked, draw, find
from anew.options import near

LARGEST_FILE = 1 << 20  # bytes
LARGEST_SIDE = 30_000  # pixels
BOM = b"\xef\xbb\xbf"  # that some editors put before UTF-8
TRIAL = (16, 16)  # pixels of the picture that every source is tried with, before anything large is drawn

Blend = Literal[
    "normal",
    "multiply",
    "screen",
    "overlay",
    "darken",
    "lighten",
    "hard-light",
    "soft-light",
    "difference",
    "exclusion",
    "add",
]


class BadRules(AnewError):
    """A rule file cannot be read or does not validate; the message names the place."""


class Source(BaseModel):
    """One picture by name, with its options; ``seed`` ties it down whatever the seed of the whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: str
    options: dict[str, Any] = {}
    seed: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _known(self) -> Source:
        self.draw(TRIAL, np.random.default_rng(0))
        return self

    def draw(self, shape: tuple[int, int], rng: np.random.Generator) -> Image:
        """Make the picture."""
        entry = find(self.what)
        own = rng if self.seed is None else np.random.default_rng(self.seed)
        return draw(entry, shape, checked(entry, self.options), own)


class LayerMask(Source):
    """A picture whose brightness says where a layer shows: nothing up to ``low``, all from ``high``."""

    invert: bool = False
    low: float = Field(0.0, ge=0, le=1)
    high: float = Field(1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> LayerMask:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        return self


class Layer(Source):
    """One layer: a picture and how it lies on those below."""

    blend: Blend = "normal"
    opacity: float = Field(1.0, ge=0, le=1)
    mask: LayerMask | None = None


class Rules(BaseModel):
    """A rule file.

    Attributes
    ----------
    layers : tuple of Layer, at least one
        From the bottom up.
    size : (width, height), optional
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: tuple[Layer, ...] = Field(min_length=1, max_length=64)
    size: tuple[int, int] | None = None

    @field_validator("size")
    @classmethod
    def _sides(cls, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if size is not None and not all(1 <= side <= LARGEST_SIDE for side in size):
            raise ValueError(f"sides must be from 1 to {LARGEST_SIDE}")
        return size


KEYS = sorted({*Rules.model_fields, *Layer.model_fields, *LayerMask.model_fields})


def read_rules(path: str | os.PathLike[str]) -> Rules:
    """Read a rule file.

    Raises
    ------
    BadRules
        In one line that names the file and the place in it.
    """
    try:
        with open(path, "rb") as file:
            text = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadRules(f"{path}: cannot be read ({error.strerror})") from None
    if len(text) > LARGEST_FILE:
        raise BadRules(f"{path}: larger than {LARGEST_FILE >> 20} MB; this is no rule file")
    return parse_rules(text, str(Path(path)))


def parse_rules(text: str | bytes, source: str) -> Rules:
    """Read rules from JSON; ``source`` names them in the error, a ``BadRules``."""
    try:
        return Rules.model_validate_json(text.removeprefix(BOM) if isinstance(text, bytes) else text)
    except ValidationError as error:
        found = error.errors()
        unknown = [e for e in found if e["type"] == "extra_forbidden"]  # a typing error, before what it leaves missing
        first = (unknown or found)[0]
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in first["loc"]).lstrip(".")
        reason = " ".join(first["msg"].removeprefix("Value error, ").split())
        if unknown:
            reason = f"there is no such key{near(str(first['loc'][-1]), KEYS)}"
        raise BadRules(f"{source}: {f'{place}: ' if place else ''}{reason}") from None


def draw_layers(rules: Rules, shape: tuple[int, int], rng: np.random.Generator) -> Image:
    """Draw the layers of a rule file.

    Parameters
    ----------
    rules : Rules
    shape : (H, W)
    rng : Generator
        Every layer and mask draws from a stream of its own, so that changing one leaves the others as they are.

    Returns
    -------
    (H, W, C) float32 array in [0, 1]; C is 1 where every layer is grey
    """
    streams = rng.spawn(2 * len(rules.layers))
    result: Image | None = None
    for layer, own, of_mask in zip(rules.layers, streams[::2], streams[1::2], strict=True):
        top = layer.draw(shape, own)
        top = top[:, :, None] if top.ndim == 2 else top
        share = np.full((*shape, 1), layer.opacity, np.float32)
        if layer.mask is not None:
            light = luminance(layer.mask.draw(shape, of_mask))[:, :, None]
            light = np.clip((light - layer.mask.low) / (layer.mask.high - layer.mask.low), 0, 1)
            share *= 1 - light if layer.mask.invert else light
        below = np.zeros_like(top) if result is None else result
        blended = top if result is None else blend(below, top, layer.blend)
        result = np.asarray(below + (blended - below) * share, np.float32)
    assert result is not None, "rules have at least one layer"
    return np.clip(result, 0, 1)


def blend(below: Image, top: Image, mode: Blend) -> Image:
    """Mix two pictures by a blend mode.

    Parameters
    ----------
    below, top : (H, W, C) float32 arrays in [0, 1] that broadcast

    Returns
    -------
    (H, W, C) float32 array in [0, 1]
    """
    return _BLENDS[mode](below, top)


def _hard_light(below: Image, top: Image) -> Image:
    return np.where(top <= 0.5, 2 * below * top, 1 - 2 * (1 - below) * (1 - top))


def _soft_light(below: Image, top: Image) -> Image:
    lifted = np.where(below <= 0.25, ((16 * below - 12) * below + 4) * below, np.sqrt(below))
    darker = below - (1 - 2 * top) * below * (1 - below)
    return np.where(top <= 0.5, darker, below + (2 * top - 1) * (lifted - below))


_BLENDS: dict[str, Callable[[Image, Image], Image]] = {
    "normal": lambda below, top: top + 0 * below,
    "multiply": lambda below, top: below * top,
    "screen": lambda below, top: below + top - below * top,
    "overlay": lambda below, top: _hard_light(top, below),
    "darken": np.minimum,
    "lighten": np.maximum,
    "hard-light": _hard_light,
    "soft-light": _soft_light,
    "difference": lambda below, top: np.abs(below - top),
    "exclusion": lambda below, top: below + top - 2 * below * top,
    "add": lambda below, top: np.minimum(below + top, 1),
}
