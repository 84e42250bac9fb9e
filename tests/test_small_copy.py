"""Small copies: means of whole areas, and the pixels of a regular grid."""

from __future__ import annotations

import math

import numpy as np
import pytest

from anew.small_copy import SAMPLES, pick_pixels, picking_step, small_copy


@pytest.mark.parametrize("shape", [(60, 90), (60, 90, 1), (60, 90, 3), (60, 90, 5)])
def test_every_pixel_is_the_mean_of_an_area_of_its_channel(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    means = image.reshape(20, 3, 30, 3, *shape[2:]).mean(axis=(1, 3))
    copy = small_copy(image, 30)
    assert copy.dtype == np.float32
    assert copy.shape == means.shape
    np.testing.assert_allclose(copy, means, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "side", "small"),
    [
        ((512, 300, 3), 512, (512, 300, 3)),
        ((513, 300, 3), 512, (512, 299, 3)),
        ((100, 1000), 64, (6, 64)),
        ((1, 1000), 64, (1, 64)),
        ((1000, 1, 3), 64, (64, 1, 3)),
    ],
)
def test_no_side_is_longer_or_lost(shape: tuple[int, ...], side: int, small: tuple[int, ...]) -> None:
    assert small_copy(np.zeros(shape, np.float32), side).shape == small


@pytest.mark.parametrize(("shape", "step"), [((500, 600), 1), ((500, 601), 2), ((1000, 1200), 2), ((1500, 1801), 4)])
def test_pixels_are_picked_on_a_grid(shape: tuple[int, int], step: int) -> None:
    image = np.random.default_rng(0).random((*shape, 2), np.float32)
    assert picking_step(image) == step
    picked = pick_pixels(image)
    rows, columns = (math.ceil(side / step) for side in shape)
    assert picked.shape == (rows * columns, 2)
    assert len(picked) <= SAMPLES
    np.testing.assert_array_equal(picked.reshape(rows, columns, 2)[3, 5], image[3 * step, 5 * step])
    assert picked[:, 0].flags.c_contiguous
    np.testing.assert_array_equal(pick_pixels(image[:, :, 0])[:, 0], picked[:, 0])
