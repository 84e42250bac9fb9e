"""The one explicit list of all augmentations, and how a chain of them is written.

An operation's options say what is drawn; the values that were drawn are its parameters, all that its function takes.
Functions are loaded when they are first used, so listing them loads no image library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any

import numpy as np

from anew.generation.augmentation.ranges import Beta, Choice, Flag, Option, Seed, Span
from anew.options import near

DEFAULT = "flip,rotate:degrees=10,crop:area=0.6..1,jitter,blur:p=0.2,noise:p=0.3,cutout:p=0.3"
FAMILIES = ("geometry", "colour", "damage", "erasing", "mixing", "style")


@dataclass(frozen=True)
class Operation:
    """The facts of one augmentation.

    Attributes
    ----------
    name : str
        What people type.
    family : str
        One of ``FAMILIES``. The function of a geometric one gives a ``Geometry`` for a shape; that of any other
        gives an image for an image.
    home : str
        The module and the function.
    summary : str
        What it does, in one line.
    options : mapping of names to what is drawn
    probability : float
        How often it is applied unless a chain says otherwise.
    takes_other : bool
        Its function takes another image as well, and gives the weight of the first one's label beside the result.
    paper : str
    """

    name: str
    family: str
    home: str
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)
    probability: float = 1.0
    takes_other: bool = False
    paper: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of what is drawn, and of ``other``, the key of the other image."""
        drawn = tuple(NAMED_WEIGHT.get(key, key) for key in self.options)
        return (*drawn, "other") if self.takes_other else drawn

    @property
    def function(self) -> Callable[..., Any]:
        """The function itself, loaded now."""
        module, _, name = self.home.rpartition(".")
        loaded = import_module(f"anew.generation.augmentation.{module}")
        if module == "damage":
            function: Callable[..., Any] = loaded.damage(name)
        else:
            function = getattr(loaded, name)
        return function


@dataclass(frozen=True)
class Planned:
    """An operation of a chain: how often, and what is drawn."""

    operation: Operation
    probability: float
    options: Mapping[str, Option]

    def draw(self, rng: np.random.Generator) -> dict[str, Any] | None:
        """Draw its parameters, or None if its turn does not come; takes as much from ``rng`` either way."""
        chance = rng.random()
        drawn = {NAMED_WEIGHT.get(key, key): option.draw(rng) for key, option in self.options.items()}
        return drawn if chance < self.probability else None

    def __str__(self) -> str:
        return ":".join(
            [self.operation.name, *(f"{k}={o}" for k, o in self.options.items()), f"p={self.probability:g}"]
        )


NAMED_WEIGHT = {"alpha": "weight"}  # mixing draws a weight from Beta(alpha, alpha)

_SHARE = Span(0, 1, 0, 1)
_OUTSIDE: dict[str, Option] = {
    "border": Choice(("auto", "reflect", "constant"), ("auto",)),  # auto: constant where a mask or boxes go along
    "fill": Span(0, 0, 0, 1),
}
_ANYWHERE: dict[str, Option] = {"x": _SHARE, "y": _SHARE}
_STRENGTH: dict[str, Option] = {"strength": Span(1, 1, 0, 1)}
_AXES = ("horizontal", "vertical", "both")
_FILLS = ("mean", "zero", "noise")
_INKS = ("night", "sunset", "forest", "rose", "riso")
_LOOKS = ("warm", "cool", "faded")
_SIMARD = "Simard, Steinkraus and Platt, ICDAR 2003"


def _amount(most: float) -> Span:
    return Span(-most, most, -1, 10, signed=True)


def _degrees(most: float) -> Span:
    return Span(-most, most, -360, 360, signed=True)


def _moving(most: float, limit: float) -> Span:
    return Span(-most, most, -limit, limit, signed=True)


