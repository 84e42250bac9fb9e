"""``anew generate``: new pictures by name, as a sheet, as single files, or as an animation."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.generate_files import (
    Order,
    enlargement,
    name_targets,
    recipe_of,
    write_animation,
    write_each,
    write_sheet,
)
from anew.cli.one_line import one_line, say

if TYPE_CHECKING:
    from anew.generation.generate import Images, Wanted

commands = typer.Typer()

STOPS = 5  # samples that an animation passes, unless -n says how many
PART = 64  # pictures made at a time, as many as a model takes at once
PART_PIXELS = 16_000_000  # of them together
OWN = ("n", "first", "rng", "size", "label", "steps", "guidance", "max_megapixels", "what")  # not left to --set


def complete_what(incomplete: str) -> list[str]:
    """Complete the name of a picture in the shell."""
    from anew.generation.catalogue import ENTRIES
    from anew.generation.generate import SUBJECTS

    return [name for name in [*SUBJECTS, *ENTRIES] if name.startswith(incomplete)]


@commands.command(epilog="Example:  anew generate marble --size 1024x1024 --seed 3 --set palette=verde -o marble.png")
def generate(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT",
            help="digits, marble, ... (see --list), a model, or a rule file.",
            show_default=False,
            autocompletion=complete_what,
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, metavar="N", help="How many: several make a sheet.")] = 1,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="File, or folder with --each. Default: WHAT.png."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Same seed, same pictures.")] = 0,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH", help="Pixels, of rules and random images; one number for a square. Default: 512x512."
        ),
    ] = None,
    label: Annotated[str | None, typer.Option(metavar="L", help="What a model shows, by name or index.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Another model of the subject.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of a flow's sampler.")] = None,
    guidance: Annotated[
        float | None, typer.Option(min=0, metavar="G", help="Of a flow: above 1, the label shows more clearly.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of WHAT; `anew generate WHAT --list` shows them."),
    ] = None,
    bits: Annotated[int, typer.Option(metavar="B", help="Of a sample in the file: 8 or 16.")] = 8,
    each: Annotated[bool, typer.Option("--each", help="Write single files into a folder.")] = False,
    interpolate: Annotated[
        int | None,
        typer.Option(
            min=2, metavar="FRAMES", help="Write an animation (.webp, .gif, .png) between samples of a model."
        ),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List what there is, or the options of WHAT.")] = False,
    as_json: o.AsJson = False,
    overwrite: o.Overwrite = False,
    max_megapixels: Annotated[
        float, typer.Option(min=0.001, metavar="M", help="Refuse to make more, all pictures together.")
    ] = o.MEGAPIXELS,
    save_quality: Annotated[
        int | None,
        typer.Option(
            "--save-quality",
            min=1,
            max=100,
            metavar="Q",
            help="Of JPEG, WebP, AVIF. Default: JPEG 95, the others without loss.",
        ),
    ] = None,
) -> None:
    """Make pictures: by trained models, by rules, or at random."""
    from anew.cli.generate_list import print_list
    from anew.generation.generate import check_budget, pixel_size, resolve

    if listing:
        print_list(what, as_json)
        return
    if what is None:
        raise typer.BadParameter("say what to generate, e.g. digits or marble; all there is: anew generate --list")
    _check_form(bits, each=each, animated=interpolate is not None)
    start = time.perf_counter()
    name = _chosen(what, model)
    parsed = _options_of(settings)
    try:
        order = Order(name, n, seed, parse_size(size), label, steps, guidance, parsed, max_megapixels, bits)
        wanted = resolve(name)
        if interpolate is not None:
            targets = name_targets(what, output, 1, False, ".webp", overwrite)
            frames = _interpolated(wanted, order, interpolate, what)
            write_animation(frames, targets[0], recipe_of(order, wanted, frames=interpolate), overwrite, save_quality)
            shape = frames.shape
        else:
            check_budget(n, *pixel_size(order.size, wanted), max_megapixels)  # before a million files are named
            targets = name_targets(what, output, n, each, ".png", overwrite, bits)
            if n > 1 and wanted.entry is not None and not wanted.entry.random:
                say(f"{name} draws nothing by chance: all {n} are alike")
            parts = _parts(order, wanted, watched=not as_json and sys.stderr.isatty())
            write = write_each if each else write_sheet
            shape = write(parts, targets, order, wanted, overwrite, save_quality)
    except ValueError as error:
        raise typer.BadParameter(" ".join(str(error).split()) + _hint(what, str(error))) from None
    facts = {"what": what, "model": wanted.model, "seed": seed, "n": shape[0], "size": [shape[2], shape[1]]}
    seconds = time.perf_counter() - start
    _report(targets, facts, seconds, as_json)


def _check_form(bits: int, *, each: bool, animated: bool) -> None:
    """Refuse what no files can be."""
    if animated and each:
        raise typer.BadParameter("--interpolate writes one animation; leave out --each")
    if bits not in (8, 16):
        raise typer.BadParameter(f"--bits is 8 or 16, not {bits}")
    if animated and bits != 8:
        raise typer.BadParameter("--interpolate writes 8 bits; leave out --bits")


def _options_of(settings: list[str] | None) -> dict[str, Any]:
    """Read the options of a picture; refuse what the command has an option of its own for."""
    parsed = o.parse_settings(settings)
    for key in (key for key in parsed if key in OWN):
        raise typer.BadParameter(f"{key} is no option of a picture; the command has its own, see --help")
    return parsed


def _hint(what: str, error: str) -> str:
    """Name a flow of the same subject, where only a flow can do what was asked."""
    from anew.generation.generate import SUBJECTS

    if "only a flow does" not in error:
        return ""
    models = next((models for subject, models in SUBJECTS.items() if what in (subject, *models)), ())
    flow = next((model for model in models if model.startswith("flow-")), None)
    return "" if flow is None else f"; try {'--model ' if what in SUBJECTS else ''}{flow}"


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read ``"640x480"`` (width first) or ``"512"``."""
    if text is None:
        return None
    width, times, height = text.lower().replace("×", "x").partition("x")
    try:
        return (int(width), int(height)) if times else (int(width), int(width))
    except ValueError:
        raise typer.BadParameter(f"expected WIDTHxHEIGHT in pixels, e.g. 640x480, got {text!r}") from None


