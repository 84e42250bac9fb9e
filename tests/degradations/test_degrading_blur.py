"""Point-spread functions and convolution against what is known of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import scipy.ndimage

from anew.degradations.blur import (
    blur,
    convolve,
    defocus,
    defocus_psf,
    gaussian_psf,
    kernel,
    motion,
    motion_psf,
)


def moments(psf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean (x, y) and the covariance of a psf, y upwards, from its middle."""
    y, x = np.indices(psf.shape) - np.array([[[n // 2]] for n in psf.shape])
    points = np.stack([x.ravel(), -y.ravel()]).astype(np.float64)
    weights = psf.ravel().astype(np.float64)
    mean = points @ weights
    return mean, (points * weights) @ points.T - np.outer(mean, mean)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5, 6.0])
def test_a_gaussian_sums_to_1_and_has_its_variance(sigma):
    psf = gaussian_psf(sigma)
    mean, covariance = moments(psf)
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(mean, 0, atol=1e-5)
    np.testing.assert_allclose(covariance, np.eye(2) * sigma**2, rtol=0.01, atol=1e-3)


@pytest.mark.parametrize("angle", [0, 30, 45, 90, 120, -20])
@pytest.mark.parametrize("length", [5.0, 9.0, 20.5])
def test_a_motion_sums_to_1_and_has_its_length_and_direction(length, angle):
    psf = motion_psf(length, angle)
    mean, covariance = moments(psf)
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(mean, 0, atol=1e-4)
    along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    across = np.array([-along[1], along[0]])
    # a bar of length L and width 1; moving its points to the pixels' centres adds about 1/12 more
    assert along @ covariance @ along == pytest.approx(length**2 / 12, abs=0.2)
    assert across @ covariance @ across == pytest.approx(1 / 12, abs=0.13)
    assert abs(along @ covariance @ across) < 0.1


def test_a_motion_along_an_axis_is_a_row_of_equal_weights():
    np.testing.assert_allclose(motion_psf(9, 0), np.full((1, 9), 1 / 9), rtol=1e-6)
    np.testing.assert_allclose(motion_psf(5, 90), np.full((5, 1), 1 / 5), rtol=1e-6)
    np.testing.assert_array_equal(motion_psf(1, 0), [[1]])


def test_a_positive_angle_rises_to_the_right():
    psf = motion_psf(9, 45)
    assert psf[0, -1] > 0
    assert psf[0, 0] == 0


@pytest.mark.parametrize("radius", [1.0, 2.5, 7.0, 12.3])
def test_a_defocus_disc_has_its_area_and_variance(radius):
    psf = defocus_psf(radius)
    mean, covariance = moments(psf)
    assert psf.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(mean, 0, atol=1e-4)
    # R^2 / 4 per axis for a disc; moving each point to its pixel's centre adds about 1/12, more to the smallest
    np.testing.assert_allclose(np.diag(covariance), radius**2 / 4, atol=0.15)
    assert 1 / psf.max() == pytest.approx(np.pi * radius**2, rel=0.12 if radius < 2 else 0.02)
    np.testing.assert_allclose(psf, psf.T, atol=1e-7)


@pytest.mark.parametrize("draw", [defocus_psf, lambda radius: motion_psf(2 * radius, 30)])
def test_a_large_psf_is_drawn_in_little_memory(draw):
    tracemalloc.start()
    psf = draw(100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * psf.size + 1e7


def test_an_impulse_becomes_the_psf():
    psf = np.arange(1.0, 16).reshape(3, 5).astype(np.float32) / 120
    image = np.zeros((9, 11, 2), np.float32)
    image[4, 5, 1] = 2
    result = kernel(image, psf=psf).image
    np.testing.assert_allclose(result[3:6, 3:8, 1], 2 * psf, atol=1e-6)
    assert abs(result[:, :, 0]).max() < 1e-6
    assert result.sum() == pytest.approx(2, rel=1e-5)


@pytest.mark.parametrize(("border", "mode"), [("reflect", "reflect"), ("circular", "wrap")])
@pytest.mark.parametrize("shape", [(3, 3), (4, 5), (31, 2)])
def test_convolution_is_scipys_with_both_boundaries(border, mode, shape, grey_photo):
    psf = np.random.default_rng(0).random(shape).astype(np.float32)
    ours = convolve(grey_photo[:20, :23], psf, border=border)
    theirs = scipy.ndimage.convolve(grey_photo[:20, :23].astype(np.float64), psf, mode=mode)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)


def test_a_constant_stays_and_no_blur_changes_nothing(colour_photo):
    flat = np.full((12, 9, 3), 0.3, np.float32)
    for result in (blur(flat, sigma=4), motion(flat, length=30, angle=10), defocus(flat, radius=8)):
        np.testing.assert_allclose(result.image, flat, atol=1e-6)
    np.testing.assert_array_equal(blur(colour_photo, sigma=0).image, colour_photo)
    np.testing.assert_array_equal(defocus(colour_photo, radius=0).image, colour_photo)
    np.testing.assert_array_equal(motion(colour_photo, length=1).image, colour_photo)


def test_gaussian_blur_damps_a_wave_by_its_transfer_function():
    wave = np.cos(2 * np.pi * np.arange(64) * 4 / 64)[np.newaxis, :].repeat(64, axis=0).astype(np.float32)
    result = blur(wave, sigma=2, border="circular").image
    np.testing.assert_allclose(result, wave * np.exp(-2 * (np.pi * 4 / 64 * 2) ** 2), atol=2e-4)


@pytest.mark.parametrize("psf", [np.zeros(3), np.full((2, 2), np.nan), np.ones((1, 2000))])
def test_what_is_no_psf_is_refused(psf):
    with pytest.raises(ValueError, match="psf must be"):
        kernel(np.zeros((4, 4), np.float32), psf=psf)
