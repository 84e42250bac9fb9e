"""Files of a run that are written whole or not at all, also on a disk that fills up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from anew.errors import AnewError


class CannotSave(AnewError):
    """A file of a run cannot be written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the place to write to meanwhile; what lies there afterwards takes the place of the file.

    Raises
    ------
    CannotSave
        If the disk is full or the folder may not be written to; the file is then as it was.
    """
    part = path.with_suffix(".part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise CannotSave(
            f"{path}: cannot be written ({error.strerror or error}); make room, and the same command goes on from "
            "the last checkpoint"
        ) from None
    finally:
        part.unlink(missing_ok=True)
