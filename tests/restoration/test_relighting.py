"""Relighting: known curves and gains are undone, good pictures stay nearly as they are, colours keep their hue."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from scipy import stats

from anew.arrays import luminance
from anew.diagnosis.print_range import estimate_range
from anew.registry import METHODS
from anew.restoration.relighting.clahe import relight_clahe
from anew.restoration.relighting.curve import power_curve, relight_curve
from anew.restoration.relighting.fading import relight_fading
from anew.restoration.relighting.retinex import relight_retinex, smooth_illumination
from anew.restoration.relighting.tone import with_luminance
from anew.restoration.relighting.white_balance import estimate_light, relight_white_balance

ALL = [relight_curve, relight_clahe, relight_retinex, relight_white_balance, relight_fading]


def photo(name: str) -> np.ndarray:
    return np.ascontiguousarray(getattr(skimage.data, name)() / np.float32(255), np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((np.clip(a, 0, 1) - b) ** 2) + 1e-12))


def test_every_method_is_here() -> None:
    names = {f"relight_{name.replace('-', '_')}" for name in METHODS.names("relight")}
    assert names == {function.__name__ for function in ALL}


# -- curve ---------------------------------------------------------------------------------------------------------


def test_curve_undoes_given_levels() -> None:
    image = photo("astronaut")
    squeezed = 0.2 + 0.45 * image
    np.testing.assert_allclose(relight_curve(squeezed, black=0.2, white=0.65, gamma=1), image, atol=1e-6)


def test_curve_finds_the_levels_itself() -> None:
    x = np.linspace(0, 1, 400, dtype=np.float32)
    ramp = np.tile(x, (50, 1))
    np.testing.assert_allclose(relight_curve(0.3 + 0.4 * ramp), ramp, atol=5e-3)


def test_as_many_pixels_pass_black_and_white_as_said_in_a_large_picture_too() -> None:
    rng = np.random.default_rng(0)
    image = rng.normal(0.5, 0.1, (900, 1200, 3)).astype(np.float32)  # a smaller copy of it is nearly flat
    y = relight_curve(image)
    assert (y.min(axis=2) < 0).mean() == pytest.approx(0.001, rel=0.2)
    assert (y.max(axis=2) > 1).mean() == pytest.approx(0.001, rel=0.2)


def test_power_curve_is_monotonic_and_keeps_the_ends() -> None:
    x = np.linspace(-0.2, 1.2, 500, dtype=np.float32)
    for gamma in (0.4, 0.8, 1.0, 1.7):
        y = power_curve(x, gamma)
        assert (np.diff(y) > 0).all()
        np.testing.assert_allclose(power_curve(np.array([0.0, 1.0], np.float32), gamma), [0, 1], atol=1e-6)
    np.testing.assert_allclose(power_curve(x, 1.0), x, atol=1e-6)


def test_curve_lightens_an_underexposed_picture() -> None:
    image = photo("astronaut")
    dark = image * np.float32(0.25)
    assert psnr(relight_curve(dark), image) > psnr(dark, image) + 8


# -- clahe ---------------------------------------------------------------------------------------------------------


def test_clahe_of_one_tile_without_limit_is_histogram_equalisation() -> None:
    image = photo("camera")
    equalised = relight_clahe(image, clip=1e9, tiles=1)
    ranks = stats.rankdata(image, method="max") / image.size  # the textbook curve: the share of pixels up to a value
    assert np.abs(equalised.ravel() - ranks).max() < np.bincount((image * 255).astype(int).ravel()).max() / image.size
    assert equalised.std() > image.std() * 0.9


def test_clahe_limits_the_slope() -> None:
    image = np.full((64, 64), 0.4, np.float32)
    image[:, 32:] = 0.41
    result = relight_clahe(image, clip=3.0)
    assert 0.01 <= result[30, 60] - result[30, 3] <= 0.031


def test_clahe_keeps_deep_pictures_deep() -> None:
    ramp = np.tile(np.linspace(0.2, 0.8, 4000, dtype=np.float32), (16, 1))
    result = relight_clahe(ramp)
    assert len(np.unique(result[8])) > 3900
    assert (np.diff(result[8]) > -1e-6).all()


def test_clahe_has_no_seams_at_tiles() -> None:
    smooth = np.tile(0.5 + 0.3 * np.sin(np.linspace(0, 3, 240)), (240, 1)).astype(np.float32)
    steps = np.abs(np.diff(relight_clahe(smooth, clip=4.0), axis=1))
    assert steps.max() < 4 * np.abs(np.diff(smooth, axis=1)).max() * 1.3


# -- retinex -------------------------------------------------------------------------------------------------------


def test_retinex_evens_out_a_shadow() -> None:
    texture = 0.5 + 0.05 * np.sin(np.arange(256) / 2)[:, np.newaxis] * np.ones(256)
    light = np.where(np.arange(256) < 128, 0.2, 1.0)
    lit = (texture * light).astype(np.float32)
    result = relight_retinex(lit, strength=0.6)
    before, after = lit[:, :100].mean() / lit[:, 156:].mean(), result[:, :100].mean() / result[:, 156:].mean()
    assert before == pytest.approx(0.2, abs=0.01)
    assert after == pytest.approx(0.2**0.4, abs=0.05)  # R = L / T^a


@pytest.mark.parametrize(("value", "after"), [(0.72, 0.72**0.5), (0.81, 0.85 + 0.15 * (1 - np.exp(-1 / 3)))])
def test_retinex_bends_what_it_lifts_above_the_knee_alone(value: float, after: float) -> None:
    lit = relight_retinex(np.full((40, 50, 3), value, np.float32), strength=0.5)  # to the root of the value
    np.testing.assert_allclose(lit, after, atol=1e-3)  # above 0.85 all up to infinity has room below 1


def test_ink_of_a_page_stays_dark_while_what_is_wider_than_strokes_is_shadow() -> None:
    page = np.full((500, 400), 0.8, np.float32)
    page[:, 100:124] = 0.1
    page[:, 260:300] = 0.5
    even = relight_retinex(page, page=True)
    np.testing.assert_allclose(even[:, 105:119], 0.1, atol=0.005)
    assert even[:, 275:285].min() > 0.55


def test_illumination_keeps_edges_and_smooths_within() -> None:
    rng = np.random.default_rng(0)
    step = np.where(np.arange(200) < 100, 0.1, 0.8) * np.ones((200, 1))
    noisy = np.clip(step * (1 + 0.1 * rng.standard_normal(step.shape)), 0, 1).astype(np.float32)
    smooth = smooth_illumination(noisy)
    assert smooth[:, 40:60].std() < 0.2 * noisy[:, 40:60].std()
    assert smooth[:, 103].mean() - smooth[:, 96].mean() > 0.5


def test_retinex_does_not_lift_noise_out_of_the_dark() -> None:
    noise = np.abs(0.01 * np.random.default_rng(0).standard_normal((200, 200))).astype(np.float32)
    assert relight_retinex(noise).std() < 12 * noise.std()


# -- white balance -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cast", [(1.25, 1.0, 0.75), (0.8, 1.0, 1.2), (1.0, 0.8, 1.05)])
def test_white_balance_finds_a_cast_on_a_grey_world(cast: tuple[float, float, float]) -> None:
    grey = np.repeat(photo("camera")[:, :, np.newaxis] * 0.75, 3, axis=2)
    tinted = grey * np.array(cast, np.float32)
    for order in (0, 1):
        np.testing.assert_allclose(estimate_light(tinted, order=order), np.array(cast) / np.mean(cast), rtol=0.02)
    result = relight_white_balance(tinted)
    ratio = result.mean(axis=(0, 1)) / result.mean()
    assert np.abs(ratio - 1).max() < 0.35 * np.abs(np.array(cast) / np.mean(cast) - 1).max()


def test_the_light_is_the_sixth_minkowski_mean_of_the_values() -> None:
    image = np.full((300, 300, 3), 0.4, np.float32)
    image[:, :150, 0], image[:, 150:, 0] = 0.8, 0.1  # on plain average as bright as 0.45
    means = np.array([((0.8**6 + 0.1**6) / 2) ** (1 / 6), 0.4, 0.4])
    np.testing.assert_allclose(estimate_light(image, order=0), means / means.mean(), rtol=0.01)


def test_what_is_clipped_tells_nothing_about_the_light_nor_do_the_pixels_beside_it() -> None:
    light = np.array([0.95, 0.6, 0.4], np.float32)
    image = np.full((120, 150, 3), light)
    rows, columns = np.mgrid[:120, :150]
    image[(rows % 9 < 3) & (columns % 9 < 3)] = 1.0, 0.9, 0.9  # lamps, blown out in one channel
    np.testing.assert_allclose(estimate_light(image, order=0), light / light.mean(), rtol=0.01)


def test_given_gains_are_applied() -> None:
    image = photo("astronaut")[:60, :60]
    np.testing.assert_allclose(
        relight_white_balance(image, gains=(1.2, 1.0, 0.5)), image * np.array([1.2, 1, 0.5], np.float32), rtol=1e-6
    )


# -- fading --------------------------------------------------------------------------------------------------------


def test_fading_is_undone_when_its_ranges_are_known() -> None:
    image = photo("astronaut")
    black, white = np.array([0.3, 0.2, 0.1]), np.array([0.95, 0.8, 0.6])
    faded = (black + image * (white - black)).astype(np.float32)
    result = relight_fading(faded, black=black, white=white, gamma=(1, 1, 1))
    np.testing.assert_allclose(result, 0.02 + image * 0.93, atol=1e-5)


def test_the_mid_tone_goes_back_a_third_of_the_way() -> None:
    x = np.random.default_rng(0).beta(2, 3, (200, 200))
    faded = (0.35 + 0.6 * x).astype(np.float32)
    found = estimate_range(faded)
    before = np.median(faded)
    black, white = np.percentile(faded, [0.15, 99.85])  # the middle of the darkest and of the lightest 0.3 %
    stretched = (before - black) / (white - black)
    way = np.log(stretched**found.gamma / stretched) / np.log(before / stretched)  # on the scale of powers
    assert way == pytest.approx(0.35, abs=0.02)


def test_fading_is_found() -> None:
    image = photo("astronaut")
    faded = (np.array([0.3, 0.2, 0.1]) + image * np.array([0.6, 0.55, 0.45])).astype(np.float32)
    assert psnr(relight_fading(faded), image) > psnr(faded, image) + 5


# -- all -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relight", [relight_curve, relight_retinex, relight_white_balance, relight_fading])
@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_good_pictures_change_little(relight, name: str) -> None:
    assert psnr(relight(photo(name)), photo(name)) > 19


@pytest.mark.parametrize("relight", ALL)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (33, 20), (33, 20, 1), (16, 17, 2), (8, 9, 4)])
def test_any_shape(relight, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    kept = image.copy()
    result = relight(image)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.array_equal(image, kept)
    assert np.array_equal(result, relight(image))


@pytest.mark.parametrize("relight", ALL)
@pytest.mark.parametrize("value", [0.0, 0.02, 0.5, 1.0])
def test_flat_pictures_stay_flat(relight, value: float) -> None:
    flat = np.full((40, 50, 3), value, np.float32)
    result = relight(flat)
    assert np.isfinite(result).all()
    assert np.ptp(result) < 1e-6


@pytest.mark.parametrize("relight", [relight_curve, relight_clahe, relight_retinex])
def test_hues_survive(relight) -> None:
    image = photo("astronaut") * np.float32(0.3)
    result = relight(image)
    strong = (np.ptp(image, axis=2) > 0.1) & (image.max(axis=2) < 0.25)
    order = np.argsort(image[strong], axis=1)
    assert (np.diff(np.take_along_axis(result[strong], order, axis=1), axis=1) > -1e-4).all()


def test_new_luminance_is_reached_even_where_colours_saturate() -> None:
    image = np.random.default_rng(3).random((40, 40, 3), np.float32)
    new = np.clip(luminance(image) * 2, 0, 1)
    result = with_luminance(image, new)
    np.testing.assert_allclose(luminance(result), new, atol=1e-4)
    assert result.max() <= 1 + 1e-5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: relight_curve(x, black=0.6, white=0.4), "black must be below white"),
        (lambda x: relight_curve(x, gamma=0), "gamma should be greater than or equal to 0.001"),
        (lambda x: relight_curve(x, gamma=1e-9), "gamma should be greater than or equal to 0.001"),
        (lambda x: relight_curve(x, gamma=1e9), "gamma should be less than or equal to 1000"),
        (lambda x: relight_clahe(x, clip=0.5), "clip should be greater than or equal to 1"),
        (lambda x: relight_clahe(x, tiles=0), "tiles should be greater than or equal to 1"),
        (lambda x: relight_retinex(x, strength=2), "strength should be"),
        (lambda x: relight_white_balance(x, gains=(1, 2)), "3 numbers above 0"),
        (lambda x: relight_white_balance(x, gains=(1, 1, 1e300)), "at most 1,000,000"),
        (lambda x: relight_white_balance(x, strength=-1), "strength should be"),
        (lambda x: relight_fading(x, black=(0.5, 0.5, 0.5), white=(0.4, 0.6, 0.6)), "each black must be below"),
        (lambda x: relight_fading(x, gamma=1e9), r"each gamma in \[0.001, 1000\]"),
    ],
)
def test_wrong_parameters_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0).random((12, 12, 3), np.float32))


def test_retinex_keeps_full_light_and_bounds_what_noise_in_the_dark_gains() -> None:
    white = np.ones((40, 50, 3), np.float32)
    np.testing.assert_allclose(relight_retinex(white, strength=1.0), white, atol=1e-5)
    noise = np.random.default_rng(0).normal(0, 0.015, (128, 128)).astype(np.float32)
    dark = np.float32(0.04) + noise
    assert np.std(relight_retinex(dark, strength=1.0)) < np.std(dark) / (4 * 0.015)  # nothing below 4 sigma is lifted


def test_retinex_leaves_what_lies_below_black_below_black() -> None:
    dark = np.full((40, 50, 3), 0.05, np.float32)
    dark[20, 25] = -0.01
    lit = relight_retinex(dark, strength=1.0)
    assert -0.3 < lit[20, 25].min() <= lit[20, 25].max() < 0
    assert lit.max() < 1


def test_white_balance_leaves_a_cast_within_its_error_and_gains_no_more_than_double() -> None:
    grey = np.random.default_rng(0).random((128, 128, 1), np.float32) * np.float32(0.8)
    faint = grey * np.float32([1.02, 1.0, 0.98])
    np.testing.assert_array_equal(relight_white_balance(faint), faint)
    strong = grey * np.float32([1.0, 0.6, 0.1])
    gains = (relight_white_balance(strong) / np.maximum(strong, 1e-6))[grey[:, :, 0] > 0.1]
    assert gains.max() == pytest.approx(2, abs=1e-3)
