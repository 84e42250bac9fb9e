"""Write the page of one method: what it does, when to use it, what it costs, how good it is, an example, its API.

What it does and when to use it come from the docstring, the figures from ``docs/benchmarks``.
"""

from __future__ import annotations

import inspect
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from method_examples import example_of

from anew.cli.tasks import NEEDED
from anew.registry import TASKS, Method

GIVEN = {"psf": "--psf gaussian:1.6", "mask": "--mask holes.png"}
NO_PICTURE = "It trains a network, which takes torch; where this site was built there was none, so there is no picture."
FIGURES = Path(__file__).parent / "benchmarks"


def make_method_page(method: Method, seconds: float | None) -> str:
    """Give the page as Markdown; ``seconds`` is what the example took, None where it could not run."""
    module = f"anew.restoration.{TASKS[method.task].folder}.{method.function.__module__.rsplit('.', 1)[1]}"
    what = f"{method.summary[0].upper()}{method.summary[1:]}. *{method.paper}.* Implementation: {method.library}."
    parts = [f"# {method.task}: {method.name}", what, *description(method)]
    parts += ["## When to use it", method.use]
    picture = f"![before and after]({method.task}-{method.name}.jpg)"
    parts += ["## An example", NO_PICTURE if seconds is None else picture]
    parts += [f"```python\n{example_of(method)}\n```"]
    parts += [f"On the command line: `{command_of(method)}`"]
    parts += ["## Cost", cost(method, seconds)]
    quality = how_good(method)
    if quality:
        parts += ["## How good it is", quality]
    parts += ["## Parameters", f"::: {module}.{method.function.__name__}"]
    parts[-1] += "\n    options:\n      show_docstring_description: false"
    return "\n\n".join(parts) + "\n"


def command_of(method: Method) -> str:
    """Give a command that runs: with what the method cannot do without."""
    needed = [GIVEN[name] for name in method.takes if name in GIVEN]
    needed += [f"--set '{key}={NEEDED[key]}'" for key in method.parameters if key in NEEDED]
    return " ".join([f"anew {method.task} IN -o OUT --method {method.name}", *needed])


def description(method: Method) -> list[str]:
    """Give the paragraphs of the docstring between its first line and its first section, without the use."""
    text = (inspect.getdoc(method.function) or "").split("\n\nParameters\n")[0]
    return [p for p in text.split("\n\n")[1:] if not p.startswith("Use it ")]


def cost(method: Method, seconds: float | None) -> str:
    """Tabulate time and memory over sizes; of what was not measured so, say what the example took."""
    figures = growth().get((method.task, method.name), {})
    network = " `anew models` says how large the networks are." if "model" in method.parameters else ""
    took = "It trains a network for each picture, which takes minutes."
    if seconds is not None:
        took = f"The example took {seconds:.2g} seconds where this site was built."
    if not figures:
        return f"{took}{network}"
    lines = ["| megapixels | seconds | memory, MB |", "|--:|--:|--:|"]
    for size, (time, memory) in sorted(figures.items()):
        lines.append(f"| {size:g} | {time * size:.2g} | {memory:,.0f} |")
    return "\n".join(lines) + f"\n\nTwo cores. {took} More in [time and memory](../benchmark.md).{network}"


def how_good(method: Method) -> str:
    """Say the place of the method among ours on every published set of its task; empty if it is on none."""
    lines, sets = [], set()
    for table in tables(method.task):  # the one of most pictures comes first
        ranked = sorted((r for r in table["rows"] if r["kind"] == "anew"), key=lambda r: -r["mean"]["psnr"])
        place = next((i for i, r in enumerate(ranked, 1) if r["method"] == method.name), None)
        if place is None or table["set"] in sets:
            continue
        sets.add(table["set"])
        name = f"{table['set']}, {table['pictures']} pictures"
        cells = [f"{level['psnr']:.2f}" for level in ranked[place - 1]["levels"].values()]
        heads = ["set", *table["heads"], "place"]
        if not lines:
            lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {place} of {len(ranked)} |")
    if not lines:
        return ""
    more = "PSNR in dB. The protocol, the other methods and other measures: [benchmark](../benchmark.md)."
    return "\n".join([*lines, "", more])


@cache
def tables(task: str) -> list[dict[str, Any]]:
    """Give the published tables of a task, those of most pictures first."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FIGURES.glob(f"{task}-*.json"))]
    return sorted(found, key=lambda table: (-table["pictures"], table["set"]))


@cache
def growth() -> dict[tuple[str, str], dict[float, tuple[float, float]]]:
    """Give (seconds per megapixel, peak MB) by task and method and size in megapixels."""
    found: dict[tuple[str, str], dict[float, dict[str, float]]] = {}
    speed = json.loads((FIGURES / "speed.json").read_text(encoding="utf-8"))
    for measurement in speed["measurements"]:
        _, task, name, size, what = measurement["name"].split("/")
        found.setdefault((task, name), {}).setdefault(float(size.split()[0]), {})[what] = measurement["value"]
    return {
        key: {size: (values["time"], values["memory"]) for size, values in sizes.items() if len(values) == 2}
        for key, sizes in found.items()
    }
