"""Where the command ``anew`` begins: the commands take a moment to load, and Ctrl-C may come in it."""

import sys


def start() -> None:
    """Load the commands and run one; Ctrl-C before one of them runs is said as it is later."""
    try:
        from anew.cli.main import run

        run()
    except KeyboardInterrupt:
        print("anew: stopped; nothing is left half written", file=sys.stderr)
        sys.exit(130)  # as Typer does, of a program that Ctrl-C stops
