"""Many files through one function: find the inputs, name the outputs, run, report, survive failures.

Exit status: 0 all done; 1 some input failed and the others are done; 2 wrong use (raised as ``typer.BadParameter``
before anything is touched). Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from anew.errors import AnewError, CannotWrite


@dataclass(frozen=True)
class Job:
    """One input file, and the file that its result goes to (None if the command only looks).

    ``makes_folder`` says that the target's folder was named as an output folder and may be made.
    """

    source: Path
    target: Path | None
    makes_folder: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of one job: words for a person, facts for a program, or an error."""

    job: Job
    text: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Give the entry that ``--json`` prints for this file."""
        target = None if self.job.target is None else str(self.job.target)
        status = "failed" if self.error else "done"
        entry = {"input": str(self.job.source), "output": target, "status": status, "seconds": round(self.seconds, 3)}
        return {**entry, "error": self.error} if self.error else {**entry, **self.facts}


Work = Callable[[Job], Outcome]


def plan_jobs(
    inputs: list[str], output: Path | None, *, suffix: str, overwrite: bool, skip_existing: bool = False
) -> list[Job]:
    """Expand files, folders and patterns into jobs, and refuse what would lose a file.

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
    """
    sources = list(_expand(inputs))
    if not sources:
        raise typer.BadParameter(f"no image found in {', '.join(inputs)}")
    to_folder = output is not None and (len(sources) > 1 or _is_folder(output) or any(os.path.isdir(i) for i in inputs))
    if output is not None and to_folder and output.is_file():
        raise typer.BadParameter(f"{len(sources)} inputs need a folder as output; {output} is a file")
    jobs = []
    for source, relative in sources:
        if output is None:
            target = source.with_name(f"{source.stem}-{suffix}{source.suffix}")
        else:
            target = output / relative if to_folder else output
        jobs.append(Job(source, target, makes_folder=to_folder))
    if skip_existing:
        jobs = [job for job in jobs if job.target is None or not job.target.exists()]
    _refuse_losses(jobs, overwrite)
    return jobs


def look_jobs(inputs: list[str]) -> list[Job]:
    """Expand inputs into jobs that write nothing."""
    jobs = [Job(source, None) for source, _ in _expand(inputs)]
    if not jobs:
        raise typer.BadParameter(f"no image found in {', '.join(inputs)}")
    return jobs


def run_jobs(jobs: list[Job], work: Work, *, processes: int = 1, as_json: bool = False, verb: str = "working") -> None:
    """Run every job, print what came of each, and exit with 1 if any failed.

    ``work`` must be picklable when ``processes`` is above 1. Ctrl-C ends the run; files that are done stay, and
    writing is atomic, so nothing is left half done.
    """
    outcomes = []
    start = time.perf_counter()
    with _progress(len(jobs), verb, quiet=as_json) as advance:
        for outcome in _outcomes(jobs, work, processes):
            outcomes.append(outcome)
            advance(outcome)
            if outcome.error:
                print(f"anew: {outcome.error}", file=sys.stderr)
            elif not as_json and outcome.text:
                print(outcome.text, flush=True)
    failed = sum(outcome.error is not None for outcome in outcomes)
    if as_json:
        order = {job: index for index, job in enumerate(jobs)}
        outcomes.sort(key=lambda outcome: order[outcome.job])
        print(json.dumps({"results": [o.as_json() for o in outcomes], "failed": failed}, indent=2))
    elif len(jobs) > 1:
        print(f"{len(jobs) - failed} done, {failed} failed, {time.perf_counter() - start:.1f} s", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def attempt(work: Work, job: Job) -> Outcome:
    """Run one job; what is wrong with its file becomes its outcome instead of ending the whole run."""
    start = time.perf_counter()
    try:
        if job.target is not None and job.makes_folder:
            _make_folder(job.target.parent)
        outcome = work(job)
    except AnewError as error:
        return Outcome(job, error=str(error), seconds=time.perf_counter() - start)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, (ValueError, TypeError, MemoryError)):
            reason = f"{type(error).__name__}, which should not happen: {reason}"
        return Outcome(job, error=f"{job.source}: {reason}", seconds=time.perf_counter() - start)
    return Outcome(job, outcome.text, outcome.facts, None, time.perf_counter() - start)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot make this folder ({error.strerror}); choose another -o") from None


def _outcomes(jobs: list[Job], work: Work, processes: int) -> Iterator[Outcome]:
    if processes == 1 or len(jobs) == 1:
        for job in jobs:
            yield attempt(work, job)
        return
    import multiprocessing

    workers = min(processes, len(jobs))
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_limit_threads, initargs=(threads,))
    try:
        futures: dict[Future[Outcome], Job] = {pool.submit(attempt, work, job): job for job in jobs}
        for future in as_completed(futures):
            try:
                yield future.result()
            except (BrokenExecutor, OSError):  # with one killed, most likely for memory, all that is left is lost
                what = "a process ended early, most likely for want of memory; run it again with fewer --jobs"
                yield Outcome(futures[future], error=f"{futures[future].source}: {what}")
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _limit_threads(threads: int) -> None:
    """Give a worker its share of the cores."""
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    import cv2

    cv2.setNumThreads(threads)


def _expand(inputs: list[str]) -> Iterator[tuple[Path, Path]]:
    """Give (file, path relative to the folder that named it)."""
    endings = _image_endings()
    for entry in inputs:
        path = Path(entry)
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.suffix.lower() in endings and found.is_file():
                    yield found, found.relative_to(path)
        elif not path.exists() and glob.has_magic(entry):
            for match in sorted(glob.glob(entry, recursive=True)):
                if os.path.isfile(match):
                    yield Path(match), Path(Path(match).name)
        else:
            yield path, Path(path.name)


def _is_folder(output: Path) -> bool:
    return output.is_dir() or not output.suffix


def _image_endings() -> frozenset[str]:
    from anew.codecs.formats import FORMATS

    return frozenset(extension for format in FORMATS for extension in format.extensions)


def _refuse_losses(jobs: list[Job], overwrite: bool) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.target is None:
            continue
        if job.target in owners:
            raise typer.BadParameter(f"{owners[job.target]} and {job.source} would both become {job.target}")
        owners[job.target] = job.source
        if job.target.exists() and not overwrite:
            raise typer.BadParameter(f"{job.target} exists already; use --overwrite or another -o")


@contextmanager
def fraction_bar(verb: str) -> Iterator[Callable[[float], None]]:
    """Show a bar with the remaining time on standard error, and give what is to be told the fraction that is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(verb, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


class _progress:
    """A bar with the remaining time on standard error, if a person is watching and there is more than one file."""

    def __init__(self, total: int, verb: str, *, quiet: bool) -> None:
        self._shown = total > 1 and not quiet and sys.stderr.isatty()
        self._total, self._verb = total, verb

    def __enter__(self) -> Callable[[Outcome], None]:
        if not self._shown:
            return lambda outcome: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn(self._verb),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[name]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.start()
        task = self._bar.add_task(self._verb, total=self._total, name="")
        return lambda outcome: self._bar.update(task, advance=1, name=outcome.job.source.name)

    def __exit__(self, *exception: object) -> None:
        if self._shown:
            self._bar.stop()
