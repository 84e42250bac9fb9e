"""What to do about a diagnosis: ordered steps, each with its reason, as JSON that a person can read and edit.

The order undoes the last damage first, as damages happen to a picture in this order: the lens and the camera's
stance (geometry), the light, blur, noise of the sensor, compression, and last what befalls the file or the print
(impulses, holes, scratches). So:

1. what a person marked, impulses, then holes and everything else that has a mask. The masks were measured on the
   picture as it came, and every later step would smear the damaged values into their neighbours.
2. jpeg, while the grid of its blocks is still intact.
3. noise, before blur: deconvolution amplifies noise.
4. blur.
5. light and colour, on clean values: a curve that brightens shadows brightens their noise too.
6. geometry last: resampling makes noise correlated, moves the masks and loses the block grid.

A low resolution is reported but not repaired unasked: it would change the size of the picture.

Some damage hides other damage. A plan says after which of its steps the picture is looked at again, and for what; what
is seen then joins the steps, and all of them are run anew on the picture as it came. A person who edits the steps gets
these and no others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from anew.diagnosis.finding import Diagnosis, Finding
from anew.errors import InvalidPlan
from anew.options import finite_number
from anew.registry import METHODS, TASKS
from anew.restoration.denoising_choice import LEARNED_QUALITY, choose_denoising, choose_denoising_compressed

Kind = Literal[
    "marked",
    "impulses",
    "holes",
    "text",
    "tears",
    "folds",
    "scratches",
    "dust",
    "stains",
    "jpeg",
    "noise",
    "blur",
    "exposure",
    "contrast",
    "uneven-light",
    "fading",
    "cast",
    "lens",
    "keystone",
    "tilt",
]
KINDS: tuple[str, ...] = get_args(Kind)  # in the order of repair
MASKED_KINDS = frozenset({"marked", "impulses", "holes", "text", "tears", "folds", "scratches", "dust", "stains"})

# The repair of each kind: task, method ("auto": the best by its check, or the task's default).
REPAIRS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(MASKED_KINDS, ("inpaint", "auto")),
    "jpeg": ("deblock", "auto"),
    "noise": ("denoise", "auto"),
    "blur": ("deblur", "tv"),  # the least upset by a psf that is only nearly right
    "exposure": ("relight", "curve"),
    "contrast": ("relight", "curve"),
    "uneven-light": ("relight", "retinex"),
    "fading": ("relight", "fading"),
    "cast": ("relight", "white-balance"),
    "lens": ("unwarp", "lens"),
    "keystone": ("unwarp", "keystone"),
    "tilt": ("unwarp", "tilt"),
}

# What a denoiser is told of what was measured; the camera denoiser judges the level by the pixels.
NOISE_INPUTS = {
    "auto": ("sigma",),
    "bm3d": ("sigma", "autocorrelation"),
    "camera": (),
    "poisson-gaussian": ("sigma", "gain", "offset_sigma"),
}

# Beside the inputs of its task: where the first JPEG block starts (row, column); the psf by its kind ("gaussian",
# "defocus", "motion"), width (standard deviation, radius or length in pixels) and angle in degrees.
# Correlated noise is told by its autocorrelation at lags -3..3 (rows, columns); noise that was compressed, or developed
# by a camera, is no longer Gaussian, so its level is told and not measured. At which ends of the range, black and
# white, it was clipped can be told; otherwise it is measured.
# Light may be changed in part: 1 wholly, 0 not at all.
EXTRA_INPUTS = {
    "deblock": ("offset",),
    "deblur": ("blur", "width", "angle"),
    "denoise": ("autocorrelation", "compressed", "developed", "clipped"),
    "relight": ("part",),
}

RANGES = {"sigma": (0, 1), "quality": (1, 100), "part": (0, 1)}  # of inputs of tasks

# Noise scatters values above the ceiling of a dark picture, and unlike its mirror image it is not seen twice; what lies
# over a dark picture may be white. Impulses are measured as noise, and those in a row are read as letters.
HIDDEN_BY: Mapping[Kind, tuple[Kind, ...]] = {
    "impulses": ("text", "noise", "exposure", "tilt"),
    "noise": ("exposure", "tilt"),
    "exposure": ("tilt",),
    "holes": ("exposure", "tilt"),
    "marked": ("exposure",),
    "scratches": ("exposure",),
    "tears": ("exposure",),
    "text": ("exposure",),
}

# A repair that mends other damage too, all of it measured on the same picture: done twice it would be overdone.
INCLUDES = {"fading": ("exposure", "contrast", "cast"), "exposure": ("contrast",), "keystone": ("tilt",)}


class Step(BaseModel):
    """One repair.

    Attributes
    ----------
    kind : str
        The damage that it repairs, one of ``KINDS``.
    task, method : str
        The public function and the method, as in the registry; ``"auto"`` lets the checks choose.
    parameters : dict
        Inputs of the task (``sigma``, ``quality``, ``psf``) and options of the method. What is left out is measured.
    mask : str, optional
        For repairs under a mask: a PNG as data URI, white where pixels are damaged, or ``"sha256:..."`` of the mask
        that detection has to give again. Left out: detected in the picture.
    reason : str
        Why, in plain words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    task: Annotated[str, Field(description="the public function")]
    method: str = "auto"
    parameters: dict[str, JsonValue] = {}
    mask: str | None = None
    reason: str = ""

    @field_validator("task")
    @classmethod
    def _task_exists(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(f"must be one of {', '.join(TASKS)}; got {task!r}")
        return task

    @model_validator(mode="after")
    def _method_exists(self) -> Step:
        names = METHODS.names(self.task)
        if self.method not in ("auto", *names):
            raise ValueError(f"method must be one of auto, {', '.join(names)}; got {self.method!r}")
        if self.task == "upscale":
            raise ValueError("task upscale changes the size and has no place in a plan; run `anew upscale` afterwards")
        if self.mask is not None and self.task != "inpaint":
            raise ValueError(f"mask belongs to task inpaint, not to {self.task}; remove it")
        if self.task == "inpaint" and self.kind not in MASKED_KINDS and self.mask is None:
            raise ValueError(f"task inpaint needs a mask, and kind {self.kind} has none; give one")
        return self


class LookAgain(BaseModel):
    """When a picture is looked at again.

    Attributes
    ----------
    after : dict of kind to tuple of kinds
        Once the step of a kind was done, for which other kinds.
    steps : str
        ``"sha256:..."`` of the steps as they were made: if they were edited, the picture is not looked at again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: dict[Kind, tuple[Kind, ...]]
    steps: str


class Plan(BaseModel):
    """Ordered repairs.

    Attributes
    ----------
    version : int
        Of this format.
    strength : float in [0, 1]
        0 changes nothing, 1 repairs fully.
    steps : tuple of Step
        Run in this order.
    look_again : LookAgain, optional
        For what the steps may have hidden; left out, for nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    strength: Annotated[float, Field(ge=0, le=1)] = 1.0
    steps: tuple[Step, ...] = ()
    look_again: LookAgain | None = None

    def to_json(self) -> str:
        """Give the plan as indented JSON, made to be read and edited."""
        return json.dumps(self.model_dump(exclude_none=True), indent=2, ensure_ascii=False)

    def limited(self, *, only: Sequence[str] = (), skip: Sequence[str] = (), strength: float = 1.0) -> Plan:
        """Give the plan with fewer kinds of damage to repair, or less strongly, as ``make_plan`` takes them."""
        _check_wishes(only, skip, strength)
        steps = tuple(step for step in self.steps if _is_wanted(step.kind, only, skip))
        again = _look_again(steps, self.looks(), only, skip)
        return Plan(strength=self.strength * strength, steps=steps, look_again=again)

    def looks(self) -> Mapping[Kind, tuple[Kind, ...]]:
        """Say after which steps the picture is looked at again and for what: for nothing if the steps were edited."""
        if self.look_again is None or self.look_again.steps != _fingerprint(self.steps):
            return {}
        return self.look_again.after

    def as_run(self, diagnosis: Diagnosis) -> Plan:
        """Give the plan as it is run on a picture: looked at again is only the one that it was made for."""
        if _fingerprint(self.remade(diagnosis).steps) == _fingerprint(self.steps):
            return self
        return self.model_copy(update={"look_again": None})

    def remade(self, diagnosis: Diagnosis) -> Plan:
        """Make the plan anew, of the kinds that it repairs or looks for, from another diagnosis."""
        kinds = {step.kind for step in self.steps}.union(*self.looks().values())
        return make_plan(diagnosis, only=sorted(kinds), strength=self.strength) if kinds else self

    @classmethod
    def from_json(cls, text: str | bytes) -> Plan:
        """Read a plan from JSON.

        Raises
        ------
        InvalidPlan
            In one line, naming the field and what it may be.
        """
        try:
            plan = cls.model_validate_json(text)
        except ValidationError as error:
            raise InvalidPlan(describe_error(error)) from None
        if "steps" not in plan.model_fields_set:
            raise InvalidPlan("steps is missing; an empty list repairs nothing")
        for number, step in enumerate(plan.steps):
            _check_parameters(step, f"steps[{number}]")
        return plan

    def __str__(self) -> str:
        if not self.steps:
            return "Nothing to do."
        if self.strength == 0:
            return "Nothing to do, as the strength is 0."
        lines = [f"{n}. {_in_words(step)}" for n, step in enumerate(self.steps, 1)]
        lines += [f"After {kind}: look again for {', '.join(hidden)}." for kind, hidden in self.looks().items()]
        return "\n".join([*lines, f"At a strength of {self.strength:g}."] if self.strength < 1 else lines)


def make_plan(
    diagnosis: Diagnosis, *, only: Sequence[str] = (), skip: Sequence[str] = (), strength: float = 1.0
) -> Plan:
    """Decide what to do about a diagnosis.

    Parameters
    ----------
    diagnosis : Diagnosis
    only, skip : sequences of kinds
        Repair only these damages; leave these alone.
    strength : float in [0, 1]

    Returns
    -------
    Plan
        Empty if nothing was found.
    """
    _check_wishes(only, skip, strength)
    found = {f.kind: f for f in diagnosis.findings if _is_wanted(f.kind, only, skip)}
    for kind, includes in INCLUDES.items():
        if kind in found:
            found = {k: f for k, f in found.items() if k not in includes}
    steps = tuple(_step_for(found[kind], found.keys()) for kind in _in_order(found))
    seen = {finding.kind for finding in diagnosis.findings}
    return Plan(strength=strength, steps=steps, look_again=_look_again(steps, HIDDEN_BY, only, (*skip, *seen)))


def _check_wishes(only: Sequence[str], skip: Sequence[str], strength: float) -> None:
    """Refuse kinds of damage that there are none of, and strengths beyond [0, 1]."""
    for name, kinds in (("only", only), ("skip", skip)):
        listed = [kinds] if isinstance(kinds, str) else kinds
        unknown = [kind for kind in listed if isinstance(kinds, str) or kind not in KINDS]
        if unknown:
            raise ValueError(f"{name} must name kinds of damage ({', '.join(KINDS)}) in a list; got {unknown[0]!r}")
    if not 0 <= finite_number("strength", strength) <= 1:
        raise ValueError(f"strength must be in [0, 1], got {strength}")


def _in_order(found: Mapping[str, Finding]) -> list[str]:
    """Give the kinds in the order of repair: that of KINDS, but noise before a compression that its denoiser knows."""
    kinds = [kind for kind in KINDS if kind in found]
    if "noise" in found and "jpeg" in found and _learned_compressed(found["noise"], found["jpeg"].value):
        kinds.remove("noise")
        kinds.insert(kinds.index("jpeg"), "noise")
    return kinds


def _learned_compressed(noise: Finding, quality: float) -> bool:
    """Tell whether a denoiser has seen this noise compressed as hard; after a JPEG repair it would know it less."""
    altered = noise.details.get("developed") or noise.details.get("compressed")
    return bool(altered) and quality >= LEARNED_QUALITY


def _is_wanted(kind: str, only: Sequence[str], skip: Sequence[str]) -> bool:
    return (not only or kind in only) and kind not in skip


def _look_again(
    steps: Sequence[Step], hidden_by: Mapping[Kind, Sequence[Kind]], only: Sequence[str], skip: Sequence[str]
) -> LookAgain | None:
    """Say after which steps to look for which kinds that are wanted; None if for none."""
    hidden = {s.kind: tuple(k for k in hidden_by.get(s.kind, ()) if _is_wanted(k, only, skip)) for s in steps}
    after = {kind: kinds for kind, kinds in hidden.items() if kinds}
    return LookAgain(after=after, steps=_fingerprint(steps)) if after else None


def _fingerprint(steps: Sequence[Step]) -> str:
    """Name steps by their content."""
    text = json.dumps([step.model_dump(exclude_none=True) for step in steps], sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _step_for(finding: Finding, found: Collection[str]) -> Step:
    task, method = REPAIRS[finding.kind]
    parameters: dict[str, Any] = {}
    unaltered = "impulses" not in found and "jpeg" not in found  # those repairs change the noise
    if finding.kind == "noise" and finding.details.get("compressed"):
        shared = bool(finding.details.get("shared"))
        quality = finding.details.get("quality", 0)
        method = choose_denoising_compressed(quality, shared=shared)
        left = "remaining_sigma" if quality < LEARNED_QUALITY else "sigma"
        parameters = {"sigma": finding.details[left], "compressed": True}
    elif finding.kind == "noise" and finding.details.get("developed"):
        method = choose_denoising(developed=True)
        parameters = {"sigma": finding.details["sigma"], "developed": True}
    elif finding.kind == "noise" and unaltered:
        method, parameters = _denoising(finding.details)
    elif finding.kind == "noise" or (finding.kind == "exposure" and "noise" in found):
        pass  # it is measured when its turn comes: until then other damage falsifies it
    elif task != "inpaint":
        chosen = METHODS.get(task, method)
        names = _extra_inputs(task) if method == "auto" else (*chosen.takes, *chosen.parameters)
        parameters = {name: finding.details[name] for name in names if name in finding.details}
    if finding.kind == "blur":
        parameters = {"blur": finding.details.get("kind")} | {
            name: finding.details[name] for name in ("width", "angle") if name in finding.details
        }
    return Step(
        kind=cast("Kind", finding.kind), task=task, method=method, parameters=parameters, reason=finding.message
    )


def _denoising(details: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Choose the denoiser for what is known of the noise: (method, parameters)."""
    facts = {name: bool(details.get(name)) for name in ("correlated", "shared", "signal_dependent")}
    method = choose_denoising(**facts)
    given = {"denoiser": "auto"} if method == "poisson-gaussian" else {}
    return method, {name: details[name] for name in NOISE_INPUTS[method] if name in details} | given


def _extra_inputs(task: str) -> tuple[str, ...]:
    """Give the inputs of a task, whatever its method, and what a plan may say instead of or beside them."""
    return (*TASKS[task].inputs, *EXTRA_INPUTS.get(task, ()))


def _check_parameters(step: Step, where: str) -> None:
    """Refuse parameters that the method does not have; "auto" takes the inputs of the task alone."""
    if step.method == "auto":
        allowed = set(_extra_inputs(step.task))
    else:
        method = METHODS.get(step.task, step.method)
        allowed = {*_extra_inputs(step.task), *method.parameters}
    allowed.discard("mask")
    for name in step.parameters:
        if name not in allowed:
            takes = ", ".join(sorted(allowed)) or "none"
            raise InvalidPlan(f"{where}.parameters: {step.task} by {step.method} has no {name!r}; it has {takes}")
    for name, (low, high) in RANGES.items():
        value = step.parameters.get(name, low)
        if isinstance(value, int | float) and not low <= value <= high:
            raise InvalidPlan(f"{where}.parameters: {name} must be in [{low}, {high}], got {value}")
    if step.method != "auto":
        own = {name: value for name, value in step.parameters.items() if name in method.parameters}
        try:
            method.checked(own)
        except ValueError as error:
            raise InvalidPlan(f"{where}.parameters: {error}") from None


def describe_error(error: ValidationError, model: type[BaseModel] = Plan) -> str:
    """Say the first thing that is wrong with a plan, or another model: where, what was expected, what came."""
    first = error.errors(include_url=False)[0]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = f"unknown field; allowed are {', '.join(_fields_around(model, first['loc']))}"
    elif first["type"] == "literal_error":
        what = f"must be {first['ctx']['expected']}; got {first['input']!r}"
    return f"{where or 'plan'}: {what}"


def _fields_around(model: type[BaseModel], location: Sequence[str | int]) -> Iterable[str]:
    """Name the fields beside the one at a location in a model."""
    for name in location[:-1]:
        if isinstance(name, str):
            hint = model.model_fields[name].annotation
            types = (part for part in (hint, *get_args(hint)) if isinstance(part, type))
            model = next(part for part in types if issubclass(part, BaseModel))
    return model.model_fields


def _in_words(step: Step) -> str:
    method = "" if step.method == "auto" else f" by {step.method}"
    return f"{step.kind}: {step.task}{method}" + (f". {step.reason}" if step.reason else "")
