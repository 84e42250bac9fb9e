"""Bars with the remaining time, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anew.cli.attempt import Outcome
from anew.cli.one_line import one_line


@contextmanager
def fraction_bar(verb: str) -> Iterator[Callable[[float], None]]:
    """Show a bar with the remaining time on standard error, and give what is to be told the fraction that is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(verb, total=1.0)
        yield lambda fraction: bar.update(task, completed=fraction)


class file_bar:
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
            TextColumn("{task.fields[name]}", markup=False),
        )
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._bar.start()
        task = self._bar.add_task(self._verb, total=self._total, name="")
        return lambda outcome: self._bar.update(task, advance=1, name=one_line(outcome.job.source.name))

    def __exit__(self, *exception: object) -> None:
        if self._shown:
            self._bar.stop()
