"""Where results go: a name is refused before anything is computed, if something would be lost or nothing written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import typer

from anew.errors import CannotWrite


def is_image_name(path: Path) -> bool:
    """Tell whether a name ends as that of a picture does."""
    from anew.codecs.formats import ENDINGS

    return path.suffix.lower() in ENDINGS


def check_file_name(output: Path) -> None:
    """Refuse a name that no picture can be written under, before anything is computed."""
    from anew.codecs.formats import KNOWN_ENDINGS

    if not is_image_name(output):
        raise typer.BadParameter(f"{output}: no known image format ({KNOWN_ENDINGS})")
    check_parent(output)


def check_target(output: Path, *, overwrite: bool, inputs: Iterable[Path | None] = ()) -> None:
    """Refuse a file that something would be lost to, or that cannot be written, before anything is computed."""
    refuse_inputs(output, inputs)
    refuse_to_replace(output, overwrite=overwrite)
    check_parent(output)


def check_parent(output: Path) -> None:
    """Refuse a file in a folder that is not there, or may not be written to, before anything is computed."""
    if not os.path.isdir(output.parent):
        raise typer.BadParameter(f"{output.parent}: there is no such folder; make it, or choose another -o")
    check_folder(output.parent)


def check_folder(folder: Path) -> None:
    """Refuse a folder that may not be written to, or cannot be made, before anything is computed."""
    there = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    if not os.path.isdir(there):
        raise typer.BadParameter(f"{folder}: cannot be a folder, as {there} is a file; choose another")
    if not os.access(there, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"no permission to write in {there}; change that, or choose another folder")


def refuse_inputs(output: Path, inputs: Iterable[Path | None]) -> None:
    """Refuse to write over what else is read, also where replacing is allowed."""
    for given in inputs:
        if given is not None and os.path.exists(output) and os.path.exists(given) and output.samefile(given):
            raise typer.BadParameter(f"{output} is an input, which would be lost; choose another name")


def refuse_to_replace(output: Path, *, overwrite: bool, instead: str = "--overwrite or another -o") -> None:
    """Refuse to replace a file, unless that is allowed and it may be written."""
    from anew.codecs import storage

    if not os.path.exists(output):
        return
    if not overwrite:
        raise typer.BadParameter(f"{output} exists already; use {instead}")
    try:
        storage.check_target(str(output), overwrite=True)
    except CannotWrite as error:
        raise typer.BadParameter(str(error)) from None


def make_folder(folder: Path) -> None:
    """Make a folder that a person named, with those above it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot make this folder ({error.strerror}); choose another place") from None
