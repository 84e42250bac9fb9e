"""Where the command ``anew`` begins: the commands take a moment to load, and Ctrl-C may come in it."""

import sys


def start() -> None:
    """Load the commands and run one; Ctrl-C before one of them runs is said as it is later."""
    try:
        from anew.cli.main import run

        run()
    except KeyboardInterrupt:
        from anew.cli.one_line import INTERRUPTED, say_stopped

        say_stopped()
        sys.exit(INTERRUPTED)
