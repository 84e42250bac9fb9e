"""What moves pixels moves their alpha alike, and what is clear leaves no rim."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

Invoke = Callable[..., tuple[int, str, str]]
RED = (220, 40, 40)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A red disk on clear black."""
    y, x = np.indices((60, 80))
    levels = np.zeros((60, 80, 4), np.uint8)
    levels[np.hypot(x - 40, y - 30) < 20] = (*RED, 255)
    Image.fromarray(levels).save(tmp_path / "disk.png")
    return tmp_path / "disk.png"


def alpha_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.getchannel("A")) / 255.0


@pytest.mark.parametrize("command", [
    ("upscale", "--scale", "3", "-m", "compact"),
    ("upscale", "--scale", "2.5", "-m", "bicubic"),
    ("unwarp", "-m", "tilt", "--set", "angle=10"),
])  # fmt: skip
def test_clear_pixels_rim_nothing(invoke: Invoke, disk: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    out = tmp_path / "out.png"
    assert invoke(command[0], disk, *command[1:], "-o", out)[0] == 0
    levels = np.asarray(Image.open(out)).astype(int)
    seen = levels[levels[:, :, 3] > 0]
    assert len(np.unique(seen[:, 3])) > 10  # a soft edge
    assert abs(seen[:, :3] - RED).max() <= 2


def test_a_tilt_that_is_measured_turns_the_alpha_too(invoke: Invoke, tmp_path: Path) -> None:
    page = Image.fromarray(skimage.data.page()).convert("RGBA")
    alpha = np.full(page.size[::-1], 255, np.uint8)
    alpha[:40], alpha[:, :60] = 0, 0
    page.putalpha(Image.fromarray(alpha))
    page.rotate(4, resample=Image.Resampling.BICUBIC, fillcolor=(255, 255, 255, 255)).save(tmp_path / "page.png")
    measured, told = tmp_path / "measured.png", tmp_path / "told.png"
    assert invoke("unwarp", tmp_path / "page.png", "-m", "tilt", "-o", measured)[0] == 0
    assert invoke("unwarp", tmp_path / "page.png", "-m", "tilt", "--set", "angle=4", "-o", told)[0] == 0
    difference = abs(alpha_of(measured) - alpha_of(told))
    assert difference.mean() < 0.005  # the tilt is found within some tenths of a degree


def test_pictures_of_one_colour_are_turned_by_their_alpha(invoke: Invoke, disk: Path, tmp_path: Path) -> None:
    levels = np.asarray(Image.open(disk)).copy()
    levels[:, :, :3] = RED
    levels[:30] = 0, 0, 0, 0
    levels[:30, :, :3] = RED
    Image.fromarray(levels).save(tmp_path / "half.png")
    out = tmp_path / "out.png"
    status, printed, _ = invoke("unwarp", tmp_path / "half.png", "-m", "tilt", "--set", "angle=10", "-o", out)
    assert status == 0
    assert "(tilt)" in printed
    assert abs(alpha_of(out) - alpha_of(tmp_path / "half.png")).mean() > 0.01


def test_what_lies_straight_keeps_the_colours_of_clear_pixels(invoke: Invoke, disk: Path, tmp_path: Path) -> None:
    status, printed, _ = invoke("unwarp", disk, "-o", tmp_path / "out.png")
    assert status == 0
    assert "pixels as they were" in printed
    assert (tmp_path / "out.png").read_bytes() == disk.read_bytes()
