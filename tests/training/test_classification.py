"""Classifiers: what the batch is, that it learns, and that the exported file agrees with torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from anew.errors import InvalidSetting
from anew.inference.models import open_model
from anew.networks.classifier import Classifier
from anew.training.classification import ClassifyConfig, augment, count_multiply_adds, held_out_indices, load_data
from anew.training.data import NoTrainingData
from anew.training.run import run_recipe

TINY = ClassifyConfig(
    network="classifier",
    network_args={"widths": [8, 8], "blocks": 1, "features": 12, "classes": 2},
    patch=12,
    batch=16,
    steps=40,
    warmup=4,
    learning_rate=1e-2,
    validate_every=20,
    validation=32,
    ema=0.9,
    labels=("upright", "level"),
)


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """160 images of 12 x 12 with an upright or a level bar."""
    rng = np.random.default_rng(0)
    images = np.zeros((160, 12, 12), np.uint8)
    labels = (np.arange(160) % 2).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        place = int(rng.integers(3, 9))
        (image if label else image.T)[place] = 255
    path = tmp_path / "bars.npz"
    np.savez(path, train_images=images, train_labels=labels)
    return path


def test_it_learns_what_is_easy_and_its_file_agrees_with_torch(bars: Path, tmp_path: Path) -> None:
    path = run_recipe(TINY, bars, tmp_path / "run", terms="ours")
    model = open_model(path, provider="cpu")
    assert model.card.facts["labels"] == ["upright", "level"]
    assert model.card.scores["held-out images of the training data"]["accuracy"] > 0.95
    network = Classifier(**TINY.network_args)
    from anew.training.export import load_weights

    load_weights(network, path)
    images = np.random.default_rng(1).random((5, 1, 12, 12), np.float32)
    features, logits = model.session.run(["features", "logits"], {"image": images})
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(images))
    np.testing.assert_allclose(features, expected[0], atol=5e-3)
    np.testing.assert_allclose(logits, expected[1], atol=2e-2)


def test_augmentation_of_strength_zero_changes_nothing_and_shifts_as_told() -> None:
    images = torch.rand(6, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(augment(images, TINY, torch.Generator().manual_seed(1)), images, atol=1e-5)
    bright = torch.zeros(64, 1, 12, 12)
    bright[:, :, 5:7, 5:7] = 1
    moved = augment(bright, replace(TINY, shift=0.25), torch.Generator().manual_seed(1))
    rows = (moved.sum(dim=3)[:, 0] * torch.arange(12)).sum(dim=1) / moved.sum(dim=(1, 2, 3))
    assert float(moved.sum(dim=(1, 2, 3)).min()) == pytest.approx(4, rel=0.02)  # nothing lost
    assert 2 < float((rows - 5.5).abs().max()) <= 3.01  # a quarter of 12


def test_every_seed_holds_out_the_same_images(bars: Path) -> None:
    _, first = load_data(bars, TINY)
    _, second = load_data(bars, replace(TINY, seed=5))
    assert torch.equal(first.images, second.images)
    assert len(held_out_indices(10, 32)) == 5


def folders_of(bars: Path, names: tuple[str, str]) -> Path:
    """The same images in a folder for each label."""
    with np.load(bars) as held:
        for index, (image, label) in enumerate(zip(held["train_images"], held["train_labels"], strict=True)):
            folder = bars.parent / "folders" / names[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{index}.png")
    return bars.parent / "folders"


def test_classes_are_named_like_their_folders(bars: Path, tmp_path: Path) -> None:
    source = folders_of(bars, ("upright", "level"))
    path = run_recipe(replace(TINY, labels=()), source, tmp_path / "run", steps=1)
    assert open_model(path).card.facts["labels"] == ["level", "upright"]
    for labels in (("upright", "level"), ("level", "upright")):
        data, _ = load_data(source, replace(TINY, labels=labels))
        for image, label in zip(data.images[:, 0], data.labels.tolist(), strict=True):
            across = int((image.max(dim=1).values > 0).sum()) == 1  # a level bar is in one row
            assert labels[label] == ("level" if across else "upright")


def test_names_of_other_classes_are_refused(bars: Path) -> None:
    with pytest.raises(InvalidSetting, match="the labels a, b, c are expected, the data has 0, 1"):
        load_data(bars, replace(TINY, labels=("a", "b", "c")))
    with pytest.raises(InvalidSetting, match="the labels upright, level are expected, the data has left, right"):
        load_data(folders_of(bars, ("left", "right")), TINY)


def test_other_data_is_refused_in_words(bars: Path) -> None:
    with pytest.raises(NoTrainingData, match="2 classes of 28 x 28 pixels expected, it has 2 of 12 x 12"):
        load_data(bars, replace(TINY, patch=28))


def test_multiply_adds_of_one_convolution_by_hand() -> None:
    network = Classifier(widths=[8], blocks=0, features=0, classes=2)
    assert count_multiply_adds(network, torch.zeros(1, 1, 12, 12)) == 8 * 25 * 6 * 6
