"""``anew restore``, ``plan`` and ``replay``: find what is wrong, repair exactly that, say what was done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.attempt import Outcome
from anew.cli.batch import run_jobs
from anew.cli.frames import frame_marks
from anew.cli.jobs import Job, look_jobs, name_pages, plan_jobs
from anew.cli.masks import check_mask_file, read_mask
from anew.cli.one_line import one_line, say
from anew.cli.targets import check_file_name, check_target, make_folder

if TYPE_CHECKING:
    from anew.images import Picture
    from anew.restoration.automatic import Restoration

commands = typer.Typer()

LOSSES = {"GIF": "holds 256 colours"} | dict.fromkeys(("JPEG", "WEBP", "AVIF"), "is compressed with loss")
LEAST_LOSS = 0.25 / 255  # of an untouched picture; rounding a repaired one to 8 bits takes twice as much

Only = Annotated[str | None, typer.Option("--only", metavar="A,B", help="Repair only these damages, e.g. noise,holes.")]
Skip = Annotated[str | None, typer.Option("--skip", metavar="A,B", help="Leave these damages alone.")]
Strength = Annotated[float, typer.Option("--strength", min=0, max=1, metavar="S", help="0 changes nothing, 1 repairs.")]


@dataclass(frozen=True)
class RestoreWork:
    """Restore one file (picklable)."""

    flags: o.FileFlags
    only: tuple[str, ...]
    skip: tuple[str, ...]
    strength: float
    plan: str | None
    reports: Mapping[Job, Path]
    sheets: Mapping[Job, Path]
    mask: Path | None = None

    def __call__(self, job: Job) -> Outcome:
        from anew.images import check_writable, read_frames, write_frames
        from anew.restoration.automatic import restore
        from anew.restoration.plan import Plan

        assert job.target is not None
        plan = None if self.plan is None else Plan.from_json(self.plan)
        frames = read_frames(job.source, max_megapixels=self.flags.max_megapixels)
        mask = None if self.mask is None else read_mask(self.mask, like=frames[0])
        check_writable(job.target, frames, overwrite=self.flags.overwrite)
        pages = self._pages(job, len(frames))
        choices: dict[str, Any] = {"only": self.only, "skip": self.skip, "strength": self.strength}
        done = [restore(f, mask=mask, plan=plan, **choices) for f in frames]
        write_frames(
            [r.picture for r in done],
            job.target,
            overwrite=self.flags.overwrite,
            quality=self.flags.save_quality,
            recipe=_joined_recipe([r.recipe for r in done]),
        )
        loss = self._loss([r.picture for r in done], job.target, repaired=any(r.changed for r in done))
        written = _write_pages(done, pages)
        text = "\n".join([_in_words(done, job, loss), *(f"  {kind}: {one_line(str(path))}" for kind, path in written)])
        facts = {"loss": round(255 * loss, 2), "pages": [str(path) for _, path in written]}
        return Outcome(job, text, _as_facts(done) | facts)

    def _loss(self, pictures: list[Picture], target: Path, *, repaired: bool) -> float:
        """Give by how much the file differs from what was to be written; 0 where its format kept everything."""
        from anew.codecs.formats import by_name
        from anew.images import read_frames

        chosen, facts = by_name(target.suffix), pictures[0].facts
        same = chosen is not None and chosen.name == facts.format and self.flags.save_quality is None
        if same or (chosen is not None and chosen.name not in LOSSES and facts.bit_depth <= 8):
            return 0.0  # and nothing is read again
        written = read_frames(target, max_megapixels=self.flags.max_megapixels)
        if len(written) != len(pictures):  # frames that are alike were joined
            return 0.0
        loss = max(_largest_change(*pair) for pair in zip(pictures, written, strict=True))
        return loss if loss > (2.01 if repaired else 1) * LEAST_LOSS else 0.0

    def _pages(self, job: Job, count: int) -> list[dict[str, Path]]:
        """Name what was asked for beside the result of each frame, and refuse at once what cannot be written."""
        from anew.codecs import storage

        asked = {kind: pages[job] for kind, pages in (("report", self.reports), ("sheet", self.sheets)) if job in pages}
        for page in asked.values():
            make_folder(page.parent)
        marks = frame_marks(count, "-frame{}")
        named = [{kind: page.with_stem(f"{page.stem}{mark}") for kind, page in asked.items()} for mark in marks]
        for page in (page for pages in named for page in pages.values()):
            storage.check_target(str(page), overwrite=self.flags.overwrite)
        return named


def _write_pages(done: list[Restoration], pages: list[dict[str, Path]]) -> list[tuple[str, Path]]:
    """Write the pages of each frame, and give of each what it is and where."""
    from anew.report import write_report, write_sheet

    writers: dict[str, Callable[[Restoration, Path], None]] = {"report": write_report, "sheet": write_sheet}
    written = []
    for restoration, named in zip(done, pages, strict=True):
        for kind, page in named.items():
            writers[kind](restoration, page)
            written.append((kind, page))
    return written


@commands.command(epilog="Example:  anew restore old.jpg     anew restore scans/ -o mended/ --jobs 2 --report reports/")
@o.with_file_flags
def restore(
    inputs: o.Inputs,
    flags: o.FileFlags,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Damage that you marked, white, beside what is found.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="Follow this plan, made by `anew plan`.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    only: Only = None,
    skip: Skip = None,
    strength: Strength = 1.0,
    report: Annotated[
        Path | None, typer.Option(metavar="HTML", help="Write a page with a before/after slider; a folder for many.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Write a before/after sheet; a folder for many.")
    ] = None,
) -> None:
    """Repair what is wrong with pictures, and nothing else.

    What was found and done is printed; a good picture comes back as it is.
    """
    kinds_only, kinds_skip = _chosen_kinds(only, skip)
    text = None if plan is None else _read_plan(plan)
    if mask is not None:
        check_mask_file(mask)
    if dry_run:
        work = PlanWork(kinds_only, kinds_skip, strength, flags.max_megapixels, text, mask)
        jobs = look_jobs(inputs, flags.output, suffix="restored")
        run_jobs(jobs, work, processes=flags.processes, as_json=flags.as_json)
        return
    jobs, skipped = plan_jobs(
        inputs,
        flags.output,
        suffix="restored",
        overwrite=flags.overwrite,
        skip_existing=flags.skip_existing,
        also_read=[mask, plan],
    )
    reports = {} if report is None else name_pages(jobs, report, ".html", overwrite=flags.overwrite)
    sheets = {} if sheet is None else name_pages(jobs, sheet, ".png", overwrite=flags.overwrite)
    if twice := {path.absolute() for path in reports.values()} & {path.absolute() for path in sheets.values()}:
        raise typer.BadParameter(f"{twice.pop()} would be both a report and a sheet; give each its own name")
    work_all = RestoreWork(flags, kinds_only, kinds_skip, strength, text, reports, sheets, mask)
    try:
        run_jobs(jobs, work_all, processes=flags.processes, as_json=flags.as_json, verb="restore", skipped=skipped)
    finally:
        if report is not None and report.is_dir() and len(jobs) > 1:
            _write_index(report, quiet=flags.as_json)


def _write_index(reports: Path, *, quiet: bool) -> None:
    from anew.report.index import write_index

    index = write_index(reports)
    if index is not None and not quiet:
        print(f"all reports: {one_line(str(index))}")


@dataclass(frozen=True)
class PlanWork:
    """Plan one file (picklable)."""

    only: tuple[str, ...]
    skip: tuple[str, ...]
    strength: float
    max_megapixels: float
    plan: str | None = None
    mask: Path | None = None

    def __call__(self, job: Job) -> Outcome:
        from anew.diagnosis.diagnose import diagnose
        from anew.images import read_frames
        from anew.restoration.automatic import with_marks
        from anew.restoration.plan import Plan, make_plan

        frames = read_frames(job.source, max_megapixels=self.max_megapixels)
        mask = None if self.mask is None else read_mask(self.mask, like=frames[0])
        choices: dict[str, Any] = {"only": self.only, "skip": self.skip, "strength": self.strength}
        given = None if self.plan is None else Plan.from_json(self.plan)
        plans = []
        for frame in frames:
            found = with_marks(diagnose(frame), mask, frame.pixels.shape)
            plans.append(make_plan(found, **choices) if given is None else given.as_run(found).limited(**choices))
        lines = [f"{job.source}:"]
        for frame_mark, made in zip(frame_marks(len(plans), "frame {}: "), plans, strict=True):
            lines += [f"  {frame_mark}{line}" for line in str(made).splitlines()]
        values = [json.loads(made.to_json()) for made in plans]
        return Outcome(job, "\n".join(lines), {"plan": values[0] if len(values) == 1 else values})


@commands.command(epilog="Example:  anew plan old.jpg -o plan.json;  edit it;  anew restore old.jpg --plan plan.json")
def plan(
    source: o.Input,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="JSON", help="Default: print it.")] = None,
    only: Only = None,
    skip: Skip = None,
    strength: Strength = 1.0,
    overwrite: o.Overwrite = False,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Write what `anew restore` would do, as JSON to edit.

    It also says after which steps the picture is looked at again, as what they repair may hide more. `anew restore
    --plan` does so too, unless you edit the steps: then it runs these alone.
    """
    from anew.codecs import storage
    from anew.diagnosis.diagnose import diagnose
    from anew.images import read
    from anew.restoration.plan import make_plan

    if output is not None:
        check_target(output, overwrite=overwrite, inputs=[source])
    kinds_only, kinds_skip = _chosen_kinds(only, skip)
    picture = read(source, max_megapixels=max_megapixels)
    made = make_plan(diagnose(picture), only=kinds_only, skip=kinds_skip, strength=strength)
    if output is None:
        print(made.to_json())
    else:
        storage.save(str(output), f"{made.to_json()}\n".encode(), overwrite=overwrite)
        print(one_line(str(output)))


