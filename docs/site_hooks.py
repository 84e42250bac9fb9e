"""Make the benchmark page, and a page for every method with the picture of its example, each in the navigation."""

from __future__ import annotations

import io
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

from benchmark_page import make_benchmark_page
from method_examples import run_example
from method_page import make_method_page

from anew.arrays import Image, as_image
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.registry import METHODS, TASKS, Method


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put every method into the navigation, under its task."""
    entries: list[Any] = [{"All methods": "methods/index.md"}]
    for verb in TASKS:
        entries.append({verb: [{m.name: f"methods/{verb}-{m.name}.md"} for m in METHODS if m.task == verb]})
    assert config.nav is not None
    for entry in config.nav:
        if "Methods" in entry:
            entry["Methods"] = entries
    return config


def on_page_markdown(markdown: str, page: Page, **_: Any) -> None:
    """Leave the left column to the text where it would hold one entry alone."""
    if page.parent is None:
        page.meta.setdefault("hide", ["navigation"])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages and pictures to the site."""
    index = ["# Methods", "", "The first of each task is its default.", ""]
    for verb, task in TASKS.items():
        index += [f"## {verb}: {task.summary}", "", "| method | what it does | use it | seconds |", "|---|---|---|--:|"]
        for method in (m for m in METHODS if m.task == verb):
            page = f"{verb}-{method.name}"
            before, after, seconds = timed_example(method)
            if seconds is not None:
                files.append(File.generated(config, f"methods/{page}.jpg", content=sheet(before, after)))
            files.append(File.generated(config, f"methods/{page}.md", content=make_method_page(method, seconds)))
            use, took = method.use.removeprefix("Use it "), "-" if seconds is None else f"{seconds:.2f}"
            index.append(f"| [{method.name}]({page}.md) | {method.summary} | {use} | {took} |")
        index.append("")
    index.append("Seconds: what the example on the method's page took where this site was built.")
    files.append(File.generated(config, "methods/index.md", content="\n".join(index)))
    files.append(File.generated(config, "benchmark.md", content=make_benchmark_page()))
    return files


def timed_example(method: Method) -> tuple[Any, Any, float | None]:
    """Run the example, and once before to warm up unless it trains; what trains does not run without torch."""
    if method.trains and not find_spec("torch"):
        return None, None, None
    if not method.trains:
        run_example(method)
    start = time.perf_counter()
    before, after = run_example(method)
    return before, after, time.perf_counter() - start


def sheet(before: Any, after: Any) -> bytes:
    """Give before and after as one JPEG; a small picture in the size of the enlarged one, its pixels as squares."""
    from PIL import Image as Pillow

    tiles = [Tile("before", enlarged(as_image(before), as_image(after).shape)), Tile("after", as_image(after))]
    buffer = io.BytesIO()
    Pillow.fromarray(draw_contact_sheet(tiles, tile_width=400)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def enlarged(image: Image, shape: tuple[int, ...]) -> Image:
    """Repeat the pixels of an image until it has this height and width."""
    return image.repeat(shape[0] // image.shape[0], axis=0).repeat(shape[1] // image.shape[1], axis=1)
