"""The files of a run: written whole or not at all, and what is said where the disk does not take them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from anew.codecs import storage
from anew.errors import CannotWrite

ADVICE = "mend that, and the same command goes on from the last checkpoint"


def whole_file(path: Path) -> AbstractContextManager[str]:
    """Give the place to write to meanwhile, as `storage.whole_file` does."""
    return storage.whole_file(str(path), overwrite=True, advice=ADVICE)


@contextmanager
def on_disk(folder: Path) -> Iterator[None]:
    """Say in one line that a file of a run cannot be written.

    Raises
    ------
    CannotWrite
    """
    try:
        yield
    except OSError as error:
        name = folder if error.filename is None else error.filename
        raise CannotWrite(f"{name}: cannot be written ({storage.reason(error)}; {ADVICE})") from None
