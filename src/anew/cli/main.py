"""The command ``anew``: one small function per command; what they share is in the files beside this one."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from anew.cli import augment, bench, compare, degrade, evaluate, generate, look, methods, restore, tasks, train
from anew.cli.one_line import INTERRUPTED, one_line, say, say_stopped

NAMES = "anew.names"  # how what an encoding lacks is printed
NO_NAMES = {
    "": "an argument is empty; give it a value, or leave it out (the folder that you are in is .)",
    "-": "- is no name: anew reads and writes files, not standard input and output; name one",
}


class _Commands(TyperGroup):
    """All commands; what is said of a wrong use is one line, whatever a name holds."""

    def parse_args(self, context: Any, arguments: list[str]) -> list[str]:
        """Refuse what a path would make the current folder of, or a file of an odd name."""
        for argument in arguments:
            option, equals, value = argument.partition("=")
            given = value if equals and option.startswith("--") else argument
            if given in NO_NAMES:
                raise typer.BadParameter(NO_NAMES[given])
        return super().parse_args(context, arguments)

    def invoke(self, context: Any) -> Any:
        try:
            return super().invoke(context)
        except typer.BadParameter as error:
            error.message = one_line(error.message)
            raise


app = typer.Typer(
    name="anew",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="anew makes images new: it repairs what is wrong with pictures, makes new ones, and says what it did.",
    epilog="Start with:  anew restore photo.jpg     Exit status: 0 done, 1 some input failed, 2 wrong use.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from anew import __version__

        print(f"anew {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


for module in (restore, look, tasks, degrade, augment, generate, methods, train, bench, compare, evaluate):
    app.add_typer(module.commands)


def _encoded(error: UnicodeError) -> tuple[str | bytes, int]:
    """Give the bytes of a name that is no text as they are, and letters that a terminal lacks as escapes."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(NAMES, _encoded)


def run() -> None:
    """Run the command line; every error that anew raises on purpose is one line on standard error."""
    from anew.errors import AnewError

    sys.stdout = sys.stdout or io.StringIO()  # None where the caller has closed it
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=NAMES)
    try:
        app()
    except AnewError as error:
        say(str(error))
        sys.exit(1)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            say_stopped()
        raise
    except Exception as error:
        if os.environ.get("ANEW_TRACEBACK"):
            raise
        say(f"{_unforeseen(error)} (ANEW_TRACEBACK=1 shows where)")
        sys.exit(1)


def _unforeseen(error: Exception) -> str:
    """Say what nobody foresaw: what the system refuses, or a mistake of ours."""
    if isinstance(error, OSError) and error.strerror:
        place = "a file, or standard output" if error.filename is None else error.filename
        return f"{place}: {error.strerror}; mend that, or name another place"
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


if __name__ == "__main__":
    run()
