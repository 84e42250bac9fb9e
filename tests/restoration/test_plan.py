"""Plans: their order, their JSON, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from anew.diagnosis.finding import Diagnosis, Finding
from anew.errors import InvalidPlan
from anew.registry import METHODS
from anew.restoration.plan import KINDS, REPAIRS, Plan, Step, make_plan


def found(kind: str, /, **details: object) -> Finding:
    mask = np.eye(4, dtype=bool) if REPAIRS[kind][0] == "inpaint" else None
    return Finding(kind, 1.0, "", 0.9, f"There is {kind}.", mask, details)


def diagnosis(*findings: Finding) -> Diagnosis:
    return Diagnosis(findings, 0.0, None, None)


def test_nothing_found_gives_an_empty_plan() -> None:
    plan = make_plan(diagnosis())
    assert plan.steps == ()
    assert str(plan) == "Nothing to do."


def test_last_damage_is_undone_first() -> None:
    findings = [found(kind) for kind in ("tilt", "exposure", "blur", "noise", "jpeg", "holes", "impulses")]
    kinds = [step.kind for step in make_plan(diagnosis(*findings)).steps]
    assert kinds == ["impulses", "holes", "jpeg", "noise", "blur", "exposure", "tilt"]


def test_every_kind_has_a_repair_by_a_known_method() -> None:
    assert set(REPAIRS) == set(KINDS)
    for task, method in REPAIRS.values():
        assert method == "auto" or method in METHODS.names(task)


def test_measured_values_become_parameters() -> None:
    plan = make_plan(diagnosis(found("jpeg", quality=30, offset=[3, 5], source="pixels"), found("tilt", angle=2.5)))
    assert plan.steps[0].parameters == {"quality": 30, "offset": [3, 5]}
    assert plan.steps[1].parameters == {"angle": 2.5}


def test_a_blur_is_named_by_its_kind() -> None:
    step = make_plan(diagnosis(found("blur", kind="motion", width=9.0, angle=30.0, edge_width=2.0))).steps[0]
    assert step.parameters == {"blur": "motion", "width": 9.0, "angle": 30.0}
    assert Plan.from_json(Plan(steps=(step,)).to_json()).steps == (step,)


def test_light_is_not_stretched_twice() -> None:
    kinds = [s.kind for s in make_plan(diagnosis(found("exposure"), found("contrast"))).steps]
    assert kinds == ["exposure"]


def test_a_keystone_takes_the_tilt_with_it() -> None:
    kinds = [s.kind for s in make_plan(diagnosis(found("tilt", angle=2.0), found("keystone"))).steps]
    assert kinds == ["keystone"]


def test_the_sort_of_noise_chooses_the_denoiser() -> None:
    law = np.eye(7).tolist()
    grains = found("noise", sigma=0.1, correlated=True, autocorrelation=law, gain=0.0, offset_sigma=0.1)
    step = make_plan(diagnosis(grains)).steps[0]
    assert (step.method, step.parameters) == ("bm3d", {"sigma": 0.1, "autocorrelation": law})
    light = found("noise", sigma=0.1, correlated=False, autocorrelation=law, signal_dependent=True, gain=0.02)
    step = make_plan(diagnosis(light)).steps[0]
    assert (step.method, step.parameters) == ("poisson-gaussian", {"sigma": 0.1, "gain": 0.02, "denoiser": "auto"})
    assert Plan.from_json(make_plan(diagnosis(light)).to_json()) == make_plan(diagnosis(light))
    shared = make_plan(diagnosis(found("noise", sigma=0.1, shared=True))).steps[0]
    assert (shared.method, shared.parameters) == ("camera", {})
    both = make_plan(diagnosis(found("noise", sigma=0.1, shared=True, signal_dependent=True, gain=0.02))).steps[0]
    assert (both.method, both.parameters) == ("camera", {})
    for quality, expected in ((49, "luma-chroma"), (50, "camera")):
        coded = found("noise", sigma=0.1, shared=True, compressed=True, quality=quality, remaining_sigma=0.06)
        assert make_plan(diagnosis(coded)).steps[0].method == expected
    after_jpeg = make_plan(diagnosis(light, found("jpeg", quality=20))).steps[1]
    assert (after_jpeg.method, after_jpeg.parameters) == ("auto", {})


@pytest.mark.parametrize("how", ["developed", "compressed"])
def test_noise_is_removed_before_a_compression_that_its_denoiser_has_learned(how: str) -> None:
    for quality, kinds in ((49, ["jpeg", "noise"]), (50, ["noise", "jpeg"]), (80, ["noise", "jpeg"])):
        noise = found("noise", sigma=0.1, remaining_sigma=0.06, quality=quality, **{how: True})
        coded = replace(found("jpeg", quality=quality), value=float(quality))
        plan = make_plan(diagnosis(coded, noise))
        assert [step.kind for step in plan.steps] == kinds
        step = plan.steps[kinds.index("noise")]
        assert step.parameters == {"sigma": 0.06 if kinds[0] == "jpeg" and how == "compressed" else 0.1, how: True}
        assert [step.kind for step in make_plan(diagnosis(noise, coded), skip=["noise"]).steps] == ["jpeg"]


def test_noise_is_measured_later_if_an_earlier_step_changes_it() -> None:
    noise = found("noise", sigma=0.1)
    assert make_plan(diagnosis(noise)).steps[0].parameters == {"sigma": 0.1}
    assert make_plan(diagnosis(noise, found("impulses"))).steps[1].parameters == {}


def test_only_and_skip_choose_the_steps() -> None:
    both = diagnosis(found("noise"), found("holes"))
    assert [s.kind for s in make_plan(both, only=["noise"]).steps] == ["noise"]
    assert [s.kind for s in make_plan(both, skip=["noise"]).steps] == ["holes"]
    with pytest.raises(ValueError, match=r"only must name kinds of damage .* got 'nois'"):
        make_plan(both, only=["nois"])
    with pytest.raises(ValueError, match=r"strength must be in \[0, 1\]"):
        make_plan(both, strength=1.5)
    with pytest.raises(ValueError, match=r"strength must be a finite number, got '1'"):
        make_plan(both, strength="1")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"only": ["nois"]}, "only must name kinds of damage .* got 'nois'"),
        ({"skip": ["nois"]}, "skip must name kinds of damage .* got 'nois'"),
        ({"only": "noise"}, "only must name kinds of damage .* in a list; got 'noise'"),
        ({"strength": 2}, r"strength must be in \[0, 1\], got 2"),
        ({"strength": float("nan")}, "strength must be a finite number, got nan"),
    ],
)
def test_wishes_that_nothing_answers_are_refused_of_a_plan_too(wish: dict, message: str) -> None:
    noisy = diagnosis(found("noise", sigma=0.05))
    for refuse in (make_plan(noisy).limited, lambda **wish: make_plan(noisy, **wish)):
        with pytest.raises(ValueError, match=message) as caught:
            refuse(**wish)
        assert "\n" not in str(caught.value)


def test_resolution_is_reported_but_never_planned() -> None:
    assert make_plan(diagnosis(Finding("resolution", 2.0, "times", 0.9, "It was enlarged."))).steps == ()


def test_a_plan_says_when_the_picture_is_looked_at_again_unless_its_steps_are_edited() -> None:
    seen = diagnosis(found("noise", sigma=0.05), found("tilt", angle=2.0))
    plan = Plan.from_json(make_plan(seen).to_json())
    assert plan.looks() == {"noise": ("exposure",)}
    assert "After noise: look again for exposure." in str(plan)
    assert plan.as_run(seen) == plan
    assert plan.as_run(diagnosis(found("noise", sigma=0.06))).looks() == {}  # another picture
    assert plan.limited(skip=["exposure"]) == make_plan(seen, skip=["exposure"])
    assert plan.limited(skip=["tilt"]).looks() == {"noise": ("exposure",)}
    edited = plan.model_copy(update={"steps": plan.steps[:1]})
    assert edited.looks() == {}
    assert "look again" not in str(edited)


def test_json_round_trip() -> None:
    plan = make_plan(diagnosis(found("noise", sigma=0.05), found("holes"), found("tilt", angle=-1.5)), strength=0.7)
    assert Plan.from_json(plan.to_json()) == plan
    assert '\n      "kind": "holes"' in plan.to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON"),
        ('{"step": []}', "step: unknown field; allowed are version, strength, steps"),
        (
            '{"look_again": {"after": {}, "steps": "", "x": 1}}',
            r"look_again.x: unknown field; allowed are after, steps$",
        ),
        ('{"version": 9}', "version: must be 1; got 9"),
        ('{"strength": 2}', "strength: .* less than or equal to 1"),
        ('{"steps": [{"kind": "fog", "task": "denoise"}]}', r"steps\[0\].kind: must be 'marked', .* got 'fog'"),
        ('{"steps": [{"kind": "noise", "task": "clean"}]}', r"steps\[0\].task: must be one of denoise, .* got 'clean'"),
        ('{"steps": [{"kind": "noise", "task": "denoise", "method": "nm"}]}', r"steps\[0\]: method must be .* 'nm'"),
        ('{"steps": [{"kind": "noise", "task": "denoise", "sigma": 1}]}', r"steps\[0\].sigma: unknown field; allowed"),
        (
            '{"steps": [{"kind": "noise", "task": "denoise", "method": "median", "parameters": {"radios": 1}}]}',
            r"steps\[0\].parameters: denoise by median has no 'radios'; it has",
        ),
        (
            '{"steps": [{"kind": "cast", "task": "relight", "method": "curve", "parameters": {"part": -1}}]}',
            r"steps\[0\].parameters: part must be in \[0, 1\], got -1",
        ),
        ('{"steps": [{"kind": "noise", "task": "inpaint"}]}', r"steps\[0\]: task inpaint needs a mask"),
        ('{"steps": [{"kind": "noise", "task": "denoise", "mask": "x"}]}', r"steps\[0\]: mask belongs to task inpaint"),
        ('{"steps": [{"kind": "blur", "task": "upscale"}]}', r"steps\[0\]: task upscale changes the size"),
    ],
)
def test_errors_name_the_field_in_one_line(text: str, message: str) -> None:
    with pytest.raises(InvalidPlan, match=message) as caught:
        Plan.from_json(text)
    assert "\n" not in str(caught.value)


def test_a_step_is_frozen() -> None:
    step = Step(kind="noise", task="denoise")
    with pytest.raises(ValueError, match="frozen"):
        step.method = "tv"  # type: ignore[misc]