@commands.command(epilog="Example:  anew replay old-restored.png --input old.png -o again.png")
def replay(
    restored: Annotated[Path, typer.Argument(metavar="RESTORED", help="A file that anew restored.")],
    source: Annotated[Path, typer.Option("--input", "-i", metavar="IN", help="The picture that it was made from.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT", help="Where the result goes.")],
    mask: Annotated[Path | None, typer.Option(metavar="FILE", help="The mask that was given then, if any.")] = None,
    overwrite: o.Overwrite = False,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Repeat a restoration from the recipe in its file."""
    from anew.errors import InvalidPlan
    from anew.images import check_writable, read_frames, write_frames
    from anew.restoration.replay import replay as replay_recipe

    check_target(output, overwrite=overwrite, inputs=[mask])
    check_file_name(output)
    if mask is not None:
        check_mask_file(mask)
    carried = read_frames(restored, max_megapixels=max_megapixels)[0].facts.recipe
    if not carried:
        raise InvalidPlan(f"{restored}: carries no recipe; either anew changed nothing, or its format holds no text")
    frames = read_frames(source, max_megapixels=max_megapixels)
    check_writable(output, frames, overwrite=overwrite)
    recipes = _split_recipe(carried, len(frames))
    try:
        marks = None if mask is None else read_mask(mask, like=frames[0])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--mask") from None
    if mask is not None:
        _say_if_unneeded(mask, recipes)
    done = [f if r is None else replay_recipe(f, r, mask=marks) for f, r in zip(frames, recipes, strict=True)]
    write_frames(done, output, overwrite=overwrite, recipe=carried)
    print(one_line(str(output)))


def _chosen_kinds(only: str | None, skip: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read which damages are to be repaired alone, and which are to be left alone."""
    chosen, left = _kinds(only, "--only"), _kinds(skip, "--skip")
    if both := [kind for kind in chosen if kind in left]:
        raise typer.BadParameter(f"{both[0]} is in --only and in --skip; name it in one of them")
    return chosen, left


def _kinds(text: str | None, option: str) -> tuple[str, ...]:
    """Read ``noise,holes`` and refuse what is no damage that anew knows."""
    from anew.restoration.plan import KINDS

    kinds = tuple(kind.strip() for kind in (text or "").split(",") if kind.strip())
    for kind in kinds:
        if kind not in KINDS:
            raise typer.BadParameter(f"unknown damage {kind!r}; choose from {', '.join(KINDS)}", param_hint=option)
    return kinds


def _read_plan(path: Path) -> str:
    """Read a plan file and validate it before any picture is touched."""
    from anew.errors import InvalidPlan
    from anew.restoration.plan import Plan

    option = "--plan"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise typer.BadParameter(f"{path}: cannot read this plan ({reason})", param_hint=option) from None
    try:
        Plan.from_json(text)
    except InvalidPlan as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint=option) from None
    return text


