"""``anew generate`` as a person uses it: real files, real exit codes, one line for everything that is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew
from anew.cli.generate_files import installed
from anew.inference import models

sys.path.insert(0, str(Path(__file__).parents[1] / "generation"))

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def invoke(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Invoke:
    """Run ``anew ...`` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return invoke


@pytest.fixture
def weights(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the shipped weights, with a small generator and a small flow."""
    pytest.importorskip("onnx")
    from tiny_models import write_flow, write_gan

    folder = tmp_path_factory.mktemp("weights")
    write_gan(folder / "gan-digits.onnx")
    write_flow(folder / "flow-digits.onnx")
    monkeypatch.setattr(models, "WEIGHTS", folder)
    return folder


def test_a_rule_is_drawn_to_a_file_with_its_recipe(invoke: Invoke) -> None:
    code, out, err = invoke(
        "generate", "marble", "--size", "80x60", "--seed", 3, "--set", "palette=verde", "-o", "m.png"
    )
    assert (code, out, err) == (0, "m.png\n", "")
    picture = anew.read("m.png")
    expected = anew.generate("marble", rng=3, size=(80, 60), palette="verde")[0]
    np.testing.assert_allclose(picture.pixels, expected, atol=0.51 / 255)
    recipe = json.loads(picture.facts.recipe or "")
    assert recipe["anew"] == anew.__version__
    assert recipe["libraries"]["numpy"] == np.__version__
    asked = {"what": "marble", "n": 1, "seed": 3, "size": [80, 60], "options": {"palette": "verde"}}
    assert recipe["generate"] == asked


def test_without_a_name_the_file_is_named_after_the_picture_and_nothing_is_overwritten(invoke: Invoke) -> None:
    assert invoke("generate", "uniform", "--size", 20)[0] == 0
    first = Path("uniform.png").read_bytes()
    code, out, err = invoke("generate", "uniform", "--size", 20, "--seed", 1)
    assert (code, out) == (2, "")
    assert "uniform.png exists already; use --overwrite" in err
    assert Path("uniform.png").read_bytes() == first
    assert invoke("generate", "uniform", "--size", 20, "--seed", 1, "--overwrite")[0] == 0
    assert Path("uniform.png").read_bytes() != first


def test_several_make_a_sheet_or_single_files(invoke: Invoke) -> None:
    assert invoke("generate", "perlin", "-n", 6, "--size", "40x30", "-o", "sheet.png")[0] == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.mode == "L"
        assert sheet.width > 2 * 40
        assert sheet.height > 2 * 30
    code, out, _ = invoke("generate", "perlin", "-n", 3, "--size", "40x30", "--each", "-o", "folder")
    assert code == 0
    assert out.split() == [f"folder/perlin-0{i}.png" for i in range(3)]
    images = anew.generate("perlin", 3, size=(40, 30))
    for index in range(3):
        picture = anew.read(f"folder/perlin-0{index}.png")
        np.testing.assert_allclose(picture.pixels, images[index], atol=0.51 / 255)
        assert json.loads(picture.facts.recipe or "")["generate"]["index"] == index
    assert invoke("generate", "perlin", "-n", 3, "--size", 8, "--each", "-o", "folder")[0] == 2
    assert invoke("generate", "perlin", "-n", 3, "--size", 8, "--each", "-o", "folder", "--overwrite")[0] == 0


@pytest.mark.parametrize("ending", ["jpg", "webp", "tif", "avif", "bmp"])
def test_other_formats_can_be_written(invoke: Invoke, ending: str) -> None:
    assert invoke("generate", "dots", "--size", 32, "-o", f"x.{ending}")[0] == 0
    assert anew.read(f"x.{ending}").pixels.shape == (32, 32, 3)


def test_copies_of_a_picture_without_chance_are_said(invoke: Invoke) -> None:
    code, _, err = invoke("generate", "checker", "-n", 3, "--size", 20)
    assert (code, err) == (0, "anew: checker draws nothing by chance: all 3 are alike\n")
    assert invoke("generate", "perlin", "-n", 3, "--size", 20)[2] == ""


@pytest.mark.parametrize("ending", ["png", "tif", "ppm"])
def test_fine_values_can_be_written_with_16_bits(invoke: Invoke, ending: str) -> None:
    name = f"heights.{ending}"
    assert invoke("generate", "fractal-noise", "--size", "50x40", "--bits", 16, "-o", name)[0] == 0
    picture = anew.read(name)
    assert picture.facts.bit_depth == 16
    np.testing.assert_allclose(picture.pixels, anew.generate("fractal-noise", size=(50, 40))[0], atol=0.51 / 65535)


def test_a_recipe_names_the_libraries_that_are_installed() -> None:
    assert installed(("numpy", "one-that-nobody-has")) == {"numpy": np.__version__}


def test_many_files_are_written_in_parts(invoke: Invoke, weights: Path) -> None:
    code, out, _ = invoke("generate", "digits", "-n", 150, "--each", "-o", "many")
    assert code == 0
    assert len(out.split()) == len(list(Path("many").iterdir())) == 150
    images = anew.generate("digits", 150)
    for index in (0, 63, 64, 149):
        picture = anew.read(f"many/digits-{index:03d}.png")
        np.testing.assert_allclose(picture.pixels, images[index], atol=0.51 / 255)
        assert json.loads(picture.facts.recipe or "")["generate"]["index"] == index


def test_a_rule_file_is_drawn_and_kept_in_the_recipe(invoke: Invoke) -> None:
    rules = {"size": [30, 20], "layers": [{"what": "checker"}, {"what": "wood", "blend": "multiply", "opacity": 0.5}]}
    Path("floor.json").write_text(json.dumps(rules))
    assert invoke("generate", "floor.json")[:2] == (0, "floor.png\n")
    picture = anew.read("floor.png")
    assert picture.pixels.shape == (20, 30, 3)
    kept = json.loads(picture.facts.recipe or "")["generate"]["rules"]
    assert kept == rules
    Path("floor.json").write_text('{"layers": [{"what": "checker", "opacity": 7}]}')
    code, out, err = invoke("generate", "floor.json", "-o", "no.png")
    assert (code, out) == (1, "")
    assert err.strip() == "anew: floor.json: layers[0].opacity: Input should be less than or equal to 1"
    assert not Path("no.png").exists()


def test_json_says_what_was_written(invoke: Invoke) -> None:
    code, out, err = invoke("generate", "voronoi", "-n", 2, "--size", "30x20", "--each", "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert result["failed"] == 0
    assert [row["output"] for row in result["results"]] == ["voronoi/voronoi-00.png", "voronoi/voronoi-01.png"]
    assert all(row["size"] == [30, 20] and row["status"] == "done" for row in result["results"])


def test_the_list_names_everything_and_one_names_its_options(invoke: Invoke) -> None:
    code, out, _ = invoke("generate", "--list")
    assert code == 0
    for name in ("digits", "faces", "salt-and-pepper", "reaction-diffusion", "l-system"):
        assert name in out
    listed = json.loads(invoke("generate", "--list", "--json")[1])
    assert {row["kind"] for row in listed["pictures"]} == {"random", "colour", "shape", "texture"}
    code, out, _ = invoke("generate", "marble", "--list")
    assert code == 0
    assert "--set veins=3.0" in out
    assert "How ragged they are" in out
    assert "rng" not in out
    assert json.loads(invoke("generate", "marble", "--list", "--json")[1])["options"]["palette"] == "carrara"
    assert "one of dragon, rabbit, dendrite" in invoke("generate", "julia", "--list")[1]
    assert invoke("generate", "marbel", "--list")[0] == 2
    Path("two.json").write_text('{"layers": [{"what": "marble"}, {"what": "dots", "mask": {"what": "voronoi"}}]}')
    _, out, _ = invoke("generate", "two.json", "--list")
    assert "2 layers, from the bottom up" in out
    assert "dots: normal, opacity 1, where voronoi is bright" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say what to generate"),
        (["marbel"], "unknown picture 'marbel'; did you mean 'marble'?"),
        (["zebra"], "unknown picture 'zebra' (one of digits, fashion, faces, textures, uniform"),
        (["marble", "-n", "0"], "Invalid value for '-n': Input should be greater than or equal to 1"),
        (
            ["marble", "-n", "1000000"],
            "1000000 pictures of 512 x 512 are 2.621e+05 megapixels, above the budget of 250",
        ),
        (["marble", "--size", "20000x20000"], "are 400 megapixels, above the budget of 250"),
        (["marble", "--size", "2000", "--max-megapixels", "1"], "are 4 megapixels, above the budget of 1"),
        (["marble", "--size", "0x4"], "each from 1 to 30000 pixels, got (0, 4)"),
        (["marble", "--size", "wide"], "expected WIDTHxHEIGHT in pixels, e.g. 640x480, got 'wide'"),
        (["marble", "--seed", "-1"], "Input should be greater than or equal to 0"),
        (["marble", "--set", "vains=2"], "marble has no option 'vains'; did you mean 'veins'?"),
        (["marble", "--set", "veins=many"], "marble: veins should be a valid number"),
        (["marble", "--set", "veins=1000"], "veins must be a finite number >= 0.5 and <= 50, got 1000"),
        (["marble", "--set", "palette=mud"], "unknown palette 'mud'"),
        (["marble", "--set", "veins"], "expected KEY=VALUE, got 'veins'"),
        (["marble", "--set", "size=64"], "size is no option of a picture; the command has its own, see --help"),
        (["marble", "--label", "7"], "marble takes no label: only trained models do"),
        (["marble", "--guidance", "2"], "marble takes no guidance"),
        (["marble", "--model", "gan-digits"], "--model goes with a subject"),
        (["marble", "--interpolate", "9"], "--interpolate needs a trained model; marble is drawn, not sampled"),
        (["marble", "--interpolate", "9", "-o", "x.jpg"], "JPEG holds one picture"),
        (["marble", "-o", "x.xyz"], "x.xyz: no known image format"),
        (["marble", "--each", "-o", "x.png"], "--each needs a folder as output, got x.png"),
        (["marble", "-o", "."], "is a folder; name a file"),
        (["marble", "-o", "nowhere/x.png"], "nowhere: there is no such folder; make it"),
        (["none.json"], "none.json: there is no such rule file"),
        (["marble", "--bits", "16", "-o", "x.jpg"], "x.jpg: JPEG holds 8 bits, not 16; write .png or .tif"),
        (["marble", "--bits", "12"], "--bits is 8 or 16, not 12"),
        (["digits", "--bits", "16", "--interpolate", "4"], "--interpolate writes 8 bits"),
        (["digits", "--model", "gan-fashion"], "'gan-fashion' is no model of digits"),
    ],
)
def test_wrong_use_is_one_line_and_exit_status_2(invoke: Invoke, arguments: list[str], message: str) -> None:
    code, out, err = invoke("generate", *arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert "Traceback" not in err
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits"], "anew: no trained model of digits is here (looked for gan-digits, flow-digits, vae-digits)"),
        (["digits", "--model", "gan-digits"], "anew: the model gan-digits is not here; train one with `anew train`"),
        (["digits", "--model", "mine.onnx"], "anew: mine.onnx: there is no such file"),
    ],
)
def test_what_is_missing_is_one_line_and_exit_status_1(
    invoke: Invoke, arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "WEIGHTS", tmp_path / "no weights")
    code, out, err = invoke("generate", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1
    assert not list(Path().iterdir())


def test_a_model_draws_labels_sheets_and_animations(invoke: Invoke, weights: Path) -> None:
    code, _, err = invoke("generate", "digits", "--model", "gan-digits", "--label", "two", "-n", 9, "-o", "twos.png")
    assert (code, err) == (0, "")
    recipe = json.loads(anew.read("twos.png").facts.recipe or "")["generate"]
    assert recipe["model"] == "gan-digits"
    assert recipe["label"] == "two"
    assert invoke("generate", "flow-digits", "--steps", 2, "--guidance", 1.5, "-n", 2, "-o", "flow.png")[0] == 0
    assert json.loads(anew.read("flow.png").facts.recipe or "")["generate"]["model"] == "flow-digits"
    listed = json.loads(invoke("generate", "--list", "--json")[1])
    assert listed["models"] == {"flow-digits": ["zero", "one", "two"], "gan-digits": ["zero", "one", "two"]}
    assert listed["subjects"]["digits"] == ["gan-digits", "flow-digits"]
    assert "--label L  one of zero, one, two;" in invoke("generate", "digits", "--list")[1]
    assert "--set sampler=heun  one of euler, heun, dpmpp_2m" in invoke("generate", "flow-digits", "--list")[1]
    assert json.loads(invoke("generate", "digits", "--list", "--json")[1])["labels"] == ["zero", "one", "two"]


@pytest.mark.parametrize("ending", ["webp", "gif", "png"])
def test_an_animation_is_a_loop_between_samples(invoke: Invoke, weights: Path, ending: str) -> None:
    arguments = ["digits", "--model", "gan-digits", "--label", "one", "--interpolate", 12, "-n", 3, "--seed", 5]
    code, out, err = invoke("generate", *arguments, "-o", f"loop.{ending}")
    assert (code, out, err) == (0, f"loop.{ending}\n", "")
    frames = anew.read_frames(f"loop.{ending}")
    assert len(frames) == 12
    assert frames[0].pixels.shape[:2] == (192, 192)
    assert frames[0].facts.duration == pytest.approx(60)
    assert frames[0].facts.loop == 0
    first = anew.generate("gan-digits", rng=5, label="one")[0].repeat(24, axis=0).repeat(24, axis=1)
    np.testing.assert_allclose(frames[0].pixels.mean(axis=2), first[:, :, 0], atol=0.06)
    jumps = [np.abs(b.pixels - a.pixels).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert max(jumps) < 4 * np.mean(jumps), "the last frame leads to the first"


def test_what_a_model_cannot_do_is_one_line(invoke: Invoke, weights: Path) -> None:
    for arguments, message in (
        (["--label", "seven"], "no label 'seven'; gan-digits knows zero, one, two (or 0 to 2)"),
        (["--label", "9"], "no label '9'"),
        (["--size", "64"], "gan-digits makes pictures of 8 x 8"),
        (["--set", "palette=ember"], "gan-digits has no option 'palette'"),
        (["--model", "flow-digits", "--set", "sampler=magic"], "no sampler 'magic'; there are euler, heun, dpmpp_2m"),
        (["--steps", "3"], "gan-digits takes no steps: only a flow does, and this is a gan; try --model flow-digits"),
        (["-n", "99999999"], "are 6400 megapixels, above the budget"),
        (["-n", "99999999", "--each"], "are 6400 megapixels, above the budget"),
        (["--interpolate", "10000"], "10000 pictures of 192 x 192 are 368.6 megapixels, above the budget"),
        (["--interpolate", "9", "--each"], "--interpolate writes one animation; leave out --each"),
        (["--model", "flow-digits", "--steps", "1001"], "steps must be up to 1000, not 1001"),
        (["--interpolate", "4", "--size", "9"], "--interpolate takes no --size"),
        (["--interpolate", "4", "--set", "a=1"], "gan-digits has no option 'a'"),
    ):
        code, out, err = invoke("generate", "digits", *arguments)
        assert (code, out) == (2, ""), arguments
        assert message in " ".join(err.split())
        assert not list(Path().iterdir())
