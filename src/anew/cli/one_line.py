"""What files are called, on a terminal: a name may hold line breaks, and sequences that steer the terminal."""

from __future__ import annotations

import re
import sys
from pathlib import Path

INTERRUPTED = 130  # the exit status that Typer turns Ctrl-C into
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def one_line(text: str) -> str:
    r"""Show control characters as escapes.

    Examples
    --------
    >>> print(one_line("red\x1b[31m.png"))
    red\x1b[31m.png
    """
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def say(text: str) -> None:
    """Print one line on standard error."""
    print(f"anew: {one_line(text)}", file=sys.stderr)


def say_stopped() -> None:
    """Say what Ctrl-C did."""
    say("stopped; nothing is left half written")


def named_in_lines(text: str, *paths: Path | None) -> str:
    """Show control characters in text of several lines, and of these files each on its line."""
    for path in filter(None, paths):
        text = text.replace(str(path), one_line(str(path)))
    return "\n".join(map(one_line, text.split("\n")))
