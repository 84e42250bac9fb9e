"""Whether a picture was enlarged, and by how much."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

import anew
from anew.diagnosis.resolution import estimate_enlargement

PHOTOS = {"astronaut": skimage.data.astronaut(), "coffee": skimage.data.coffee(), "chelsea": skimage.data.chelsea()}
KERNELS = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def enlarged(name: str, factor: float, kernel: str) -> np.ndarray:
    small = Image.fromarray(PHOTOS[name][40:240, 60:280])
    large = small.resize((round(220 * factor), round(200 * factor)), KERNELS[kernel])
    return np.asarray(large, np.float32) / 255


@pytest.mark.parametrize("kernel", ["bicubic", "lanczos"])
@pytest.mark.parametrize("factor", [1.5, 2, 3, 4])
@pytest.mark.parametrize("name", PHOTOS)
def test_the_factor_is_found(name: str, factor: float, kernel: str) -> None:
    found = estimate_enlargement(enlarged(name, factor, kernel))
    assert found is not None
    assert found.factor == pytest.approx(factor, rel=0.02)


@pytest.mark.parametrize("name", PHOTOS)
def test_bilinear_enlargement_is_found(name: str) -> None:
    for factor in (1.5, 2, 3, 4):
        assert estimate_enlargement(enlarged(name, factor, "bilinear")) is not None


@pytest.mark.parametrize("quality", [None, 95, 75, 40, 15])
@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_and_jpeg_files_of_them_were_not_enlarged(name: str, quality: int | None) -> None:
    picture = Image.fromarray(PHOTOS[name][3:, 5:])
    if quality is not None:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        picture = Image.open(file)
    assert estimate_enlargement(np.asarray(picture, np.float32) / 255) is None


@pytest.mark.parametrize("factor", [15 / 16, 0.8, 2 / 3, 0.5])
@pytest.mark.parametrize("name", PHOTOS)
def test_shrinking_is_not_enlarging(name: str, factor: float) -> None:
    whole = Image.fromarray(PHOTOS[name])
    for kernel in KERNELS.values():
        shrunk = whole.resize((round(whole.width * factor), round(whole.height * factor)), kernel)
        assert estimate_enlargement(np.asarray(shrunk, np.float32) / 255) is None


def test_noise_a_flat_picture_and_small_ones_say_nothing() -> None:
    noise = np.random.default_rng(0).random((200, 240), np.float32)
    for image in (noise, np.full((200, 240), 0.5, np.float32), noise[:95], noise[:1, :1]):
        assert estimate_enlargement(image) is None


def test_lines_of_text_are_no_comb() -> None:
    page = np.ones((600, 420), np.float32)
    rng = np.random.default_rng(0)
    for top in range(20, 573, 17):  # a line of text every 17 pixels, letters of any width
        ink = np.repeat(rng.random(140) < 0.5, rng.integers(2, 6, 140))[:380]
        page[top : top + 7, 20 : 20 + len(ink)][:, ink] = 0.1
    assert estimate_enlargement(page) is None


def test_it_is_said_and_nothing_is_done() -> None:
    picture = enlarged("coffee", 2, "bicubic")
    finding = anew.diagnose(picture).get("resolution")
    assert finding is not None
    assert "220 x 200" in finding.message
    assert not [step for step in anew.restore(picture).steps if step.kind == "resolution"]


def test_patterns_of_few_tones_were_not_enlarged() -> None:
    assert estimate_enlargement(skimage.data.checkerboard() / np.float32(255)) is not None
    assert anew.diagnose(skimage.data.checkerboard()).get("resolution") is None
