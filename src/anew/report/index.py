"""An index of the reports in a folder, as one self-contained HTML page."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from anew.codecs import storage
from anew.report.template import INDEX, INDEX_MARK, REPORT_MARK

HEAD = 512  # bytes of a page that tell what it is


def write_index(folder: Path) -> Path | None:
    """Write ``index.html``, with a link to each report in a folder and its sub-folders.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Path or None
        None if another page has that name already; it is left alone.

    Raises
    ------
    CannotWrite
        If it cannot be written.
    """
    index = folder / "index.html"
    if index.exists() and INDEX_MARK not in _head_of(index):
        return None
    pages = sorted(page.relative_to(folder) for page in folder.rglob("*.html") if REPORT_MARK in _head_of(page))
    links = "\n".join(f'<li><a href="{quote(p.as_posix())}">{escape(str(p.with_suffix("")))}</a></li>' for p in pages)
    text = Template(INDEX).substitute(count=str(len(pages)), links=links)
    storage.save(str(index), text.encode(errors="replace"), overwrite=True)
    return index


def _head_of(page: Path) -> str:
    with page.open("rb") as file:
        return file.read(HEAD).decode(errors="replace")
