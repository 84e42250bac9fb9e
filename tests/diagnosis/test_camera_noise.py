"""The noise of a camera is told from texture, from the grain of film, and from what JPEG leaves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

import anew
from anew.degradations.camera import camera
from anew.degradations.jpeg import compress
from anew.diagnosis.camera_noise import estimate_camera_noise

PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket")


def photograph(name: str) -> np.ndarray:
    """Give a photograph as a lens leaves it, about 400 pixels a side."""
    image = np.float32(getattr(skimage.data, name)()[:400, :400] / 255)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6), np.float32)


@pytest.mark.parametrize("quality", [0, 75, 92])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_noise_is_found_and_its_level_told(name: str, quality: int) -> None:
    clean = photograph(name)
    noisy = camera(clean, gain=0.004, sigma=0.006, quality=quality, rng=0).image
    level = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    assert 0.5 * level < estimate_camera_noise(noisy) < 1.3 * level


@pytest.mark.parametrize("quality", [50, 75, 95])
@pytest.mark.parametrize("name", [*PHOTOGRAPHS, "immunohistochemistry", "retina"])
def test_photographs_and_jpeg_files_of_them_have_none(name: str, quality: int) -> None:
    clean = np.float32(getattr(skimage.data, name)()[:400, :400] / 255)
    assert estimate_camera_noise(clean) == 0
    assert estimate_camera_noise(compress(clean, quality)) == 0


def test_the_grain_of_film_is_none() -> None:
    clean = photograph("coffee")
    grain = cv2.GaussianBlur(np.random.default_rng(0).standard_normal(clean.shape[:2]), (0, 0), 0.8)
    grainy = clean + np.float32(18 / 255 / grain.std() * grain)[:, :, np.newaxis]
    assert estimate_camera_noise(grainy.astype(np.float32)) == 0


@pytest.mark.parametrize("shape", [(1, 1, 3), (31, 200, 3), (200, 300), (200, 300, 1), (64, 64, 5)])
def test_of_other_images_nothing_is_said(shape: tuple[int, ...]) -> None:
    noisy = np.random.default_rng(0).random(shape, np.float32)
    assert estimate_camera_noise(noisy) == 0


def test_it_is_repaired_by_the_denoiser_that_knows_it() -> None:
    clean = photograph("chelsea")
    noisy = camera(clean, gain=0.004, sigma=0.006, quality=92, rng=0).image
    restored = anew.restore(noisy)
    noise = next(step for step in restored.steps if step.kind == "noise")
    assert (noise.method, noise.kept) == ("camera", True)
    for image in (noisy, camera(photograph("coffee"), gain=0.004, sigma=0.006, quality=95, rng=0).image):
        np.testing.assert_array_equal(anew.denoise(image), anew.denoise(image, method="camera"))
    before, after = (float(np.mean((x - clean) ** 2)) for x in (noisy, restored.picture.pixels))
    assert after < before / 4


@pytest.mark.parametrize("period", [5, 8, 13])
@pytest.mark.parametrize("shape", ["stripes", "dots"])
def test_a_pattern_repeats_itself_and_is_none(shape: str, period: int) -> None:
    y, x = np.indices((400, 400))
    along, across = (2 * np.pi * (0.98 * a + 0.2 * b) / period for a, b in ((x, y), (y, -x)))
    on = np.cos(along) + (np.cos(across) if shape == "dots" else 0) > 0.2
    shade = 0.7 + 0.3 * x / 400
    pattern = np.where(on[:, :, None], np.float32((0.9, 0.3, 0.8)), np.float32((0.6, 0.75, 0.2))) * shade[:, :, None]
    assert estimate_camera_noise((np.rint(255 * pattern) / 255).astype(np.float32)) == 0


@pytest.mark.parametrize("size", [12, 20])
@pytest.mark.parametrize(("ink", "paper"), [((60, 40, 110), (240, 238, 208)), ((220, 230, 235), (95, 70, 95))])
def test_letters_on_coloured_paper_are_none(ink: tuple[int, ...], paper: tuple[int, ...], size: int) -> None:
    wide = Image.new("RGB", (1200, 400), paper)
    pen, font = ImageDraw.Draw(wide), ImageFont.load_default(size)
    letters = np.random.default_rng(0).choice(list("abcdefghijklmnopqrstuvwxyz    "), (40, 200))
    for line, y in zip(letters, range(0, 400, round(1.3 * size)), strict=False):
        pen.text((10, y), "".join(line), ink, font)
    thirds = np.asarray(wide, np.float32) / 255
    page = np.dstack([thirds[:, c::3, c] for c in range(3)])  # as screens show letters, sharper than a pixel
    assert estimate_camera_noise(np.ascontiguousarray(page)) == 0


def test_noise_around_a_hole_of_one_colour_is_found() -> None:
    noisy = camera(photograph("coffee"), gain=0.004, sigma=0.006, rng=0).image.copy()
    noisy[150:190, 120:180] = 0.4
    assert estimate_camera_noise(noisy) > 3 / 255