def _joined_recipe(recipes: list[str | None]) -> str | None:
    """Join the recipes of the frames of one file: one as it is, several as a JSON list, none if nothing was done."""
    if len(recipes) == 1:
        return recipes[0]
    if not any(recipes):
        return None
    return json.dumps([None if r is None else json.loads(r) for r in recipes])


def _say_if_unneeded(mask: Path, recipes: list[str | None]) -> None:
    """Say of a mask that it changes nothing: only one too large for its recipe is asked for again."""
    from anew.restoration.recipe import read_recipe

    steps = [step for recipe in recipes if recipe is not None for step in read_recipe(recipe).plan.steps]
    marked = any(step.kind == "marked" for step in steps)
    if not any((step.mask or "").startswith("sha256:") for step in steps):
        say(f"{mask}: not needed, " + ("the recipe holds what was marked" if marked else "nothing was marked then"))


def _split_recipe(text: str, count: int) -> list[str | None]:
    from anew.errors import InvalidPlan

    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidPlan("the recipe is no JSON; something else has written it") from None
    entries = value if isinstance(value, list) else [value]
    if isinstance(value, dict) and "generate" in value:
        raise InvalidPlan("the recipe is of a generated picture; `anew generate` with the options in it makes it again")
    if len(entries) != count:
        raise InvalidPlan(f"expected an input of {len(entries)} frames, got one of {count}; give the original input")
    return [None if entry is None else json.dumps(entry) for entry in entries]


