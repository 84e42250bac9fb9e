"""MATLAB's antialiased bicubic, from its weights."""

from __future__ import annotations

import numpy as np
import pytest

from anew.degradations.downscale import downscale, resize_bicubic

# Keys' cubic, a = -1/2, at the distances of a halving, 0.25, 0.75, 1.25, 1.75, times 1/2, by hand:
# k(.25) = 1.5/64 - 2.5/16 + 1 = 111/128;  k(.75) = 40.5/64 - 22.5/16 + 1 = 29/128;
# k(1.25) = -62.5/64 + 62.5/16 - 5 + 2 = -9/128;  k(1.75) = -171.5/64 + 122.5/16 - 7 + 2 = -3/128
HALVING = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256


def test_halving_has_the_weights_computed_by_hand():
    x = np.zeros((32, 32), np.float32)
    x[:, 15] = 1
    row = downscale(x, factor=2).image[8]
    # output i is centred at input 2 i + 0.5: input 15 is met at distances 6.5, 4.5, ... from outputs
    expected = np.zeros(16)
    for i in range(16):
        tap = 15 - (2 * i - 3)
        if 0 <= tap < 8:
            expected[i] = HALVING[tap]
    np.testing.assert_allclose(row, expected, atol=1e-7)


def test_doubling_has_keys_weights():
    x = np.zeros((1, 16), np.float32)
    x[0, 8] = 1
    row = resize_bicubic(x, scale=2)[0]
    # outputs lie a quarter of a pixel off: k(1.75), k(1.25), k(.75), k(.25) and mirrored
    np.testing.assert_allclose(row[13:21] * 128, [-3, -9, 29, 111, 111, 29, -9, -3], atol=1e-4)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 2.7, 10, 40])
def test_the_weights_sum_to_1(factor):
    flat = np.full((40, 33, 2), 0.37, np.float32)
    np.testing.assert_allclose(downscale(flat, factor=factor).image, 0.37, rtol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_ramp_stays_a_ramp_away_from_the_border(factor):
    n = 24 * factor
    ramp = np.arange(n, dtype=np.float32)[np.newaxis, :].repeat(factor, axis=0) / n
    expected = ((np.arange(24) + 0.5) * factor - 0.5) / n  # centres of the large pixels
    np.testing.assert_allclose(downscale(ramp, factor=factor).image[0, 2:-2], expected[2:-2], rtol=2e-6)


def test_the_size_is_matlabs(colour_photo):
    assert downscale(colour_photo[:100, :101], factor=3).image.shape == (34, 34, 3)
    assert downscale(colour_photo[:99, :102], factor=3).image.shape == (33, 34, 3)
    assert downscale(colour_photo[:, :, 0], factor=1.5).image.shape == (86, 86)
    assert resize_bicubic(colour_photo, shape=(7, 300)).shape == (7, 300, 3)


def test_the_border_pixel_is_repeated():
    x = np.zeros((1, 8), np.float32)
    x[0, 0] = 1
    # output 0 sees inputs -3 .. 4, of which the first four are pixel 0
    assert downscale(x, factor=2).image[0, 0] == pytest.approx(HALVING[:4].sum(), abs=1e-6)


def test_eight_bit_rounds_after_each_axis():
    image = np.zeros((4, 4), np.float32)
    image[:, 1:] = 1
    image[0] = 0
    result = downscale(image, factor=2, eight_bit=True).image
    weights = np.stack([np.bincount(np.clip(np.arange(8) - 3 + 2 * i, 0, 3), HALVING, 4) for i in range(2)])
    columns = np.floor(np.clip(weights @ (image * 255), 0, 255) + 0.5)
    expected = np.floor(np.clip(columns @ weights.T, 0, 255) + 0.5)
    np.testing.assert_array_equal(np.rint(result * 255), expected)


def test_factor_1_is_the_identity(colour_photo):
    np.testing.assert_allclose(downscale(colour_photo, factor=1).image, colour_photo, atol=1e-7)


def test_nonsense_is_refused(colour_photo):
    for factor in (0.5, 2e6):
        with pytest.raises(ValueError, match=r"factor must be a finite number >= 1 and <= 1e\+06, got"):
            downscale(colour_photo, factor=factor)
    with pytest.raises(ValueError, match="either the shape of the result or the scale"):
        resize_bicubic(colour_photo)
    with pytest.raises(ValueError, match="at least 1 x 1"):
        resize_bicubic(colour_photo, shape=(0, 3))
