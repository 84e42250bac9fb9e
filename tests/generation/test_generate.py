"""``anew.generate``: names, seeds, sizes, budgets, and the models of a subject, with and without them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import anew
from anew.errors import Unavailable
from anew.generation.catalogue import ENTRIES
from anew.generation.generate import SUBJECTS
from anew.generation.sheet import arrange, best_columns
from anew.inference import models
from anew.inference.card import BadModel

SUBJECT_NAMES = list(SUBJECTS)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the shipped weights."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(models, "WEIGHTS", folder)
    return folder


@pytest.mark.parametrize("name", ["marble", "uniform", "perlin", "checker", "voronoi"])
def test_picture_i_depends_on_the_seed_and_on_i_alone(name: str) -> None:
    four = anew.generate(name, 4, rng=3, size=(30, 20))
    assert four.shape in ((4, 20, 30, 1), (4, 20, 30, 3))
    assert four.dtype == np.float32
    np.testing.assert_array_equal(four[:2], anew.generate(name, 2, rng=3, size=(30, 20)))
    np.testing.assert_array_equal(four[1:3], anew.generate(name, 2, first=1, rng=3, size=(30, 20)))
    if ENTRIES[name].random:
        assert not np.array_equal(four[0], four[1])
        assert not np.array_equal(four, anew.generate(name, 4, rng=4, size=(30, 20)))


def test_a_generator_is_drawn_from_once_and_an_integer_size_is_a_square() -> None:
    first, again = (anew.generate("uniform", 2, rng=np.random.default_rng(1), size=9) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, 9, 9, 1)


def test_without_a_size_a_picture_has_the_usual_one() -> None:
    assert anew.generate("checker").shape == (1, 512, 512, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("marbel", 1, {}), "unknown picture 'marbel'; did you mean 'marble'"),
        (("marble", 0, {}), "n must be an integer of at least 1, got 0"),
        (("marble", 1.5, {}), "n must be an integer of at least 1, got 1.5"),
        (("marble", 1, {"first": -1}), "first must be an integer of at least 0, got -1"),
        (("marble", 1, {"rng": -1}), "rng must be an integer of at least 0"),
        (("marble", 1, {"size": (0, 5)}), r"size must be \(width, height\), each from 1 to 30000 pixels, got \(0, 5\)"),
        (("marble", 1, {"size": 40_000}), "size must be"),
        (("marble", 1, {"size": (5, 5, 5)}), "size must be"),
        (("marble", 1, {"size": 2.5}), "size must be"),
        (("marble", 1000, {}), "1000 pictures of 512 x 512 are 262.1 megapixels, above the budget of 250"),
        (("marble", 1, {"size": 100, "max_megapixels": 0.001}), "100 x 100 are 0.01 megapixels, above the budget"),
        (("marble", 1, {"label": "7"}), "marble takes no label: only trained models do"),
        (("marble", 1, {"steps": 4}), "marble takes no steps"),
        (("marble", 1, {"guidance": 2.0}), "marble takes no guidance"),
        (("marble", 1, {"vains": 2}), "marble has no option 'vains'; did you mean 'veins'"),
        (("marble", 1, {"veins": 1e9}), "veins must be a finite number >= 0.5 and <= 50"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(arguments: tuple[str, int, dict[str, object]], message: str) -> None:
    what, n, options = arguments
    with pytest.raises(ValueError, match=message) as caught:
        anew.generate(what, n, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_rule_file_gives_its_size_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "cloth.json"
    path.write_text(
        json.dumps({"size": [40, 24], "layers": [{"what": "stripes"}, {"what": "uniform", "opacity": 0.2}]})
    )
    images = anew.generate(path, 2, rng=1)
    assert images.shape == (2, 24, 40, 3)
    assert not np.array_equal(images[0], images[1])
    assert anew.generate(str(path), size=(10, 11)).shape == (1, 11, 10, 3)
    with pytest.raises(ValueError, match="a rule file takes no options, got palette"):
        anew.generate(path, palette="ember")


@pytest.mark.parametrize("subject", SUBJECT_NAMES)
def test_a_subject_without_a_model_says_so(subject: str, weights: Path) -> None:
    with pytest.raises(Unavailable, match=f"no trained model of {subject} is here"):
        anew.generate(subject)
    with pytest.raises(Unavailable, match=f"the model {SUBJECTS[subject][0]} is not here"):
        anew.generate(SUBJECTS[subject][0])


def test_the_first_model_of_a_subject_that_is_here_serves(weights: Path) -> None:
    pytest.importorskip("onnx")
    from tiny_models import write_flow, write_gan

    write_gan(weights / "gan-digits.onnx")
    images = anew.generate("digits", 5, rng=2)
    assert images.shape == (5, 8, 8, 1)
    brightest = images[:, :4, :, 0].mean(axis=2).argmax(axis=1)
    assert brightest.tolist() == [0, 1, 2, 0, 1], "the labels take turns"
    np.testing.assert_array_equal(images[:3], anew.generate("gan-digits", 3, rng=2))
    only = anew.generate("digits", 3, label="two")
    assert (only[:, :4, :, 0].mean(axis=2).argmax(axis=1) == 2).all()
    write_flow(weights / "flow-digits.onnx")
    np.testing.assert_array_equal(anew.generate("digits", 3, rng=2), images[:3])
    (weights / "gan-digits.onnx").unlink()
    flow = anew.generate("digits", 2, rng=2, steps=16)
    noise = np.stack([np.random.default_rng([2, i]).standard_normal((8, 8), np.float32) for i in range(2)])
    expected = np.clip((noise * np.exp(-0.5) + 1) / 2, 0, 1)
    np.testing.assert_allclose(flow[..., 0], expected, atol=1e-3)


def test_what_a_model_cannot_do_is_said_in_one_line(weights: Path) -> None:
    pytest.importorskip("onnx")
    from tiny_models import write_gan

    write_gan(weights / "gan-digits.onnx")
    for options, message in (
        ({"label": "seven"}, "no label 'seven'; gan-digits knows zero, one, two"),
        ({"size": 64}, "gan-digits makes pictures of 8 x 8; enlarge them"),
        ({"palette": "ember"}, "gan-digits has no option 'palette'"),
        ({"steps": 4}, "gan-digits takes no steps"),
        ({"n": 10**7}, "10000000 pictures of 8 x 8 are 640 megapixels"),
    ):
        with pytest.raises(ValueError, match=message):
            anew.generate("digits", **options)  # type: ignore[arg-type]
    assert anew.generate("digits", size=(8, 8)).shape == (1, 8, 8, 1)
    path = weights.parent / "mine.onnx"
    write_gan(path)
    assert anew.generate(path, 2).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("kind", "fact", "value", "place"),
    [
        ("gan", "latent", None, "facts.latent"),
        ("gan", "size", None, "facts.size"),
        ("gan", "size", "wide", "facts.size"),
        ("gan", "kind", "dream", "facts"),
        ("gan", "kind", None, "facts"),
        ("flow", "steps", 0, "facts.steps"),
        ("flow", "guidance", None, "facts.guidance"),
        ("flow", "parametrisation", "other", "facts.parametrisation"),
    ],
)
def test_a_card_without_what_running_takes_is_refused(
    kind: str, fact: str, value: object, place: str, tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")
    import tiny_models

    path = tmp_path / "mine.onnx"
    {"gan": tiny_models.write_gan, "flow": tiny_models.write_flow}[kind](path)
    model = onnx.load(path)
    card = json.loads(model.metadata_props[0].value)
    card["facts"] = {k: v for k, v in {**card["facts"], fact: value}.items() if v is not None}
    onnx.helper.set_model_props(model, {"anew:card": json.dumps(card)})
    onnx.save(model, path)
    with pytest.raises(BadModel, match=rf"mine.onnx: its card is not valid at {place}: .*; export the model again$"):
        anew.generate(path)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 16, 20, 64])
def test_sheets_hold_every_picture_and_leave_few_places_empty(n: int) -> None:
    columns = best_columns(n, 1.0, 1)
    assert 0 <= -(-n // columns) * columns - n <= max(1, n // 5)
    images = np.random.default_rng(0).random((n, 6, 5, 3), np.float32) * np.float32(0.9)
    sheet = arrange(images)
    assert sheet.shape[2] == 3
    assert sheet.max() == np.float32(0.97)
    factor = round(112 / 5)
    assert np.isclose(sheet, images[-1, -1, -1]).all(axis=2).sum() >= factor**2, "the last pixel, enlarged"


def test_a_sheet_keeps_the_order_of_its_pictures() -> None:
    images = np.linspace(0, 0.9, 6, dtype=np.float32)[:, None, None, None] * np.ones((1, 200, 200, 1), np.float32)
    sheet = arrange(images, columns=3)[:, :, 0]
    assert sheet.shape == (2 * 212 + 12, 3 * 212 + 12)
    np.testing.assert_allclose(sheet[100, 100::212], images[:3, 0, 0, 0])
    np.testing.assert_allclose(sheet[312, 100::212], images[3:, 0, 0, 0])


@pytest.mark.parametrize(("n", "period"), [(20, 10), (60, 10), (64, 10), (300, 10), (64, 3), (7, 2), (5000, 7)])
def test_pictures_of_a_label_stand_below_each_other(n: int, period: int) -> None:
    assert best_columns(n, 1.0, period) % period == 0
    images = (np.arange(n) % period / period).astype(np.float32)[:, None, None, None] * np.ones(
        (1, 4, 4, 1), np.float32
    )
    sheet = arrange(images, period=period)[:, :, 0]
    paper = sheet > 0.96
    for column in range(sheet.shape[1]):
        assert len(set(sheet[~paper[:, column], column].tolist())) <= 1, f"column {column} shows two labels"


def test_too_few_pictures_for_two_rows_are_laid_out_as_others() -> None:
    images = np.zeros((16, 9, 9, 1), np.float32)
    assert arrange(images, period=10).shape == arrange(images).shape
