"""Make the benchmark page, and a page for every method with the picture of its example."""

from __future__ import annotations

import io
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

from benchmark_page import make_benchmark_page
from method_examples import run_example
from method_page import make_method_page

from anew.arrays import as_image
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.registry import METHODS, TASKS, Method


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and pictures to the site."""
    index = ["# Methods", "", "The first of each task is its default.", ""]
    for verb, task in TASKS.items():
        index += [f"## {verb}: {task.summary}", "", "| method | what it does | use it | seconds |", "|---|---|---|--:|"]
        for method in (m for m in METHODS if m.task == verb and (not m.trains or find_spec("torch"))):
            page = f"{verb}-{method.name}"
            before, after, seconds = timed_example(method)
            picture = sheet(before, after)
            files.append(File.generated(config, f"methods/{page}.jpg", content=picture))
            files.append(File.generated(config, f"methods/{page}.md", content=make_method_page(method, seconds)))
            use = method.use.removeprefix("Use it ")
            index.append(f"| [{method.name}]({page}.md) | {method.summary} | {use} | {seconds:.2f} |")
        index.append("")
    index.append("Seconds: what the example on the method's page took where this site was built.")
    if not find_spec("torch"):
        index.append("\nMethods that train a network for each picture are left out: torch is not installed there.")
    files.append(File.generated(config, "methods/index.md", content="\n".join(index)))
    files.append(File.generated(config, "benchmark.md", content=make_benchmark_page()))
    return files


def timed_example(method: Method) -> tuple[Any, Any, float]:
    """Run the example, and before that once to warm up unless it trains for long anyway."""
    if not method.trains:
        run_example(method)
    start = time.perf_counter()
    before, after = run_example(method)
    return before, after, time.perf_counter() - start


def sheet(before: Any, after: Any) -> bytes:
    """Give before and after as one JPEG."""
    from PIL import Image

    tiles = [Tile("before", as_image(before)), Tile("after", as_image(after))]
    buffer = io.BytesIO()
    Image.fromarray(draw_contact_sheet(tiles, tile_width=400)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()
