"""The seven tasks as commands, ``anew denoise`` to ``anew unwarp``: one method, many files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.batch import run_jobs
from anew.cli.contact import write_contact_sheet
from anew.cli.jobs import plan_jobs
from anew.cli.masks import check_mask_file
from anew.cli.task_work import TaskWork

if TYPE_CHECKING:
    from anew.registry import Method

commands = typer.Typer()

SUFFIX = {
    "denoise": "denoised",
    "inpaint": "inpainted",
    "deblur": "deblurred",
    "upscale": "upscaled",
    "deblock": "deblocked",
    "relight": "relit",
    "unwarp": "unwarped",
}
NEEDED = {"kernel": "[[0.1,0.1,0.1],[0.1,0.2,0.1],[0.1,0.1,0.1]]"}  # options without a default, and one value of each


def run_task(
    task: str,
    inputs: list[str],
    method: str,
    settings: list[str] | None,
    try_methods: str | None,
    task_inputs: dict[str, Any],
    flags: o.FileFlags,
    mask: Path | None = None,
) -> None:
    """Check everything that can be checked before a file is touched, then run the files or the contact sheet."""
    parsed = o.parse_settings(settings)
    if "progress" in parsed:
        raise typer.BadParameter(f"{task} takes progress from programs alone; leave it out")
    if mask is not None:
        check_mask_file(mask)
    work = TaskWork(task, method, task_inputs, parsed, flags.overwrite, flags.max_megapixels, flags.save_quality, mask)
    if try_methods is not None:
        if method != "auto":
            raise typer.BadParameter("--try names the methods of the sheet; leave --method out")
        write_contact_sheet(work, inputs, flags.output, try_methods, as_json=flags.as_json)
        return
    work = replace(work, settings=_checked_settings(work))
    jobs, skipped = plan_jobs(
        inputs,
        flags.output,
        suffix=SUFFIX[task],
        overwrite=flags.overwrite,
        skip_existing=flags.skip_existing,
        also_read=[mask],
    )
    watched = len(jobs) == 1 and not flags.as_json and sys.stderr.isatty()
    work = replace(work, watched=watched)
    run_jobs(jobs, work, processes=flags.processes, as_json=flags.as_json, verb=task, skipped=skipped)


def _checked_settings(work: TaskWork) -> dict[str, Any]:
    """Read the settings that are arrays, and refuse what the method cannot run with."""
    from anew.registry import METHODS

    try:
        chosen = METHODS.get(work.task, work.method)
        settings = o.read_arrays(chosen.function, work.settings)
        if work.method != "auto":
            _check_needs(chosen, settings, work.inputs)
        if work.method != "auto" or settings:
            chosen.checked(settings)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not chosen.trains and any(isinstance(value, str) for value in settings.values()):
        from anew.cli.trial import try_words

        try_words(chosen, work.method, settings, work.inputs)
    return settings


def _check_needs(chosen: Method, settings: dict[str, Any], task_inputs: dict[str, Any]) -> None:
    """Refuse a method that is named without what it cannot do without, and say how to give it."""
    owner = f"{chosen.task} by {chosen.name}"
    if "psf" in chosen.takes and task_inputs.get("psf") is None:
        kinds = o.PSF_HELP.replace("an image or .npy file.", "a file")
        raise ValueError(f"{owner} needs the blur: --psf {kinds}")
    for key, example in NEEDED.items():
        if key in chosen.parameters and key not in settings:
            raise ValueError(f"{owner} needs the option {key!r}, e.g. --set '{key}={example}'")


TryMethods = Annotated[
    str | None,
    typer.Option("--try", metavar="all|A,B", help="Write a labelled sheet of several methods instead."),
]


def method_option(task: str) -> Any:
    return typer.Option("--method", "-m", help="See `anew methods`.", autocompletion=o.complete_method(task))


@commands.command(epilog="Example:  anew denoise scan.png -o clean.png --sigma 12/255 --method median --set size=5")
@o.with_file_flags
def denoise(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("denoise")] = "auto",
    sigma: Annotated[
        str | None, typer.Option(metavar="S", help="Noise level in [0, 1], or e.g. 25/255. Default: estimated.")
    ] = None,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Remove noise."""
    values = {"sigma": o.parse_sigma(sigma)}
    run_task("denoise", inputs, method, settings, try_methods, values, flags)


@commands.command(epilog="Example:  anew inpaint photo.png --mask holes.png -o whole.png")
@o.with_file_flags
def inpaint(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("inpaint")] = "auto",
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="White = missing. Default: the holes that are found.")
    ] = None,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Fill missing or damaged pixels; the others stay as they are."""
    run_task("inpaint", inputs, method, settings, try_methods, {}, flags, mask)


@commands.command(epilog="Example:  anew deblur shaken.jpg --psf motion:15,30 -o sharp.jpg")
@o.with_file_flags
def deblur(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("deblur")] = "auto",
    psf: Annotated[
        str | None,
        typer.Option(metavar="P", help=o.PSF_HELP),
    ] = None,
    sigma: Annotated[
        str | None, typer.Option(metavar="S", help="Noise level in [0, 1], or e.g. 2/255. Default: estimated.")
    ] = None,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Undo blur, with or without its point-spread function."""
    values = {"psf": o.parse_psf(psf), "sigma": o.parse_sigma(sigma)}
    run_task("deblur", inputs, method, settings, try_methods, values, flags)


@commands.command(epilog="Example:  anew upscale stamp.png --scale 3 -o large.png")
@o.with_file_flags
def upscale(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("upscale")] = "auto",
    scale: Annotated[float, typer.Option(min=1e-3, max=64, metavar="X", help="Any factor; below 1 shrinks.")] = 2.0,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Enlarge."""
    run_task("upscale", inputs, method, settings, try_methods, {"scale": scale}, flags)


@commands.command(epilog="Example:  anew deblock blocky.jpg -o smooth.png")
@o.with_file_flags
def deblock(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("deblock")] = "auto",
    quality: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="Q", help="Its JPEG quality. Default: read or estimated.")
    ] = None,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Remove JPEG artefacts."""
    run_task("deblock", inputs, method, settings, try_methods, {"quality": quality}, flags)


@commands.command(epilog="Example:  anew relight dark.jpg --method retinex -o light.jpg")
@o.with_file_flags
def relight(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("relight")] = "auto",
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Mend exposure, contrast, colour cast or fading."""
    run_task("relight", inputs, method, settings, try_methods, {}, flags)


@commands.command(epilog="Example:  anew unwarp crooked.jpg --method tilt --set angle=2.5 -o straight.jpg")
@o.with_file_flags
def unwarp(
    inputs: o.Inputs,
    flags: o.FileFlags,
    method: Annotated[str, method_option("unwarp")] = "auto",
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Straighten a tilted, keystoned or lens-distorted picture."""
    run_task("unwarp", inputs, method, settings, try_methods, {}, flags)
