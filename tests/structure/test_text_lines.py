"""Lines of text drawn at known angles by rotating whole pages, against photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from anew.structure.text_lines import measure_text_lines


def written_page(size: int) -> np.ndarray:
    canvas = Image.new("L", (700, 600), 250)
    draw = ImageDraw.Draw(canvas)
    rng = np.random.default_rng(size)
    letters = list("abcdefghiklmnopqrstuvw   ")
    for y in range(40, 560, 2 * size):
        draw.text((40, y), "".join(rng.choice(letters, 1000 // size)), fill=10, font=ImageFont.load_default(size))
    return np.asarray(canvas, np.float32) / 255


def turned(image: np.ndarray, angle: float) -> np.ndarray:
    height, width = image.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@pytest.mark.parametrize("angle", [-10.0, -4.3, -1.0, 0.7, 3.0, 8.0])
@pytest.mark.parametrize("size", [11, 18])
def test_skew_of_a_written_page(angle: float, size: int) -> None:
    lines = measure_text_lines(turned(written_page(size), angle))
    assert lines.angle == pytest.approx(angle, abs=0.1)
    assert lines.are_text


@pytest.mark.parametrize("angle", [-8.0, -2.0, 1.0, 5.0])
def test_skew_of_a_photographed_page(angle: float) -> None:
    page = skimage.data.page().astype(np.float32) / 255
    own = measure_text_lines(page)
    lines = measure_text_lines(turned(page, angle))
    assert lines.angle - own.angle == pytest.approx(angle, abs=0.1)
    assert lines.are_text


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("angle", [-7.8, 2.0])
def test_the_edges_of_drawers_are_no_lines_of_text(count: int, angle: float) -> None:
    front = np.full((500, 600), 0.8, np.float32)
    for k in range(count):
        front[100 + 90 * k : 104 + 90 * k] = 0.2
    lines = measure_text_lines(turned(front, angle))
    assert lines.angle == pytest.approx(angle, abs=0.1)
    assert lines.steps == pytest.approx(4 * count, rel=0.2)  # each edge ends within two bins
    assert not lines.are_text


@pytest.mark.parametrize("name", ["astronaut", "camera", "coffee", "chelsea", "coins", "grass", "gravel", "brick"])
def test_photographs_have_no_lines_of_text(name: str) -> None:
    image = np.asarray(getattr(skimage.data, name)(), np.float32) / 255
    assert measure_text_lines(image).prominence < 5


def test_no_ink() -> None:
    for image in (np.ones((1, 1), np.float32), np.full((50, 70), 0.5, np.float32), np.zeros((9, 9, 3), np.float32)):
        assert measure_text_lines(image).prominence == 1


def test_a_large_page_is_looked_at_in_a_copy_of_800_pixels() -> None:
    page = turned(cv2.resize(written_page(18), (800, 686), interpolation=cv2.INTER_AREA), 2.3)
    small, large = measure_text_lines(page), measure_text_lines(np.kron(page, np.ones((3, 3), np.float32)))
    assert large.angle == pytest.approx(small.angle, abs=0.01)
    assert large.prominence == pytest.approx(small.prominence, rel=0.01)


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 1700, 3)])
def test_a_strip_keeps_a_pixel_across(shape: tuple[int, ...]) -> None:
    assert np.isfinite(measure_text_lines(np.random.default_rng(0).random(shape, np.float32)).prominence)


@pytest.mark.parametrize("seed", range(6))
def test_the_best_fine_direction_may_be_the_first_or_the_last(seed: int) -> None:
    """As in noise of few pixels, where the finer profile has its peak elsewhere."""
    lines = measure_text_lines(np.random.default_rng(seed).random((40, 60)).astype(np.float32))
    assert abs(lines.angle) < 12.5
