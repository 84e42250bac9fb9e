"""Options that people give by name: which there are, and whether each value is of the type that the function says.

A type may hold a range: a function with ``strength: Positive`` is not called with zero.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le

Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Gt(0), Le(1)]
Count = Annotated[int, Ge(1)]

PLAIN = (bool, int, float, str, NoneType)


def checked_options(
    owner: str, function: Callable[..., Any], known: Iterable[str], options: Mapping[str, Any], **others: Any
) -> dict[str, Any]:
    """Check options of a function by name and type, and give them as their types.

    Numbers must be finite, and in the range that their type says. Types other than numbers, words and truth values are
    left to the function.

    Parameters
    ----------
    owner : str
        Whose options they are, for the message.
    function : callable
        Its annotations say the types.
    known : iterable of str
        The names that may be given.
    options : mapping
        What was given.
    **others
        Types of options that ``function`` does not take itself.

    Raises
    ------
    ValueError
        In one line that names the option.
    """
    if not options:
        return {}
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    names, hints, result = list(known), {**get_type_hints(function, include_extras=True), **others}, {}
    for key, value in options.items():
        if key not in names:
            takes = f"it takes {', '.join(names)}" if names else "it takes none"
            raise ValueError(f"{owner} has no option {key!r}{near(key, names)} ({takes})")
        result[key] = value
        if key not in others and not _is_plain(hints.get(key)):
            continue
        config = ConfigDict(allow_inf_nan=False) if _is_plain(hints[key]) else None
        try:
            result[key] = TypeAdapter(hints[key], config=config).validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"].removeprefix("Input should be ")
            raise ValueError(f"{owner}: {key} should be {reason}, got {value!r}") from None
    return result


def takes_array(function: Callable[..., Any], name: str) -> bool:
    """Tell whether an option of a function is an array."""
    import numpy as np
    from numpy.typing import ArrayLike

    hint = get_type_hints(function, include_extras=True).get(name)
    parts = get_args(hint)
    return set(get_args(ArrayLike)) <= set(parts) or any(get_origin(part) is np.ndarray for part in (hint, *parts))


def require_options(owner: str, parameters: Mapping[str, inspect.Parameter], options: Iterable[str]) -> None:
    """Refuse a call that leaves out an option without a default.

    Raises
    ------
    ValueError
        In one line that names it.
    """
    given = set(options)
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key not in given:
            raise ValueError(f"{owner} needs the option {key!r}")


def finite_number(name: str, value: Any) -> float:
    """Give a number as float.

    Raises
    ------
    ValueError
        If it is a word, a truth value, an array or not finite.
    """
    is_other = isinstance(value, str | bytes | bool) or getattr(value, "ndim", 0) != 0
    try:
        number = math.nan if is_other else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return number


def near(word: str, words: Iterable[str]) -> str:
    """Say which known word an unknown one may have been meant for."""
    found = difflib.get_close_matches(word, list(words), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def _is_plain(hint: Any) -> bool:
    """Tell whether a type is of numbers, words and truth values alone."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        return all(_is_plain(part) for part in get_args(hint))
    return hint in PLAIN or get_origin(hint) is Literal
