"""What an operation's option may be, and how one value of it is drawn: ``15``, ``-5..20``, ``horizontal|vertical``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Span:
    """A number drawn evenly from [low, high].

    Attributes
    ----------
    least, most : float
        What ``low`` and ``high`` may be.
    signed : bool
        One number k then means [-k, k]; otherwise it means exactly k.
    whole : bool
        Draw an integer, ``high`` included.
    """

    low: float
    high: float
    least: float = -math.inf
    most: float = math.inf
    signed: bool = False
    whole: bool = False

    def parsed(self, name: str, value: Any) -> Span:
        """Give the same option with the ends that ``value`` says: k, ``"a..b"`` or (a, b)."""
        low, high = _ends(value)
        if low is None or high is None:
            raise ValueError(f"{name} must be a number or a range such as {self.low:g}..{self.high:g}, got {value!r}")
        if self.signed and not isinstance(value, str | Sequence):
            low, high = -abs(high), abs(high)
        if not self.least <= low <= high <= self.most or (self.whole and (low % 1 or high % 1)):
            kind = "whole numbers" if self.whole else "numbers"
            raise ValueError(f"{name} must be {kind} in [{self.least:g}, {self.most:g}], low..high, got {value!r}")
        return replace(self, low=low, high=high)

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one value."""
        if self.whole:
            return int(rng.integers(int(self.low), int(self.high), endpoint=True))
        return float(rng.uniform(self.low, self.high))

    def __str__(self) -> str:
        if self.signed and self.low == -self.high:
            return f"{self.high:g}"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}..{self.high:g}"


@dataclass(frozen=True)
class Choice:
    """A word drawn from ``drawn``, which are some of ``words``."""

    words: tuple[str, ...]
    drawn: tuple[str, ...]

    def parsed(self, name: str, value: Any) -> Choice:
        """Give the same option with the words that ``value`` says, joined by ``|``."""
        chosen = tuple(str(value).split("|"))
        if not set(chosen) <= set(self.words):
            raise ValueError(f"{name} must be one of {', '.join(self.words)}, or several joined by |, got {value!r}")
        return replace(self, drawn=chosen)

    def draw(self, rng: np.random.Generator) -> str:
        """Draw one word."""
        return self.drawn[int(rng.integers(len(self.drawn)))]

    def __str__(self) -> str:
        return "|".join(self.drawn)


@dataclass(frozen=True)
class Flag:
    """True or false, as it is set."""

    value: bool

    def parsed(self, name: str, value: Any) -> Flag:
        """Give the same option with the value that was said."""
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be true or false, got {value!r}")
        return Flag(value)

    def draw(self, rng: np.random.Generator) -> bool:
        """Give the value."""
        return self.value

    def __str__(self) -> str:
        return str(self.value).lower()


@dataclass(frozen=True)
class Beta:
    """A weight drawn from the distribution Beta(alpha, alpha), as mix-up does."""

    alpha: float

    def parsed(self, name: str, value: Any) -> Beta:
        """Give the same option with another alpha."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ValueError(f"{name} must be the alpha > 0 of a Beta distribution, got {value!r}")
        return Beta(float(value))

    def draw(self, rng: np.random.Generator) -> float:
        """Draw one weight in [0, 1]."""
        return float(rng.beta(self.alpha, self.alpha))

    def __str__(self) -> str:
        return f"{self.alpha:g}"


@dataclass(frozen=True)
class Seed:
    """The seed of an operation's own randomness, drawn unless it is set."""

    value: int | None = None

    def parsed(self, name: str, value: Any) -> Seed:
        """Give the same option with a fixed seed."""
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
            raise ValueError(f"{name} must be an integer >= 0, got {value!r}")
        return Seed(int(value))

    def draw(self, rng: np.random.Generator) -> int:
        """Draw a seed."""
        drawn = int(rng.integers(2**32))
        return drawn if self.value is None else self.value

    def __str__(self) -> str:
        return "drawn" if self.value is None else str(self.value)


Option = Span | Choice | Flag | Beta | Seed


def _ends(value: Any) -> tuple[float | None, float | None]:
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value), float(value)
    pair = value.split("..") if isinstance(value, str) else value
    try:
        low, high = (float(end) for end in pair)
    except (TypeError, ValueError):
        return None, None
    return low, high
