"""What a program drew is exactly of one colour beside its edges; what a camera or a scanner saw is not."""

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw

from anew.degradations.jpeg import compress
from anew.structure.drawn import NEARLY, crispness, is_drawn, is_drawn_apart_from

PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "rocket", "page", "text")


def photograph(name):
    return np.float32(getattr(skimage.data, name)() / 255)


def figure(zoom=1, line=2, size=(400, 300)):
    """Draw shapes with outlines over a dark ground; of a larger copy, edges are softened."""
    picture = Image.new("RGB", (zoom * size[0], zoom * size[1]), (40, 60, 90))
    pen = ImageDraw.Draw(picture)
    rng = np.random.default_rng(0)
    for _ in range(25):
        x, y, w, h = (int(v) * zoom for v in rng.integers(20, 260, 4))
        fill, outline = (tuple(int(v) for v in rng.integers(30, 220, 3)) for _ in range(2))
        pen.ellipse((x, y, x + w // 2, y + h // 2), fill, outline, line * zoom)
        pen.line((y, x, w, h), outline, line * zoom)
    return np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32) / 255


@pytest.mark.parametrize("line", [1, 2, 3])
@pytest.mark.parametrize("zoom", [1, 4])
def test_flat_colours_with_hard_and_with_soft_edges_are(zoom, line):
    drawing = figure(zoom, line)
    assert crispness(drawing) > 0.3
    assert is_drawn(drawing)
    assert is_drawn(np.swapaxes(drawing, 0, 1))
    assert is_drawn(drawing[:, :, 1])


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_and_scans_are_not(name):
    assert crispness(photograph(name)) < 0.01


@pytest.mark.parametrize("quality", [2, 5, 10, 30])
@pytest.mark.parametrize("name", ["astronaut", "camera"])
def test_the_flat_blocks_of_jpeg_are_no_drawing(name, quality):
    assert crispness(compress(photograph(name), quality)) < 0.02


def test_burnt_out_and_dark_photographs_are_not():
    for gain in (4, 0.15):
        values = np.clip(gain * photograph("coffee"), 0, 1)
        assert crispness(np.float32(np.rint(255 * values) / 255)) < 0.02


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_photographs_of_a_dithered_palette_are_not(name):
    image = Image.fromarray(getattr(skimage.data, name)()).quantize(256).convert("RGB")
    assert not is_drawn(np.asarray(image, np.float32) / 255)


def test_edges_between_black_and_white_do_not_tell():
    page = np.float32(skimage.data.horse())
    assert crispness(page) == 0
    assert crispness(0.1 + 0.8 * page) > 0.9


def test_noise_blur_and_compression_hide_it():
    drawing = figure(4)
    noisy = drawing + np.random.default_rng(0).normal(0, 0.01, drawing.shape).astype(np.float32)
    assert crispness(noisy) == 0
    assert crispness(np.asarray(cv2.GaussianBlur(drawing, (0, 0), 2), np.float32)) < 0.1
    assert crispness(compress(drawing, 90)) < 0.1


@pytest.mark.parametrize("width", range(1, 7))
def test_lines_of_up_to_three_pixels_are_edges_and_gaps_no_wider(width):
    ramp = np.linspace(0.3, 0.7, 2 * width + 2, dtype=np.float32)[1:-1:2]  # no two pixels alike
    row = np.concatenate([np.full(20, 0.2, np.float32), ramp, np.full(20, 0.2, np.float32)])
    line = np.tile(row, (100, 6))
    assert (crispness(line) > 0.5) == (width <= 3)


def test_small_steps_do_not_tell():
    checks = np.kron(np.indices((12, 11)).sum(0) % 2, np.ones((9, 9)))
    for step, expected in ((23, 0), (24, 1)):
        assert crispness(np.float32((100 + step * checks) / 255)) == pytest.approx(expected, abs=0.35)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (9, 9, 3), (10, 3, 3), (200, 200, 3), (0, 5, 3)])
def test_tiny_and_flat_images_are_not(shape):
    assert crispness(np.full(shape, 0.5, np.float32)) == 0


@pytest.mark.parametrize("quality", [80, 90, 95])
def test_a_compressed_drawing_is_nearly(quality):
    coded = compress(figure(4), quality)
    assert not is_drawn(coded)
    nothing = np.zeros(coded.shape[:2], bool)
    assert is_drawn_apart_from(coded, nothing)
    assert is_drawn_apart_from(compress(figure(4)[:, :, 1], quality), nothing)


@pytest.mark.parametrize("quality", [5, 30, 95])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_compressed_photographs_are_not_even_nearly(name, quality):
    coded = compress(photograph(name), quality)
    assert not is_drawn_apart_from(coded, np.zeros(coded.shape[:2], bool))


def test_the_edges_of_what_is_marked_do_not_count():
    sky = np.tile(np.linspace(0.4, 0.7, 400, dtype=np.float32), (300, 1))
    sky += np.random.default_rng(0).normal(0, 0.004, sky.shape).astype(np.float32)
    mask = np.zeros(sky.shape, bool)
    for column in range(20, 390, 30):
        mask[:, column : column + 2] = True
    scratched = np.where(mask, np.float32(0.95), sky)
    assert crispness(scratched, NEARLY) > 0.9
    assert not is_drawn_apart_from(scratched, mask)
    assert is_drawn_apart_from(scratched, mask & (np.arange(400) < 200))
