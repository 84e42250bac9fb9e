"""``anew methods``: what there is to choose from."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from anew.cli import options as o

commands = typer.Typer()


@commands.command(epilog="Example:  anew methods denoise")
def methods(
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="One task only.", show_default=False)] = None,
    as_json: o.AsJson = False,
) -> None:
    """List the methods of every task, the default of each first."""
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
                "paper": m.paper,
                "library": m.library,
                "options": list(m.parameters),
            }
            for m in chosen
        ]
        print(json.dumps({"methods": rows}, indent=2, ensure_ascii=False))
        return
    width = max(len(m.name) for m in chosen)
    for verb in TASKS if task is None else [task]:
        print(f"{verb}: {TASKS[verb].summary}")
        for m in chosen:
            if m.task == verb:
                print(f"  {m.name:<{width}}  {m.summary}")
                if task is not None:
                    print(f"  {'':<{width}}  options: {', '.join(m.parameters) or 'none'}")
                    print(f"  {'':<{width}}  {m.paper}")
        print()
