"""``anew models NAME --inspect DIR`` as a person uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

pytest.importorskip("onnx")

from anew.cli import main
from anew.inference.inspection import robustness
from hand_made_models import conv, make_card, node, save_model


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the table short; its length is tested elsewhere."""
    monkeypatch.setitem(robustness.TRIALS, "denoise", robustness.TRIALS["denoise"][:2])
    monkeypatch.setattr(robustness, "SIZES", ((7, 5),))


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    """Run ``anew ...`` in this process and give (exit code, standard output, standard error)."""
    monkeypatch.setattr(sys, "argv", ["anew", *map(str, arguments)])
    code = 0
    try:
        main.run()
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_restorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = np.eye(3)[:, :, None, None] * np.full((3, 3), 1 / 9)
    nodes = [conv("image", "blur.weight", "result")]
    card = make_card("denoise")
    save_model(tmp_path / "m.onnx", nodes, channels=3, card=card, **{"blur.weight": kernel})
    folder = tmp_path / "new" / "found"
    run = (monkeypatch, capsys, "models", tmp_path / "m.onnx", "--inspect", folder)
    code, out, err = call(*run, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["receptive_field"]["support"] == found["receptive_field"]["structural"] == [3, 3]
    assert found["cost"]["layers"][0]["name"] == "blur"
    assert found["notes"] == []
    names = {
        "features.png",
        "inspection.json",
        "receptive-field.png",
        "robustness.json",
        "robustness.md",
        "saliency.png",
    }
    assert {path.name for path in folder.iterdir()} == names == {Path(path).name for path in found["files"]}
    for name in ("features.png", "receptive-field.png", "saliency.png"):
        with Image.open(folder / name) as picture:
            assert picture.mode == "RGB"
            assert min(picture.size) > 100
    written = json.loads((folder / "robustness.json").read_text())
    assert written["rows"] == found["robustness"]

    before = (folder / "robustness.md").read_bytes()
    code, _, err = call(*run)
    assert code == 2
    assert "exists already" in err
    assert (folder / "robustness.md").read_bytes() == before
    code, out, _ = call(*run, "--overwrite")
    assert code == 0
    assert "reaching 3 x 3; the wiring allows 3 x 3" in out
    assert "the bit" in out


@pytest.mark.parametrize("size", [(1, 1), (7, 5)])
def test_tiny_grey_pictures(
    tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(tmp_path / "m.onnx", [conv("image", "w", "result")], w=np.ones((1, 1, 3, 3)))
    Image.new("L", size, 128).save(tmp_path / "photo.png")
    arguments = ["models", tmp_path / "m.onnx", "--inspect", tmp_path / "found", "--input", tmp_path / "photo.png"]
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 0, err
    assert "saliency.png" in out
    assert "robustness: there are tables for denoise, deblock, repair, upscale; the task of m is not known" in err


def test_a_classifier_says_what_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes = [
        conv("image", "w", "a"), node("GlobalAveragePool", "a", "b"), node("Flatten", "b", "logits"),
    ]  # fmt: skip
    card = make_card("classify", channels=1, labels=["no", "yes"])
    weights = {"w": np.ones((2, 1, 3, 3))}
    save_model(tmp_path / "m.onnx", nodes, size=(28, 28), output="logits", rank=2, card=card, **weights)
    code, out, err = call(monkeypatch, capsys, "models", tmp_path / "m.onnx", "--inspect", tmp_path / "found")
    assert code == 0
    assert "reaching 3 x 3" in out
    assert "saliency: give a picture like those that it was trained on with --input" in err
    assert not (tmp_path / "found" / "saliency.png").exists()


def test_generators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One that starts from a latent vector has feature maps alone; one that starts from noise has a field as well."""
    weights = {"w": np.ones((2, 1, 3, 3)), "v": np.ones((1, 2, 3, 3))}
    grow = [conv("image", "w", "a"), conv("a", "v", "result")]
    latent = [node("Reshape", "latent", "shape", "image"), *grow]
    helper = pytest.importorskip("onnx").helper
    constant = helper.make_node("Constant", [], ["shape"], value_ints=[-1, 1, 2, 2])
    card = make_card("generate", channels=1, kind="gan")
    save_model(tmp_path / "gan.onnx", [constant, *latent], entries={"latent": ["count", 4]}, card=card, **weights)
    code, out, err = call(monkeypatch, capsys, "models", tmp_path / "gan.onnx", "--inspect", tmp_path / "gan")
    assert code == 0, err
    assert {path.name for path in (tmp_path / "gan").iterdir()} == {"features.png", "inspection.json"}
    assert "receptive field: this model takes no image" in err

    entries = {"image": ["count", 1, 16, 16], "time": ["count"]}
    save_model(tmp_path / "flow.onnx", grow, entries=entries, card=make_card("generate", channels=1), **weights)
    code, out, err = call(monkeypatch, capsys, "models", tmp_path / "flow.onnx", "--inspect", tmp_path / "flow")
    assert code == 0, err
    assert "reaching 5 x 5; the wiring allows 5 x 5" in out


def test_without_onnx_the_rest_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(tmp_path / "m.onnx", [conv("image", "w", "result")], w=np.ones((1, 1, 3, 3)))
    Image.new("L", (24, 24), 128).save(tmp_path / "photo.png")
    monkeypatch.setitem(sys.modules, "onnx", None)
    arguments = ["models", tmp_path / "m.onnx", "--inspect", tmp_path / "found", "--input", tmp_path / "photo.png"]
    code, out, err = call(monkeypatch, capsys, *arguments)
    assert code == 0, err
    assert "reaching 3 x 3\n" in out
    assert {"receptive-field.png", "saliency.png"} < {path.name for path in (tmp_path / "found").iterdir()}
    assert err.count("install anew with its extra `train`") == 3  # layers, wiring, feature maps


def test_wrong_use_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(monkeypatch, capsys, "models", "denoise-unet", "--overwrite")
    assert code == 2
    assert "belong to --inspect" in err
    code, _, err = call(monkeypatch, capsys, "models", "--inspect", tmp_path)
    assert code == 2
    assert "name the model" in err
    code, _, err = call(monkeypatch, capsys, "models", "nothing", "--inspect", tmp_path)
    assert code == 2
    assert "no model 'nothing'" in err
    Image.new("L", (4, 4)).save(tmp_path / "photo.png")
    arguments = ["denoise-unet", "--inspect", tmp_path / "x", "--input", tmp_path / "photo.png", "--at", 4, 0]
    code, _, err = call(monkeypatch, capsys, "models", *arguments)
    assert code == 2
    assert "outside the picture of 4 x 4" in err
    tifffile.imwrite(tmp_path / "holed.tif", np.full((4, 4), np.nan, np.float32))
    arguments = ["denoise-unet", "--inspect", tmp_path / "x", "--input", tmp_path / "holed.tif"]
    code, _, err = call(monkeypatch, capsys, "models", *arguments)
    assert code == 2
    assert "holed.tif: holds NaN" in " ".join(err.split())
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").write_text("")
    code, _, err = call(monkeypatch, capsys, "models", "denoise-unet", "--inspect", tmp_path / "file")
    assert code == 2
    assert "cannot be a folder" in err
