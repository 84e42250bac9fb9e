"""BM3D deblurring."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from anew.restoration.deblurring.bm3d import deblur_bm3d
from anew.restoration.deblurring.convolution import backward, forward, transfer_function
from anew.restoration.deblurring.wiener import deblur_wiener


def psnr(x: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((x.astype(np.float64) - clean) ** 2)))


def blurred(clean: np.ndarray, psf: np.ndarray, sigma: float) -> np.ndarray:
    """Circular convolution plus white noise."""
    spectrum = forward(np.atleast_3d(clean)) * transfer_function(psf, clean.shape[:2])[:, :, None]
    image = backward(spectrum, clean.shape[:2]).reshape(clean.shape)
    return (image + np.random.default_rng(0).normal(0, sigma, clean.shape)).astype(np.float32)


@pytest.mark.parametrize("colour", [False, True])
def test_it_beats_wiener(colour: bool) -> None:
    clean = (skimage.data.astronaut() if colour else skimage.data.camera())[60:188, 150:278] / 255
    psf = np.eye(9) / 9
    y = blurred(clean, psf, 2.55 / 255)
    mine = psnr(deblur_bm3d(y, psf, 2.55 / 255, border="circular"), clean)
    assert mine > psnr(y, clean) + 4
    assert mine > psnr(deblur_wiener(y, psf, 2.55 / 255, border="circular"), clean) + 1


def test_a_border_makes_no_waves() -> None:
    photo = skimage.data.camera()[50:200, 140:300] / 255
    psf = np.ones((5, 5)) / 25
    y = blurred(photo, psf, 1 / 255)[10:-10, 10:-10]
    clean = photo[10:-10, 10:-10]
    assert psnr(deblur_bm3d(y, psf, 1 / 255), clean) > psnr(y, clean) + 2.5


def test_no_blur_and_no_noise_changes_nothing(grey_photo: np.ndarray) -> None:
    x = grey_photo[:40, :50]
    np.testing.assert_allclose(deblur_bm3d(x, np.ones((1, 1)), 0.0), x, atol=2e-3)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3, 3), (7, 31), (20, 9, 4)])
def test_any_size(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    result = deblur_bm3d(x, np.full((3, 5), 1 / 15), 0.02)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
