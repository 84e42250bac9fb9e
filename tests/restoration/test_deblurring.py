"""Deblurring: inverse problems whose answer is known, and gains on photographs."""

from __future__ import annotations

import io
import tracemalloc

import numpy as np
import pytest
import skimage.data
from PIL import Image

import anew
from anew.degradations.blur import convolve, defocus_psf, motion_psf
from anew.degradations.blur import gaussian_psf as sampled_gaussian_psf
from anew.registry import METHODS
from anew.restoration.deblurring.convolution import (
    backward,
    continue_blurred,
    forward,
    make_periodic,
    transfer_function,
)
from anew.restoration.deblurring.noise_level import estimate_noise_under_blur
from anew.restoration.deblurring.richardson_lucy import _curvature, deblur_richardson_lucy
from anew.restoration.deblurring.shock import deblur_shock
from anew.restoration.deblurring.spectrum import mean_over_plane, natural_decay
from anew.restoration.deblurring.tv import data_weight, deblur_tv
from anew.restoration.deblurring.unsharp import deblur_unsharp
from anew.restoration.deblurring.wiener import deblur_wiener

WITH_PSF = ["tv", "wiener", "richardson-lucy"]
BLIND = ["unsharp", "shock"]
SHAPES = [(1, 1), (1, 9), (9, 1), (2, 3), (15, 17, 1), (16, 13, 3), (7, 8, 4)]


def gaussian_psf(sides: tuple[int, int], sigma: float) -> np.ndarray:
    y, x = (np.arange(n) - n // 2 for n in sides)
    psf = np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * sigma**2))
    return (psf / psf.sum()).astype(np.float32)


