"""Repair what is damaged, touch nothing else: diagnose, plan, run each step, check it, keep or drop it.

What is returned unchanged is the very object that came in, so that a file can be given back byte for byte.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, Mask, as_mask, like, without_copies
from anew.diagnosis.diagnose import FALSIFIED_BY_IMPULSES, Finder, diagnose, finders_for
from anew.diagnosis.finding import Diagnosis, Finding
from anew.diagnosis.light import find_exposure
from anew.diagnosis.noise import find_noise
from anew.diagnosis.text import find_text
from anew.diagnosis.tilt import find_tilt
from anew.errors import InvalidPlan
from anew.images import Picture, as_picture
from anew.registry import METHODS
from anew.restoration.plan import INCLUDES, Kind, Plan, Step, make_plan
from anew.restoration.recipe import decode_mask, make_recipe, mask_hash
from anew.restoration.repairs import Repair, Situation, run_step, weakened_geometry
from anew.transparency import spread_colours

# Denoisers draw lines; the borders of a picture they do not invent.
LEAST_CONFIDENCE: Mapping[str, float] = {"tilt": 0.95}
SAME_TILT = 1.5  # degrees

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
    recipe : str or None
        All that ``replay`` needs to do it again, as JSON; ``write(picture, path, recipe=...)`` stores it. None if
        nothing was changed.
    """

    picture: Picture
    original: Picture
    diagnosis: Diagnosis
    plan: Plan
    steps: tuple[StepResult, ...]
    uncertainty: Image
    recipe: str | None = None

    @property
    def changed(self) -> bool:
        """Whether any pixel was touched."""
        return self.picture is not self.original

    def __str__(self) -> str:
        return explain(self)

    def __repr__(self) -> str:
        height, width = self.original.pixels.shape[:2]
        found = ", ".join(finding.kind for finding in self.diagnosis.findings) or "nothing"
        repaired = ", ".join(step.kind for step in self.steps if step.kept) or "nothing"
        return f"<Restoration of {width} x {height} pixels: found {found}; repaired {repaired}>"


def restore(
    picture: Picture | ArrayLike,
    *,
    mask: ArrayLike | None = None,
    plan: Plan | None = None,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    strength: float = 1.0,
    progress: Progress | None = None,
) -> Restoration:
    """Find what is wrong with a picture and repair exactly that.

    Parameters
    ----------
    picture : Picture, or (H, W) or (H, W, C) array of uint8, uint16, bool or float
        C 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. Values that are not finite, or beyond 1,000,000, count as
        holes.
    mask : (H, W) bool array, optional
        Damage that you marked yourself, such as scratches; it is filled along with what is found.
    plan : Plan, optional
        Follow this one instead of making one; its steps are checked all the same. As ``make_plan`` made it for this
        picture it gives what is given without it; of an edited one, its steps alone are run.
    only, skip : sequences of str
        Kinds of damage to repair alone, or to leave alone.
    strength : float in [0, 1]
        0 gives the input back, 1 repairs fully.
    progress : callable, optional
        Told what is being done, and the fraction that is done.

    Returns
    -------
    Restoration

    Examples
    --------
    >>> import anew, skimage.data
    >>> restored = anew.restore(skimage.data.astronaut())
    >>> restored.changed
    False
    """
    if plan is not None and not isinstance(plan, Plan):
        raise TypeError(f"plan must be a Plan, such as Plan.from_json gives, got {type(plan).__name__}")
    report = progress or (lambda what, fraction: None)
    original = as_picture(picture)
    report("looking for damage", 0.0)
    diagnosis = with_marks(diagnose(original), mask, original.pixels.shape)
    if plan is None:
        made = make_plan(diagnosis, only=only, skip=skip, strength=strength)
    else:
        made = plan.as_run(diagnosis).limited(only=only, skip=skip, strength=strength)
    made, diagnosis = _look_behind_impulses(original, made, diagnosis)
    return _look_again(run_plan(original, made, diagnosis=diagnosis, progress=report), progress=report)


def _look_behind_impulses(original: Picture, plan: Plan, diagnosis: Diagnosis) -> tuple[Plan, Diagnosis]:
    """Look for what impulses falsify where these alone are repaired, and give the plan and the diagnosis with it.

    If their repair is dropped, they were none, and it is looked for in the picture as it is.
    """
    hidden = FALSIFIED_BY_IMPULSES.intersection(plan.looks().get("impulses", ()))
    if not hidden or plan.strength == 0:
        return plan, diagnosis
    impulses = tuple(step for step in plan.steps if step.kind == "impulses")
    mended = run_plan(original, Plan(steps=impulses), diagnosis=diagnosis)
    return _joined(plan, diagnosis, _look_for(hidden, mended.picture))


