"""New pictures by name: by chance, by rules, from a rule file, or from a trained model."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anew.errors import Unavailable
from anew.generation.catalogue import ENTRIES, Entry, checked, draw, find, one_of
from anew.options import near
from anew.randomness import seed_of

if TYPE_CHECKING:
    from anew.generation.layers import Rules

Images = NDArray[np.float32]

SUBJECTS: dict[str, tuple[str, ...]] = {  # the models of a subject, the preferred first; the first that is here serves
    "digits": ("gan-digits", "flow-digits", "vae-digits"),
    "fashion": ("gan-fashion", "flow-fashion", "vae-fashion"),
    "faces": ("flow-faces", "gan-faces", "vae-faces"),
    "textures": ("gan-textures",),
}
DEFAULT_SIDE = 512  # pixels, of pictures that can have any size
LARGEST_SIDE = 30_000
MAX_MEGAPIXELS = 250.0  # of all pictures of a call together


@dataclass(frozen=True)
class Wanted:
    """What a name stands for: one of the three is given."""

    entry: Entry | None = None
    rules: Rules | None = None
    model: str | None = None


def generate(
    what: str | os.PathLike[str],
    n: int = 1,
    *,
    first: int = 0,
    rng: int | np.random.Generator = 0,
    size: int | tuple[int, int] | None = None,
    label: str | int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
    **options: Any,
) -> Images:
    """Make pictures.

    Parameters
    ----------
    what : str or path
        A subject (``"digits"``, ``"fashion"``, ``"faces"``, ``"textures"``), a trained model by name or path, a rule
        or a random image (``"marble"``, ``"voronoi"``, ``"gaussian"``; all of them: ``anew generate --list``), or the
        path of a rule file, ``"*.json"``.
    n : int >= 1
    first : int >= 0
        Index of the first picture: a large set can be made in parts.
    rng : int >= 0 or Generator
        Picture i depends on the seed and on i alone: the first four of eight are those of four.
    size : int or (width, height), optional
        In pixels; for rules and random images. By default 512, or what the rule file says.
    label : str or int, optional
        What a trained model shows, by name or index; by default its labels take turns.
    steps : int, optional
    guidance : float, optional
        Of a trained flow: see ``anew.generation.sample.sample``.
    max_megapixels : float
        Refuse to make more, all pictures together.
    **options
        Those of the rule, e.g. ``palette="verde"``; of a trained flow ``sampler``. An unknown one is an error.

    Returns
    -------
    (n, H, W, C) float32 array in [0, 1]; C is 1 or 3

    Raises
    ------
    ValueError
        If the name, the label or an option is unknown; the message lists what there is.
    BadModel, BadRules
        If a model file, or a rule file, is none.
    Unavailable
        If no trained model of the subject is here.

    Examples
    --------
    >>> import anew
    >>> anew.generate("marble", n=2, rng=3, size=(64, 48)).shape
    (2, 48, 64, 3)
    """
    wanted = resolve(what)
    for name, count, least in (("n", n, 1), ("first", first, 0)):
        if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < least:
            raise ValueError(f"{name} must be an integer of at least {least}, got {count!r}")
    seed = seed_of(rng)
    width, height = pixel_size(size, wanted)
    check_budget(n, width, height, max_megapixels)
    if wanted.model is not None:
        return _sample(wanted.model, int(n), int(first), seed, label, steps, guidance, options)
    for name, value in (("label", label), ("steps", steps), ("guidance", guidance)):
        if value is not None:
            raise ValueError(f"{what} takes no {name}: only trained models do")
    streams = (np.random.default_rng([seed, index]) for index in range(first, first + n))
    if wanted.rules is not None:
        from anew.generation.layers import draw_layers

        if options:
            raise ValueError(f"a rule file takes no options, got {', '.join(options)}: write them into it")
        pictures = [draw_layers(wanted.rules, (height, width), stream) for stream in streams]
    else:
        assert wanted.entry is not None
        known = checked(wanted.entry, options)
        pictures = [draw(wanted.entry, (height, width), known, stream) for stream in streams]
    return np.ascontiguousarray(np.stack(pictures).reshape(n, height, width, -1), np.float32)


def resolve(what: str | os.PathLike[str]) -> Wanted:
    """Find out what a name stands for.

    Raises
    ------
    ValueError
        If there is nothing of that name.
    Unavailable
        If it is a subject without a trained model.
    BadRules
        If it is a rule file that does not validate.
    """
    name = os.fspath(what)
    if name.lower().endswith(".json"):
        from anew.generation.layers import read_rules

        return Wanted(rules=read_rules(name))
    if name in ENTRIES:
        return Wanted(entry=find(name))
    from anew.inference.models import model_names

    models = model_names()
    if name in SUBJECTS:
        return Wanted(model=model_of(name, models))
    if name in models or name.endswith(".onnx"):
        return Wanted(model=name)
    if any(name in candidates for candidates in SUBJECTS.values()):
        raise Unavailable(f"the model {name} is not here; train one with `anew train`")
    hint = near(name, [*SUBJECTS, *ENTRIES, *models]) or one_of([*SUBJECTS, *ENTRIES, "a model", "FILE.json"])
    raise ValueError(f"unknown picture {name!r}{hint}")


def model_of(subject: str, models: list[str]) -> str:
    """Give the first of a subject's models that is among ``models``."""
    here = [name for name in SUBJECTS[subject] if name in models]
    if not here:
        looked = ", ".join(SUBJECTS[subject])
        raise Unavailable(f"no trained model of {subject} is here (looked for {looked}); train one with `anew train`")
    return here[0]


