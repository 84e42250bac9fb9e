"""The one explicit list of all pictures that rules or chance can make.

An entry's name fixes its function: ``flow-lines`` of ``rules.curves`` is ``flow_lines`` in
``anew/generation/rules/curves.py``. The module is imported when the entry is first used, so listing loads nothing.
Trained generators are not here: they are the model files, see ``anew.generation.sample.generator_names``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any

from anew.arrays import Image
from anew.options import checked_options, near

KINDS = {
    "random": "drawn by chance",
    "colour": "palettes and gradients",
    "shape": "polygons, curves, fractals",
    "texture": "patterns, noise and materials",
}


@dataclass(frozen=True)
class Entry:
    """The facts of one kind of picture.

    Attributes
    ----------
    name : str
        What people type.
    kind : str
        One of ``KINDS``.
    home : str
        The module under ``anew.generation`` with its function: ``function(shape, *, ..., rng=0)`` gives an (H, W) or
        (H, W, 3) float32 array in [0, 1].
    summary : str
        What it shows, in one line.
    field : bool
        Whether it gives bare numbers, (H, W), that take on the colours of a palette if one is given.
    """

    name: str
    kind: str
    home: str
    summary: str
    field: bool = False

    @cached_property
    def function(self) -> Callable[..., Image]:
        """The function itself."""
        module = import_module(f"anew.generation.{self.home}")
        function: Callable[..., Image] = getattr(module, self.name.replace("-", "_"))
        return function

    @property
    def options(self) -> dict[str, inspect.Parameter]:
        """What it takes: the keyword-only parameters of its function, without ``rng``; for a field also a palette."""
        signature = inspect.signature(self.function)
        own = {n: p for n, p in signature.parameters.items() if p.kind is p.KEYWORD_ONLY and n != "rng"}
        if self.field:
            own["palette"] = inspect.Parameter("palette", inspect.Parameter.KEYWORD_ONLY, default=None)
        return own

    @property
    def random(self) -> bool:
        """Whether the seed changes it."""
        return "rng" in inspect.signature(self.function).parameters

    @property
    def tiles(self) -> bool:
        """Whether it can be laid side by side without a seam, if asked to."""
        return "tileable" in self.options


_TABLE = (
    Entry("uniform", "random", "random_images", "every value equally likely"),
    Entry("gaussian", "random", "random_images", "normally distributed values"),
    Entry("poisson", "random", "random_images", "few photons on an evenly lit sensor"),
    Entry("salt-and-pepper", "random", "random_images", "white and black pixels on a level ground"),
    Entry("speckle", "random", "random_images", "laser light on a rough wall"),
    Entry("colour-noise", "random", "random_images", "noise with a spectrum of 1 / f^exponent: pink, brown, blue"),
    Entry("swatches", "colour", "rules.gradients", "the colours of a palette side by side"),
    Entry("linear-gradient", "colour", "rules.gradients", "from corner to corner", field=True),
    Entry("radial-gradient", "colour", "rules.gradients", "from a point outwards", field=True),
    Entry("conic-gradient", "colour", "rules.gradients", "round a point"),
    Entry("mesh-gradient", "colour", "rules.gradients", "soft colours between points"),
    Entry("polygons", "shape", "rules.polygons", "polygons, stars and discs strewn about"),
    Entry("curves", "shape", "rules.curves", "families of Lissajous figures, roses, trochoids, spirals"),
    Entry("flow-lines", "shape", "rules.curves", "pens that follow a field of noise"),
    Entry("voronoi", "shape", "rules.voronoi", "stained glass: cells round scattered points"),
    Entry("mandelbrot", "shape", "rules.fractals", "a part of Mandelbrot's set"),
    Entry("julia", "shape", "rules.fractals", "a Julia set"),
    Entry("l-system", "shape", "rules.lsystems", "curves and plants that grow by rewriting"),
    Entry("checker", "texture", "rules.tilings", "squares of two colours"),
    Entry("stripes", "texture", "rules.tilings", "stripes of two colours"),
    Entry("dots", "texture", "rules.tilings", "discs on a staggered lattice"),
    Entry("hexagons", "texture", "rules.tilings", "hexagonal tiles"),
    Entry("triangles", "texture", "rules.tilings", "triangles shaded like a folded sheet"),
    Entry("scales", "texture", "rules.tilings", "overlapping fish scales"),
    Entry("truchet", "texture", "rules.tilings", "quarter circles that join into loops"),
    Entry("brick", "texture", "rules.brick", "a wall of bricks"),
    Entry("perlin", "texture", "rules.noise", "gradient noise of one scale", field=True),
    Entry("fractal-noise", "texture", "rules.noise", "gradient noise of many scales", field=True),
    Entry("worley", "texture", "rules.noise", "distance to scattered points", field=True),
    Entry("wood", "texture", "rules.materials", "a sawn board"),
    Entry("marble", "texture", "rules.materials", "veined stone"),
    Entry("granite", "texture", "rules.materials", "grains of several minerals"),
    Entry("paper", "texture", "rules.materials", "hand-made paper"),
    Entry("clouds", "texture", "rules.materials", "a sky with clouds"),
    Entry("water", "texture", "rules.materials", "light on the ground of a pool"),
    Entry("lava", "texture", "rules.materials", "cracked basalt over a glow"),
    Entry("terrain", "texture", "rules.terrain", "a relief map with seas and mountains"),
    Entry("contour-lines", "texture", "rules.terrain", "hills cut into layers of paper"),
    Entry("reaction-diffusion", "texture", "rules.reaction", "spots, mazes and coral of two substances"),
)
ENTRIES = {entry.name: entry for entry in _TABLE}
assert len(ENTRIES) == len(_TABLE), "a name stands twice in the table"


def find(name: str) -> Entry:
    """Give the entry of that name; ValueError with what there is if there is none."""
    if name not in ENTRIES:
        raise ValueError(f"unknown picture {name!r}{near(name, ENTRIES) or one_of(ENTRIES)}")
    return ENTRIES[name]


def checked(entry: Entry, options: dict[str, Any]) -> dict[str, Any]:
    """Check options by name and type, and give them as their types; ranges are up to the function.

    Raises
    ------
    ValueError
        In one line that names the option.
    """
    from anew.generation.rules.palettes import Palette

    others = {"palette": Palette | None} if entry.field else {}
    return checked_options(entry.name, entry.function, entry.options, options, **others)


def draw(entry: Entry, shape: tuple[int, int], options: dict[str, Any], rng: Any) -> Image:
    """Make one picture, (H, W) or (H, W, 3) float32 in [0, 1], of options that were checked."""
    options = dict(options)
    palette = options.pop("palette", None) if entry.field else None
    result = entry.function(shape, **options, **({"rng": rng} if entry.random else {}))
    if palette is None:
        return result
    from anew.generation.rules.palettes import colourise

    return colourise(result, palette)


def one_of(words: Iterable[str]) -> str:
    """List the known words."""
    return f" (one of {', '.join(words)})"
