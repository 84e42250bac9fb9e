"""Ctrl-C and SIGTERM as a request: the step that runs is finished, and a checkpoint is written."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

HINT = "stopping after this step; the same again stops at once, and what came after the last checkpoint is lost"


class Stopped(KeyboardInterrupt):
    """A run was asked to stop; its checkpoint is written.

    Attributes
    ----------
    signal : int
        The number of the signal that asked.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.signal = number


@contextlib.contextmanager
def stop_requests(tell: Callable[[str], None] = lambda line: None) -> Iterator[list[int]]:
    """Collect the first SIGINT or SIGTERM that comes while a block runs; a second one does what it always does.

    A signal that is ignored, as in a process that a shell started in the background, stays ignored, and one that
    somebody else handles stays with them.

    Parameters
    ----------
    tell : function of str
        Is given a line when a signal comes.

    Returns
    -------
    context manager of a list, empty until a signal comes, then with its number
    """
    came: list[int] = []
    ours: dict[signal.Signals, Any] = {}

    def give_back() -> None:
        for number, handler in ours.items():
            signal.signal(number, handler)

    def take(number: int, frame: object) -> None:
        came.append(number)
        give_back()
        with contextlib.suppress(RuntimeError):  # of a stream that was just being written to
            tell(HINT)

    if threading.current_thread() is threading.main_thread():  # others cannot take signals
        usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        ours = {number: handler for number, handler in usual.items() if signal.getsignal(number) == handler}
        for number in ours:
            signal.signal(number, take)
    try:
        yield came
    finally:
        give_back()
