"""BM3D: transforms, matching, filtering, and the whole method."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import scipy.fft
import skimage.data

import anew
from anew.kernels.block_matching import BLOCK, SPAN, match_blocks, search_offsets
from anew.kernels.block_transforms import add_blocks, bior_basis, dct_basis, kaiser_window, transform_blocks
from anew.kernels.collaborative_filtering import _group_variance
from anew.restoration.denoising.bm3d import PROFILES, _filter, _Scratch, _Tile, coefficient_covariance, denoise_bm3d


def noisy(clean: np.ndarray, sigma: float) -> np.ndarray:
    return (clean + np.random.default_rng(0).normal(0, sigma, clean.shape)).astype(np.float32)


def psnr(x: np.ndarray, clean: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((x.astype(np.float64) - clean) ** 2)))


def test_dct_is_scipys_and_both_bases_invert() -> None:
    eye = np.eye(BLOCK)
    np.testing.assert_allclose(dct_basis(), scipy.fft.dct(eye, axis=0, norm="ortho"), atol=1e-6)
    np.testing.assert_allclose(dct_basis() @ dct_basis().T, eye, atol=1e-6)
    bior = bior_basis()
    np.testing.assert_allclose(np.linalg.norm(bior, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(bior[0], np.full(BLOCK, BLOCK**-0.5), atol=1e-6)  # the mean
    np.testing.assert_allclose(bior[1:].sum(axis=1), 0, atol=1e-6)  # wavelets have no mean


@pytest.mark.parametrize("basis", [dct_basis(), bior_basis()])
def test_blocks_are_transformed_and_added_back(basis: np.ndarray) -> None:
    image = np.random.default_rng(0).random((20, 23), dtype=np.float32)
    h, w = 13, 16
    rowwise, coefficients = np.empty((h + 7, w, 8), np.float32), np.empty((h, w, 64), np.float32)
    transform_blocks(image, 0, 0, basis, rowwise, coefficients)
    expected = basis @ image[5:13, 2:10] @ basis.T
    np.testing.assert_allclose(coefficients[5, 2].reshape(8, 8), expected, atol=1e-5)
    weights = np.random.default_rng(1).random((h, w), dtype=np.float32) + 0.1
    numerator, denominator = np.empty((20, 23), np.float32), np.empty((20, 23), np.float32)
    estimates = coefficients * weights[:, :, None]
    add_blocks(estimates, weights, np.linalg.inv(basis), kaiser_window(2.0), rowwise, numerator, denominator)
    np.testing.assert_allclose(numerator / denominator, image, atol=1e-5)


def test_matching_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((24, 30), dtype=np.float32)
    radius, n, tau = 5, 8, 0.16
    padded = np.pad(image, ((radius, radius), (radius, radius + SPAN)))
    rows, columns = np.array([0, 7, 16]), np.array([0, 3, 11, 22])
    found, count = np.empty((3, 4, n), np.int64), np.empty((3, 4), np.int64)
    match_blocks(padded, radius, (24, 30), rows, columns, search_offsets(radius), tau, (0, 0, 30), found, count)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            candidates = {
                yy * 30 + xx: np.mean((image[y : y + 8, x : x + 8] - image[yy : yy + 8, xx : xx + 8]) ** 2)
                for yy in range(max(0, y - radius), min(16, y + radius) + 1)
                for xx in range(max(0, x - radius), min(22, x + radius) + 1)
            }
            alike = sorted((c for c in candidates if candidates[c] < tau), key=candidates.__getitem__)
            assert list(found[i, j, : count[i, j]]) == alike[:n]


def low_pass_spectrum(n: int) -> np.ndarray:
    return np.outer(*[1.2 + np.cos(2 * np.pi * np.fft.fftfreq(n))] * 2)


def coloured(rng: np.random.Generator, shape: tuple[int, ...], psd: np.ndarray) -> np.ndarray:
    """Noise of mean square 1 with the given power spectrum over the last two axes."""
    return np.fft.ifft2(np.fft.fft2(rng.normal(size=shape)) * np.sqrt(psd / psd.mean())).real


@pytest.mark.parametrize("basis", [dct_basis(), bior_basis()])
def test_coefficient_covariance_follows_the_spectrum(basis: np.ndarray) -> None:
    """By Parseval, the covariance of two linear functionals a, b of the noise is mean(psd conj(A) B) / mean(psd)."""
    psd = low_pass_spectrum(32)

    def transformed(top: int, left: int) -> np.ndarray:
        functionals = np.zeros((64, 32, 32))
        functionals[:, top : top + 8, left : left + 8] = np.einsum("va,ub->vuab", basis, basis).reshape(64, 8, 8)
        return np.fft.fft2(functionals)

    here = transformed(4, 4)
    covariance = coefficient_covariance(basis, 1.0, psd, 3)
    assert covariance.shape == (7, 7, 64)
    for dy, dx in ((0, 0), (1, -2), (-1, 2), (3, 3)):
        expected = (psd * here.conj() * transformed(4 + dy, 4 + dx)).real.mean(axis=(1, 2)) / psd.mean()
        np.testing.assert_allclose(covariance[3 + dy, 3 + dx], expected, atol=1e-5)


def test_group_variance_is_that_of_the_haar_transform() -> None:
    covariance = coefficient_covariance(dct_basis(), 1.0, low_pass_spectrum(64), 10)
    pitch, blocks = 20, np.array([45, 46, 49, 125, 85, 111, 48, 170])
    haar = np.eye(8)
    for step in (1, 2, 4):
        for i in range(0, 8, 2 * step):
            low, high = haar[i].copy(), haar[i + step].copy()
            haar[i], haar[i + step] = (low + high) / np.sqrt(2), (low - high) / np.sqrt(2)
    y, x = blocks // pitch, blocks % pitch
    full = covariance[y[:, None] - y + 10, x[:, None] - x + 10]
    expected = np.einsum("ai,ijc,aj->ac", haar, full, haar)
    variance = np.empty((8, 64), np.float32)
    _group_variance(blocks, 8, pitch, covariance, np.empty((4, 4, 64), np.float32), variance)
    np.testing.assert_allclose(variance, np.maximum(expected, 1e-3 * covariance[10, 10]), atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 2), (2, 3, 3), (8, 8), (33, 21, 2), (17, 150, 4)])
def test_any_size_and_channels(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).random(shape, dtype=np.float32)
    kept = x.copy()
    result = denoise_bm3d(x, 0.05)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(x, kept)


def test_no_noise_no_change_and_constants_stay() -> None:
    x = np.random.default_rng(0).random((20, 20), dtype=np.float32)
    np.testing.assert_array_equal(denoise_bm3d(x, 0.0), x)
    flat = np.full((40, 30, 3), 0.3, np.float32)
    np.testing.assert_allclose(denoise_bm3d(flat, 0.1), flat, atol=1e-5)


def test_every_pixel_is_covered_where_all_blocks_are_equal() -> None:
    """Five equal blocks make groups of four; the reference must be among them, or some pixels get no estimate."""
    flat = np.full((8, 12), 0.5, np.float32)
    np.testing.assert_allclose(denoise_bm3d(flat, 0.1), flat, atol=1e-5)


def test_threads_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    x = noisy(skimage.data.camera()[100:340, 100:400] / 255, 0.1)
    results = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        results += [denoise_bm3d(x, 0.1), denoise_bm3d(x, 0.1)]
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])


def test_as_many_threads_work_as_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    together = threading.Barrier(3)

    def meet(plane: int, tile: _Tile, scratch: _Scratch) -> None:
        together.wait(timeout=30)
        scratch.weights(tile)[:] = 1

    flat = np.zeros((300, 300), np.float32)  # nine tiles
    white = coefficient_covariance(dct_basis(), 1.0, None, 0)
    _filter((1, 300, 300), flat, 0.0, PROFILES["fast"].hard, dct_basis(), white, 2.0, meet)
    assert not together.broken


# Golden numbers of the package bm3d 4.0.3, for clean photographs of [0, 1] and y = noisy(clean, 25 / 255):
# bm3d.bm3d(y.astype(float), 25 / 255) and, in colour, bm3d.bm3d_rgb(y.astype(float), 25 / 255).
@pytest.mark.parametrize(("name", "golden"), [("grey_photo", 29.411), ("colour_photo", 30.970)])
def test_quality_is_that_of_the_reference_implementation(
    name: str, golden: float, request: pytest.FixtureRequest
) -> None:
    clean = request.getfixturevalue(name)
    y = noisy(clean, 25 / 255)
    normal, fast = psnr(denoise_bm3d(y, 25 / 255), clean), psnr(denoise_bm3d(y, 25 / 255, profile="fast"), clean)
    assert normal > golden - 0.1
    assert normal > fast > normal - 0.4


def test_the_spectrum_of_the_noise_helps(grey_photo: np.ndarray) -> None:
    psd = low_pass_spectrum(128)
    noise = coloured(np.random.default_rng(0), (128, 128), psd)
    y = (grey_photo + 0.1 * noise).astype(np.float32)
    assert psnr(denoise_bm3d(y, 0.1, psd=psd), grey_photo) > psnr(denoise_bm3d(y, 0.1), grey_photo) + 1
    white = psnr(denoise_bm3d(noisy(grey_photo, 0.1), 0.1), grey_photo)
    flat = psnr(denoise_bm3d(noisy(grey_photo, 0.1), 0.1, psd=np.ones((128, 128))), grey_photo)
    assert flat == pytest.approx(white, abs=0.1)


def test_any_depth_through_the_public_function(grey_photo: np.ndarray) -> None:
    y = np.clip(noisy(grey_photo, 0.1), 0, 1)
    expected = anew.denoise(y, 0.1, method="bm3d")
    for dtype, step in ((np.uint8, 1 / 255), (np.uint16, 1 / 65535), (np.float16, 1e-3)):
        top = 1 if dtype == np.float16 else np.iinfo(dtype).max
        given = (y * top).round(0 if top > 1 else 7).astype(dtype)
        result = anew.denoise(given, 0.1, method="bm3d")
        assert result.dtype == dtype
        np.testing.assert_allclose(result.astype(np.float64) / top, np.clip(expected, 0, 1), atol=0.02 + step)
    assert "bm3d" in anew.methods("denoise")


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="normal, fast"):
        denoise_bm3d(np.zeros((9, 9), np.float32), 0.1, profile="slow")
