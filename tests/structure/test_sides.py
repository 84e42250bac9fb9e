"""Beside a scratch the picture goes on; beside a rim another thing begins."""

import numpy as np
import pytest

from anew.structure.sides import difference_of_sides


def marked(shape=(120, 160), degrees=0.0, width=3):
    """Mark a straight line through the middle; give the mask and the signed distance from it."""
    y, x = np.indices(shape)
    angle = np.radians(degrees)
    distance = (x - shape[1] / 2) * np.sin(angle) + (y - shape[0] / 2) * np.cos(angle)
    return np.abs(distance) <= width / 2, distance


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135])
def test_a_line_over_one_thing_has_equal_sides(degrees):
    mask, _ = marked(degrees=degrees)
    picture = np.where(mask, 0.9, 0.4).astype(np.float32)
    assert difference_of_sides(picture, mask).max() < 1e-3
    noisy = picture + np.random.default_rng(0).normal(0, 0.02, mask.shape).astype(np.float32)
    assert difference_of_sides(noisy, mask)[mask].mean() < 0.05


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 135])
@pytest.mark.parametrize(("one", "other", "line"), [(0.2, 0.6, 0.9), (0.5, 0.6, 0.1), (0.3, 0.7, 0.7)])
def test_a_rim_has_the_difference_relative_to_its_contrast(degrees, one, other, line):
    mask, distance = marked(degrees=degrees)
    picture = np.where(mask, line, np.where(distance > 0, one, other)).astype(np.float32)
    expected = abs(one - other) / abs(line - (one + other) / 2)
    assert np.median(difference_of_sides(picture, mask)[mask]) == pytest.approx(expected, rel=0.05)


def test_colours_that_are_as_bright_differ():
    mask, distance = marked()
    picture = np.where((distance > 0)[:, :, None], np.float32((0.6, 0.3, 0.3)), np.float32((0.3, 0.6, 0.3)))
    picture[mask] = 0.9
    assert np.median(difference_of_sides(picture, mask)[mask]) == pytest.approx(0.2 / 0.5, rel=0.05)


def test_a_slope_is_no_rim():
    mask, distance = marked()
    picture = (0.4 + 0.002 * distance).astype(np.float32)
    picture[mask] = 0.9
    assert 0 < np.median(difference_of_sides(picture, mask)[mask]) < 0.1


def test_of_two_lines_each_has_its_own():
    mask, distance = marked()
    rim = np.where(distance > 0, 0.2, 0.6).astype(np.float32)
    both = mask | (np.abs(distance - 40) <= 1)
    rim[both] = 0.9
    found = difference_of_sides(rim, both)
    assert found[mask].min() > 0.7
    assert found[both & ~mask].max() < 0.05


def test_the_unit_scales_the_distances():
    mask, distance = marked((60, 80), degrees=20, width=2)
    picture = np.where(mask, 0.9, np.where(distance > 0, 0.3, 0.5)).astype(np.float32)
    found = difference_of_sides(picture, mask)
    large = difference_of_sides(
        np.kron(picture, np.ones((3, 3), np.float32)), np.kron(mask, np.ones((3, 3), bool)), unit=3
    )
    assert np.median(large[large > 0]) == pytest.approx(np.median(found[mask]), rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 4)])
@pytest.mark.parametrize("share", [0, 1])
def test_nothing_and_all_may_be_marked(shape, share):
    found = difference_of_sides(np.full(shape, 0.5, np.float32), np.full(shape, bool(share)))
    assert found.shape == shape
    assert np.isfinite(found).all()
    assert (found == 0).all() or share
