"""The command line in this process, for the tests of every command."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable

import pytest

from anew.cli import main

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Invoke:
    """Run ``anew ...`` in this process and give (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["anew", *map(str, arguments)])
        try:
            main.run()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def hear_interrupts() -> Callable[[], object]:
    """Give what a child runs first: tests that a shell runs in the background ignore interrupts, and so would it."""
    return functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
