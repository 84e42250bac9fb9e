"""Options that people give by name: which there are, and whether each value is of the type that the function says.

A type may hold a range: a function with ``strength: Positive`` is not called with zero. ``@checked_arguments`` holds a
function to its types whoever calls it.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from annotated_types import Ge, Gt, Le, Predicate

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def _odd(number: int) -> bool:
    return number % 2 == 1


Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Gt(0), Le(1)]
Fraction = Annotated[float, Ge(0), Le(1)]
Count = Annotated[int, Ge(1)]
Odd = Annotated[int, Ge(1), Predicate(_odd)]
Window = Annotated[int, Ge(3), Predicate(_odd)]  # side in pixels, with a pixel in the middle
Quality = Annotated[int, Ge(1), Le(100)]  # of JPEG, on the scale of libjpeg

PLAIN = (bool, int, float, str, NoneType)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def checked_arguments(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function refuse numbers, words and truth values that are not of its types, by `checked_options`."""
    signature = inspect.signature(function)
    run: Callable[..., Result] = function

    @functools.wraps(function)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{function.__name__}() {error}") from None
        given.arguments.update(checked_options(function.__name__, function, signature.parameters, given.arguments))
        return run(*given.args, **given.kwargs)

    return checked


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
    names, hints, result = list(known), {**_hints(function), **others}, {}
    for key, value in options.items():
        if key not in names:
            takes = f"it takes {', '.join(names)}" if names else "it takes none"
            raise ValueError(f"{owner} has no option {key!r}{near(key, names)} ({takes})")
        to_check = key in others or _is_plain(hints.get(key))
        result[key] = _as_type(f"{owner}: {key}", value, hints[key]) if to_check else value
    return result


@functools.cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(hint, config=ConfigDict(allow_inf_nan=False) if _is_plain(hint) else None)


def _as_type(name: str, value: Any, hint: Any) -> Any:
    """Give a value as its type, or say in one line what was expected."""
    from pydantic import ValidationError

    try:
        return _adapter(hint).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        reason = "odd" if first["type"] == "predicate_failed" else first["msg"].removeprefix("Input should be ")
        raise ValueError(f"{name} should be {reason}, got {value!r}") from None


def takes_array(function: Callable[..., Any], name: str) -> bool:
    """Tell whether an option of a function is an array."""
    import numpy as np
    from numpy.typing import ArrayLike

    hint = _hints(function).get(name)
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


def number_of(text: str) -> float:
    """Read a number, or a fraction such as ``25/255``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    numerator, slash, denominator = text.partition("/")
    try:
        return float(numerator) / (float(denominator) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"expected a number or a fraction such as 25/255, got {text!r}") from None


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
