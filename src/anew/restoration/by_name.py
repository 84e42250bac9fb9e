"""Find a method by its name, which fixes file and function: ``median`` is ``denoise_median`` in ``median.py``.

The registry finds all methods so; a method that is built on another one, which people name, finds that one here.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def find_method(verb: str, folder: str, name: str) -> Callable[..., Any]:
    """Give the function ``VERB_NAME`` of ``anew/restoration/FOLDER/NAME.py``.

    Parameters
    ----------
    verb, folder : str
        Of the task, such as ``"denoise"`` and ``"denoising"``.
    name : str
        As people type it, with hyphens.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    file_name = name.replace("-", "_")
    path = f"anew.restoration.{folder}.{file_name}"
    unknown = f"{verb} has no method {name!r}; anew.methods({verb!r}) gives the names"
    if not file_name.isidentifier():
        raise ValueError(unknown)
    try:
        function: Callable[..., Any] | None = getattr(import_module(path), f"{verb}_{file_name}", None)
    except ModuleNotFoundError as error:
        if error.name != path:
            raise  # it is here, but needs something that is not
        function = None
    if function is None:
        raise ValueError(unknown)
    return function
