"""The robustness tables, on restorers whose every figure is known: one that does nothing, and others as simple."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")

from anew.inference.inspection import robustness
from anew.inference.inspection.robustness import CAP, Row, measure_robustness
from anew.inference.inspection.tables import GROUPS, row_as_json, rows_as_markdown, rows_as_text
from anew.inference.inspection.trials import REFERENCE, TRIALS
from hand_made_models import conv, make_card, node, save_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def idle(folder: Path) -> list[Row]:
    """What a denoiser that does nothing achieves."""
    model = save_model(
        folder / "idle.onnx", [node("Identity", "image", "result")], channels=3, card=make_card("denoise")
    )
    return measure_robustness(model)


def test_who_does_nothing_gains_nothing(idle: list[Row]) -> None:
    scored = [row for row in idle if row.group != "shift"]
    assert len(scored) > 20
    assert {row.gain for row in scored} == {0}
    assert {row.equivariance for row in idle if row.group == "shift"} == {CAP}
    assert {row.group for row in idle} == set(GROUPS)


def test_the_damage_is_of_the_strength_it_says(idle: list[Row]) -> None:
    """Noise of sigma s lies 20 log10(255 / s) dB below the range, a little more after clipping."""
    before = {row.name: row.before for row in idle if row.group in ("level", "kind")}
    for sigma in (5, 15, 25):
        assert before[f"sigma {sigma}"] == pytest.approx(20 * np.log10(255 / sigma), abs=0.6)
    told = {row.name: row.told for row in idle}
    assert told["sigma 25, told 30% too low"] == pytest.approx(0.7 * 25 / 255)
    assert told["uniform"] == pytest.approx(25 / 255, rel=0.01)


@pytest.mark.parametrize("task", ["deblock", "repair", "upscale"])
def test_the_other_tasks_have_tables_too(folder: Path, task: str) -> None:
    if task == "upscale":
        enlarge = [node("ConvTranspose", "image", "w", "x2", strides=[2, 2])]
        card = make_card(task, channels=1, scales=[2])
        model = save_model(folder / "nearest.onnx", enlarge, output="x2", card=card, w=np.ones((1, 1, 2, 2)))
    else:
        nothing = [node("Identity", "image", "result")]
        model = save_model(folder / "blocky.onnx", nothing, channels=3, card=make_card(task))
    rows = measure_robustness(model)
    names = {row.name for row in rows}
    if task == "upscale":
        assert not {"x3", "x4"} & names  # it cannot
        assert all(row.gain < 0 for row in rows if row.name in ("x2", "255 x 257", "257 x 255"))  # worse than bicubic
        assert all(row.equivariance == CAP for row in rows if row.group == "shift")
    else:
        assert {trial.name for trial in TRIALS[task]} <= names
        assert {row.gain for row in rows if row.group != "shift"} == {0}


def test_shifts_tell_who_moves_with_the_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A blur does at every step; what keeps every second pixel and repeats it does at even steps alone."""
    monkeypatch.setattr(robustness, "SIZES", ())
    monkeypatch.setitem(robustness.TRIALS, "denoise", ())
    kernel = np.eye(3)[:, :, None, None] * np.full((3, 3), 1 / 9)
    blur = save_model(
        folder / "blur.onnx", [conv("image", "w", "result")], channels=3, card=make_card("denoise"), w=kernel
    )
    assert {row.equivariance for row in measure_robustness(blur) if row.group == "shift"} == {CAP}
    every_second = [
        node("Conv", "image", "w", "a", strides=[2, 2]), node("ConvTranspose", "a", "v", "result", strides=[2, 2]),
    ]  # fmt: skip
    weights = {"w": np.eye(3)[:, :, None, None], "v": np.eye(3)[:, :, None, None] * np.ones((2, 2))}
    coarse = save_model(folder / "coarse.onnx", every_second, channels=3, card=make_card("denoise"), **weights)
    found = {row.name: row.equivariance for row in measure_robustness(coarse) if row.group == "shift"}
    assert found["4 down, 4 right"] == found["8 down, 8 right"] == CAP
    assert max(found["1 down, 0 right"], found["0 down, 1 right"], found["3 down, 5 right"]) < 30


def test_tables_say_the_same_in_every_form(idle: list[Row]) -> None:
    text = rows_as_text(idle)
    page = rows_as_markdown(idle, title="idle", reference=REFERENCE["denoise"].name, notes=["a note"])
    assert page.startswith("# idle\n")
    assert "## Size (sigma 25)" in page
    for row in idle:
        assert row.name in text
        assert f"| {row.name} |" in page
    assert row_as_json(idle[0])["gain_db"] == 0
    assert text.count("the bit") == 5


def test_who_is_no_restorer_has_no_table(folder: Path) -> None:
    foreign = save_model(folder / "foreign.onnx", [node("Identity", "image", "result")])
    with pytest.raises(
        ValueError, match="there are tables for denoise, deblock, repair, upscale; the task of foreign is not"
    ):
        measure_robustness(foreign)
