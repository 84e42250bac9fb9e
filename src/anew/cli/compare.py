"""``anew compare``: one picture, every method of a task, one sheet."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.contact import check_sheet_name, print_left_out
from anew.cli.masks import check_mask_file
from anew.cli.one_line import one_line
from anew.cli.task_work import TaskWork

if TYPE_CHECKING:
    from anew.bench.comparison import Compared
    from anew.images import Picture

commands = typer.Typer()

WARMED = 1_000_000  # pixels; of larger pictures the first call is timed, in which little else counts


@commands.command(epilog="Example:  anew compare noisy.jpg -o sheet.png")
def compare(
    image: o.Input,
    task: Annotated[
        str, typer.Option(metavar="TASK", help="denoise, inpaint, deblur, upscale, deblock, relight, unwarp.")
    ] = "denoise",
    methods: Annotated[str, typer.Option(metavar="all|A,B", help="Which methods.")] = "all",
    reference: Annotated[Path | None, typer.Option(metavar="FILE", help="The clean picture, if you have it.")] = None,
    sigma: Annotated[str | None, typer.Option(metavar="S", help="Noise level, e.g. 25/255. Default: measured.")] = None,
    mask: Annotated[Path | None, typer.Option(metavar="FILE", help="For inpaint: white = missing.")] = None,
    psf: Annotated[str | None, typer.Option(metavar="P", help=f"For deblur: {o.PSF_HELP}")] = None,
    scale: Annotated[float, typer.Option(min=1.0, help="For upscale.")] = 2.0,
    quality: Annotated[
        int | None,
        typer.Option(min=1, max=100, metavar="Q", help="For deblock: its JPEG quality. Default: read or estimated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT", help="The sheet. Default: IN-TASK-comparison.png.")
    ] = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Try every method on one picture.

    The sheet shows their results, labelled with time and quality, and where they differ most. Quality is PSNR and SSIM
    if there is a reference; else, for noise, Stein's unbiased estimate of the PSNR, and NIQE. A method that measures
    the noise itself has no estimate: it would be too good.
    """
    from anew.bench.comparison import caption, draw_comparison, ranked
    from anew.images import Picture, read, write
    from anew.registry import TASKS

    if task not in TASKS:
        raise typer.BadParameter(f"unknown task {task!r}; tasks are {', '.join(TASKS)}")
    if image.is_dir():
        raise typer.BadParameter(f"{image} is a folder; give one picture")
    target = output if output is not None else image.with_name(f"{image.stem}-{task}-comparison.png")
    inputs = [image, reference, mask, None if psf is None else Path(psf)]
    check_sheet_name(target, overwrite=overwrite, inputs=inputs)
    names = _names(task, methods)
    if mask is not None:
        check_mask_file(mask)
    picture = read(image, max_megapixels=max_megapixels)
    clean = None if reference is None else read(reference, max_megapixels=max_megapixels).pixels
    if clean is not None:
        _check_reference(clean, picture, scale if task == "upscale" else 1.0)
    try:
        known = _known(task, picture, sigma, mask, psf, scale, quality)
    except ValueError as error:
        raise typer.BadParameter(f"{image}: {error}") from None
    if task == "deblur" and psf is None:
        names = _without_psf(names)
    tried = []
    for name in names:
        tried.append(_try(task, name, picture.pixels, known, clean))
        print(f"{name:<18} {caption(tried[-1]) if tried[-1].result is not None else tried[-1].reason}", file=sys.stderr)
    tried = ranked(tried)
    if all(m.result is None for m in tried):
        raise typer.BadParameter(f"no method of {task} ran on {image}: {tried[0].reason}")
    sheet = draw_comparison(f"{task}: {image.name}", picture.pixels, tried, reference=clean)
    write(Picture.from_array(sheet), target, overwrite=overwrite)
    if as_json:
        print(json.dumps({"input": str(image), "sheet": str(target), "task": task, "methods": _rows(tried)}, indent=2))
    else:
        print(one_line(str(target)))


def _check_reference(clean: Any, picture: Picture, scale: float) -> None:
    """Refuse a reference that no result can be compared with."""
    from anew.arrays import are_values

    if not are_values(clean):
        raise typer.BadParameter("it holds NaN or other values that are no picture's", param_hint="--reference")
    height, width, channels = picture.pixels.shape
    expected = (max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5)), channels)
    if clean.shape != expected:
        sizes = [f"{w} x {h}, {c} channel{'s' * (c > 1)}" for h, w, c in (clean.shape, expected)]
        raise typer.BadParameter(
            f"the result has {sizes[1]}; got {sizes[0]}; give a clean picture like it", param_hint="--reference"
        )


def _names(task: str, wanted: str) -> list[str]:
    from anew.bench.contenders import contender_names

    try:
        names, left_out = contender_names(task, wanted, peers="none")
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--methods") from None
    print_left_out(left_out)
    return names[1:]


def _without_psf(names: list[str]) -> list[str]:
    """Leave out the methods that must be told the psf, and say so."""
    from anew.registry import METHODS

    needing = [name for name in names if "psf" in METHODS.get("deblur", name).takes]
    if len(needing) == len(names):
        raise typer.BadParameter(f"{', '.join(needing)} need the psf; give it, e.g. --psf gaussian:1.5")
    for name in needing:
        print(f"{name:<18} left out: it needs the psf, e.g. --psf gaussian:1.5", file=sys.stderr)
    return [name for name in names if name not in needing]


def _known(
    task: str,
    picture: Any,
    sigma: str | None,
    mask: Path | None,
    psf: str | None,
    scale: float,
    quality: int | None,
) -> dict[str, Any]:
    """Give what the methods of a task may ask for; what was not given is measured once, for all of them."""
    from anew.diagnosis.noise import estimate_noise_sigma
    from anew.restoration.tasks import level_under_blur

    level = o.parse_sigma(sigma)
    if level is None and task in ("denoise", "deblur"):
        blur = o.parse_psf(psf) if task == "deblur" else None
        level = estimate_noise_sigma(picture.pixels) if blur is None else level_under_blur(picture.pixels, blur, None)
        print(f"noise: {255 * level:.1f} of 255, as measured", file=sys.stderr)
    known: dict[str, Any] = {"sigma": level, "psf": o.parse_psf(psf), "scale": scale, "quality": quality}
    if task in ("inpaint", "deblock"):
        work = TaskWork(task, "auto", {"quality": quality}, {}, False, o.MEGAPIXELS, None, mask)
        known.update(work.inputs_for(picture))
    return known


def _try(task: str, name: str, pixels: Any, known: dict[str, Any], clean: Any) -> Compared:
    from anew.bench.comparison import try_method
    from anew.registry import METHODS
    from anew.restoration import tasks

    method = METHODS.get(task, name)
    inputs = {key: known[key] for key in method.takes}
    function = getattr(tasks, task)
    sigma = known["sigma"] if task == "denoise" and not method.measures else None
    warm = pixels.shape[0] * pixels.shape[1] <= WARMED and not method.trains
    return try_method(
        name, pixels, lambda x: function(x, method=name, **inputs), sigma=sigma, reference=clean, warm=warm
    )


def _rows(tried: list[Compared]) -> list[dict[str, Any]]:
    return [
        {
            "method": m.name,
            "seconds": round(m.seconds, 4),
            "seconds_per_megapixel": round(m.seconds_per_megapixel, 4),
            **m.scores,
            **({"not_run": m.reason} if m.result is None else {"changed": m.changed}),
        }
        for m in tried
    ]
