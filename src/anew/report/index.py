"""An index of the reports in a folder, as one self-contained HTML page."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote

from anew.codecs import storage
from anew.report.template import INDEX, INDEX_MARK, REPORT_MARK

HEAD = 1024  # bytes of a page that tell what it is
VERDICT = re.compile('<meta name="description" content="([^"]*)">')  # escaped as the page has it


def write_index(folder: Path) -> Path | None:
    """Write ``index.html``, with a link to each report in a folder and its sub-folders, and what it says in short.

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
    heads = {page.relative_to(folder): _head_of(page) for page in sorted(folder.rglob("*.html"))}
    entries = [_entry(page, head) for page, head in heads.items() if REPORT_MARK in head]
    text = Template(INDEX).substitute(count=str(len(entries)), links="\n".join(entries))
    storage.save(str(index), text.encode(errors="replace"), overwrite=True)
    return index


def _entry(page: Path, head: str) -> str:
    """Give the line of one report."""
    said = VERDICT.search(head)
    verdict = f"<br><small>{said[1]}</small>" if said else ""
    return f'<li><a href="{quote(page.as_posix())}">{escape(str(page.with_suffix("")))}</a>{verdict}</li>'


def _head_of(page: Path) -> str:
    with page.open("rb") as file:
        return file.read(HEAD).decode(errors="replace")
