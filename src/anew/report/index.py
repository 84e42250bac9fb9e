"""An index of the reports in a folder, as one self-contained HTML page."""

from __future__ import annotations

import os
import re
from html import escape, unescape
from pathlib import Path
from string import Template
from urllib.parse import quote

from anew.codecs import storage
from anew.report.template import INDEX, INDEX_MARK, REPORT_MARK

HEAD = 1024  # bytes of a page that tell what it is
VERDICT = re.compile('<meta name="description" content="([^"]*)">')


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
    heads = {page.relative_to(folder): _head_of(page) for page in folder.rglob("*.html")}
    reports = sorted((page for page, head in heads.items() if REPORT_MARK in head), key=_in_order)
    count = f"{len(reports)} {'picture' if len(reports) == 1 else 'pictures'}"
    text = Template(INDEX).substitute(count=count, links="\n".join(_entry(page, heads[page]) for page in reports))
    storage.save(str(index), text.encode(errors="replace"), overwrite=True)
    return index


def _in_order(page: Path) -> list[tuple[int, str]]:
    """Sort by name, but numbers by their value: frame 10 after frame 9."""
    parts = re.split("([0-9]+)", str(page))
    return [(int(part) if number % 2 else 0, part) for number, part in enumerate(parts)]


def _entry(page: Path, head: str) -> str:
    """Give the line of one report."""
    said = VERDICT.search(head)
    verdict = f"<br><small>{escape(unescape(said[1]))}</small>" if said else ""
    return f'<li><a href="{quote(os.fsencode(page.as_posix()))}">{escape(str(page.with_suffix("")))}</a>{verdict}</li>'


def _head_of(page: Path) -> str:
    """Read the beginning of a page; nothing of what is no file that can be read."""
    try:
        with page.open("rb") as file:
            return file.read(HEAD).decode(errors="replace")
    except OSError:
        return ""
