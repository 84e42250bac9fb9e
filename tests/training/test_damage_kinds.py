"""Telling damages apart: what a batch is, and that the exported file agrees with torch at any size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from anew.inference.models import open_model
from anew.networks import build_network
from anew.recipes.classify import features_photos
from anew.training.damage_kinds import KINDS, export, make_batch
from anew.training.data import pack
from anew.training.restoration import RunFacts

SMALL = replace(features_photos(), batch=64, patch=48, network_args={"widths": [8, 12], "blocks": 1, "features": 10})


@pytest.fixture(scope="module")
def photographs():
    return pack([skimage.data.astronaut(), skimage.data.coffee()])


def test_a_batch_holds_every_kind_and_repeats_with_its_seed(photographs) -> None:
    images, kinds = make_batch(photographs, SMALL, torch.Generator().manual_seed(3))
    again, _ = make_batch(photographs, SMALL, torch.Generator().manual_seed(3))
    assert torch.equal(images, again)
    assert images.shape == (64, 3, 48, 48)
    assert float(images.min()) >= 0
    assert float(images.max()) <= 1
    assert len(set(kinds.tolist())) >= len(KINDS) - 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_damage_does_what_it_says_and_spares_its_input(kind: str) -> None:
    crop = (skimage.data.astronaut()[100:164, 200:264] / np.float32(255)).astype(np.float32)
    before = crop.copy()
    damaged = KINDS[kind](crop, np.random.default_rng(0))
    assert np.array_equal(crop, before)
    assert damaged.shape == crop.shape
    detail = [float(np.abs(np.diff(x, axis=1)).mean()) for x in (crop, damaged)]
    if "noise" in kind or kind == "ringing":
        assert detail[1] > 1.05 * detail[0]
    elif kind == "none":
        assert np.array_equal(damaged, crop)
    elif "blur" in kind or kind in ("motion", "enlarged", "smeared", "strong JPEG"):
        assert detail[1] < 0.98 * detail[0]
    else:
        assert not np.array_equal(damaged, crop)


def test_file_agrees_with_torch_at_any_size(tmp_path: Path) -> None:
    arguments = {"classes": len(KINDS), **SMALL.network_args}
    network = build_network("classifier", seed=0, channels=3, **arguments).eval()
    export(network, SMALL, tmp_path / "model.onnx", RunFacts())
    model = open_model(tmp_path / "model.onnx", provider="cpu")
    assert model.card.facts["levels"] == 2
    for height, width in ((48, 48), (33, 50), (5, 7)):
        x = np.random.default_rng(0).random((1, 3, height, width), np.float32)
        features, logits, fine, coarse = model.session.run(["features", "logits", "level0", "level1"], {"image": x})
        with torch.no_grad():
            expected = network(torch.from_numpy(x))
            maps = network.maps(torch.from_numpy(x))
        np.testing.assert_allclose(features, expected[0], atol=5e-3)
        np.testing.assert_allclose(logits, expected[1], atol=2e-2)
        np.testing.assert_allclose(fine, maps[0], atol=2e-2)
        np.testing.assert_allclose(coarse, maps[1], atol=2e-2)
