"""What every degradation returns, and how it draws its randomness."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from anew.arrays import LARGEST, Image, Mask


@dataclass(frozen=True)
class Degraded:
    """A damaged image and the truth about the damage.

    Attributes
    ----------
    image : float32 array of the shape of the input (of the smaller one for ``downscale``)
    mask : (H, W) bool array, or None
        Where content is lost or covered; None for damage that is everywhere. Outside of it, local damage leaves every
        pixel bit-identical.
    parameters : dict
        Everything that was applied: all of the degradation's own parameters, defaults included; the ``seed`` of random
        damage; and what follows from these, the ``offsets`` of stripes, ``black`` and ``white`` of fade. The same call
        with its own parameters and ``rng=seed`` gives the same damage. ``adjoint(y, shape, **parameters)`` works with
        them as they are.
    """

    image: Image
    mask: Mask | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


def planes_of(image: Image) -> Image:
    """View an (H, W) or (H, W, C) image as (H, W, C)."""
    return image[:, :, np.newaxis] if image.ndim == 2 else image


def check_between(name: str, value: float, low: float, high: float = np.inf) -> None:
    """Refuse a number outside [low, high]."""
    if not (isinstance(value, Real) and low <= value <= high and abs(value) < np.inf):
        lower = f" >= {low:g}" if np.isfinite(low) else ""
        upper = f" <= {high:g}" if np.isfinite(high) else ""
        raise ValueError(f"{name} must be a finite number{' and'.join(filter(None, (lower, upper)))}, got {value!r}")


def check_level(name: str, value: float, low: float = -np.inf) -> None:
    """Refuse a level, or a spread or factor of levels, that is below ``low`` or beyond those of any picture."""
    check_between(name, value, low)
    if abs(float(value)) > float(LARGEST):  # in float32 the comparison itself could overflow
        raise ValueError(f"{name} must be at most {LARGEST:,.0f} in magnitude (white is 1), got {value!r}")


def check_whole(name: str, value: float, low: int, high: int) -> None:
    """Refuse what is not an integer in [low, high]."""
    if not (isinstance(value, Real) and not isinstance(value, bool) and low <= value <= high and value == int(value)):
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}")


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is not one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