def blur_circular(image: np.ndarray, psf: np.ndarray) -> np.ndarray:
    """Sum the shifted images: independent of any Fourier transform."""
    result = np.zeros(image.shape)
    for y in range(psf.shape[0]):
        for x in range(psf.shape[1]):
            result += psf[y, x] * np.roll(image, (y - psf.shape[0] // 2, x - psf.shape[1] // 2), (0, 1))
    return result.astype(np.float32)


def mse(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean((a.astype(np.float64) - b) ** 2))


@pytest.mark.parametrize("sides", [(5, 5), (4, 6), (1, 7), (40, 9)])
def test_transfer_function_is_the_blur(sides: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    image, psf = rng.random((30, 21, 2)), rng.random(sides)
    blurred = backward(transfer_function(psf, (30, 21))[:, :, None] * forward(image), (30, 21))
    assert np.allclose(blurred, blur_circular(image, psf), rtol=1e-5)


def test_periodic_continuation_has_no_jump() -> None:
    ramp = np.tile(np.arange(40, dtype=np.float32)[:, None, None], (1, 30, 1))
    continued = make_periodic(ramp, (30, 30))
    assert np.array_equal(continued[:40, :30], ramp)
    assert np.abs(np.diff(continued, axis=0, append=continued[:1])).max() < 4


def saved(pixels: np.ndarray, **options: object) -> np.ndarray:
    """Round to 8 bits, save and read again."""
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * pixels.clip(0, 1)).astype(np.uint8)).save(file, **options)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(("file", "gain"), [({"format": "PNG"}, 2.5), ({"format": "JPEG", "quality": 95}, 1.5)])
@pytest.mark.parametrize(
    "psf", [motion_psf(9, 30), defocus_psf(3), sampled_gaussian_psf(1.6)], ids=["motion", "defocus", "gaussian"]
)
@pytest.mark.parametrize("name", ["bm3d", "tv", "wiener"])
def test_the_error_falls_in_a_file_that_shows_a_part_of_the_scene(
    name: str, psf: np.ndarray, file: dict[str, object], gain: float, colour_photo: np.ndarray
) -> None:
    inside = (slice(12, -12), slice(12, -12))
    blurred, clean = saved(convolve(colour_photo, psf)[inside], **file), colour_photo[inside]
    assert mse(anew.deblur(blurred, psf, method=name) / 255, clean) * gain < mse(blurred / 255, clean)


def test_rounding_is_noise_even_where_none_is_said_to_be(colour_photo: np.ndarray) -> None:
    psf = motion_psf(9, 30)
    blurred = saved(convolve(colour_photo, psf), format="PNG")
    rounding = 1 / 255 / np.sqrt(12)
    np.testing.assert_array_equal(anew.deblur(blurred, psf, 0.0), anew.deblur(blurred, psf, rounding))


def test_the_error_of_jpeg_is_noise_even_where_none_is_said_to_be(colour_photo: np.ndarray) -> None:
    psf = motion_psf(9, 30)
    blurred = saved(convolve(colour_photo, psf), format="JPEG", quality=90)
    assert mse(anew.deblur(blurred, psf, 0.0) / 255, colour_photo) * 1.5 < mse(blurred / 255, colour_photo)


@pytest.mark.parametrize("sigma", [0.0, 2 / 255, 8 / 255])
@pytest.mark.parametrize(
    "psf", [motion_psf(11, 30), defocus_psf(3), sampled_gaussian_psf(0.8)], ids=["motion", "defocus", "gaussian"]
)
def test_noise_under_a_known_blur_is_measured(psf: np.ndarray, sigma: float) -> None:
    photo = (skimage.data.chelsea()[20:280, 80:400] / 255).astype(np.float32)
    noisy = convolve(photo, psf) + np.random.default_rng(0).normal(0, sigma, photo.shape)
    level = estimate_noise_under_blur(saved(noisy, format="PNG") / np.float32(255), psf)
    assert level == pytest.approx(np.hypot(sigma, 1 / 255 / np.sqrt(12)), rel=0.1, abs=0.15 / 255)


@pytest.mark.parametrize(
    "psf", [motion_psf(11, 30), defocus_psf(3), sampled_gaussian_psf(0.8)], ids=["motion", "defocus", "gaussian"]
)
def test_the_error_of_jpeg_is_measured_as_noise(psf: np.ndarray) -> None:
    blurred = convolve((skimage.data.chelsea()[20:280, 80:400] / 255).astype(np.float32), psf)
    compressed = saved(blurred, format="JPEG", quality=90) / np.float32(255)
    level = estimate_noise_under_blur(compressed, psf)
    error = (compressed - blurred).sum(axis=2) / np.sqrt(3)  # as the channels share it, it adds up
    assert level == pytest.approx(error.std(), rel=0.3)


def test_what_lies_beyond_the_border_is_continued_as_a_blur(colour_photo: np.ndarray) -> None:
    psf = motion_psf(9, 30)
    window = convolve(colour_photo, psf)[12:-12, 12:-12]
    continued = continue_blurred(window, psf, 1e-3)
    np.testing.assert_allclose(continued[: window.shape[0], : window.shape[1]], window, atol=1e-6)
    transfer = transfer_function(psf, continued.shape[:2])
    erased = np.abs(transfer) ** 2 < 1e-3  # a blur has nothing there
    mirror = make_periodic(window, (2 * psf.shape[0], 2 * psf.shape[1]))
    spectrum, mirrored = (np.abs(forward(x))[erased] for x in (continued, mirror))
    assert np.mean(spectrum**2) < 0.1 * np.mean(mirrored**2)


def test_the_continuation_is_nearly_the_most_probable_one(colour_photo: np.ndarray) -> None:
    psf, sigma, height, width = motion_psf(9, 30), 1 / 255, 40, 44
    noise = np.random.default_rng(0).normal(0, sigma, (height, width, 1))
    window = (convolve(colour_photo, psf)[30:70, 40:84, :1] + noise).astype(np.float32)
    mean = float(window.mean(dtype=np.float64))
    mirror = make_periodic(window, (2 * psf.shape[0], 2 * psf.shape[1]))
    start, found = (f[:, :, 0].ravel() - mean for f in (mirror, continue_blurred(window, psf, sigma)))
    shape = mirror.shape[:2]
    power = np.abs(transfer_function(psf, shape)) ** 2 * natural_decay(shape)
    signal = (np.mean(start**2) - sigma**2) / mean_over_plane(power, shape)
    precision = np.fft.irfft2(1 / (sigma**2 + signal * power), s=shape)  # a row of the matrix P^-1, which is circulant
    y, x = np.divmod(np.arange(found.size), shape[1])
    beyond = (y >= height) | (x >= width)
    rows = precision[(y[beyond, None] - y) % shape[0], (x[beyond, None] - x) % shape[1]]
    best = np.linalg.solve(rows[:, beyond], -rows[:, ~beyond] @ found[~beyond])
    start_error, error = start[beyond] - best, found[beyond] - best
    assert start_error @ rows[:, beyond] @ start_error > 4 * len(best)  # twice the log likelihood that is lost
    assert error @ rows[:, beyond] @ error < 0.015 * len(best)


@pytest.mark.parametrize("name", WITH_PSF)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sides", [(1, 1), (4, 4), (5, 11)])
@pytest.mark.parametrize("border", ["reflect", "circular"])
def test_contract_with_psf(name: str, shape: tuple[int, ...], sides: tuple[int, int], border: str) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    before = image.copy()
    psf = gaussian_psf(sides, 1.5)
    for sigma in (0.0, 0.02):
        result = METHODS.get("deblur", name).function(
            image, psf, sigma, border=border, **({} if name == "wiener" else {"n_iter": 4})
        )
        assert result.shape == shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", WITH_PSF)
@pytest.mark.parametrize("border", ["reflect", "circular"])
def test_a_constant_stays(name: str, border: str) -> None:
    image = np.full((20, 23, 3), 0.4, np.float32)
    result = METHODS.get("deblur", name).function(image, gaussian_psf((4, 7), 1.5), 0.01, border=border)
    assert np.abs(result - 0.4).max() < 1e-3


@pytest.mark.parametrize("sides", [(3, 3), (4, 2)])
def test_wiener_inverts_without_noise(sides: tuple[int, int], colour_photo: np.ndarray) -> None:
    psf = np.full(sides, 0.3 / (np.prod(sides) - 1))
    psf[sides[0] // 2, sides[1] // 2] = 0.7  # the transfer function is at least 0.4 everywhere
    blurred = blur_circular(colour_photo, psf)
    assert np.abs(deblur_wiener(blurred, psf, 0, border="circular") - colour_photo).max() < 1e-3


@pytest.mark.parametrize(("name", "gain"), [("tv", 2.0), ("wiener", 1.3), ("richardson-lucy", 1.4)])
@pytest.mark.parametrize("border", ["reflect", "circular"])
def test_error_falls(name: str, gain: float, border: str, colour_photo: np.ndarray) -> None:
    psf = np.zeros((9, 10), np.float32)
    psf[4, 1:8] = 1 / 7
    psf /= psf.sum()
    blurred = blur_circular(colour_photo, psf)
    clean = colour_photo
    if border == "reflect":  # a real border: what lies beyond was seen by the lens
        blurred, clean = blurred[12:-12, 12:-12], clean[12:-12, 12:-12]
    noisy = blurred + np.random.default_rng(1).normal(0, 0.01, blurred.shape).astype(np.float32)
    result = METHODS.get("deblur", name).function(noisy, psf, 0.01, border=border)
    assert mse(result, clean) * gain < mse(noisy, clean)


def test_tv_restores_a_step_from_its_blur() -> None:
    step = np.zeros((32, 64), np.float32)
    step[8:24, 20:44] = 1
    psf = gaussian_psf((9, 9), 1.5)
    blurred = blur_circular(step, psf)
    assert mse(deblur_tv(blurred, psf, 0.002, border="circular"), step) < 0.1 * mse(blurred, step)


@pytest.mark.parametrize("strength", [1.0, 3.0])
def test_tv_of_periodic_stripes_is_the_closed_form(strength: float) -> None:
    # |D x| + mu / 2 |x - y|^2: both borders of a stripe pull each of its pixels by 2 / (mu width)
    stripes = np.repeat(np.float32([[0.2] * 6 + [0.9] * 10]), 12, axis=0)
    pull = 2 * strength / data_weight(0.02)
    expected = np.repeat(np.float32([[0.2 + pull / 6] * 6 + [0.9 - pull / 10] * 10]), 12, axis=0)
    one = np.ones((1, 1), np.float32)
    result = deblur_tv(stripes, one, 0.02, n_iter=400, strength=strength, border="circular")
    np.testing.assert_allclose(result, expected, atol=1e-4)


def test_tv_holds_the_spectra_of_one_channel_at_a_time(colour_photo: np.ndarray) -> None:
    image = np.tile(colour_photo[:200, :200], (2, 2, 1)).astype(np.float32)
    psf = np.full((3, 3), 1 / 9, np.float32)
    deblur_tv(image, psf, 0.05, n_iter=1)  # what the first call imports is no working memory
    tracemalloc.start()
    deblur_tv(image, psf, 0.05, n_iter=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * image.nbytes


def test_richardson_lucy_keeps_flux_and_sign(grey_photo: np.ndarray) -> None:
    psf = gaussian_psf((9, 9), 2)
    blurred = blur_circular(grey_photo, psf)
    result = deblur_richardson_lucy(blurred, psf, 0, border="circular", n_iter=20, tv=0)
    assert result.min() >= 0
    assert result.sum(dtype=np.float64) == pytest.approx(blurred.sum(dtype=np.float64), rel=1e-4)


def test_richardson_lucy_equals_scikit_image(grey_photo: np.ndarray) -> None:
    from skimage.restoration import richardson_lucy as independent

    psf = gaussian_psf((7, 7), 1.2)
    blurred = blur_circular(grey_photo, psf)
    # theirs is zero beyond the border and starts from 1/2: compare after many steps, inside
    expected = independent(blurred.astype(np.float64), psf.astype(np.float64), num_iter=30)
    start_free = deblur_richardson_lucy(blurred, psf, 0, border="circular", n_iter=30, tv=0)
    assert np.sqrt(mse(start_free[20:-20, 20:-20], expected[20:-20, 20:-20])) < 0.01


def test_richardson_lucy_stops_at_the_noise(grey_photo: np.ndarray) -> None:
    psf = gaussian_psf((7, 7), 1.5)
    noisy = blur_circular(grey_photo, psf) + np.random.default_rng(0).normal(0, 0.05, grey_photo.shape)
    noisy = noisy.astype(np.float32)
    stopped = deblur_richardson_lucy(noisy, psf, 0.05, n_iter=60, tv=0)
    overdone = deblur_richardson_lucy(noisy, psf, 0.0, n_iter=60, tv=0)
    assert mse(stopped, grey_photo) < 0.7 * mse(overdone, grey_photo)


def test_unknown_border_is_refused() -> None:
    for name in WITH_PSF:
        with pytest.raises(ValueError, match="border"):
            METHODS.get("deblur", name).function(np.zeros((4, 4), np.float32), gaussian_psf((3, 3), 1), 0, border="x")


@pytest.mark.parametrize("name", BLIND)
@pytest.mark.parametrize("shape", SHAPES)
def test_contract_blind(name: str, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    before = image.copy()
    for sigma in (0.0, 0.02):
        result = METHODS.get("deblur", name).function(image, sigma)
        assert result.shape == shape
        assert result.dtype == np.float32
        assert np.isfinite(result).all()
    assert np.array_equal(image, before)
    constant = np.full(shape, 0.4, np.float32)
    assert np.abs(METHODS.get("deblur", name).function(constant, 0.0) - constant).max() < 1e-6


def blurred_step() -> tuple[np.ndarray, np.ndarray]:
    step = np.zeros((40, 60, 1), np.float32)
    step[:, 30:] = 1
    image = step.copy()
    for _ in range(8):  # binomial blur of standard deviation 2
        image = (np.pad(image, ((0, 0), (1, 1), (0, 0)), mode="edge")[:, :-2] + 2 * image
                 + np.pad(image, ((0, 0), (1, 1), (0, 0)), mode="edge")[:, 2:]) / 4  # fmt: skip
    return step, image


@pytest.mark.parametrize(
    ("name", "gain", "options"), [("unsharp", 1.2, {}), ("shock", 1.2, {}), ("shock", 3, {"n_iter": 12, "width": 1.0})]
)
def test_a_blurred_step_becomes_steeper(name: str, gain: float, options: dict[str, float]) -> None:
    step, blurred = blurred_step()
    assert mse(METHODS.get("deblur", name).function(blurred, 0.0, **options), step) * gain < mse(blurred, step)


def test_shock_stays_in_range_and_symmetric() -> None:
    _, blurred = blurred_step()
    result = deblur_shock(blurred, 0.0, n_iter=12)
    assert result.min() >= 0
    assert result.max() <= 1
    assert np.allclose(result + result[:, ::-1], 1, atol=1e-4)


def test_shock_holds_little_more_than_the_picture(colour_photo: np.ndarray) -> None:
    image = np.tile(colour_photo, (5, 5, 1))
    deblur_shock(image[:16, :16], 0.01)  # what the first call keeps
    tracemalloc.start()
    deblur_shock(image, 0.01)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * image.nbytes


@pytest.mark.timeout(20)
def test_counts_take_no_longer_to_shock_than_shares_of_one() -> None:
    counts = np.random.default_rng(0).random((64, 64), np.float32) * np.float32(65535)
    result = deblur_shock(counts, 2e4)
    assert np.std(result) < 0.95 * np.std(counts)


def test_shock_leaves_extremes_where_they_are() -> None:
    # the smaller of two slopes of unlike signs is none, however steep the steeper one
    row = np.float32([0, 0.1, 0.3, 0.7, 0.2, 0.1, 0.4, 0.5, 0.8, 1, 1])
    result = deblur_shock(np.tile(row, (5, 1)), 0.0, n_iter=6, width=0, diffusion=0)
    np.testing.assert_array_equal(result[2, [3, 5]], row[[3, 5]])


def test_one_shock_step_on_a_parabola_takes_the_smaller_slope() -> None:
    x = np.arange(20, dtype=np.float32)
    rising = np.tile((x / 20) ** 2, (5, 1))
    result = deblur_shock(rising, 0.0, n_iter=1, width=0, diffusion=0)
    expected = (x**2 - 0.25 * (2 * x - 1)) / 400  # u - dt |u_x|: the slopes are (2 x - 1) / 400 and (2 x + 1) / 400
    np.testing.assert_allclose(result[2, 2:-1], expected[2:-1], atol=0.02 / 400)


@pytest.mark.parametrize("function", [deblur_unsharp, deblur_shock])
def test_noise_is_not_amplified(function) -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.05, (80, 80)).astype(np.float32)
    assert function(noise, 0.05).std() < 1.02 * noise.std()


def test_unsharp_is_the_textbook_formula_without_noise(grey_photo: np.ndarray) -> None:
    from scipy.ndimage import gaussian_filter

    expected = grey_photo + 0.5 * (grey_photo - gaussian_filter(grey_photo, 2, mode="nearest", truncate=3))
    assert np.abs(deblur_unsharp(grey_photo, 0.0, amount=0.5, width=2) - expected).max() < 1e-4


@pytest.mark.parametrize("width", [0.5, 1.5])
def test_unsharp_leaves_out_a_multiple_of_the_noise_of_the_detail(width: float) -> None:
    from scipy.ndimage import gaussian_filter

    def detail(x: np.ndarray) -> np.ndarray:
        return x - gaussian_filter(x, width, mode="nearest", truncate=3)

    sigma = 0.02
    noise = detail(sigma * np.random.default_rng(0).standard_normal((500, 500))).std()
    point = np.full((21, 21), 0.3, np.float32)
    point[10, 10] = 0.9
    added = deblur_unsharp(point, sigma, width=width, threshold=4.0)[10, 10] - point[10, 10]
    assert detail(point.astype(float))[10, 10] - added == pytest.approx(4 * noise, rel=0.02)


@pytest.mark.parametrize("told", [0.06, 0.2, 0.5])
def test_richardson_lucy_does_no_harm_when_told_too_much_noise(told: float, grey_photo: np.ndarray) -> None:
    psf = gaussian_psf((9, 9), 1.6)
    noisy = convolve(grey_photo, psf) + np.random.default_rng(0).normal(0, 0.01, grey_photo.shape)
    given = noisy.clip(0, 1).astype(np.float32)
    assert mse(deblur_richardson_lucy(given, psf, told), grey_photo) < mse(given, grey_photo)


def test_a_large_image_is_shocked_in_tiles_without_seams() -> None:
    image = np.random.default_rng(0).random((1030, 1100), np.float32)
    image[700, 700:702] = 0, 1  # what bounds the result
    around, inside = np.s_[700:840, 700:840], np.s_[40:100, 40:100]  # of the corner of a tile, at 768
    np.testing.assert_array_equal(deblur_shock(image, 0.02)[around][inside], deblur_shock(image[around], 0.02)[inside])


def test_wrong_options_are_refused() -> None:
    image = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match="width"):
        deblur_unsharp(image, 0, width=0)
    with pytest.raises(ValueError, match="diffusion"):
        deblur_shock(image, 0, diffusion=2)


def test_the_shock_filter_diffuses_along_level_lines_and_shocks_by_the_curvature_across() -> None:
    y, x = np.mgrid[10:42, 10:42].astype(np.float32)
    u = (0.5 * x**2 + x * y + 1.5 * y**2) * np.float32(1e-3)
    ux, uy = (x + y) * 1e-3, (x + 3 * y) * 1e-3
    curved = (uy**2 - 2 * ux * uy + 3 * ux**2) * 1e-3 / (ux**2 + uy**2)  # u_xixi
    inside = np.s_[4:-4, 4:-4]
    one, none = (deblur_shock(u, 0.0, n_iter=1, width=0, diffusion=c) for c in (1.0, 0.0))
    np.testing.assert_allclose((one - none)[inside], (0.25 * curved)[inside], rtol=5e-3)
    # on the diagonal u_nn is positive by its mixed derivative alone: what curves up across an edge goes down
    saddle = (-0.35 * (x**2 + y**2) + x * y) * np.float32(1e-2)
    diagonal = np.arange(5, 27)
    step = deblur_shock(saddle, 0.0, n_iter=1, width=0, diffusion=0) - saddle
    assert (step[diagonal, diagonal] < -1e-3).all()


def test_the_curvature_of_a_cone_is_one_over_the_radius() -> None:
    y, x = np.mgrid[-40:40, -40:40].astype(np.float32)
    radius = np.hypot(y, x)
    ring = (radius > 18) & (radius < 30)
    for slope in (0.05, 1.0):
        curvature = _curvature(np.float32(slope) * radius[:, :, None])[:, :, 0]
        assert np.mean((curvature * radius)[ring]) == pytest.approx(1, abs=0.05)
        assert np.std((curvature * radius)[ring]) < 0.1


def test_the_spectrum_of_pictures_is_that_of_the_longer_side_at_frequency_0() -> None:
    decay = natural_decay((8, 12), 2.5)
    assert decay[0, 0] == pytest.approx(12**2.5)
    assert decay[2, 3] == pytest.approx(((2 / 8) ** 2 + (3 / 12) ** 2) ** -1.25)