_TABLE = (
    # -- geometry: masks and boxes go along -----------------------------------------------------------------------
    Operation(
        "flip",
        "geometry",
        "geometry.flip",
        "mirror left and right, or up and down",
        {"axis": Choice(_AXES, _AXES[:1])},
        0.5,
    ),
    Operation(
        "turn", "geometry", "geometry.turn", "turn by quarters of a circle", {"quarters": Span(0, 3, 0, 3, whole=True)}
    ),
    Operation(
        "rotate",
        "geometry",
        "geometry.rotate",
        "rotate about the centre",
        {"degrees": _degrees(15), "expand": Flag(False), **_OUTSIDE},
    ),
    Operation(
        "crop",
        "geometry",
        "geometry.crop",
        "cut out a rectangle, enlarged to the old size",
        {"area": Span(0.5, 1, 1e-3, 1), "aspect": Span(0.8, 1.25, 0.1, 10), **_ANYWHERE, "enlarge": Flag(True)},
    ),
    Operation(
        "scale",
        "geometry",
        "geometry.scale",
        "enlarge or shrink about the centre",
        {"factor": Span(0.8, 1.25, 0.05, 20), **_OUTSIDE},
    ),
    Operation(
        "shift",
        "geometry",
        "geometry.shift",
        "move right and down, by shares of the sides",
        {"x": _moving(0.1, 1), "y": _moving(0.1, 1), **_OUTSIDE},
    ),
    Operation(
        "shear",
        "geometry",
        "geometry.shear",
        "slant, in degrees",
        {"x": _moving(10, 60), "y": _moving(0, 60), **_OUTSIDE},
    ),
    Operation(
        "perspective",
        "geometry",
        "geometry.perspective",
        "see it from elsewhere",
        {"amount": Span(0.08, 0.08, 0, 0.2), "seed": Seed(), **_OUTSIDE},
    ),
    Operation(
        "elastic",
        "geometry",
        "geometry.elastic",
        "deform smoothly",
        {"amount": Span(0.01, 0.025, 0, 0.2), "smoothness": Span(0.08, 0.08, 0.02, 1), "seed": Seed(), **_OUTSIDE},
        paper=_SIMARD,
    ),
    # -- colour ---------------------------------------------------------------------------------------------------
    Operation("brightness", "colour", "colour.adjust_brightness", "lighter or darker", {"amount": _amount(0.25)}),
    Operation("contrast", "colour", "colour.adjust_contrast", "more or less contrast", {"amount": _amount(0.25)}),
    Operation(
        "saturation", "colour", "colour.adjust_saturation", "stronger or weaker colours", {"amount": _amount(0.4)}
    ),
    Operation("hue", "colour", "colour.adjust_hue", "turn the hue", {"degrees": _degrees(20)}),
    Operation("gamma", "colour", "colour.adjust_gamma", "move the mid-tones", {"amount": _moving(0.3, 3)}),
    Operation(
        "jitter",
        "colour",
        "colour.jitter",
        "all five of these",
        {
            "brightness": _amount(0.2),
            "contrast": _amount(0.2),
            "saturation": _amount(0.3),
            "hue": _degrees(8),
            "gamma": _moving(0.15, 3),
        },
    ),
    # -- damage: of anew.degradations -----------------------------------------------------------------------------
    Operation("blur", "damage", "damage.blur", "Gaussian blur, sigma in pixels", {"sigma": Span(0.3, 1.5, 0, 50)}),
    Operation(
        "motion",
        "damage",
        "damage.motion",
        "motion blur",
        {"length": Span(3, 9, 1, 200), "angle": Span(0, 180, -360, 360)},
    ),
    Operation("noise", "damage", "damage.noise", "Gaussian noise", {"sigma": Span(0.005, 0.04, 0, 1), "seed": Seed()}),
    Operation("jpeg", "damage", "damage.jpeg", "JPEG compression", {"quality": Span(40, 90, 1, 100, whole=True)}),
    # -- erasing and mixing ---------------------------------------------------------------------------------------
    Operation(
        "cutout",
        "erasing",
        "cutout.cutout",
        "hide a square",
        {"size": Span(0.2, 0.4, 0, 1), **_ANYWHERE, "fill": Choice(_FILLS, _FILLS[:1]), "seed": Seed()},
        paper="DeVries and Taylor, arXiv:1708.04552 (2017)",
    ),
    Operation(
        "mixup",
        "mixing",
        "mixing.mixup",
        "average with another image",
        {"alpha": Beta(0.4)},
        takes_other=True,
        paper="Zhang et al., ICLR 2018",
    ),
    Operation(
        "cutmix",
        "mixing",
        "mixing.cutmix",
        "paste a rectangle of another image",
        {"alpha": Beta(1.0), **_ANYWHERE},
        takes_other=True,
        paper="Yun et al., ICCV 2019",
    ),
    # -- style ----------------------------------------------------------------------------------------------------
    Operation("sepia", "style", "styles.sepia", "brown like an old print", _STRENGTH),
    Operation(
        "black-and-white",
        "style",
        "styles.black_and_white",
        "grey by a mix of the channels",
        {"red": _SHARE, "green": _SHARE, "blue": Span(0, 0.5, 0, 1), "contrast": Span(0.5, 0.5, 0, 1)},
    ),
    Operation("duotone", "style", "styles.duotone", "two inks", {"palette": Choice(_INKS, _INKS)}),
    Operation("poster", "style", "styles.poster", "few flat colours", {"colours": Span(5, 9, 2, 64, whole=True)}),
    Operation(
        "film",
        "style",
        "styles.film",
        "tinted, grainy, soft in the blacks",
        {"look": Choice(_LOOKS, _LOOKS), **_STRENGTH, "seed": Seed()},
    ),
    Operation(
        "sketch",
        "style",
        "styles.sketch",
        "pencil strokes along the edges",
        {"width": Span(0.012, 0.012, 1e-3, 0.1), "strength": Span(2, 2, 0, 10)},
    ),
    Operation(
        "transfer",
        "style",
        "styles.transfer",
        "the colours of another image",
        _STRENGTH,
        takes_other=True,
        paper="Reinhard et al., IEEE CG&A 21 (2001)",
    ),
)
OPERATIONS: Mapping[str, Operation] = MappingProxyType({o.name: o for o in _TABLE})
assert len(OPERATIONS) == len(_TABLE), "a name stands twice in the table"