def _look_again(restored: Restoration, *, progress: Progress) -> Restoration:
    """Look for what a repaired damage had hidden, and if it is there, repair anew with that in the plan."""
    looks = restored.plan.looks()
    hidden = {kind for step in restored.steps if step.kept for kind in looks.get(cast("Kind", step.kind), ())}
    found = _look_for(hidden - FALSIFIED_BY_IMPULSES, restored.picture)
    if not found:
        return restored
    plan, diagnosis = _joined(restored.plan, restored.diagnosis, found)
    return _look_again(run_plan(restored.original, plan, diagnosis=diagnosis, progress=progress), progress=progress)


def _look_for(kinds: Collection[str], picture: Picture) -> tuple[Finding, ...]:
    """Look for some kinds of damage in a picture that was repaired."""
    finders: dict[str, Finder] = {"text": find_text, "noise": find_noise, "exposure": find_exposure, "tilt": find_tilt}
    allowed = finders_for(picture) if kinds else ()
    looks = (finders[kind] for kind in sorted(kinds) if finders[kind] in allowed)
    seen = (find_exposure(picture, repaired=True) if find is find_exposure else find(picture) for find in looks)
    return tuple(f for f in seen if f is not None and f.confidence >= LEAST_CONFIDENCE.get(f.kind, 0.0))


def _joined(plan: Plan, diagnosis: Diagnosis, found: tuple[Finding, ...]) -> tuple[Plan, Diagnosis]:
    """Give the plan and the diagnosis with what was found besides."""
    if not found:
        return plan, diagnosis
    whole = replace(diagnosis, findings=(*diagnosis.findings, *found))
    return plan.remade(whole), whole


def with_marks(diagnosis: Diagnosis, mask: ArrayLike | None, shape: tuple[int, ...]) -> Diagnosis:
    """Add what a person marked as damaged to a diagnosis; without a mask, give it as it is.

    Raises
    ------
    ValueError
        If the mask does not fit the picture.
    """
    if mask is None:
        return diagnosis
    marked = as_mask(mask, shape)
    share = 100 * float(marked.mean())
    message = f"You marked {share:.1f}% of the picture as damaged."
    finding = Finding("marked", share, "% of pixels", 1.0, message, marked)
    return replace(diagnosis, findings=(finding, *diagnosis.findings))


def run_plan(
    original: Picture,
    plan: Plan,
    *,
    diagnosis: Diagnosis | None = None,
    check: bool = True,
    progress: Progress = lambda what, fraction: None,
) -> Restoration:
    """Run the steps of a plan in their order.

    Parameters
    ----------
    original : Picture
    plan : Plan
    diagnosis : Diagnosis, optional
        Made if a mask has to be found and none is given.
    check : bool
        Drop the steps that fail their check; without, all are kept.
    progress : callable
    """
    if diagnosis is None:
        needs_masks = any(s.task == "inpaint" and (s.mask is None or s.mask.startswith("sha256:")) for s in plan.steps)
        diagnosis = diagnose(original) if needs_masks else Diagnosis((), 0.0, None, None)
    so_far = _SoFar(original, np.zeros(original.pixels.shape[:2], np.float32))
    steps = plan.steps if plan.strength > 0 else ()
    for number, step in enumerate(steps):

        def tell(fraction: float, step: Step = step, number: int = number) -> None:
            progress(f"{step.kind}: {step.task}", 0.1 + 0.9 * (number + fraction) / len(steps))

        if check and _was_chance(step, so_far, diagnosis):
            reason = "the lines that told it are not there in the repaired picture"
            dropped = StepResult(step.kind, step.task, step.method, step.parameters, False, reason, 0.0)
            so_far = replace(so_far, results=(*so_far.results, dropped))
            continue
        mask = _mask_of(step, diagnosis, original.pixels.shape[:2])
        try:
            so_far = _take(step, so_far, mask, plan.strength, check=check, tell=tell)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise InvalidPlan(f"step {number + 1} ({step.task} by {step.method}): {error}") from error
    progress("done", 1.0)
    results = so_far.results
    if not so_far.kept or _same(so_far.picture, original):
        return Restoration(original, original, diagnosis, plan, results, np.zeros_like(so_far.uncertainty))
    recipe = make_recipe(original, plan, so_far.kept, so_far.masks)
    return Restoration(so_far.picture, original, diagnosis, plan, results, so_far.uncertainty, recipe)


@dataclass(frozen=True)
class _SoFar:
    """The state between two steps; ``kept`` holds the steps with what was measured, ``masks`` stands beside it."""

    picture: Picture
    uncertainty: Image
    kept: tuple[Step, ...] = ()
    masks: tuple[Mask | None, ...] = ()
    results: tuple[StepResult, ...] = ()


