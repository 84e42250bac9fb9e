"""The seven tasks as commands, ``anew denoise`` to ``anew unwarp``: one method, many files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.attempt import Outcome
from anew.cli.bars import fraction_bar
from anew.cli.batch import run_jobs
from anew.cli.jobs import Job, plan_jobs

if TYPE_CHECKING:
    from anew.cli.chosen import Chosen
    from anew.images import Picture
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
PSF_HELP = "gaussian:SIGMA, motion:LENGTH,ANGLE, defocus:RADIUS, or an image or .npy file."
NEEDED = {"kernel": "[[0.1,0.1,0.1],[0.1,0.2,0.1],[0.1,0.1,0.1]]"}  # options without a default, and one value of each
RESHAPES = ("upscale", "unwarp")  # these move pixels, so the alpha channel goes the same way


@dataclass(frozen=True)
class TaskWork:
    """Apply one method to one file (picklable, so that several processes can)."""

    task: str
    method: str
    inputs: dict[str, Any]
    settings: dict[str, Any]
    overwrite: bool
    max_megapixels: float
    save_quality: int | None
    mask: Path | None = None
    watched: bool = False

    def __call__(self, job: Job) -> Outcome:
        from anew.images import read_frames, write_frames

        frames = read_frames(job.source, max_megapixels=self.max_megapixels)
        if self.task == "upscale":
            self._check_size(job, frames)
        chosen = [self._choose(frame) for frame in frames]
        results = [self._apply(frame, how) for frame, how in zip(frames, chosen, strict=True)]
        assert job.target is not None
        write_frames(results, job.target, overwrite=self.overwrite, quality=self.save_quality)
        told = [how.told(self.task, *pair) for how, *pair in zip(chosen, frames, results, strict=True)]
        facts: list[dict[str, Any]] = [{"method": how.method, **how.facts} for how in chosen]
        if len(frames) == 1:
            return Outcome(job, f"{job.source} -> {job.target}  ({told[0]})", {"task": self.task, **facts[0]})
        lines = [f"  frame {index}: {words}" for index, words in enumerate(told, 1)]
        return Outcome(job, "\n".join([f"{job.source} -> {job.target}", *lines]), {"task": self.task, "frames": facts})

    def _check_size(self, job: Job, frames: list[Picture]) -> None:
        """Refuse to make a picture larger than may be read."""
        from anew.errors import ImageTooLarge

        scale = float(self.inputs["scale"])
        megapixels = sum(f.pixels.shape[0] * f.pixels.shape[1] for f in frames) * scale**2 / 1e6
        if scale > 1 and megapixels > self.max_megapixels:
            raise ImageTooLarge(
                f"{job.source}: {scale:g} times as large it has {megapixels:.4g} megapixels, above the budget of "
                f"{self.max_megapixels:g} (take a smaller --scale, or raise --max-megapixels)"
            )

    def _choose(self, frame: Picture) -> Chosen:
        """Choose the method, and measure what was not given."""
        from anew.cli.chosen import choose

        inputs = self.inputs_for(frame) if self.task == "inpaint" else self.inputs
        return choose(self.task, self.method, inputs, self.settings, frame)

    def _apply(self, frame: Picture, how: Chosen) -> Picture:
        """Apply the method; with a bar if somebody watches and it tells its progress."""
        from anew.registry import METHODS

        inputs, settings = dict(how.inputs), self.settings
        if not self.watched or "progress" not in METHODS.get(self.task, how.method).parameters:
            return apply_task(frame, self.task, how.method, inputs, settings)
        with fraction_bar(self.task) as progress:
            return apply_task(frame, self.task, how.method, inputs, {**settings, "progress": progress})

    def inputs_for(self, frame: Picture) -> dict[str, Any]:
        """Give what the method takes beside this frame."""
        if self.task == "deblock" and self.inputs["quality"] is None:
            from anew.cli.chosen import quality_from_tables

            return {"quality": quality_from_tables(frame)}
        if self.task != "inpaint":
            return self.inputs
        return {"mask": read_mask(self.mask) if self.mask else find_mask(frame)}


def apply_task(picture: Picture, task: str, method: str, inputs: dict[str, Any], settings: dict[str, Any]) -> Picture:
    """Apply a task to a picture's pixels; the alpha channel stays, or moves along with the pixels."""
    from anew.restoration import tasks

    function: Callable[..., Any] = getattr(tasks, task)
    pixels = function(picture.pixels, method=method, **inputs, **settings)
    alpha = picture.alpha
    if alpha is not None and task in RESHAPES:
        alpha = function(alpha, method=method, **inputs, **settings).clip(0, 1)
    if task == "inpaint" and alpha is not None:
        alpha = alpha.copy()
        alpha[inputs["mask"]] = 1  # what was a transparent hole is a picture now
    return replace(picture, pixels=pixels, alpha=alpha)