STYLES: Mapping[str, str] = MappingProxyType(
    {
        "sepia": "sepia",
        "black-and-white": "black-and-white:red=0.9:green=0.4:blue=0.1",
        "sunset": "duotone:palette=sunset",
        "night": "duotone:palette=night",
        "riso": "duotone:palette=riso",
        "poster": "poster:colours=7",
        "warm-film": "film:look=warm",
        "cool-film": "film:look=cool",
        "faded-film": "film:look=faded",
        "sketch": "sketch",
    }
)


def parse_operations(chain: str | Sequence[tuple[str, Mapping[str, Any]]]) -> list[Planned]:
    """Read a chain of operations.

    Parameters
    ----------
    chain : str or sequence of (name, options) pairs
        ``NAME:KEY=VALUE:KEY=VALUE,NAME,...``, e.g. ``flip,rotate:degrees=15:p=0.5,scale:factor=0.9..1.1``. A value is
        a number, a range ``low..high``, a word, several joined by ``|``, or true or false; ``p`` is the probability.
        One number k for something that may go either way, such as ``degrees``, means -k..k.

    Raises
    ------
    ValueError
        If it is not of that form, or holds an unknown name, key or value.
    """
    if isinstance(chain, str):
        return [_planned(*_split(part, chain)) for part in chain.split(",")]
    pairs = list(chain) if isinstance(chain, Iterable) else [None]
    if not all(_is_pair(pair) for pair in pairs):
        raise ValueError(f"expected operations as text or (name, options) pairs, got {chain!r}")
    return [_planned(name, options) for name, options in pairs]


def find(name: str) -> Operation:
    """Give the operation of that name."""
    if name not in OPERATIONS:
        if "=" in name:
            raise ValueError(f"{name!r} names no operation; join the settings of one by colons: rotate:degrees=9:p=0.5")
        raise ValueError(f"unknown operation {name!r}{near(name, OPERATIONS)} (one of {', '.join(OPERATIONS)})")
    return OPERATIONS[name]


def _planned(name: str, settings: Mapping[str, Any]) -> Planned:
    operation = find(name)
    options = dict(operation.options)
    probability = operation.probability
    for key, value in settings.items():
        if key == "p":
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"{name}: p is a probability in [0, 1], got {value!r}")
            probability = float(value)
        elif key in options:
            options[key] = options[key].parsed(f"{name}: {key}", value)
        else:
            raise ValueError(
                f"{name} has no option {key!r}{near(key, options)} (it takes {', '.join([*options, 'p'])})"
            )
    return Planned(operation, probability, MappingProxyType(options))


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], Mapping)


def _split(part: str, chain: str) -> tuple[str, dict[str, Any]]:
    name, *settings = (piece.strip() for piece in part.split(":"))
    if not name:
        raise ValueError(f"expected NAME:KEY=VALUE,NAME,..., got an empty name in {chain!r}")
    options: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = (piece.strip() for piece in setting.partition("="))
        if not (key and equals and value):
            raise ValueError(f"expected KEY=VALUE after {name}:, got {setting!r}")
        if key in options:
            raise ValueError(f"{name} has {key} twice in {chain!r}")
        options[key] = _value(value)
    return name, options


def _value(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
