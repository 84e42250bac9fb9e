"""``anew models NAME --inspect DIR``: what a network looks at, as pictures and tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from anew.cli.one_line import one_line, say
from anew.cli.targets import check_folder, refuse_to_replace


def run_inspection(
    name: str | None, folder: Path, shown: Path | None, at: tuple[int, int] | None, *, overwrite: bool, as_json: bool
) -> None:
    """Inspect a model and print what was found; what could not be asked goes to standard error."""
    from anew.arrays import are_values
    from anew.images import read
    from anew.inference.inspection.report import FILES, inspect_model
    from anew.inference.inspection.subject import open_subject
    from anew.inference.inspection.tables import rows_as_text

    if name is None:
        raise typer.BadParameter("name the model that is to be inspected", param_hint="NAME")
    for file in (folder / name for name in FILES):
        refuse_to_replace(file, overwrite=overwrite, instead="--overwrite or another folder")
    check_folder(folder)
    subject = open_subject(name)
    picture = None if shown is None else read(shown).pixels
    if picture is not None and not are_values(picture):
        raise typer.BadParameter(f"{shown}: holds NaN or other values that are no picture's", param_hint="--input")
    try:
        found = inspect_model(subject, folder, picture=picture, at=at, overwrite=overwrite, say=_say)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from None
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        files = (one_line(str(file)) for file in found.files)
        print("\n".join([*found.lines(), *filter(None, [rows_as_text(found.robustness)]), *files]))
    for note in found.notes:
        say(note)


def _say(step: str) -> None:
    print(f"{step} ...", file=sys.stderr, flush=True)
