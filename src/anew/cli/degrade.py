"""``anew degrade``: damage a picture on purpose, and keep the truth about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.attempt import Outcome
from anew.cli.batch import run_jobs
from anew.cli.frames import frame_marks
from anew.cli.jobs import Job, plan_jobs
from anew.cli.one_line import one_line

commands = typer.Typer()

OTHER_SIGMAS = ("blur", "speckle")  # in pixels, and as a share of each value; every other is a noise level


@dataclass(frozen=True)
class DegradeWork:
    """Damage one file (picklable)."""

    chain: str
    seed: int
    truth: bool
    flags: o.FileFlags

    def __call__(self, job: Job) -> Outcome:
        import numpy as np

        from anew.codecs import storage
        from anew.degradations.catalogue import chain_alpha, chain_mask, degrade_chain
        from anew.images import Picture, check_writable, read_frames, write, write_frames

        assert job.target is not None
        rng = np.random.default_rng(self.seed)
        damaged, masks, parameters = [], [], []
        frames = read_frames(job.source, max_megapixels=self.flags.max_megapixels)
        check_writable(job.target, frames, overwrite=self.flags.overwrite)
        for frame in frames:
            chain = _read_chain(self.chain)
            steps = degrade_chain(frame.pixels, chain, rng=rng)
            alpha = None if frame.alpha is None else chain_alpha(chain, steps, frame.alpha)
            damaged.append(replace(frame, pixels=steps[-1].image, alpha=alpha))
            masks.append(chain_mask(chain, steps))
            parameters.append([s.parameters for s in steps])
        write_frames(damaged, job.target, overwrite=self.flags.overwrite, quality=self.flags.save_quality)
        facts: dict[str, Any] = {"chain": self.chain, "seed": self.seed, "parameters": _plain(parameters)}
        written = []
        if self.truth:
            stem = job.target.with_suffix("")
            for number, mask in zip(frame_marks(len(masks), "-{}"), masks, strict=True):
                picture = Picture(mask[:, :, None].astype(np.float32))
                written.append(Path(f"{stem}.mask{number}.png"))
                write(picture, written[-1], overwrite=self.flags.overwrite)
            written.append(Path(f"{stem}.truth.json"))
            storage.save(str(written[-1]), f"{json.dumps(facts, indent=2)}\n".encode(), overwrite=self.flags.overwrite)
        text = "\n".join([f"{job.source} -> {job.target}", *(f"  truth: {one_line(str(path))}" for path in written)])
        return Outcome(job, text, {**facts, "truth": [str(path) for path in written]})


@commands.command(epilog="Example:  anew degrade photo.jpg -o bad.png --with noise:sigma=0.1,scratches,tilt:angle=3")
@o.with_file_flags
def degrade(
    flags: o.FileFlags,
    inputs: Annotated[list[str] | None, typer.Argument(help="Images, folders or patterns.", metavar="IN")] = None,
    chain: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="NAME:KEY=VALUE,...",
            help="What to do, in order; see --list. A level is in [0, 1], or e.g. 25/255.",
            show_default=False,
        ),
    ] = "",
    truth: Annotated[bool, typer.Option("--truth", help="Also write OUT.mask.png and OUT.truth.json.")] = False,
    seed: o.Seed = 0,
    listing: Annotated[bool, typer.Option("--list", help="Print the damages, each with its settings.")] = False,
) -> None:
    """Damage pictures on purpose, to test a repair.

    `anew degrade --list` shows each damage with its KEY=VALUE.
    """
    import numpy as np

    from anew.degradations.catalogue import degrade_chain

    if listing or not (chain or inputs):
        _print_damages(as_json=flags.as_json)
        return
    if not chain:
        raise typer.BadParameter("say what to do, e.g. --with noise:sigma=0.1; all there is: anew degrade --list")
    if not inputs:
        raise typer.BadParameter("name the pictures to damage", param_hint="IN")
    try:
        degrade_chain(np.full((48, 64, 3), 0.5, np.float32), _read_chain(chain), rng=seed)  # refuses what cannot be
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--with") from None
    work = DegradeWork(chain, seed, truth, flags)
    jobs, skipped = plan_jobs(
        inputs, flags.output, suffix="degraded", overwrite=flags.overwrite, skip_existing=flags.skip_existing
    )
    if truth:
        _check_truths(jobs, overwrite=flags.overwrite)
    run_jobs(jobs, work, processes=flags.processes, as_json=flags.as_json, verb="degrade", skipped=skipped)


def _read_chain(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a chain and the files that it names; the pixels of a psf are scaled to weights of sum 1."""
    from anew.degradations.catalogue import DEGRADATIONS, parse_chain
    from anew.restoration.tasks import as_psf

    steps = []
    for name, parameters in parse_chain(text):
        if name not in OTHER_SIGMAS and isinstance(sigma := parameters.get("sigma"), int | float) and sigma > 1:
            o.parse_sigma(str(sigma))  # says how levels are given
        read = o.read_arrays(DEGRADATIONS[name].function, parameters)
        if isinstance(file := parameters.get("psf"), str) and not file.endswith(".npy"):
            read["psf"] = as_psf(read["psf"])
        steps.append((name, read))
    return steps


def _print_damages(*, as_json: bool) -> None:
    from anew.degradations.catalogue import DEGRADATIONS

    if as_json:
        rows = [{"name": d.name, "summary": d.summary, "settings": d.defaults} for d in DEGRADATIONS.values()]
        print(json.dumps({"damages": rows}, indent=2))
        return
    for damage in DEGRADATIONS.values():
        settings = (f"{key}={'' if v is None else str(v).lower()}" for key, v in damage.defaults.items())
        print(f"{damage.name:<12} {damage.summary}\n{'':<12} {' '.join(settings)}")


def _check_truths(jobs: list[Job], *, overwrite: bool) -> None:
    """Refuse truths that would be lost, before a picture is damaged."""
    from anew.codecs.formats import TRUTH

    owners: dict[Path, Path] = {}
    for job in jobs:
        assert job.target is not None
        stem = job.target.with_suffix("")
        if stem in owners:
            raise typer.BadParameter(
                f"the truths of {owners[stem]} and {job.source} would have the same name; damage them into two folders"
            )
        owners[stem] = job.source
    if overwrite:
        return
    for folder in {stem.parent for stem in owners}:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            truth = TRUTH.fullmatch(path.name)
            if truth is not None and folder / truth[1] in owners:
                raise typer.BadParameter(f"{path} exists already; use --overwrite or another -o")


def _plain(value: Any) -> Any:
    """Make parameters JSON-able: arrays become lists."""
    import numpy as np

    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value
