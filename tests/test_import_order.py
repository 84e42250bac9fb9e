"""Imports run one way: the packages of anew in their order, each of which imports only from those before it.

``ORDER`` is the architecture. An entry stands for a module or a package and all that is in it, unless a part of it has
an entry of its own: the folders of ``restoration`` hold the methods and stand before the registry that lists them; the
files beside these folders run the methods, and stand after it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import anew

ORDER = [
    "anew",  # the version; and the public names, which come from where they live when they are used
    # What says nothing of any damage: errors, arrays, options, numbers, and the tools on images that all share.
    "anew.errors",
    "anew.threads",
    "anew.randomness",
    "anew.options",
    "anew.arrays",
    "anew.tiles",
    "anew.small_copy",
    "anew.resampling",
    "anew.transparency",
    "anew.ycbcr",
    "anew.jpeg_tables",
    "anew.block_dct",
    "anew.contact_sheet",
    "anew.kernels",  # compiled loops
    "anew.structure",  # edges, lines, shapes, text lines: what a picture is made of
    # Files.
    "anew.codecs",
    "anew.images",
    # How images get damaged, how trained models run, how to tell what is wrong, and how good a result is.
    "anew.degradations",
    "anew.inference",
    "anew.diagnosis",
    "anew.metrics",
    # New images, and what learns: networks, losses and training need torch.
    "anew.generation",
    "anew.networks",
    "anew.losses",
    "anew.training",
    "anew.recipes",
    # The methods that undo damage: one folder for each task. One may be built on those of a folder before it.
    "anew.restoration.by_name",
    "anew.restoration.denoising",
    "anew.restoration.deblurring",
    "anew.restoration.inpainting",
    "anew.restoration.upscaling",
    "anew.restoration.deblocking",
    "anew.restoration.relighting",
    "anew.restoration.unwarping",
    # The list of all methods, and what runs them: tasks, checks, plans, automatic restoration.
    "anew.registry",
    "anew.restoration",
    # What people see.
    "anew.report",
    "anew.bench",
    "anew.cli",
]

HIGHEST_HOME = "anew.restoration"  # of the public names: who imports ``anew`` itself may use any of them

SOURCE = Path(anew.__file__).parent


def module_of(file: Path) -> str:
    """Give the dotted name of a source file."""
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in sorted(SOURCE.rglob("*.py"))}


def place_of(module: str) -> int:
    """Give the place in ``ORDER`` of the longest entry that a module is, or is in."""
    parts = module.split(".")
    names = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    entry = next(name for name in names if name in ORDER)
    assert entry != "anew" or module == "anew", f"{module} has no place in ORDER"
    return ORDER.index(entry)


def run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, into functions too, but not into what only type checkers read."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        children: list[ast.AST] = list(node.orelse)
    else:
        yield node
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from run_time_nodes(child)


def imports_of(text: str) -> Iterator[tuple[str, int]]:
    """Give each module of anew that a source imports, with the line."""
    for node in run_time_nodes(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "anew imports by whole names"
            within = [f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__"]
            names = [name if name in MODULES else str(node.module) for name in within]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "anew":
                yield (HIGHEST_HOME if name == "anew" else name), node.lineno


def upward_imports(module: str, text: str) -> list[str]:
    """Give the imports of a module from what stands after it, as lines to read."""
    return [
        f"{module}, line {line}, imports {name}" for name, line in imports_of(text) if place_of(name) > place_of(module)
    ]


def test_every_entry_of_the_order_is_there_and_stands_once() -> None:
    assert set(ORDER) <= set(MODULES)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("entry", ORDER)
def test_a_package_imports_only_from_those_before_it(entry: str) -> None:
    own = [module for module in MODULES if ORDER[place_of(module)] == entry]
    assert [line for module in own for line in upward_imports(module, MODULES[module].read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("text", "upward"),
    [
        ("from anew.arrays import Image", 0),
        ("from anew.restoration.tasks import denoise", 1),
        ("import anew.cli.main", 1),
        ("from anew import registry", 1),
        ("from anew import __version__", 0),
        ("from anew import denoise", 1),
        ("import anew", 1),
        ("def f():\n    from anew.registry import METHODS", 1),
        ("class A:\n    def f(self):\n        if self:\n            import anew.bench.runner", 1),
        ("if TYPE_CHECKING:\n    from anew.registry import Method", 0),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from anew.registry import Method", 1),
    ],
)
def test_an_import_from_above_is_seen_wherever_it_stands(text: str, upward: int) -> None:
    assert len(upward_imports("anew.diagnosis.noise", text)) == upward


def test_no_two_modules_import_each_other() -> None:
    imported = {module: {name for name, _ in imports_of(file.read_text("utf-8"))} for module, file in MODULES.items()}

    def reach(module: str, seen: set[str]) -> set[str]:
        for name in imported.get(module, set()) - seen:
            seen.add(name)
            reach(name, seen)
        return seen

    assert [module for module in MODULES if module in reach(module, set())] == []
