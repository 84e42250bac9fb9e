"""The reference names what is there, and all of it that a reader is sent to."""

from __future__ import annotations

import re
from pathlib import Path
from pkgutil import resolve_name

import pytest

import anew
from anew.metrics import distribution

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference.md").read_text()
ENTRIES = re.findall(r"^::: ([\w.]+)$(?:\n    options:\n      members: \[(.*)\]$)?", REFERENCE, re.M)


@pytest.mark.parametrize(("path", "members"), ENTRIES)
def test_every_entry_names_what_is_there(path: str, members: str) -> None:
    found = resolve_name(path)
    assert not hasattr(found, "__path__"), "of a package, a function hides behind the module of the same name"
    for name in members.split(", ") if members else ():
        assert getattr(found, name).__module__ == path


def test_the_names_in_anew_itself_are_listed() -> None:
    listed = re.search(r"^`anew` itself has ([^.]+)\.", REFERENCE, re.M)
    assert listed is not None
    assert sorted(re.findall(r"`(\w+)`", listed[1])) == anew.__all__
    for name in anew.__all__:
        home = getattr(anew, name).__module__
        assert re.search(rf"^::: {home}(\.{name}$|\n    options:\n      members: .*\b{name}\b)", REFERENCE, re.M), name


def test_every_distance_between_sets_is_there() -> None:
    shown = {name for path, members in ENTRIES if "distribution" in path for name in members.split(", ")}
    assert set(distribution.__all__) <= shown
