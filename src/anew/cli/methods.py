"""``anew methods``: what there is to choose from."""

from __future__ import annotations

import json
import re
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from anew.cli import options as o

if TYPE_CHECKING:
    from anew.registry import Method

commands = typer.Typer()

WIDEST = 100  # columns that text is wrapped at
TOGETHER = "\N{NO-BREAK SPACE}"


@commands.command(epilog="Example:  anew methods denoise")
def methods(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="One task only.", show_default=False)] = None,
    as_json: o.AsJson = False,
) -> None:
    """List the methods, the default first.

    Of one task, with when to use which.
    """
    from anew.registry import METHODS, TASKS

    if task is not None and task not in TASKS:
        raise typer.BadParameter(f"unknown task {task!r}; tasks are {', '.join(TASKS)}")
    chosen = [m for m in METHODS if task in (None, m.task)]
    if as_json:
        rows = [
            {
                "task": m.task,
                "name": m.name,
                "summary": m.summary,
                "use": plain(m.use),
                "paper": m.paper,
                "library": m.library,
                "options": list(m.parameters),
            }
            for m in chosen
        ]
        print(json.dumps({"methods": rows}, indent=2, ensure_ascii=False))
        return
    width, columns = max(len(m.name) for m in chosen), min(get_terminal_size().columns, WIDEST)
    for verb in TASKS if task is None else [task]:
        print(f"{verb}: {TASKS[verb].summary}")
        for m in chosen:
            if m.task == verb:
                print(f"  {m.name:<{width}}  {m.summary}")
                if task is not None:
                    margin = " " * (width + 4)
                    use = fill(_at_the_command_line(m), columns, initial_indent=margin, subsequent_indent=margin)
                    print(use.replace(TOGETHER, " "))
                    print(f"{margin}options: {', '.join(m.parameters) or 'none'}")
                    print(f"{margin}{m.paper}")
        print()


def _at_the_command_line(method: Method) -> str:
    """Say when to use a method, with its options as they are typed."""
    options = "|".join(method.parameters)
    return plain(re.sub(rf'``({options})="([^"`]+)"``', rf"``--set{TOGETHER}\1=\2``", method.use))


def plain(text: str) -> str:
    """Take the marks of a docstring away: ``"bm3d"`` becomes bm3d."""
    return re.sub(r'``("?)([^`]*?)\1``', r"\2", text)
