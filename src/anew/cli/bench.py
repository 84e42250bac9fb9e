"""``anew bench``: every method of a task on the same damaged pictures."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anew.cli import options as o
from anew.cli.one_line import one_line, say
from anew.cli.targets import check_folder

if TYPE_CHECKING:
    from anew.bench.plan import BenchPlan
    from anew.bench.runner import BenchRun, ContenderResult
    from anew.bench.summary import Row

commands = typer.Typer()

LEVELS = {"sigma": ("denoise", "deblur"), "quality": ("deblock",), "scale": ("upscale",)}


@commands.command(epilog="Example:  anew bench denoise --data my-photos/ --limit 10 -o bench/")
def bench(
    task: Annotated[str, typer.Argument(metavar="TASK", help="denoise, deblock, upscale, inpaint, deblur or relight.")],
    data: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Clean pictures, or a set in $ANEW_DATA/testsets. Default: built-in ones."),
    ] = None,
    methods: Annotated[str, typer.Option(metavar="all|A,B", help="Which methods.")] = "all",
    peers: Annotated[bool, typer.Option("--peers", help="Add methods of other libraries that are installed.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Default: anew-bench-TASK.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="So many pictures, evenly chosen.")] = None,
    sigma: Annotated[str | None, typer.Option(metavar="15,25,50", help="Noise of 255 (denoise, deblur).")] = None,
    quality: Annotated[str | None, typer.Option(metavar="10,20", help="JPEG quality (deblock).")] = None,
    scale: Annotated[str | None, typer.Option(metavar="2,3,4", help="Factors (upscale).")] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Take the luma of colour pictures.")] = False,
    crop: Annotated[
        float, typer.Option(min=0.01, metavar="M", help="Cut larger pictures to so many megapixels.")
    ] = 1.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure anew what DIR holds already.")] = False,
    as_json: o.AsJson = False,
) -> None:
    """Find the best method: quality, time and memory of each.

    Clean pictures are damaged, every method repairs them in a process of its own, and the results are compared with
    the clean ones. DIR gets index.html, table.csv, bench.json and results.jsonl; a run that was stopped goes on where
    it ended.
    """
    from anew.bench.files import write_files
    from anew.bench.pictures import RESULTS
    from anew.bench.plan import BenchPlan
    from anew.bench.protocols import PROTOCOLS
    from anew.bench.runner import run_bench
    from anew.bench.summary import rows_of

    if task not in PROTOCOLS:
        raise typer.BadParameter(f"unknown task {task!r}; benchmarks exist for {', '.join(PROTOCOLS)}")
    levels = _levels(task, {"sigma": sigma, "quality": quality, "scale": scale})
    plan = BenchPlan(
        task=task,
        data=data,
        limit=limit,
        grey=grey,
        crop_megapixels=crop,
        levels=levels,
        methods=methods,
        peers=peers,
    )
    folder = output if output is not None else Path(f"anew-bench-{task}")
    check_folder(folder)
    for name in ("index.html", "table.csv", "bench.json"):
        if (folder / name).exists() and not (folder / RESULTS).exists():
            raise typer.BadParameter(f"{folder / name} is of no benchmark; choose another -o")
    try:
        run = run_bench(plan, folder, progress=Lines(plan), fresh=fresh)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    rows = rows_of(run)
    _print_result(run, rows, write_files(run, rows), as_json=as_json)
    if run.stopped:
        say("stopped; the same command goes on from here")
        raise typer.Exit(130)
    if run.unusable:
        raise typer.Exit(1)


def _print_result(run: BenchRun, rows: list[Row], page: Path, *, as_json: bool) -> None:
    """Print the table, and on standard error where the page lies and what took no part."""
    from anew.bench.tables import as_json as table_as_json
    from anew.bench.tables import as_text

    print(file=sys.stderr)
    print(table_as_json(run, rows) if as_json else as_text(run, rows))
    print(f"\n{one_line(str(page))}", file=sys.stderr)
    for line in run.unusable:
        say(f"left out: {line}")


def _levels(task: str, given: dict[str, str | None]) -> tuple[float, ...] | None:
    """Read the levels that were asked for, of the kind that the task has."""
    chosen: tuple[float, ...] | None = None
    for name, text in given.items():
        if text is None:
            continue
        if task not in LEVELS[name]:
            raise typer.BadParameter(f"--{name} is for {' and '.join(LEVELS[name])}, not for {task}; leave it out")
        try:
            chosen = tuple(sorted({float(part) for part in text.split(",")}))
        except ValueError:
            raise typer.BadParameter(f"expected numbers with commas, got {text!r}", param_hint=f"--{name}") from None
        least, most = {"sigma": (0.0, 255.0), "quality": (1.0, 100.0), "scale": (2.0, 8.0)}[name]
        whole = name != "sigma" and any(value % 1 for value in chosen)
        if whole or not all(least <= value <= most for value in chosen):
            kind = "numbers" if name == "sigma" else "whole numbers"
            raise typer.BadParameter(f"expected {kind} from {least:g} to {most:g}, got {text}", param_hint=f"--{name}")
    return chosen


class Lines:
    """Progress on standard error: one line per method, rewritten while it runs if a person is watching."""

    def __init__(self, plan: BenchPlan) -> None:
        self._task = plan.task
        self._shown = ""
        self._live = sys.stderr.isatty()
        self._start = time.perf_counter()

    def __call__(self, result: ContenderResult, index: int, count: int) -> None:
        """Say how far a method is."""
        done = len(result.scores)
        head = f"[{index}/{count}] {self._task} {result.contender.name}"
        line = f"{head}: {done} of {result.total}"
        if done:
            line += f", {sum(r['psnr'] for r in result.scores.values()) / done:.2f} dB"
        line += f" ({time.perf_counter() - self._start:.0f} s)"
        if self._live:
            new = not self._shown.startswith(f"{head}:")
            print("\n" if new and self._shown else "\r\033[K", line, sep="", end="", file=sys.stderr, flush=True)
            self._shown = line
        elif result.complete:
            print(line, file=sys.stderr, flush=True)
