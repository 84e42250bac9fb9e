"""Black, white and mid-tone of pictures that were made with known ones, and what has the few colours of a palette."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from anew.diagnosis.levels import estimate_gamma, estimate_levels
from anew.diagnosis.palette import has_palette


def ramp(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, 100 * 120, dtype=np.float32).reshape(100, 120)


def test_black_and_white_are_the_ends_but_for_a_thousandth() -> None:
    for low, high in ((0.2, 0.8), (0.0, 1.0), (0.4, 0.53)):
        tail = 0.001 * (high - low)
        assert estimate_levels(ramp(low, high)) == pytest.approx((low + tail, high - tail), abs=1e-5)
    spots = ramp(0.2, 0.8).copy()
    spots[::2, :20:5], spots[1::2, :20:5] = 0.0, 1.0  # 1.7 % of either
    assert estimate_levels(spots) == (0.0, 1.0)


def test_black_and_white_are_those_of_the_channels_that_reach_furthest() -> None:
    image = np.stack([ramp(0.3, 0.5), ramp(0.1, 0.4), ramp(0.35, 0.7)], axis=2)
    black, white = estimate_levels(image)
    assert (black, white) == pytest.approx((0.1, 0.7), abs=1e-3)


def test_levels_stay_in_the_range_and_an_eighth_apart() -> None:
    assert estimate_levels(ramp(-0.5, 1.5)) == (0.0, 1.0)
    assert estimate_levels(ramp(0.4, 0.524)) == (0.0, 1.0)
    assert estimate_levels(np.full((1, 1), 0.3, np.float32)) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("median", "expected"),
    [
        (0.1, np.log(0.3) / np.log(0.1)),
        (0.7, np.log(0.65) / np.log(0.7)),
        (0.02, 0.45),
        (0.9, 2.0),
        (0.3, 1.0),
        (0.5, 1.0),
        (0.65, 1.0),
        (0.0, 0.45),
        (1.0, 2.0),
    ],
)
def test_the_mid_tone_is_brought_to_between_30_and_65_percent(median: float, expected: float) -> None:
    image = np.full((60, 80), median, np.float32)
    image[:20], image[40:] = 0.0, 1.0
    assert estimate_gamma(image) == pytest.approx(expected, rel=1e-4)
    colour = image[..., np.newaxis].repeat(3, axis=2)
    assert estimate_gamma(colour) == pytest.approx(expected, rel=1e-4)


def test_a_picture_of_256_colours_has_a_palette_and_a_photograph_has_none() -> None:
    rng = np.random.default_rng(0)
    colours = rng.random((256, 3), np.float32)
    picture = colours[rng.integers(0, 256, (100, 120))]
    assert has_palette(picture)
    assert has_palette(picture[:50, :100])  # 5000 pixels
    assert not has_palette(picture[:50, :99])
    assert not has_palette(picture[..., :1].repeat(3, axis=2))  # grey
    assert not has_palette(rng.random((320, 3), np.float32)[rng.integers(0, 320, (100, 120))])
    assert not has_palette(skimage.data.astronaut())
    assert has_palette(np.tile(picture, (5, 5, 1)))  # of a large one every so many pixels are looked at
