"""What a diagnosis is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Finding:
    """One damage that was found.

    Attributes
    ----------
    kind : str
        Which damage, e.g. ``"noise"``, ``"impulses"``, ``"holes"``, ``"tilt"``.
    value : float
        How much, in ``unit``.
    unit : str
        The unit of the value, e.g. ``"of 255"``, ``"% of pixels"``, ``"degrees"``.
    confidence : float in [0, 1]
        How sure the estimator is that the damage is there.
    message : str
        One sentence for a person who knows nothing of image processing.
    map : (H, W) array, optional
        Where: bool for a mask, float32 for a field.
    details : mapping
        What a repair needs to know beyond the value (JSON-serialisable).
    """

    kind: str
    value: float
    unit: str
    confidence: float
    message: str
    map: NDArray[Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def finding_of_mask(kind: str, mask: NDArray[np.bool_], confidence: float, message: str) -> Finding | None:
    """Report the share of the pixels that a mask marks, or None if it marks none.

    Parameters
    ----------
    message : str
        With ``{share}`` where the share belongs, in % of the pixels.
    """
    if not mask.any():
        return None
    share = 100 * float(mask.mean())
    return Finding(kind, share, "% of pixels", confidence, message.format(share=share_in_words(mask)), mask)


def share_in_words(mask: NDArray[np.bool_]) -> str:
    """Say how much of the pixels a mask marks, in %; never 0% if it marks any."""
    share = 100 * float(mask.mean())
    if 0 < share < 0.05:
        return np.format_float_positional(share, precision=1, fractional=False, trim="-") + "%"
    return f"{share:.1f}%"


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was found in one picture; ``str()`` says it in words."""

    findings: tuple[Finding, ...]
    noise_sigma: float
    jpeg_quality: int | None
    hole_mask: NDArray[np.bool_] | None

    def get(self, kind: str) -> Finding | None:
        """Give the finding of a kind, or None if that damage was not found."""
        return next((f for f in self.findings if f.kind == kind), None)

    def __str__(self) -> str:
        if not self.findings:
            return "Nothing wrong was found."
        return "\n".join(f"{f.message} (confidence {f.confidence:.0%})" for f in self.findings)
