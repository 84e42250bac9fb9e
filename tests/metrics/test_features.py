"""Feature extractors: what they take, what they refuse, and that they see what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from skimage.transform import resize

from anew.inference.card import BadModel
from anew.inference.models import WEIGHTS, model_names, read_card
from anew.metrics import features
from anew.metrics.features import WrongExtractor, as_images, classify, extract, open_extractor


def seven() -> np.ndarray:
    """A hand-drawn seven in the manner of the training data, 28 x 28, white on black."""
    image = np.zeros((28, 28), np.float32)
    image[6:9, 7:21] = 1
    for row in range(9, 23):
        middle = 19 - (row - 9) * 0.6
        image[row, int(middle - 1) : int(middle + 2)] = 1
    return image


def test_the_judge_and_the_extractor_see_a_seven() -> None:
    judged = classify(seven()[None], "judge-digits")
    np.testing.assert_allclose(judged.sum(axis=1), 1, atol=1e-6)
    assert open_extractor("judge-digits").labels[int(judged.argmax())] == "7"
    assert int(classify(seven()[None], "digits").argmax()) == 7


@pytest.mark.parametrize("name", [n for n in model_names() if n.startswith(("features-", "judge-"))])
def test_every_shipped_extractor_does_what_its_card_says(name: str) -> None:
    card = read_card(name)
    for words in (card.data, card.terms, card.protocol, card.scores, card.budget):
        assert words, "a shipped model says where it comes from and how good it is"
    size = tuple(card.facts.get("size", (40, 56)))
    channels = (3,) if card.channels == 3 else ()
    images = np.random.default_rng(0).random((3, *size, *channels)).astype(np.float32)
    features = extract(images, name)
    assert features.shape[0] == 3
    assert features.shape[1] == card.facts["features"] or not card.network_args["features"]
    assert features.min() >= 0
    assert classify(images, name).shape == (3, len(card.facts["labels"]))
    assert open_extractor(name.removeprefix("features-")).labels == tuple(card.facts["labels"])


def test_bytes_floats_grey_and_colour_are_described_alike() -> None:
    image = seven()[None]
    expected = extract(image, "digits")
    assert expected.shape == (1, 96)
    np.testing.assert_allclose(extract((image * 255).astype(np.uint8), "digits"), expected, atol=1e-5)
    np.testing.assert_allclose(extract(np.repeat(image[..., None], 3, axis=3), "digits"), expected, atol=1e-4)


def test_a_set_is_described_image_by_image() -> None:
    images = np.stack([np.roll(seven(), shift, axis=1) for shift in range(-3, 4)])
    together = extract(images, "digits")
    for image, row in zip(images, together, strict=True):
        np.testing.assert_allclose(extract(image[None], "digits")[0], row, atol=1e-4)


def test_large_images_are_described_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = skimage.data.astronaut()[None, :300, :210]
    whole, judged = extract(photo, "photos"), classify(photo, "photos")
    monkeypatch.setattr(features, "TILE", 100)
    np.testing.assert_allclose(extract(photo, "photos"), whole, atol=0.05 * np.linalg.norm(whole))
    assert not np.array_equal(extract(photo, "photos"), whole)
    parts = [photo[:, i * 100 : i * 100 + 100, j * 70 : j * 70 + 70] for i in range(3) for j in range(3)]
    monkeypatch.setattr(features, "TILE", 1024)
    mean = np.mean([extract(part, "photos") for part in parts], axis=0)
    monkeypatch.setattr(features, "TILE", 100)
    np.testing.assert_allclose(extract(photo, "photos"), mean, rtol=1e-4, atol=1e-5)
    assert classify(photo, "photos").argmax() == judged.argmax()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_large_images_take_little_more_memory_than_their_pixels() -> None:
    code = (
        "import re, numpy as np; from pathlib import Path; from anew.metrics.features import extract\n"
        "image = np.zeros((1, 4000, 4000, 3), np.uint8); extract(image[:, :64, :64], 'photos')\n"
        "extract(image, 'photos'); print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000_000  # kB; in one piece 2.4 GB


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (np.zeros((28, 28), np.float32), ValueError, "expected images of shape"),
        (np.zeros((2, 28, 28, 4), np.float32), ValueError, "expected images of shape"),
        (np.zeros((2, 28, 28), np.int32), TypeError, "float in .0, 1., or uint8"),
        (np.full((2, 28, 28), np.nan, np.float32), ValueError, "NaN"),
        (np.linspace(-1, 1, 28 * 28, dtype=np.float32).reshape(1, 28, 28), ValueError, "values from -1 to 1; scale"),
        (np.full((2, 28, 28), 255.0), ValueError, "values from 255 to 255; scale them"),
    ],
)
def test_what_is_no_set_of_images_is_refused(images: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        as_images(images)


def test_wrong_sizes_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="describes images of 28 x 28 pixels, these have 32 x 32"):
        extract(np.zeros((1, 32, 32), np.float32), "digits")
    with pytest.raises(WrongExtractor, match="no feature extractor 'numbers'; there are digits"):
        extract(seven()[None], "numbers")
    with pytest.raises(WrongExtractor, match="no such file"):
        extract(seven()[None], "missing.onnx")
    with pytest.raises(WrongExtractor, match="no such file"):
        extract(seven()[None], Path("missing.onnx"))


def save_means(path: Path, shape: list[str | int]) -> None:
    """Write an extractor that only averages each channel."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["pixels"], ["real"], to=TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["real"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "means",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)


def test_a_foreign_extractor_gets_scaled_images_of_its_kind(tmp_path: Path) -> None:
    save_means(tmp_path / "means.onnx", ["n", 3, 40, 40])
    photo = resize(skimage.data.astronaut()[:120, :120], (120, 120)).astype(np.float32)
    means = extract(photo[None], str(tmp_path / "means.onnx"))
    np.testing.assert_allclose(means[0], 255 * photo.mean(axis=(0, 1)), atol=0.5)
    assert np.array_equal(extract(photo[None], tmp_path / "means.onnx"), means)


@pytest.mark.parametrize("shape", [[1, 3, "h", "w"], ["n", 3, 40, "w"], ["n", 40, 40, 3], ["n", 3, 40]])
def test_what_takes_no_set_of_images_is_no_extractor(tmp_path: Path, shape: list[str | int]) -> None:
    save_means(tmp_path / "means.onnx", shape)
    with pytest.raises(WrongExtractor, match=r"expected one input \(any N, 1 or 3, H, W\) .*, it takes pixels \["):
        open_extractor(tmp_path / "means.onnx")


def test_a_model_of_ours_that_repairs_is_no_extractor() -> None:
    with pytest.raises(BadModel, match="a model for the task classify was expected, this one is for denoise"):
        extract(seven()[None], WEIGHTS / "denoise-unet.onnx")
