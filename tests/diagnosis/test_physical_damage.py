"""Damage of prints and film: found where it was put, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

import anew
from anew.degradations.tears import tears
from anew.diagnosis.scratches import estimate_scratches, find_scratches, opacity, segment_means
from anew.diagnosis.tears import estimate_tear_mask, find_tears
from anew.images import Picture

CLEAN = (
    *("astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("horse", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
)
FINDERS = (find_tears, find_scratches)


def photograph(name: str) -> np.ndarray:
    pixels = np.atleast_3d(getattr(skimage.data, name)())
    return (pixels / (255 if pixels.dtype == np.uint8 else 1)).astype(np.float32)


def overlap(found: np.ndarray, truth: np.ndarray) -> float:
    return np.count_nonzero(found & truth) / np.count_nonzero(found | truth)


@pytest.mark.parametrize("name", CLEAN)
def test_silent_on_clean_pictures(name):
    picture = Picture(photograph(name))
    assert [finding.kind for find in FINDERS if (finding := find(picture)) is not None] == []


@pytest.mark.parametrize("find", FINDERS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 3), (9, 1, 1), (2, 3, 3), (33, 40, 1), (64, 64, 3)])
def test_any_size_and_flat_pictures(find, shape):
    for value in (0.0, 0.5, 1.0):
        assert find(Picture(np.full(shape, value, np.float32))) is None


@pytest.mark.parametrize("corner", ["top-left", "top-right", "bottom-right", "bottom-left"])
@pytest.mark.parametrize("sigma", [0.0, 0.06])
def test_torn_corner_is_found(corner, sigma):
    rng = np.random.default_rng(4)
    torn = tears(photograph("chelsea"), where=corner, rng=rng)
    noisy = torn.image + rng.normal(0, sigma, torn.image.shape).astype(np.float32)
    finding = find_tears(Picture(noisy))
    assert finding is not None
    assert finding.kind == "tears"
    assert finding.map is not None
    assert finding.map.shape == noisy.shape[:2]
    assert overlap(finding.map, torn.mask) > 0.85
    assert np.count_nonzero(finding.map & torn.mask) > 0.97 * np.count_nonzero(torn.mask)
    assert finding.value == pytest.approx(100 * finding.map.mean())


def test_torn_corner_of_a_large_grey_picture():
    torn = tears(np.repeat(np.repeat(photograph("camera"), 4, 0), 4, 1), rng=1)
    assert overlap(estimate_tear_mask(torn.image), torn.mask) > 0.8


def test_straight_white_corner_is_no_tear():
    x = photograph("coffee")
    y, column = np.mgrid[: x.shape[0], : x.shape[1]]
    x[y + column < 120] = 0.97  # cut with scissors: no raggedness
    assert find_tears(Picture(x)) is None


def test_white_margins_and_sky_are_no_tear():
    x = photograph("coffee")
    margins = np.pad(x, ((20, 20), (20, 20), (0, 0)), constant_values=0.97)
    assert find_tears(Picture(margins)) is None
    x[:100] = 0.95
    assert find_tears(Picture(x)) is None


def test_diagnosis_knows_tears():
    torn = tears(photograph("coffee"), rng=4)
    finding = anew.diagnose(Picture(torn.image)).get("tears")
    assert finding is not None
    assert overlap(finding.map, torn.mask) > 0.85


def test_opacity_of_a_blend_with_white_is_that_of_the_blend():
    x = np.full((21, 21, 3), (0.2, 0.5, 0.7), np.float32)
    x[10, 10] = 0.4 * x[10, 10] + 0.6
    assert opacity(x)[10, 10] == pytest.approx(0.6, abs=0.01)
    x[10, 10] = (1.0, 0.5, 0.7)  # another colour, not nearer to white
    assert opacity(x)[10, 10] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("degrees", [0, 45, 90, 135])
def test_segment_means_add_up_along_their_direction(degrees):
    x = np.eye(81, dtype=np.float32)[:, ::-1]  # a line at 45 degrees
    x = {0: np.zeros_like(x), 45: x, 90: np.zeros_like(x), 135: x[:, ::-1]}[degrees].copy()
    if degrees in (0, 90):
        x[(40, slice(None)) if degrees == 0 else (slice(None), 40)] = 1
    along = segment_means(x, np.deg2rad(degrees))[40, 40]
    across = segment_means(x, np.deg2rad(degrees + 90))[40, 40]
    assert along > 0.65  # 32 steps of length 1 cross 23 pixels of a diagonal
    assert across <= 2 / 32


@pytest.mark.parametrize("sigma", [0.0, 0.06])
def test_strong_scratches_are_found(sigma):
    import cv2

    x = photograph("rocket")
    rng = np.random.default_rng(0)
    truth = np.zeros(x.shape[:2], np.float32)
    for k in range(8):
        dashes = np.zeros(x.shape[:2], np.uint8)
        start, end = (60 + 60 * k, 20), (20 + 55 * k, 300)
        cv2.line(dashes, start, end, 255, 1, cv2.LINE_AA)
        truth = np.maximum(truth, dashes / np.float32(255))
    truth *= (rng.random(truth.shape) < 0.8).astype(np.float32)
    scratched = x * (1 - 0.8 * truth[:, :, None]) + 0.8 * truth[:, :, None]
    noisy = scratched + rng.normal(0, sigma, x.shape).astype(np.float32)
    finding = find_scratches(Picture(noisy))
    assert finding is not None
    assert finding.kind == "scratches"
    assert np.count_nonzero(finding.map & (truth > 0.3)) > 0.5 * np.count_nonzero(truth > 0.3)
    wide = cv2.dilate(truth, np.ones((5, 5))) > 0
    assert np.count_nonzero(finding.map & wide) > 0.6 * np.count_nonzero(finding.map)


def test_lines_of_the_scene_are_fewer_than_scratches():
    assert estimate_scratches(photograph("brick")).count == 0