def _was_chance(step: Step, so_far: _SoFar, diagnosis: Diagnosis) -> bool:
    """Tell whether few lines told a tilt, in grains, blocks or shadows, and no longer do after the repairs so far."""
    finding = diagnosis.get("tilt")
    if step.kind != "tilt" or finding is None or step.parameters.get("angle") != finding.value or not so_far.kept:
        return False  # nothing was repaired before, or a person wants another angle
    if finding.confidence >= LEAST_CONFIDENCE["tilt"]:
        return False
    now = find_tilt(so_far.picture)
    return now is None or abs(now.value - finding.value) > SAME_TILT


def _take(
    step: Step, so_far: _SoFar, mask: Mask | None, strength: float, *, check: bool, tell: Callable[[float], None]
) -> _SoFar:
    """Run one step, and go on from its result or without it."""
    tell(0.0)
    started = time.perf_counter()
    pixels = so_far.picture.pixels
    if step.task != "relight":  # whose parameters may be one for each channel
        pixels = without_copies(pixels)
    if step.task == "unwarp" and so_far.picture.alpha is not None:
        pixels = spread_colours(pixels, so_far.picture.alpha)
    repair = run_step(step, Situation(pixels, so_far.uncertainty, mask, strength, check, tell))
    result = StepResult(
        kind=step.kind,
        task=step.task,
        method=repair.method,
        parameters=repair.parameters,
        kept=repair.verdict.kept,
        reason=repair.verdict.reason,
        seconds=time.perf_counter() - started,
        check=repair.verdict.figures,
    )
    if not result.kept:
        return replace(so_far, results=(*so_far.results, result))
    return _SoFar(
        picture=_advanced(so_far.picture, step, repair, mask, strength),
        uncertainty=repair.uncertainty,
        kept=(*so_far.kept, step.model_copy(update={"method": repair.method, "parameters": dict(repair.parameters)})),
        masks=(*so_far.masks, mask),
        results=(*so_far.results, result),
    )


def explain(restoration: Restoration) -> str:
    """Say in plain words what was found, what was done about it, and why."""
    lines = ["Found:", *(f"  {line}" for line in str(restoration.diagnosis).splitlines())]
    if restoration.steps:
        lines.append("Done:")
    for step in restoration.steps:
        what = f"{step.kind}: {step.task} by {step.method}" if step.kept else f"{step.kind}: left alone"
        lines.append(f"  {what} ({step.seconds:.1f} s), because {step.reason}.")
    left = left_out(restoration)
    if left:
        lines.append(f"Left alone, as the plan leaves it out: {', '.join(left)}.")
    if not restoration.changed:
        why = ", as the strength is 0" if restoration.plan.steps and restoration.plan.strength == 0 else ""
        lines.append(f"The picture is returned as it was{why}.")
    return "\n".join(lines)


def left_out(restoration: Restoration) -> list[str]:
    """Name the damages that were found and that the plan leaves out."""
    planned = {step.kind for step in restoration.plan.steps}
    covered = planned.union(*(INCLUDES.get(kind, ()) for kind in planned))
    return [finding.kind for finding in restoration.diagnosis.findings if finding.kind not in covered]


def _mask_of(step: Step, diagnosis: Diagnosis, shape: tuple[int, int]) -> Mask | None:
    """Give the mask of a step: its own, or that of the finding."""
    if step.task != "inpaint":
        return None
    if step.mask is not None and not step.mask.startswith("sha256:"):
        return decode_mask(step.mask, shape)
    kinds = (step.kind,) if step.mask is None else (step.kind, "marked")  # a person may have painted that of any kind
    maps = (f.map for kind in kinds if (f := diagnosis.get(kind)) is not None)
    masks = [np.asarray(found) > 0 for found in maps if found is not None]
    if step.mask is None:
        return masks[0] if masks else None
    for mask in masks:
        if mask_hash(mask) == step.mask:
            return mask
    raise InvalidPlan(
        f"the mask of {step.kind} was not found again as it was; give it if it was painted, or restore the picture anew"
    )


def _advanced(picture: Picture, step: Step, repair: Repair, mask: Mask | None, strength: float) -> Picture:
    """Give the picture after a kept step; its alpha follows the geometry, and filled holes become opaque."""
    alpha = picture.alpha
    if alpha is not None and step.task == "unwarp":
        options = weakened_geometry(repair.method, repair.parameters, picture.pixels.shape, strength)
        alpha = METHODS.get("unwarp", repair.method).function(alpha, **options).clip(0, 1)
    elif alpha is not None and mask is not None and step.kind == "holes":
        alpha = np.where(mask, np.maximum(alpha, np.float32(strength)), alpha)
    return replace(picture.with_pixels(like(repair.image, picture.pixels)), alpha=alpha)


def _same(a: Picture, b: Picture) -> bool:
    if a.alpha is None or b.alpha is None:
        return a.alpha is b.alpha and np.array_equal(a.pixels, b.pixels)
    return np.array_equal(a.pixels, b.pixels) and np.array_equal(a.alpha, b.alpha)
