"""Many files through one function: run, report, survive failures.

Exit status: 0 all done; 1 some input failed and the others are done; 2 wrong use (``jobs.py``). Results go to standard
output, progress to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import closing

import typer

from anew.cli.attempt import Work
from anew.cli.bars import file_bar
from anew.cli.jobs import Job
from anew.cli.one_line import named_in_lines, say
from anew.cli.workers import outcomes


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
    done = []
    start = time.perf_counter()
    with (
        file_bar(len(jobs), verb, quiet=as_json) as advance,
        closing(outcomes(jobs, work, processes, prepare)) as run,
    ):
        for outcome in run:
            done.append(outcome)
            advance(outcome)
            if outcome.error:
                say(outcome.error)
            elif not as_json and outcome.text:
                print(named_in_lines(outcome.text, outcome.job.source, outcome.job.target), flush=True)
    failed = sum(outcome.error is not None for outcome in done)
    if as_json:
        order = {job: index for index, job in enumerate(jobs)}
        done.sort(key=lambda outcome: order[outcome.job])
        results = [outcome.as_json() for outcome in done]
        print(json.dumps({"results": results, "skipped": skipped, "failed": failed}, indent=2))
    elif len(jobs) > 1 or skipped:
        left_out = f"{skipped} skipped, " if skipped else ""
        seconds = time.perf_counter() - start
        print(f"{len(jobs) - failed} done, {left_out}{failed} failed, {seconds:.1f} s", file=sys.stderr)
    if failed:
        raise typer.Exit(1)
