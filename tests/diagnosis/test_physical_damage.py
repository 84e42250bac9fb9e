"""Damage of prints and film: found where it was put, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

import anew
from anew.degradations.tears import tears
from anew.diagnosis.tears import estimate_tear_mask, find_tears
from anew.images import Picture

CLEAN = (
    *("astronaut", "brick", "camera", "cell", "chelsea", "coffee", "coins", "grass", "gravel"),
    *("horse", "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
)
FINDERS = (find_tears,)


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
    torn = tears(np.repeat(np.repeat(photograph("camera"), 2, 0), 2, 1), rng=1)
    assert overlap(estimate_tear_mask(torn.image), torn.mask) > 0.8


def test_straight_white_corner_is_no_tear():
    x = photograph("coffee")
    y, column = np.mgrid[: x.shape[0], : x.shape[1]]
    x[y + column < 120] = 0.97  # cut with scissors: no raggedness
    assert find_tears(Picture(x)) is None


@pytest.mark.parametrize(("white", "told"), [(0.97, True), (1.0, False)])
def test_burnt_out_sky_of_the_shape_of_a_torn_corner_is_none(white, told):
    torn = tears(photograph("coffee"), rng=4)
    x = np.where(torn.mask[:, :, None], np.float32(white), photograph("coffee"))
    assert (find_tears(Picture(x)) is not None) == told


@pytest.mark.parametrize(("depth", "told"), [(2, True), (30, False)])
def test_leaves_before_the_sky_are_too_ragged_for_paper(depth, told):
    x = photograph("coffee")
    y, column = np.mgrid[: x.shape[0], : x.shape[1]]
    leaves = np.repeat(np.random.default_rng(0).integers(0, 2, len(x) // 5 + 1), 5)[: len(x), None]
    x[y + column + depth * leaves < 140] = 0.95
    assert (find_tears(Picture(x)) is not None) == told


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
