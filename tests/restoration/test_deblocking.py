"""Deblocking: the codec's own arithmetic, gains at low quality, nearly nothing at high."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from anew.block_dct import blocks_to_coefficients, coefficients_to_blocks, pad_to_blocks
from anew.jpeg_tables import CHROMINANCE, LUMINANCE, quantisation_table
from anew.registry import METHODS
from anew.restoration.deblocking.jpeg_planes import tile_table
from anew.restoration.deblocking.reapplication import deblock_reapplication
from anew.restoration.deblocking.sa_filter import deblock_sa_filter
from anew.restoration.deblocking.unet import NARROW, ROUNDING, deblock_unet

NAMES = ["unet", "reapplication", "sa-filter"]


def compress(image: np.ndarray, quality: int) -> np.ndarray:
    """Save and load as JPEG by OpenCV; float32 in and out."""
    codes = np.rint(image * 255).astype(np.uint8)
    ok, data = cv2.imencode(".jpg", codes[..., ::-1] if codes.ndim == 3 else codes, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert ok
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.ascontiguousarray(decoded[..., ::-1] if codes.ndim == 3 else decoded).astype(np.float32) / 255


def mse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a.astype(np.float64) - b) ** 2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (8, 8), (17, 30, 1), (21, 15, 3), (16, 9, 4)])
def test_contract(name: str, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    before = image.copy()
    for quality in (1, 30, 100):
        result = METHODS.get("deblock", name).function(image, quality)
        assert result.shape == shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
    assert np.array_equal(image, before)


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 90, 100])
def test_tables_are_those_of_libjpeg(quality: int) -> None:
    from io import BytesIO

    from PIL import Image

    buffer = BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as picture:
        written = [np.array(picture.quantization[i]).reshape(8, 8) for i in (0, 1)]
    for base, expected in zip((LUMINANCE, CHROMINANCE), written, strict=True):
        assert np.array_equal(quantisation_table(quality, base), expected)


def test_transform_is_orthonormal_and_equals_scipy() -> None:
    from scipy.fft import dctn

    plane = np.random.default_rng(0).random((16, 24)).astype(np.float32)
    coefficients = blocks_to_coefficients(plane)
    assert np.allclose(coefficients[8:, 16:], dctn(plane[8:, 16:], norm="ortho"), atol=1e-5)
    assert np.allclose(coefficients_to_blocks(coefficients), plane, atol=1e-5)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_the_last_row_and_column_go_on_to_whole_blocks(channels: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random((9, 24, *channels), np.float32)
    whole = pad_to_blocks(image)
    assert whole.shape == (16, 24, *channels)
    np.testing.assert_array_equal(whole, image[np.minimum(np.arange(16), 8)])
    np.testing.assert_array_equal(pad_to_blocks(image.swapaxes(0, 1)), whole.swapaxes(0, 1))


@pytest.mark.parametrize(("name", "gain"), [("reapplication", 1.08), ("sa-filter", 1.02)])
@pytest.mark.parametrize("quality", [10, 20])
def test_error_falls_at_low_quality(name: str, gain: float, quality: int, grey_photo, colour_photo) -> None:
    for photo in (grey_photo, colour_photo, grey_photo[:101, :93]):
        decoded = compress(photo, quality)
        result = METHODS.get("deblock", name).function(decoded, quality)
        assert mse(result, photo) * gain < mse(decoded, photo)


@pytest.mark.parametrize("name", NAMES)
def test_quality_100_changes_nearly_nothing(name: str, colour_photo: np.ndarray) -> None:
    result = METHODS.get("deblock", name).function(colour_photo, 100)
    assert np.abs(result - colour_photo).max() < 1.5 / 255


@pytest.mark.parametrize("name", NAMES)
def test_a_constant_stays(name: str) -> None:
    constant = compress(np.full((20, 27, 3), 100 / 255, np.float32), 10)
    assert np.abs(METHODS.get("deblock", name).function(constant, 10) - constant).max() < 2 / 255


def test_projection_keeps_to_the_quantisation_cell(grey_photo: np.ndarray) -> None:
    decoded = compress(grey_photo, 10)
    for narrow in (0.3, 1.0):
        result = deblock_reapplication(decoded, 10, narrow=narrow, step=4)
        moved = blocks_to_coefficients(result) - blocks_to_coefficients(decoded)
        table = quantisation_table(10) / np.float32(255)
        assert (np.abs(moved) <= tile_table(table, moved) * narrow / 2 + 1e-5).all()


def test_sa_filter_smooths_a_false_step_and_spares_an_edge() -> None:
    false_step = np.full((16, 32), 0.5, np.float32)
    false_step[:, 16:] += 0.02
    edge = false_step.copy()
    edge[:, 16:] += 0.5
    smoothed = deblock_sa_filter(false_step, 20)
    assert np.abs(np.diff(smoothed, axis=1)).max() < 0.01
    assert np.array_equal(smoothed[:, :13], false_step[:, :13])
    assert np.array_equal(deblock_sa_filter(edge, 20), edge)


def test_sa_filter_turns_a_small_step_into_a_ramp_of_eighths() -> None:
    step = np.repeat(np.float32([[0.5] * 16 + [0.516] * 16]), 16, axis=0)
    ramp = 0.5 + 0.002 * np.float32([0, 1, 2, 3, 5, 6, 7, 8])  # the taps of equations (14) to (16) on flat sides
    np.testing.assert_allclose(deblock_sa_filter(step, 20)[5, 12:20], ramp, atol=1e-6)


def test_sa_filter_takes_three_taps_for_a_larger_step() -> None:
    gap = 0.9 * float(quantisation_table(20)[:3, :3].mean()) / 255  # below the threshold, but not below its quarter
    step = np.repeat(np.float32([[0.3] * 16 + [0.3 + gap] * 16]), 16, axis=0)
    np.testing.assert_allclose(
        deblock_sa_filter(step, 20)[5, 13:19], 0.3 + gap * np.float32([0, 0, 0.25, 0.75, 1, 1]), atol=1e-6
    )


def test_colour_is_as_good_as_grey_on_a_grey_picture(grey_photo: np.ndarray) -> None:
    decoded = compress(grey_photo, 10)
    three = deblock_reapplication(np.repeat(decoded[:, :, None], 3, axis=2), 10)
    change = np.abs(three - deblock_reapplication(decoded, 10)[:, :, None])
    assert change.mean() < 1e-4
    assert change.max() < 2e-2  # ties may round the other way, differently on every processor


def test_step_must_divide_the_block() -> None:
    with pytest.raises(ValueError, match="step"):
        deblock_reapplication(np.zeros((8, 8), np.float32), 10, step=3)


@pytest.mark.parametrize("quality", [10, 30, 60, 85])
def test_the_network_beats_the_classics(quality: int, colour_photo: np.ndarray) -> None:
    decoded = compress(colour_photo, quality)
    repaired = deblock_unet(decoded, quality)
    assert mse(repaired, colour_photo) < 0.97 * mse(deblock_reapplication(decoded, quality), colour_photo)
    if quality < 80:
        assert mse(deblock_unet(decoded), colour_photo) < mse(decoded, colour_photo)


def test_the_network_knows_letters_and_flat_colour() -> None:
    picture = Image.new("RGB", (240, 160), (250, 248, 240))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    pen.rectangle((0, 0, 240, 24), (40, 70, 130))
    pen.rounded_rectangle((150, 120, 230, 150), 6, (0, 110, 220))
    for row in range(1, 8):
        pen.text((8, 20 * row), "Sphinx of black quartz, judge my vow; 42", (20, 20, 30), font)
    clean = np.asarray(picture, np.float32) / 255
    y = compress(clean, 30)
    assert mse(deblock_unet(y, 30), clean) < 0.55 * mse(y, clean)  # of photographs alone, 0.63


def test_the_network_contradicts_no_file_and_spares_the_best(grey_photo: np.ndarray) -> None:
    """What it gives for a known quality could have been encoded as this file; from 96 on nothing is changed."""
    decoded = compress(grey_photo, 20)
    change = blocks_to_coefficients(deblock_unet(decoded, 20)) - blocks_to_coefficients(decoded)
    steps = np.tile(quantisation_table(20) / 255, (decoded.shape[0] // 8, decoded.shape[1] // 8))
    assert (np.abs(change) <= NARROW / 2 * steps + ROUNDING).all()
    assert np.abs(change).max() > 0.1 * steps.min()
    fine = compress(grey_photo, 96)
    assert np.array_equal(deblock_unet(fine, 96), fine)
    fading = compress(grey_photo, 94)
    assert 0 < np.abs(deblock_unet(fading, 94) - fading).max() < 0.05


def test_sa_filter_takes_the_taps_of_the_paper_where_a_small_step_has_flat_sides() -> None:
    row = np.float32([0.5] * 4 + [0.501, 0.503, 0.504, 0.506, 0.51, 0.512, 0.513, 0.515] + [0.52] * 4)
    p3, p2, p1, p0, q0, q1, q2, q3 = row[4:12].astype(float)
    result = deblock_sa_filter(np.tile(row, (16, 1)), 10)[4]
    expected = [
        (2 * p3 + 3 * p2 + p1 + p0 + q0) / 8,
        (p2 + p1 + p0 + q0) / 4,
        (p2 + 2 * p1 + 2 * p0 + 2 * q0 + q1) / 8,
        (p1 + 2 * p0 + 2 * q0 + 2 * q1 + q2) / 8,
        (p0 + q0 + q1 + q2) / 4,
        (2 * q3 + 3 * q2 + q1 + q0 + p0) / 8,
    ]
    np.testing.assert_allclose(result[5:11], expected, atol=1e-6)
