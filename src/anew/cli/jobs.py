"""Which files a command works on, and what its results are called: nothing that is there may be lost.

What is wrong is wrong use, raised as ``typer.BadParameter`` before anything is touched.
"""

from __future__ import annotations

import glob
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from anew.cli.one_line import one_line
from anew.cli.targets import check_file_name, check_folder, is_image_name, refuse_inputs, refuse_to_replace
from anew.errors import AnewError


@dataclass(frozen=True)
class Job:
    """One input file, and the file that its result goes to (None if the command only looks).

    ``makes_folder`` says that the target's folder was named as an output folder and may be made; ``relative`` is the
    source's path in the folder that was given.
    """

    source: Path
    target: Path | None
    makes_folder: bool = False
    relative: Path = Path()


def plan_jobs(
    inputs: list[str],
    output: Path | None,
    *,
    suffix: str,
    overwrite: bool,
    skip_existing: bool = False,
    also_read: Sequence[Path | None] = (),
) -> tuple[list[Job], int]:
    """Expand files, folders and patterns into jobs, and refuse what would lose a file.

    What an earlier run made of them is left out, with a line on standard error.

    Parameters
    ----------
    inputs : list of str
        Files, folders (searched for images, with their sub-folders) and glob patterns.
    output : path, optional
        A file (for one input) or a folder; by default beside the input, ``photo.jpg`` -> ``photo-SUFFIX.jpg``.
    suffix : str
        The word that names a result, e.g. ``"restored"``.
    overwrite, skip_existing : bool
        What to do with outputs that exist already; by default they are an error.
    also_read : sequence of path
        Files beside the inputs, such as a mask, that no output may replace.

    Returns
    -------
    the jobs, and how many were skipped as their outputs exist
    """
    sources = _expanded(inputs)
    if overwrite and skip_existing:
        raise typer.BadParameter("--overwrite and --skip-existing contradict each other; give one of them")
    to_folder = output is not None and (len(sources) > 1 or _is_folder(output) or any(os.path.isdir(i) for i in inputs))
    sources = _without_results(sources, inputs, output, suffix)
    if output is not None:
        (_refuse_file if to_folder else check_file_name)(output)
    jobs = []
    for source, relative in sources:
        if output is None:
            target = source.with_name(f"{source.stem}-{suffix}{source.suffix}")
        else:
            target = output / relative if to_folder else output
        jobs.append(Job(source, target, makes_folder=to_folder, relative=relative))
    left = [job for job in jobs if not (skip_existing and job.target is not None and os.path.exists(job.target))]
    _refuse_losses(left, overwrite, also_read)
    for folder in dict.fromkeys(job.target.parent for job in left if job.target is not None):
        check_folder(folder)
    return left, len(jobs) - len(left)


def look_jobs(inputs: list[str], output: Path | None = None, *, suffix: str | None = None) -> list[Job]:
    """Expand inputs into jobs that write nothing; with a suffix, without the results that ``plan_jobs`` leaves out."""
    sources = _expanded(inputs)
    if suffix is not None:
        sources = _without_results(sources, inputs, output, suffix)
    return [Job(source, None, relative=relative) for source, relative in sources]


def name_pages(jobs: list[Job], place: Path, ending: str, *, overwrite: bool) -> dict[Job, Path]:
    """Name what is written beside the results, and refuse what would lose a file.

    Parameters
    ----------
    jobs : list of Job
    place : path
        A file, for one job, or a folder, in which each gets its name with another ending, in the same sub-folder; with
        the ending of its format before it where two would have the same name.
    ending : str
        ``".html"``, for example.
    overwrite : bool
    """
    if place.suffix and not os.path.isdir(place):
        if place.suffix.lower() != ending:
            raise typer.BadParameter(f"expected a name that ends in {ending}, or a folder, got {place}")
        if len(jobs) > 1:
            raise typer.BadParameter(
                f"{len(jobs)} inputs need a folder for their {ending} files; {place} is a file name"
            )
        pages = {jobs[0]: place} if jobs else {}
    else:
        pages = name_in(jobs, place, ending)
    taken = {path.absolute() for job in jobs for path in (job.source, job.target) if path is not None}
    for job, page in pages.items():
        if page.absolute() in taken:
            raise typer.BadParameter(
                f"{page} is wanted for {job.source} and is already an input or an output; choose another"
            )
        taken.add(page.absolute())
        refuse_to_replace(page, overwrite=overwrite, instead="--overwrite or another name")
    for folder in dict.fromkeys(page.parent for page in pages.values()):
        check_folder(folder)
    return pages


