"""``--try all``: every method of a task on one picture, side by side, with its time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from anew.cli.one_line import one_line
from anew.cli.options import read_arrays
from anew.cli.targets import check_target
from anew.cli.task_work import TaskWork, apply_task
from anew.errors import AnewError
from anew.options import near

if TYPE_CHECKING:
    from anew.contact_sheet import Tile
    from anew.images import Picture

NOT_RUN = "not run"


def write_contact_sheet(
    work: TaskWork, inputs: list[str], output: Path | None, wanted: str, *, as_json: bool = False
) -> None:
    """Run the wanted methods (``all`` or names with commas) on one picture and write the labelled sheet."""
    from anew.contact_sheet import Tile, draw_contact_sheet
    from anew.images import Picture, read, write

    if len(inputs) != 1 or Path(inputs[0]).is_dir():
        raise typer.BadParameter("a sheet shows one picture; give one file with --try")
    source = Path(inputs[0])
    target = output if output is not None else source.with_name(f"{source.stem}-{work.task}-methods.png")
    check_sheet_name(target, overwrite=work.overwrite, inputs=[source, work.mask])
    settings = _settings_of(_wanted_methods(work.task, wanted), work)
    picture = read(source, max_megapixels=work.max_megapixels)
    tiles = [Tile("input", picture.pixels, source.name)]
    for name, own in settings.items():
        tile = _try_method(replace(work, method=name, settings=own), picture)
        tiles.append(tile)
        print(f"{tile.name:<18} {tile.note}", file=sys.stderr)
    if all(tile.note.startswith(NOT_RUN) for tile in tiles[1:]):
        raise typer.BadParameter(f"no method of {work.task} ran on {source}; above is why")
    sheet = draw_contact_sheet(tiles, title=f"anew {work.task}: {source.name}")
    write(Picture.from_array(sheet), target, overwrite=work.overwrite)
    if as_json:
        methods = [{"method": tile.name, "note": tile.note} for tile in tiles[1:]]
        print(json.dumps({"input": str(source), "sheet": str(target), "task": work.task, "methods": methods}, indent=2))
    else:
        print(one_line(str(target)))


def check_sheet_name(target: Path, *, overwrite: bool, inputs: Sequence[Path | None]) -> None:
    """Refuse a name that no sheet can have, before anything is computed."""
    from anew.codecs.formats import by_name

    if by_name(target.suffix) is None:
        raise typer.BadParameter(f"{target}: no known image format; let the name end in .png")
    check_target(target, overwrite=overwrite, inputs=inputs)


def print_left_out(left_out: Mapping[str, str]) -> None:
    """Say on standard error which methods take no part, and why."""
    for name, why in left_out.items():
        print(f"{name:<18} left out: {why}", file=sys.stderr)


def _wanted_methods(task: str, wanted: str) -> list[str]:
    from anew.bench.contenders import contender_names
    from anew.registry import METHODS

    if wanted == "all":
        (_, *names), left_out = contender_names(task)
        print_left_out(left_out)
        return names
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    if not names:
        raise typer.BadParameter(f"name methods, or write all; {task} has {', '.join(METHODS.names(task))}")
    return names


def _settings_of(names: list[str], work: TaskWork) -> dict[str, dict[str, Any]]:
    """Give each method those of the settings that it takes; refuse one that none takes."""
    from anew.registry import METHODS

    try:
        methods = {name: METHODS.get(work.task, name) for name in names}
        known = {key for method in methods.values() for key in method.parameters}
        for key in (key for key in work.settings if key not in known):
            raise ValueError(f"no method of the sheet has an option {key!r}{near(key, known)}")
        settings = {}
        for name, method in methods.items():
            own = {key: value for key, value in work.settings.items() if key in method.parameters}
            settings[name] = read_arrays(method.function, own)
            method.checked(settings[name])
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--try") from None
    return settings


def _try_method(work: TaskWork, picture: Picture) -> Tile:
    """Run one method; one that cannot run on this picture says why on its tile.

    Small pictures are repaired twice, unless the method trains: of the first time most may go into compiling.
    """
    from anew.contact_sheet import Tile
    from anew.registry import METHODS

    megapixels = picture.pixels.shape[0] * picture.pixels.shape[1] / 1e6
    try:
        inputs = work.inputs_for(picture)
        for _ in range(1 if megapixels > 1 or METHODS.get(work.task, work.method).trains else 2):
            start = time.perf_counter()
            result = apply_task(picture, work.task, work.method, inputs, work.settings)
            seconds = time.perf_counter() - start
    except (AnewError, ValueError, TypeError) as error:
        return Tile(work.method, picture.pixels * 0 + 0.9, f"{NOT_RUN}: {error}")
    return Tile(work.method, result.pixels, f"{seconds:.2f} s, {seconds / megapixels:.2f} s per megapixel")