def pixel_size(size: int | tuple[int, int] | None, wanted: Wanted) -> tuple[int, int]:
    """Give (width, height) for a size as people write it, or the usual one; a trained model has its own."""
    if size is None and wanted.model is not None:
        return _size_of(wanted.model)
    if size is None:
        size = (wanted.rules.size if wanted.rules is not None else None) or DEFAULT_SIDE
    sides = tuple(size) if isinstance(size, tuple | list) else (size, size)
    whole = all(isinstance(side, int | np.integer) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise ValueError(f"size must be (width, height), each from 1 to {LARGEST_SIDE} pixels, got {size!r}")
    width, height = int(sides[0]), int(sides[1])
    if wanted.model is not None and (width, height) != _size_of(wanted.model):
        own = " x ".join(map(str, _size_of(wanted.model)))
        raise ValueError(f"{Path(wanted.model).stem} makes pictures of {own}; enlarge them with `anew upscale`")
    return width, height


def _size_of(model: str) -> tuple[int, int]:
    from anew.generation.sample import open_generator

    height, width = open_generator(model).card.facts["size"]
    return int(width), int(height)


def check_budget(n: int, width: int, height: int, max_megapixels: float) -> None:
    """Refuse more pixels than the budget, before any is made."""
    if not n * width * height <= max_megapixels * 1e6:  # nor is NaN a budget
        count = f"{n} pictures of " if n > 1 else ""
        raise ValueError(
            f"{count}{width} x {height} are {n * width * height / 1e6:.4g} megapixels, above the budget of "
            f"{max_megapixels:g} (ask for less, or raise max_megapixels, --max-megapixels)"
        )


def _sample(
    model: str,
    n: int,
    first: int,
    seed: int,
    label: str | int | None,
    steps: int | None,
    guidance: float | None,
    options: dict[str, Any],
) -> Images:
    """Sample a trained model, after a check of what only rules take."""
    from anew.generation.sample import sample

    sampler = options.pop("sampler", None)
    if options:
        raise ValueError(
            f"{Path(model).stem} has no option {next(iter(options))!r} (a flow takes sampler; rules have options)"
        )
    return sample(model, n, first=first, label=label, rng=seed, steps=steps, guidance=guidance, sampler=sampler)
