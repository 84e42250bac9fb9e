"""Many files through one function: find the inputs, name the outputs, run, report, survive failures.

Exit status: 0 all done; 1 some input failed and the others are done; 2 wrong use (raised as ``typer.BadParameter``
before anything is touched). Results go to standard output, progress to standard error.
"""

from __future__ import annotations

import glob
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from anew.errors import AnewError, CannotWrite
from anew.threads import thread_count


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

GRACE = 1.0  # seconds that workers have to remove what is half written, after Ctrl-C


def plan_jobs(
    inputs: list[str], output: Path | None, *, suffix: str, overwrite: bool, skip_existing: bool = False
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

    Returns
    -------
    the jobs, and how many were skipped as their outputs exist
    """
    sources = list(_expand(inputs))
    if not sources:
        raise typer.BadParameter(f"no image found in {', '.join(inputs)}")
    if overwrite and skip_existing:
        raise typer.BadParameter("--overwrite and --skip-existing contradict each other; give one of them")
    if output is not None and str(output) == "-":
        raise typer.BadParameter("a picture goes to a file, not to standard output; name one with -o")
    to_folder = output is not None and (len(sources) > 1 or _is_folder(output) or any(os.path.isdir(i) for i in inputs))
    sources = _without_results(sources, inputs, output, suffix)
    if output is not None and to_folder and not output.is_dir() and (output.exists() or _is_image_name(output)):
        what = "is a file" if output.exists() else "is the name of a file"
        raise typer.BadParameter(f"{len(sources)} inputs need a folder as output; {output} {what}")
    if output is not None and not to_folder:
        check_file_name(output)
    jobs = []
    for source, relative in sources:
        if output is None:
            target = source.with_name(f"{source.stem}-{suffix}{source.suffix}")
        else:
            target = output / relative if to_folder else output
        jobs.append(Job(source, target, makes_folder=to_folder, relative=relative))
    left = [job for job in jobs if not (skip_existing and job.target is not None and job.target.exists())]
    _refuse_losses(left, overwrite)
    return left, len(jobs) - len(left)


def look_jobs(inputs: list[str], output: Path | None = None, *, suffix: str | None = None) -> list[Job]:
    """Expand inputs into jobs that write nothing; with a suffix, without the results that ``plan_jobs`` leaves out."""
    sources = list(_expand(inputs))
    if not sources:
        raise typer.BadParameter(f"no image found in {', '.join(inputs)}")
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
    if place.suffix and not place.is_dir():
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
            raise typer.BadParameter(f"{page} is wanted for {job.source} and is already an input or an output")
        taken.add(page.absolute())
        if page.exists() and not overwrite:
            raise typer.BadParameter(f"{page} exists already; use --overwrite or another name")
    return pages


def name_in(jobs: list[Job], folder: Path, ending: str) -> dict[Job, Path]:
    """Name a file in a folder for each job, no two alike."""
    short = Counter(job.relative.with_suffix("") for job in jobs)
    names = {job: job.relative.stem if short[job.relative.with_suffix("")] == 1 else job.relative.name for job in jobs}
    return {job: folder / job.relative.with_name(f"{name}{ending}") for job, name in names.items()}


def run_jobs(
    jobs: list[Job],
    work: Work,
    *,
    processes: int = 1,
    as_json: bool = False,
    verb: str = "working",
    skipped: int = 0,
    prepare: Callable[[Job], Job] = lambda job: job,
) -> None:
    """Run every job, print what came of each, and exit with 1 if any failed.

    ``work`` must be picklable when ``processes`` is above 1. ``prepare`` completes each job in this process, in their
    order, shortly before its turn. ``skipped`` is how many were left out before; it is told. Ctrl-C ends the run; files
    that are done stay, and writing is atomic, so nothing is left half done.
    """
    outcomes = []
    start = time.perf_counter()
    with (
        _progress(len(jobs), verb, quiet=as_json) as advance,
        closing(_outcomes(jobs, work, processes, prepare)) as run,
    ):
        for outcome in run:
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
        results = [outcome.as_json() for outcome in outcomes]
        print(json.dumps({"results": results, "skipped": skipped, "failed": failed}, indent=2))
    elif len(jobs) > 1 or skipped:
        left_out = f"{skipped} skipped, " if skipped else ""
        seconds = time.perf_counter() - start
        print(f"{len(jobs) - failed} done, {left_out}{failed} failed, {seconds:.1f} s", file=sys.stderr)
    if failed:
        raise typer.Exit(1)


def attempt(work: Work, job: Job) -> Outcome:
    """Run one job; what is wrong with its file becomes its outcome instead of ending the whole run."""
    start = time.perf_counter()
    try:
        if job.target is not None and job.makes_folder:
            make_folder(job.target.parent)
        outcome = work(job)
    except AnewError as error:
        return Outcome(job, error=str(error), seconds=time.perf_counter() - start)
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, (ValueError, TypeError, MemoryError)):
            reason = f"{type(error).__name__}, which should not happen: {reason}"
        return Outcome(job, error=f"{job.source}: {reason}", seconds=time.perf_counter() - start)
    return Outcome(job, outcome.text, outcome.facts, None, time.perf_counter() - start)


def make_folder(folder: Path) -> None:
    """Make a folder that a person named, with those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot make this folder ({error.strerror}); choose another -o") from None


def _outcomes(
    jobs: list[Job], work: Work, processes: int, prepare: Callable[[Job], Job] = lambda job: job
) -> Generator[Outcome, None, None]:
    if processes == 1 or len(jobs) == 1:
        for job in jobs:
            yield replace(attempt(work, prepare(job)), job=job)
        return
    import multiprocessing

    workers = min(processes, len(jobs))
    threads = max(1, thread_count() // workers)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_set_up_worker, initargs=(threads,))
    coming = iter(jobs)
    running: dict[Future[Outcome], Job] = {}
    try:
        while True:
            for job in islice(coming, 2 * workers - len(running)):
                running[_submitted(pool, work, prepare(job))] = job
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                job = running.pop(future)
                try:
                    yield replace(future.result(), job=job)
                except (BrokenExecutor, OSError):  # with one killed, most likely for memory, all that is left is lost
                    what = "a process ended early, most likely for want of memory; run it again with fewer --jobs"
                    yield Outcome(job, error=f"{job.source}: {what}")
    except BaseException:  # Ctrl-C above all; the pool itself would wait for the jobs that have begun
        _end_workers()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, work: Work, job: Job) -> Future[Outcome]:
    try:
        with _interrupts_held():  # a worker that it starts leaves Ctrl-C to this process
            return pool.submit(_attempt_in_worker, work, job)
    except BrokenExecutor as error:
        lost: Future[Outcome] = Future()
        lost.set_exception(error)
        return lost


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Put Ctrl-C off, for this thread and for good in the processes that it starts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _attempt_in_worker(work: Work, job: Job) -> Outcome:
    try:
        return attempt(work, job)
    except SystemExit:  # told to end; what was half written is removed by now, and the pool would go on
        os._exit(1)


def _set_up_worker(threads: int) -> None:
    """Give a worker its share of the cores, and let it end when this process says so, and then tidily."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
    import cv2

    cv2.setNumThreads(threads)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))


def _end_workers() -> None:
    import multiprocessing

    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + GRACE
    for worker in workers:
        worker.join(max(0.0, end - time.monotonic()))
        worker.kill()  # one that is deep in compiled code writes nothing


def _expand(inputs: list[str]) -> Iterator[tuple[Path, Path]]:
    """Give (file, path relative to the folder that named it)."""
    from anew.codecs.formats import picture_files

    for entry in inputs:
        if not entry:
            raise typer.BadParameter("a name is empty; write . for the folder that you are in")
        path = Path(entry)
        if path.is_dir():
            for found in picture_files(path):
                yield found, found.relative_to(path)
        elif not path.exists() and glob.has_magic(entry):
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
    searched = {path.resolve() for path in named if path.is_dir()}
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
        print(f"left out: {count} of an earlier run ({next(iter(results)).name}{more})", file=sys.stderr)
    return [(source, relative) for source, relative in sources if source not in results]


def _carries_recipe(source: Path) -> bool:
    from anew.images import read_frames

    try:
        return read_frames(source)[0].facts.recipe is not None
    except AnewError:
        return False  # what is wrong with it is said when its turn comes


def _is_folder(output: Path) -> bool:
    return output.is_dir() or not output.suffix


def _is_image_name(path: Path) -> bool:
    from anew.codecs.formats import ENDINGS

    return path.suffix.lower() in ENDINGS


def check_file_name(output: Path) -> None:
    """Refuse a name that no picture can be written under, before anything is computed."""
    from anew.codecs.formats import ENDINGS

    if not _is_image_name(output):
        raise typer.BadParameter(f"{output}: no known image format (known endings: {' '.join(sorted(ENDINGS))})")
    check_parent(output)


def check_parent(output: Path) -> None:
    """Refuse a file in a folder that is not there, before anything is computed."""
    if not output.parent.is_dir():
        raise typer.BadParameter(f"{output.parent}: there is no such folder; make it, or choose another -o")


def _refuse_losses(jobs: list[Job], overwrite: bool) -> None:
    owners: dict[Path, Path] = {}
    for job in jobs:
        if job.target is None:
            continue
        if job.target in owners:
            raise typer.BadParameter(f"{owners[job.target]} and {job.source} would both become {job.target}")
        owners[job.target] = job.source
        if job.target.exists() and not overwrite:
            raise typer.BadParameter(f"{job.target} exists already; use --overwrite, --skip-existing or another -o")


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
