"""Light: values computed by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.fft import dctn
from skimage.color import lab2rgb

from anew.degradations.light import (
    FADED_BLACK,
    FADED_WHITE,
    cast,
    decode_srgb,
    encode_srgb,
    exposure,
    fade,
    low_light,
    uneven,
    uneven_field,
    vignette,
    vignette_field,
)


def test_srgb_is_the_standards():
    # IEC 61966-2-1: 18 % grey is 0.4613561; L* = 50 is 0.1841865 in linear light and 0.4663266 encoded
    assert encode_srgb(np.float32([[0.18]]))[0, 0] == pytest.approx(0.4613561, abs=1e-6)
    assert lab2rgb([50.0, 0, 0])[1] == pytest.approx(encode_srgb(np.float32([[0.1841865]]))[0, 0], abs=1e-4)
    x = np.linspace(-0.2, 1.5, 300, dtype=np.float32)[np.newaxis]
    np.testing.assert_allclose(encode_srgb(decode_srgb(x)), x, atol=2e-6)


def test_a_stop_doubles_linear_light_and_over_exposure_clips():
    x = encode_srgb(np.float32([[0.05, 0.2, 0.6, 0.9]]))
    brighter = exposure(x, stops=1)
    np.testing.assert_allclose(decode_srgb(brighter.image), [[0.1, 0.4, 1, 1]], atol=1e-5)
    np.testing.assert_array_equal(brighter.mask, [[False, False, True, True]])
    darker = exposure(x, stops=-2)
    np.testing.assert_allclose(decode_srgb(darker.image), [[0.0125, 0.05, 0.15, 0.225]], atol=1e-5)
    assert not darker.mask.any()
    np.testing.assert_allclose(exposure(x, stops=0, gamma=2).image, x**2, atol=1e-5)
    assert exposure(np.full((1, 1), 1e6, np.float32), stops=0, gamma=20).image == 1


def test_fading_takes_black_and_white_to_where_it_says():
    ends = np.float32([[[0, 0, 0], [1, 1, 1]]])
    np.testing.assert_allclose(fade(ends, amount=1).image[0], [FADED_BLACK, FADED_WHITE], atol=1e-6)
    half = fade(ends, amount=0.5)
    np.testing.assert_allclose(half.image[0], [half.parameters["black"], half.parameters["white"]], atol=1e-6)
    np.testing.assert_allclose(half.parameters["black"], np.array(FADED_BLACK) / 2, atol=1e-6)
    np.testing.assert_array_equal(fade(ends, amount=0).image, ends)
    red = fade(np.float32([[[1, 0, 0]]]), amount=1).image[0, 0]  # half way to its luma 0.299
    black, white = np.array(FADED_BLACK), np.array(FADED_WHITE)
    np.testing.assert_allclose(red, black + (white - black) * [0.6495, 0.1495, 0.1495], atol=1e-6)


def test_a_cast_multiplies_the_channels(colour_photo):
    result = cast(colour_photo, red=1.2, green=0.9, blue=0.5).image
    np.testing.assert_allclose(result, colour_photo * np.float32([1.2, 0.9, 0.5]), rtol=1e-6)
    with pytest.raises(ValueError, match="3 channels"):
        cast(colour_photo[:, :, 0])


@pytest.mark.parametrize("shape", [(41, 61), (20, 30, 3)])
def test_a_vignette_follows_cos_4(shape):
    field = vignette_field(shape, amount=0.6)
    assert field[0, 0] == pytest.approx(0.4, abs=1e-6)
    assert field[-1, -1] == pytest.approx(0.4, abs=1e-6)
    if shape[0] % 2:
        assert field[20, 30] == 1
        # cos^4 at the corner 0.4: tan^2 = 1 / sqrt(0.4) - 1; at half the radius a quarter of it
        assert field[10, 15] == pytest.approx((1 + (1 / np.sqrt(0.4) - 1) / 4) ** -2, abs=1e-6)
    np.testing.assert_allclose(field, field[::-1, ::-1], atol=1e-7)
    image = np.full(shape, 0.5, np.float32)
    expected = 0.5 * (field if len(shape) == 2 else field[:, :, np.newaxis])
    np.testing.assert_allclose(vignette(image, amount=0.6).image, expected * np.ones(shape), rtol=1e-6)


def test_uneven_light_lies_between_its_bounds_and_is_smooth():
    result = uneven(np.ones((50, 80, 3), np.float32), amount=0.6, waves=2, rng=8)
    assert result.image.min() == pytest.approx(0.4, abs=1e-5)
    assert result.image.max() == pytest.approx(1, abs=1e-5)
    assert np.abs(np.diff(result.image, axis=1)).max() < 0.6 * 2 * np.pi / 80
    field = uneven_field((50, 80), amount=0.6, waves=2, seed=result.parameters["seed"])
    np.testing.assert_array_equal(result.image[:, :, 1], field)


@pytest.mark.parametrize("waves", [1, 3])
def test_uneven_light_holds_the_cosines_up_to_its_order_and_no_others(waves):
    field = uneven_field((64, 96), amount=0.6, waves=waves, seed=3).astype(np.float64)
    spectrum = np.abs(dctn(field, norm="forward"))  # the cosines are those of the DCT-II
    present = spectrum > 1e-6
    assert present[: waves + 1, : waves + 1].all()
    assert present.sum() == (waves + 1) ** 2


def test_many_waves_of_uneven_light_take_no_longer_than_few():
    before = time.process_time()
    uneven_field((256, 256), amount=0.6, waves=100, seed=3)
    assert time.process_time() - before < 0.3  # seconds; one cosine after the other take one


def test_low_light_has_the_noise_of_few_photons_in_linear_light():
    result = low_light(encode_srgb(np.full((200, 200), 0.8, np.float32)), stops=-3, gain=0.004, sigma=0.003, rng=0)
    light = decode_srgb(result.image).astype(np.float64)
    assert light.mean() == pytest.approx(0.1, rel=0.01)
    assert light.var() == pytest.approx(0.004 * 0.1 + 0.003**2, rel=0.03)
