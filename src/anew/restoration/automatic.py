"""Repair what is damaged, touch nothing else: diagnose, plan, run each step, check it, keep or drop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from anew.arrays import Image
from anew.diagnosis.finding import Diagnosis
from anew.restoration.plan import Plan

if TYPE_CHECKING:
    from anew.images import Picture

Progress = Callable[[str, float], None]  # what is being done, in words; the fraction done in [0, 1]


@dataclass(frozen=True)
class StepResult:
    """What became of one step.

    Attributes
    ----------
    kind, task, method : str
        As in the plan, with ``"auto"`` replaced by the method that ran.
    parameters : mapping
        Those that were used, measured ones included (JSON-serialisable).
    kept : bool
        Whether its result stands.
    reason : str
        Why it was kept or dropped, in plain words.
    seconds : float
    check : mapping of str to float
        The figures that decided.
    """

    kind: str
    task: str
    method: str
    parameters: Mapping[str, Any]
    kept: bool
    reason: str
    seconds: float
    check: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Restoration:
    """A restored picture and the account of how it came about.

    Attributes
    ----------
    picture : Picture
        The result; the very object that was given if nothing was changed.
    original : Picture
        What was given.
    diagnosis : Diagnosis
        What was found in the original.
    plan : Plan
        What was to be done.
    steps : tuple of StepResult
        What was done.
    uncertainty : (H, W) float32 array
        By how much each value may be off: a standard deviation in units of the range [0, 1]. 0 where nothing changed.
    recipe : mapping
        All that ``replay`` needs to do it again (JSON-serialisable); ``write(picture, path, recipe=...)`` stores it.
    """

    picture: Picture
    original: Picture
    diagnosis: Diagnosis
    plan: Plan
    steps: tuple[StepResult, ...]
    uncertainty: Image
    recipe: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether any pixel was touched."""
        return self.picture is not self.original


def restore(
    picture: Picture | ArrayLike,
    *,
    plan: Plan | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    strength: float = 1.0,
    progress: Progress | None = None,
) -> Restoration:
    """Find what is wrong with a picture and repair exactly that."""
    raise NotImplementedError