def read_mask(path: Path) -> Any:
    """Read a mask file: what is white, or bright in any colour, is missing; of a transparent layer, what is opaque.

    Raises
    ------
    ValueError
        If it marks nothing, or everything.
    """
    from anew.images import read

    picture = read(path)
    layer = picture.alpha is not None and picture.alpha.min() < 0.5
    mask = picture.alpha >= 0.5 if layer and picture.alpha is not None else picture.pixels.max(axis=2) >= 0.5
    if not mask.any():
        raise ValueError(f"{path}: marks nothing; paint white, or on a transparent layer, what is missing")
    if mask.all():
        raise ValueError(f"{path}: marks the whole picture; leave black, or transparent, what is not missing")
    return mask


def check_mask_file(path: Path) -> None:
    """Refuse a mask that cannot be read, before a picture is touched."""
    from anew.errors import ImageFileError

    try:
        read_mask(path)
    except (ImageFileError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--mask") from None


def find_mask(picture: Picture) -> Any:
    """Find what is missing: the holes that the diagnosis sees."""
    from anew.diagnosis.diagnose import diagnose

    mask = diagnose(picture).hole_mask
    if mask is None:
        raise ValueError("no hole was found; give a mask with --mask FILE (white = missing)")
    return mask


def parse_psf(text: str | None) -> Any:
    """Read a point-spread function: ``gaussian:1.5``, ``motion:15,30``, ``defocus:3``, or an image or .npy file."""
    if text is None:
        return None
    import numpy as np

    from anew.degradations import blur

    kind, colon, numbers = text.partition(":")
    kernels: dict[str, Callable[..., Any]] = {
        "gaussian": blur.gaussian_psf,
        "motion": blur.motion_psf,
        "defocus": blur.defocus_psf,
    }
    if colon and kind in kernels:
        try:
            return kernels[kind](*(float(n) for n in numbers.split(",")))
        except (TypeError, ValueError) as error:
            usage = "gaussian:SIGMA, motion:LENGTH,ANGLE or defocus:RADIUS"
            raise typer.BadParameter(f"expected {usage}, got {text!r} ({error})", param_hint="--psf") from None
    path = Path(text)
    from anew.arrays import luminance
    from anew.errors import ImageFileError
    from anew.images import read
    from anew.restoration.tasks import as_psf

    try:
        weights = np.load(path, allow_pickle=False) if path.suffix == ".npy" else luminance(read(path).pixels)
        return as_psf(weights)
    except ImageFileError as error:
        usage = "" if path.exists() else "; or write gaussian:SIGMA, motion:LENGTH,ANGLE or defocus:RADIUS"
        raise typer.BadParameter(f"{error}{usage}", param_hint="--psf") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise typer.BadParameter(f"{path}: no array of weights ({reason})", param_hint="--psf") from None


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
    from anew.registry import METHODS

    parsed = o.parse_settings(settings)
    if mask is not None:
        check_mask_file(mask)
    try:
        chosen = METHODS.get(task, method)
        parsed = o.read_arrays(chosen.function, parsed)
        _check_needs(chosen, method, parsed, task_inputs, tried=try_methods is not None)
        if method != "auto" or parsed:
            if "progress" in parsed:
                raise ValueError(f"{task} by {chosen.name} takes progress from programs alone; leave it out")
            chosen.checked(parsed)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not chosen.trains and any(isinstance(value, str) for value in parsed.values()):
        from anew.cli.trial import try_words

        try_words(chosen, method, parsed, task_inputs)
    work = TaskWork(task, method, task_inputs, parsed, flags.overwrite, flags.max_megapixels, flags.save_quality, mask)
    if try_methods is not None:
        from anew.cli.contact import write_contact_sheet

        if method != "auto":
            raise typer.BadParameter("--try names the methods of the sheet; leave --method out")
        write_contact_sheet(work, inputs, flags.output, try_methods, as_json=flags.as_json)
        return
    jobs, skipped = plan_jobs(
        inputs, flags.output, suffix=SUFFIX[task], overwrite=flags.overwrite, skip_existing=flags.skip_existing
    )
    watched = len(jobs) == 1 and not flags.as_json and sys.stderr.isatty()
    work = replace(work, watched=watched)
    run_jobs(jobs, work, processes=flags.processes, as_json=flags.as_json, verb=task, skipped=skipped)


def _check_needs(
    chosen: Method, method: str, parsed: dict[str, Any], task_inputs: dict[str, Any], *, tried: bool
) -> None:
    """Refuse a method that is named without what it cannot do without, and say how to give it."""
    if method == "auto" or tried:
        return
    owner = f"{chosen.task} by {chosen.name}"
    if "psf" in chosen.takes and task_inputs.get("psf") is None:
        kinds = PSF_HELP.replace("an image or .npy file.", "a file")
        raise ValueError(f"{owner} needs the blur: --psf {kinds}")
    for key, example in NEEDED.items():
        if key in chosen.parameters and key not in parsed:
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
        typer.Option(metavar="P", help=PSF_HELP),
    ] = None,
    sigma: Annotated[
        str | None, typer.Option(metavar="S", help="Noise level in [0, 1], or e.g. 2/255. Default: estimated.")
    ] = None,
    settings: o.Settings = None,
    try_methods: TryMethods = None,
) -> None:
    """Undo blur, with or without its point-spread function."""
    values = {"psf": parse_psf(psf), "sigma": o.parse_sigma(sigma)}
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
