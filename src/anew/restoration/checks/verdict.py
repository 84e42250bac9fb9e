"""What a check says of a repair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Verdict:
    """Whether a repair stands.

    Attributes
    ----------
    kept : bool
    reason : str
        In plain words.
    figures : mapping of str to float
        What decided.
    """

    kept: bool
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)
