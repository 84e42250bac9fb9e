import cv2
import numpy as np
import pytest
import scipy.fft
from PIL import Image, ImageDraw, ImageFont

import anew
from anew.codecs.facts import Facts
from anew.diagnosis.jpeg import (
    block_dct,
    estimate_jpeg_quality,
    estimate_jpeg_traces,
    find_jpeg,
    quality_of_table,
    quantisation_table,
)
from anew.images import Picture


def compress(image, quality):
    coded = cv2.imencode(".jpg", np.rint(image * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED).astype(np.float32) / 255


@pytest.mark.parametrize("quality", range(1, 101))
def test_quality_of_its_own_table(quality):
    found, exact = quality_of_table(quantisation_table(quality))
    assert exact
    assert found == quality or (quantisation_table(found) == quantisation_table(quality)).all()


@pytest.mark.parametrize("quality", [30, 50, 70])
def test_quality_and_grid_from_pixels(grey_photo, quality):
    decoded = compress(grey_photo, quality)[3:, 5:]
    traces = estimate_jpeg_traces(decoded)
    assert abs(traces.quality - quality) <= 4
    assert traces.offset == (5, 3)


def test_transform_of_blocks_is_that_of_scipy():
    image = np.random.default_rng(0).random((27, 36), np.float32)
    corner = np.asarray(block_dct(image)).reshape(3, 4, 8, 8)
    assert corner[2, 3] == pytest.approx(scipy.fft.dctn(image[16:24, 24:32], norm="ortho"), abs=1e-5)


def test_none_where_nothing_was_compressed(grey_photo):
    noise = np.random.default_rng(0).normal(0, 2 / 255, grey_photo.shape).astype(np.float32)
    assert estimate_jpeg_quality(grey_photo + noise) is None
    assert estimate_jpeg_quality(np.zeros((1, 1), np.float32)) is None


@pytest.mark.parametrize("quality", [10, 50, 80])
def test_tables_of_a_file_are_read(tmp_path, colour_photo, quality):
    path = tmp_path / "picture.jpg"
    Image.fromarray(np.rint(colour_photo * 255).astype(np.uint8)).save(path, quality=quality)
    finding = find_jpeg(anew.read(path))
    assert finding.value == quality
    assert finding.details["source"] == "tables"


def test_high_quality_is_not_reported(tmp_path, colour_photo):
    path = tmp_path / "picture.jpg"
    Image.fromarray(np.rint(colour_photo * 255).astype(np.uint8)).save(path, quality=93)
    assert find_jpeg(anew.read(path)) is None


def test_a_table_of_no_quality_is_called_nearest(colour_photo):
    table = quantisation_table(40).copy()
    table[3, 3] += 2
    facts = Facts(jpeg_quantisation=(tuple(int(v) for v in table.ravel()),))
    finding = find_jpeg(Picture(colour_photo, facts=facts))
    assert finding.value == 40
    assert "nearest" in finding.details["source"]


def saved(pixels, quality, path):
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(path, quality=quality)
    return anew.read(path)


def test_a_second_save_at_high_quality_hides_nothing(tmp_path, colour_photo):
    once = saved(colour_photo, 40, tmp_path / "once.jpg")
    assert find_jpeg(once).details["double"] is False
    twice = saved(once.pixels, 95, tmp_path / "twice.jpg")
    finding = find_jpeg(twice)
    assert finding.details["double"] is True
    assert finding.value == pytest.approx(40, abs=4)
    assert finding.details["offset"] == [0, 0]


@pytest.mark.parametrize("quality", [20, 50, 80])
def test_a_single_save_is_not_called_double(tmp_path, grey_photo, quality):
    finding = find_jpeg(saved(np.repeat(grey_photo[:, :, None], 3, 2), quality, tmp_path / "once.jpg"))
    assert finding.details["double"] is False


@pytest.mark.parametrize("depth", [255, 65535])
def test_ramps_were_not_compressed_unless_a_photograph_on_them_tells(grey_photo, depth):
    y, x = np.indices((200, 640))
    for ramp in (x / 640, (x + y) / 840, np.stack([x / 640, y / 200, 0.5 + 0 * x], axis=2)):
        drawn = (np.floor(ramp * depth) / depth).astype(np.float32)
        assert estimate_jpeg_quality(drawn) is None
        drawn[40:168, 96:224] = grey_photo if drawn.ndim == 2 else grey_photo[:, :, None]
        assert abs(estimate_jpeg_quality(compress(drawn, 20)) - 20) <= 2


@pytest.mark.parametrize("quality", [10, 30, 60, 80])
@pytest.mark.parametrize(("ink", "paper"), [(10, 255), (255, 0)])
def test_quality_of_a_page_that_reaches_white_in_every_block(quality, ink, paper):
    page = page_of_text(ink, paper)
    assert estimate_jpeg_traces(page) is None
    traces = estimate_jpeg_traces(compress(page, quality)[3:, 6:])
    assert abs(traces.quality - quality) <= 4
    assert traces.offset == (5, 2)


@pytest.mark.parametrize("side", [24, 32, 48, 160])
def test_a_clean_icon_on_white_was_not_compressed(side):
    icon = np.full((4 * side, 4 * side), 255, np.uint8)
    cv2.circle(icon, (2 * side, 2 * side), int(1.9 * side), 90, -1)
    cv2.circle(icon, (2 * side, 2 * side), side, 255, -1)
    small = np.asarray(Image.fromarray(icon).resize((side, side), Image.Resampling.LANCZOS))
    assert estimate_jpeg_traces(small.astype(np.float32) / 255) is None


def page_of_text(ink, paper):
    page = Image.new("L", (400, 300), paper)
    pen = ImageDraw.Draw(page)
    for row in range(15):
        pen.text(
            (12, 20 * row), "Sphinx of black quartz, judge my vow; 42 lynxes " * 2, ink, ImageFont.load_default(13)
        )
    return np.asarray(page, np.float32) / 255


@pytest.mark.parametrize(("quality", "words"), [(10, "very strongly"), (40, "strongly"), (75, "noticeably")])
def test_the_finding_says_how_strongly_it_was_compressed(grey_photo, quality, words):
    finding = find_jpeg(Picture(compress(grey_photo, quality)[:, :, np.newaxis]))
    assert finding is not None
    assert finding.message == f"It was {words} compressed as JPEG: quality {quality} of 100."