def _chosen(what: str, model: str | None) -> str:
    """Give the name to generate from: what was asked for, or another model of that subject."""
    from anew.generation.generate import SUBJECTS

    if model is None:
        if what.endswith(".json") and not os.path.exists(what):
            raise typer.BadParameter(f"{what}: there is no such rule file; check the name")
        return what
    if what not in SUBJECTS:
        raise typer.BadParameter(f"--model goes with a subject ({', '.join(SUBJECTS)}), not with {what}")
    if not model.endswith(".onnx") and model not in SUBJECTS[what]:
        raise typer.BadParameter(f"{model!r} is no model of {what} (one of {', '.join(SUBJECTS[what])}; or FILE.onnx)")
    return model


def _interpolated(wanted: Wanted, order: Order, frames: int, what: str) -> Images:
    """Make the frames of a loop between samples of a trained model."""
    from anew.generation.generate import check_budget, pixel_size
    from anew.generation.sample import interpolate

    if wanted.model is None:
        raise ValueError(f"--interpolate needs a trained model; {what} is drawn, not sampled")
    if order.size is not None:
        raise ValueError("--interpolate takes no --size: a model has its own")
    width, height = pixel_size(None, wanted)
    factor = enlargement((width, height))
    check_budget(frames, factor * width, factor * height, order.max_megapixels)
    options = dict(order.options)
    sampler = options.pop("sampler", None)
    if options:
        raise ValueError(f"{wanted.model} has no option {next(iter(options))!r} (a flow takes sampler)")
    return interpolate(
        wanted.model,
        frames,
        stops=order.n if order.n > 1 else STOPS,
        closed=True,
        label=order.label,
        rng=order.seed,
        steps=order.steps,
        guidance=order.guidance,
        sampler=sampler,
    )


def _parts(order: Order, wanted: Wanted, *, watched: bool) -> Iterator[Images]:
    """Make the pictures, some at a time; with a bar if somebody watches."""
    from anew.cli.bars import fraction_bar
    from anew.generation.generate import generate as make
    from anew.generation.generate import pixel_size

    width, height = pixel_size(order.size, wanted)
    at_once = max(1, min(PART, PART_PIXELS // (width * height)))
    bar = fraction_bar("generate") if watched and order.n > at_once else nullcontext(_unwatched)
    with bar as progress:
        for first in range(0, order.n, at_once):
            yield make(
                order.what,
                min(at_once, order.n - first),
                first=first,
                rng=order.seed,
                size=order.size,
                label=order.label,
                steps=order.steps,
                guidance=order.guidance,
                max_megapixels=order.max_megapixels,
                **order.options,
            )
            progress(min(1.0, (first + at_once) / order.n))


def _unwatched(fraction: float) -> None:
    """Take the progress of what nobody watches."""


def _report(targets: list[Path], facts: dict[str, Any], seconds: float, as_json: bool) -> None:
    if as_json:
        rows = [{"output": str(t), "status": "done", **facts, "seconds": round(seconds, 3)} for t in targets]
        print(json.dumps({"results": rows, "failed": 0}, indent=2))
        return
    for target in targets:
        print(one_line(str(target)))
