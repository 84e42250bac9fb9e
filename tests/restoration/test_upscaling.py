"""Upscaling: constants and ramps are reproduced, the identity is exact, known numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import skimage.data
from scipy import ndimage

import anew
from anew.degradations.downscale import resize_bicubic
from anew.registry import METHODS
from anew.resampling import cubic, resample, resampling_matrix
from anew.restoration.upscaling import network
from anew.restoration.upscaling.bicubic import upscale_bicubic
from anew.restoration.upscaling.bilinear import upscale_bilinear
from anew.restoration.upscaling.compact import upscale_compact
from anew.restoration.upscaling.lanczos import upscale_lanczos
from anew.restoration.upscaling.nearest import upscale_nearest

NAMES = ["lanczos", "bicubic", "bilinear", "nearest"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [0.3, 0.5, 1, 1.5, 2, np.pi])
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 1), (2, 3), (9, 8, 1), (9, 8, 3), (4, 5, 4)])
def test_shape_dtype_and_constant(name: str, scale: float, shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.3, np.float32)
    result = METHODS.get("upscale", name).function(image, scale)
    height, width = (max(1, int(np.floor(n * scale + 0.5))) for n in shape[:2])
    assert result.shape == (height, width, *shape[2:])
    assert result.dtype == np.float32
    assert np.abs(result - 0.3).max() < 1e-6
    assert np.all(image == np.float32(0.3))


@pytest.mark.parametrize("name", NAMES)
def test_scale_one_is_the_identity(name: str, colour_photo: np.ndarray) -> None:
    assert np.abs(METHODS.get("upscale", name).function(colour_photo, 1.0) - colour_photo).max() < 1e-6


@pytest.mark.parametrize(("name", "tolerance"), [("lanczos", 0.02), ("bicubic", 1e-6), ("bilinear", 1e-6)])
@pytest.mark.parametrize("scale", [2, 2.5, 3])
def test_a_ramp_stays_a_ramp(name: str, tolerance: float, scale: float) -> None:
    ramp = np.tile(np.arange(20, dtype=np.float32) / 20, (20, 1))
    result = METHODS.get("upscale", name).function(ramp, scale)
    expected = ((np.arange(result.shape[1]) + 0.5) / scale - 0.5) / 20
    inside = slice(int(4 * scale), -int(4 * scale))
    assert np.abs(result[10] - expected)[inside].max() < tolerance


def test_nearest_repeats() -> None:
    image = np.random.default_rng(0).random((5, 4, 3)).astype(np.float32)
    assert np.array_equal(upscale_nearest(image, 3), image.repeat(3, axis=0).repeat(3, axis=1))


def test_bicubic_by_hand() -> None:
    # output pixels of a doubled row lie at 1/4 and 3/4; Keys' kernel gives -9/128, 111/128, 29/128, -3/128 at 1/4
    image = np.zeros((1, 8), np.float32)
    image[0, 4] = 1
    row = upscale_bicubic(image, 2)[0]
    assert np.allclose(row[4:14], np.array([0, -3, -9, 29, 111, 111, 29, -9, -3, 0]) / 128, atol=1e-6)


def test_bilinear_by_hand() -> None:
    assert np.allclose(upscale_bilinear(np.array([[0, 1]], np.float32), 2), [[0, 0.25, 0.75, 1]] * 2, atol=1e-6)


def test_shrinking_by_two_by_hand() -> None:
    # the cubic stretched by 2 at distances 1/4, 3/4, 5/4, 7/4 and halved
    image = np.zeros((1, 16), np.float32)
    image[0, 8] = 1
    row = upscale_bicubic(image, 0.5)[0]
    assert np.allclose(row[4], 111 / 256, atol=1e-6)
    assert np.allclose(row[3], 29 / 256, atol=1e-6)
    assert np.allclose(row[5], -9 / 256, atol=1e-6)


def test_bicubic_equals_pillow_inside(grey_photo: np.ndarray) -> None:
    from PIL import Image

    expected = np.asarray(Image.fromarray(grey_photo).resize((51, 51), Image.Resampling.BICUBIC))
    result = upscale_bicubic(grey_photo, 51 / 128)
    assert np.abs(result - expected)[6:-6, 6:-6].max() < 1e-5


@pytest.mark.parametrize("name", ["compact", "lanczos", "bicubic", "bilinear"])
@pytest.mark.parametrize("scale", [1.5, 2, 3, 4])
def test_back_projection_gives_the_input_back(name: str, scale: float, colour_photo: np.ndarray) -> None:
    small = colour_photo[:41, :36]
    enlarged = METHODS.get("upscale", name).function(small, scale, back_project=True)
    assert np.abs(resample(enlarged, small.shape[:2], cubic, 2) - small).max() < 1e-4


def test_matrix_rows_sum_to_one_and_mirror() -> None:
    for n_in, n_out in [(1, 7), (2, 9), (9, 2), (50, 31)]:
        matrix = resampling_matrix(n_in, n_out, cubic, 2).toarray()
        assert np.allclose(matrix.sum(axis=1), 1)
        assert np.allclose(matrix, matrix[::-1, ::-1])


def test_back_projection_raises_psnr(grey_photo: np.ndarray) -> None:
    small = resample(grey_photo, (64, 64), cubic, 2)
    errors = [np.mean((upscale_bicubic(small, 2, back_project=b) - grey_photo) ** 2) for b in (False, True)]
    assert errors[1] < 0.9 * errors[0]


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_the_network_beats_lanczos_on_a_photograph(scale: int) -> None:
    photo = (skimage.data.astronaut()[:240, 100:340] / 255).astype(np.float32)
    small = resize_bicubic(photo, scale=1 / scale, eight_bit=True)
    inside = np.s_[8:-8, 8:-8]
    errors = [
        float(np.mean((function(small, scale) - photo)[inside] ** 2)) for function in (upscale_compact, upscale_lanczos)
    ]
    assert errors[0] < 0.9 * errors[1]


@pytest.mark.parametrize("scale", [0.5, 1, 1.3, 2, 5, 9])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (9, 8, 1), (9, 8, 3), (4, 5, 4)])
def test_the_network_takes_any_factor_and_shape(scale: float, shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.3, np.float32)
    result = upscale_compact(image, scale)
    height, width = (max(1, int(np.floor(n * scale + 0.5))) for n in shape[:2])
    assert result.shape == (height, width, *shape[2:])
    assert result.dtype == np.float32
    assert np.abs(result - 0.3).max() < 2e-2


def test_tiles_of_the_network_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = (skimage.data.camera()[200:270, 180:290] / 255).astype(np.float32)
    whole = upscale_compact(photo, 2)
    monkeypatch.setattr(network, "TILE", 32)
    assert np.abs(upscale_compact(photo, 2) - whole).max() < 1e-3


@pytest.mark.parametrize("scale", [2, 3])
def test_the_robust_one_is_closer_on_a_soft_noisy_and_compressed_picture(scale: int) -> None:
    clean = (skimage.data.astronaut()[:240, 100:340] / 255).astype(np.float32)
    soft = ndimage.gaussian_filter(clean, (0.5 * scale, 0.5 * scale, 0))
    noisy = anew.degrade(anew.upscale(soft, 1 / scale, method="bicubic"), "noise", rng=0, sigma=0.025)
    small = anew.degrade(np.clip(noisy, 0, 1), "jpeg", quality=60)

    def error(**options: Any) -> float:
        result = np.clip(anew.upscale(small, scale, **options), 0, 1)
        return float(np.sqrt(((result - clean) ** 2).mean()))

    robust = error(method="robust")
    for other in ("compact", "lanczos", "bicubic"):
        assert robust < 0.97 * error(method=other), other
    assert robust < error(method="robust", strength=0.5)
    grey = anew.upscale(small.mean(axis=2), scale, method="robust")
    assert grey.shape == clean.shape[:2]
    np.testing.assert_array_equal(anew.upscale(small, scale, method="robust", strength=0), anew.upscale(small, scale))
