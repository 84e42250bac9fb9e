"""How kernels are compiled: once per machine, kept on disk, with one line that says so.

Numba keeps the compiled code in ``NUMBA_CACHE_DIR`` if that is set, else beside the source, else in the user's cache
folder. Where none of them can be written, a kernel is compiled anew in each process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numba
import numba.core.event

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function of arrays and numbers on first use; it releases the GIL and sums in any order.

    Called by another one it becomes a part of it, so that short functions cost no time.
    """
    compile_with = partial(numba.njit, nogil=True, fastmath=True, error_model="numpy", forceinline=True)
    try:
        compiled = compile_with(cache=True)(function)
    except RuntimeError:  # no folder for the cache can be written
        compiled = compile_with()(function)
    result: Function = compiled
    return result


class _Announcement(numba.core.event.Listener):
    """Say once per process that kernels are being compiled."""

    said = False

    def on_start(self, event: Any) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if not self.said and module.startswith("anew.") and "ANEW_QUIET" not in os.environ:
            self.said = True
            print("compiling kernels for this machine, once (some seconds)", file=sys.stderr, flush=True)

    def on_end(self, event: Any) -> None:
        """Nothing is said when it ends."""


numba.core.event.register("numba:compile", _Announcement())