def name_in(jobs: list[Job], folder: Path, ending: str) -> dict[Job, Path]:
    """Name a file in a folder for each job, no two alike."""
    short = Counter(job.relative.with_suffix("") for job in jobs)
    names = {job: job.relative.stem if short[job.relative.with_suffix("")] == 1 else job.relative.name for job in jobs}
    return {job: folder / job.relative.with_name(f"{name}{ending}") for job, name in names.items()}


def _expanded(inputs: list[str]) -> list[tuple[Path, Path]]:
    """Give each file, with its path in the folder that named it; refuse names that stand for none."""
    from anew.codecs.formats import KNOWN_ENDINGS

    found = list(_expand(inputs))
    if not found:
        raise typer.BadParameter(f"no image found in {', '.join(inputs)} ({KNOWN_ENDINGS})")
    return found


def _expand(inputs: list[str]) -> Iterator[tuple[Path, Path]]:
    """Give (file, path relative to the folder that named it)."""
    from anew.codecs.formats import picture_files

    for entry in inputs:
        path = Path(entry)
        if os.path.isdir(path):
            for found in picture_files(path):
                yield found, Path(path.name) if found == path else found.relative_to(path)
        elif not os.path.exists(path) and glob.has_magic(entry):
            for match in sorted(glob.glob(entry, recursive=True)):
                if os.path.isfile(match):
                    yield Path(match), Path(Path(match).name)
        else:
            yield path, Path(path.name)


def _without_results(
    sources: list[tuple[Path, Path]], inputs: list[str], output: Path | None, suffix: str
) -> list[tuple[Path, Path]]:
    """Leave out of what folders hold the results of an earlier run, and say so.

    They lie in its output, or have its suffix and lie beside the pictures that they were made from, or carry a recipe.
    """
    named = {Path(entry) for entry in inputs}
    searched = {path.resolve() for path in named if os.path.isdir(path)}
    place = None if output is None else output.resolve()
    stems = {source.with_suffix("") for source, _ in sources}

    def is_result(source: Path) -> bool:
        if source in named:
            return False
        if place in source.resolve().parents and place not in searched:
            return True
        stem = source.stem.removesuffix(f"-{suffix}")
        return stem not in ("", source.stem) and (source.with_name(stem) in stems or _carries_recipe(source))

    results = {source: None for source, _ in sources if is_result(source)}
    if len(results) == len(sources):
        raise typer.BadParameter(f"all images in {', '.join(inputs)} are results already; give the pictures themselves")
    if results:
        count = f"{len(results)} result{'s' * (len(results) > 1)}"
        more = ", ..." if len(results) > 1 else ""
        print(f"left out: {count} of an earlier run ({one_line(next(iter(results)).name)}{more})", file=sys.stderr)
    return [(source, relative) for source, relative in sources if source not in results]


def _carries_recipe(source: Path) -> bool:
    from anew.images import read_frames

    try:
        return read_frames(source)[0].facts.recipe is not None
    except AnewError:
        return False  # what is wrong with it is said when its turn comes


def _refuse_file(output: Path) -> None:
    there = os.path.exists(output)
    if not os.path.isdir(output) and (there or is_image_name(output)):
        what = "is a file" if there else "is the name of a file"
        raise typer.BadParameter(f"a folder, or several inputs, need a folder as output; {output} {what}")


def _is_folder(output: Path) -> bool:
    return os.path.isdir(output) or not (output.suffix or os.path.exists(output))


def _refuse_losses(jobs: list[Job], overwrite: bool, also_read: Sequence[Path | None]) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.target is None:
            continue
        if owners.get(job.target) == job.source:
            raise typer.BadParameter(f"{job.source} is given twice; name it once")
        if job.target in owners:
            both = f"{owners[job.target]} and {job.source}"
            raise typer.BadParameter(f"{both} would both become {job.target}; give the folder that they lie in")
        owners[job.target] = job.source
        refuse_inputs(job.target, also_read)
        refuse_to_replace(job.target, overwrite=overwrite, instead="--overwrite, --skip-existing or another -o")