def _in_words(done: list[Restoration], job: Job, loss: float) -> str:
    lines = [f"{job.source} -> {job.target}"]
    for frame, restoration in zip(frame_marks(len(done), "frame {}: "), done, strict=True):
        said = str(restoration).splitlines()
        if loss and not restoration.changed:
            said.pop()  # it is not returned as it was
        lines += [f"  {frame}{line}" for line in said]
    if loss and job.target is not None:
        lines.append(f"  {_loss_in_words(loss, job.target, repaired=any(r.changed for r in done))}")
    return "\n".join(lines)


def _loss_in_words(loss: float, target: Path, *, repaired: bool) -> str:
    from anew.codecs.formats import by_name

    chosen = by_name(target.suffix)
    name = "" if chosen is None else chosen.name
    start = "Written" if repaired else "Nothing was repaired; written"
    change = f"{255 * loss:.0f}" if 255 * loss >= 1 else f"{255 * loss:.1f}"
    return f"{start} as {name}, which {LOSSES.get(name, 'holds fewer values')}: values change by up to {change} of 255."


def _largest_change(picture: Picture, written: Picture) -> float:
    """Give the largest difference of a value that is not transparent."""
    import numpy as np

    if picture.pixels.shape[:2] != written.pixels.shape[:2]:
        return 0.0
    change = np.abs(np.nan_to_num(picture.pixels) - written.pixels)
    return float(change.max() if picture.alpha is None else (change * (picture.alpha[:, :, None] > 0)).max())


def _as_facts(done: list[Restoration]) -> dict[str, Any]:
    from anew.cli.look import finding_as_json

    frames = [
        {
            "findings": [finding_as_json(f) for f in r.diagnosis.findings],
            "steps": [
                {"task": s.task, "method": s.method, "kept": s.kept, "reason": s.reason, "took": round(s.seconds, 3)}
                for s in r.steps
            ],
            "changed": any(s.kept for s in r.steps),
        }
        for r in done
    ]
    return frames[0] if len(frames) == 1 else {"frames": frames}
