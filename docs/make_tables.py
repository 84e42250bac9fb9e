"""Write the table of methods into the README: ``python docs/make_tables.py`` (``--check`` only compares)."""

from __future__ import annotations

import sys
from pathlib import Path

from anew.registry import METHODS, TASKS

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- methods:begin -->\n", "<!-- methods:end -->"


def methods_table() -> str:
    """Give the methods of every task as a Markdown table, the default in bold."""
    rows = ["| task | methods, the default in bold |", "|---|---|"]
    for verb, task in TASKS.items():
        first, *others = METHODS.names(verb)
        rows.append(f"| `{verb}`: {task.summary} | {', '.join([f'**{first}**', *others])} |")
    return "\n".join(rows) + "\n"


def updated(text: str) -> str:
    """Give the README with the table of now."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + methods_table() + END + rest.split(END)[1]


if __name__ == "__main__":
    old = README.read_text()
    new = updated(old)
    if "--check" in sys.argv:
        sys.exit(old != new and "the README's table of methods is old: python docs/make_tables.py")
    README.write_text(new)
