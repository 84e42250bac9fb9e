"""Opacity of what covers a picture: pictures that were made by the compositing equation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anew.structure.opacity import estimate_opacity


def lines(side: int = 200, every: int = 50) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    for start in range(every // 2, side, every):
        mask[start : start + 3] = True
    return mask


def covered(background: np.ndarray, mask: np.ndarray, alpha: float, paint: float) -> np.ndarray:
    return np.where(mask, alpha * paint + (1 - alpha) * background, background).astype(np.float32)


@pytest.mark.parametrize("paint", [0.0, 1.0])
@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9])
def test_the_opacity_of_paint_is_found_whatever_it_covers(paint: float, alpha: float) -> None:
    mask = lines()
    background = np.full(mask.shape, 0.3)
    background[:, 100:] = 0.6
    opacity = estimate_opacity(covered(background, mask, alpha, paint), mask)
    np.testing.assert_allclose(opacity[mask], alpha, atol=0.02)
    assert not opacity[~mask].any()


def test_each_place_has_its_own() -> None:
    mask = lines()
    upper = np.zeros_like(mask)
    upper[:100] = mask[:100]
    background = np.full(mask.shape, 0.4)
    picture = covered(covered(background, upper, 0.3, 1.0), mask & ~upper, 0.8, 0.0)
    opacity = estimate_opacity(picture, mask)
    np.testing.assert_allclose(opacity[upper], 0.3, atol=0.03)
    np.testing.assert_allclose(opacity[mask & ~upper], 0.8, atol=0.03)


def test_colour_is_taken_by_the_mean_of_its_channels() -> None:
    mask = lines()
    grey = covered(np.full(mask.shape, 0.4), mask, 0.5, 1.0)
    colour = np.stack([grey - 0.2, grey, grey + 0.2], axis=2)
    expected = estimate_opacity(grey, mask)
    np.testing.assert_array_equal(estimate_opacity(grey[:, :, None], mask), expected)
    np.testing.assert_allclose(estimate_opacity(colour, mask), expected, atol=1e-6)


def test_distances_grow_with_the_unit() -> None:
    mask = lines()
    uneven = cv2.GaussianBlur(np.random.default_rng(0).random(mask.shape), (0, 0), 4)
    small = covered((uneven - uneven.min()) / np.ptp(uneven), mask, 0.5, 1.0)
    large = small.repeat(2, axis=0).repeat(2, axis=1)
    twice = estimate_opacity(large, mask.repeat(2, axis=0).repeat(2, axis=1), unit=2)
    np.testing.assert_allclose(twice[1::2, 1::2][mask], estimate_opacity(small, mask)[mask], atol=0.02)


def test_nothing_and_everything_covered() -> None:
    picture = np.full((20, 30), 0.5, np.float32)
    assert not estimate_opacity(picture, np.zeros((20, 30), bool)).any()
    assert np.isfinite(estimate_opacity(picture, np.ones((20, 30), bool))).all()
    assert estimate_opacity(np.ones((1, 1), np.float32), np.ones((1, 1), bool)).shape == (1, 1)
