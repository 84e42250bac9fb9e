"""What robust upscalers learn from: damage that is what it says, on any scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

torch = pytest.importorskip("torch")

from skimage import data

import anew
from anew.inference.conditions import BLIND
from anew.recipes.upscale import upscale_robust
from anew.training.data import pack
from anew.training.robust_upscaling import blur, damage, make_batch, shrink
from anew.training.run import run_recipe

CONFIG = replace(upscale_robust(), batch=4, patch=16, scales=(1, 2, 3))


def crops() -> torch.Tensor:
    pixels = np.stack([data.astronaut()[:96, :96], data.coffee()[100:196, 200:296]])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


def test_an_even_blur_is_scipys_gaussian() -> None:
    x = crops()
    ours = blur(x, torch.full((2, 2), 1.7), torch.tensor([0.0, 0.7]))
    scipys = ndimage.gaussian_filter(x.numpy(), (0, 0, 1.7, 1.7), mode="nearest", truncate=10 / 1.7)
    np.testing.assert_allclose(ours.numpy(), scipys, atol=2e-5)


def test_a_blur_along_one_direction_leaves_lines_of_that_direction() -> None:
    line = torch.zeros(1, 1, 41, 41)
    line[:, :, 20] = 1
    along = blur(line, torch.tensor([[2.5, 0.2]]), torch.tensor([0.0]))
    across = blur(line, torch.tensor([[0.2, 2.5]]), torch.tensor([0.0]))
    assert along[0, 0, 20, 20] > 0.99
    assert across[0, 0, 20, 20] < 0.2


@pytest.mark.parametrize("how", ["bicubic", "bilinear", "area"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_shrinking_keeps_a_ramp_where_it_is(scale: int, how: str) -> None:
    ramp = torch.arange(96.0).expand(1, 3, 96, 96) / 96
    small = shrink(ramp, scale, how)
    centres = (torch.arange(96 // scale) + 0.5) * scale - 0.5
    np.testing.assert_allclose(small[0, 0, 0, 2:-2], centres[2:-2] / 96, atol=1e-4)


def test_without_strength_nothing_is_damaged_but_the_size() -> None:
    gentle = replace(CONFIG, clean_share=1.0)
    x = crops()
    small = damage(x, 2, gentle, torch.Generator().manual_seed(0))
    candidates = [(shrink(x, 2, how).clamp(0, 1) * 255).round() / 255 for how in ("bicubic", "bilinear", "area")]
    assert any(torch.equal(small, candidate) for candidate in candidates)


def test_a_batch_is_damaged_in_whole_levels_and_belongs_together() -> None:
    photos = pack([data.astronaut(), data.coffee()])
    generator = torch.Generator().manual_seed(1)
    for _ in range(12):
        clean, damaged, condition = make_batch(photos, CONFIG, generator)
        assert clean.shape == damaged.shape == (4, 3, 16, 16)
        np.testing.assert_allclose(damaged * 255, (damaged * 255).round(), atol=1e-3)
        assert 0 < torch.nn.functional.mse_loss(clean, damaged) < 0.02
        assert condition.flatten().tolist() == [BLIND] * 4


def test_a_trained_one_enlarges_colour_and_grey(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(2):
        Image.fromarray(data.astronaut()[index * 100 :][:120, :140]).save(folder / f"{index}.png")
    arguments = {"widths": [8, 12], "blocks": 1, "middle_blocks": 1, "unshuffle": 2}
    tiny = replace(CONFIG, network_args=arguments, batch=2, warmup=1, validation=1)
    path = run_recipe(tiny, folder, tmp_path / "run", steps=2)
    for shape in ((9, 12, 3), (9, 12), (9, 12, 4)):
        small = np.random.default_rng(0).random(shape, np.float32)
        assert anew.upscale(small, 2.5, method="robust", model=str(path)).shape == (23, 30, *shape[2:])
