"""Pictures drawn for training: what is on them, and how many of the crops they give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from torch import Tensor, nn

from anew.recipes import RECIPES
from anew.training import deblocking, denoising, real_noise, robust_upscaling, upscaling
from anew.training.data import pack
from anew.training.drawings import drawings, with_drawings
from anew.training.restoration import RunFacts, make_card

SHARE = 0.3


class Mixed(nn.Module):
    """A network of one layer."""

    size_multiple = 1

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 3, 1)

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        mixed: Tensor = self.mix(image)
        return mixed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(4):
        pixels = np.random.default_rng(k).integers(0, 256, (170, 150 + k, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{k}.png")
    return tmp_path


def test_the_same_random_state_draws_the_same_pictures() -> None:
    first, second, other = (drawings(7, 64, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_pictures_are_flat_with_hard_edges() -> None:
    pictures = np.stack(drawings(70, 128, np.random.default_rng(0))).astype(int)
    assert pictures.shape == (70, 128, 128, 3)
    steps = np.abs(np.diff(pictures, axis=2)).max(axis=3)
    assert np.mean(steps == 0) > 0.5
    assert np.mean((steps > 64).any(axis=(1, 2))) > 0.9


def test_the_share_of_the_pixels_is_that_asked_for() -> None:
    photographs = pack([np.zeros((400, 500, 3), np.uint8)] * 6)
    joined = with_drawings(photographs, SHARE, 96, seed=0)
    assert np.array_equal(joined.pixels[: len(photographs.pixels)], photographs.pixels)
    drawn = 1 - len(photographs.pixels) / len(joined.pixels)
    assert SHARE <= drawn < SHARE + 0.03
    assert len(joined.image(len(joined) - 1).unique()) > 1
    assert with_drawings(photographs, 0.0, 96, seed=0) is photographs


def test_grey_pictures_hold_the_luma_of_the_coloured_ones() -> None:
    grey = with_drawings(pack([np.zeros((300, 300, 1), np.uint8)]), 0.5, 96, seed=3).image(1)[0].numpy()
    colour = with_drawings(pack([np.zeros((300, 300, 3), np.uint8)]), 0.5, 96, seed=3).image(1).numpy()
    assert np.abs(grey - np.tensordot([0.299, 0.587, 0.114], colour, axes=1)).max() <= 0.51


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("deblock", deblocking),
        ("denoise", denoising),
        ("real-noise", real_noise),
        ("upscale-robust", robust_upscaling),
        ("upscale", upscaling),
    ],
)
def test_every_restorer_learns_from_drawn_pictures_if_asked_and_is_held_to_the_others(
    name: str, module: ModuleType, folder: Path
) -> None:
    config = replace(RECIPES[name](), patch=32, validation=1)
    (given, held_out), (training, same) = (
        module.load_data(folder, replace(config, drawn_share=share)) for share in (0.0, SHARE)
    )
    counts = [len((data.large if name == "upscale" else data).pixels) for data in (given, training)]
    assert 1 - counts[0] / counts[1] >= SHARE
    assert len(held_out) == len(same) == 1


def test_the_card_says_so() -> None:
    given, drawn = (
        make_card(Mixed(), replace(RECIPES["deblock"](), drawn_share=share), RunFacts(data="photographs"))
        for share in (0.0, SHARE)
    )
    assert given.data == "photographs"
    assert drawn.data.startswith("photographs; 30% of the crops from pictures drawn")
