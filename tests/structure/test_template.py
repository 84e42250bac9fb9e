"""Templates cut from a picture are found where they were cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.feature

from anew.structure.template import find_template, match_template


def test_scores_equal_two_independent_implementations(grey_photo: np.ndarray, colour_photo: np.ndarray) -> None:
    template = grey_photo[40:61, 30:47]
    scores = match_template(grey_photo, template)
    np.testing.assert_allclose(scores, cv2.matchTemplate(grey_photo, template, cv2.TM_CCOEFF_NORMED), atol=1e-3)
    np.testing.assert_allclose(
        scores, skimage.feature.match_template(grey_photo.astype(float), template.astype(float)), atol=1e-5
    )
    template = colour_photo[20:35, 50:70]
    expected = cv2.matchTemplate(colour_photo, template, cv2.TM_CCOEFF_NORMED)
    np.testing.assert_allclose(match_template(colour_photo, template), expected, atol=1e-3)


def test_a_cut_out_is_found_at_its_offset_whatever_brightness_and_contrast(colour_photo: np.ndarray) -> None:
    for x, y in ((0, 0), (37, 61), (128 - 24, 128 - 16)):
        template = 0.3 * colour_photo[y : y + 16, x : x + 24] + 0.5
        best = find_template(colour_photo, template)[0]
        assert (best.x, best.y) == (x + 11.5, y + 7.5)
        assert best.score == pytest.approx(1, abs=1e-5)


def test_flat_windows_and_flat_templates_score_zero() -> None:
    rng = np.random.default_rng(0)
    image = np.full((30, 40), 0.25, np.float32)
    image[:, 20:] = rng.random((30, 20), np.float32)
    scores = match_template(image, image[5:13, 25:33])
    assert not scores[:, :13].any()
    assert scores.argmax() == np.ravel_multi_index((5, 25), scores.shape)
    assert not match_template(image, image[:8, :8]).any()


def test_what_a_mask_hides_does_not_count(grey_photo: np.ndarray) -> None:
    template = grey_photo[30:51, 60:81].copy()
    mask = np.hypot(*np.mgrid[-10:11, -10:11]) < 9
    template[~mask] = np.random.default_rng(1).random((~mask).sum(), np.float32)
    scores = match_template(grey_photo, template, mask=mask)
    assert scores.argmax() == np.ravel_multi_index((30, 60), scores.shape)
    assert scores.max() == pytest.approx(1, abs=1e-5)
    window = grey_photo[44:65, 12:33][mask]
    assert scores[44, 12] == pytest.approx(np.corrcoef(window, template[mask])[0, 1], abs=1e-5)


def test_every_copy_is_found_once() -> None:
    rng = np.random.default_rng(2)
    template = rng.random((9, 11), np.float32)
    image = 0.2 * rng.random((60, 80), np.float32)
    places = [(3, 5), (30, 40), (45, 60), (10, 60)]
    for y, x in places:
        image[y : y + 9, x : x + 11] = template
    matches = find_template(image, template)
    assert sorted((m.y - 4, m.x - 5) for m in matches) == sorted(places)
    assert len(find_template(image, template, max_matches=2)) == 2
    assert find_template(image[:8], template) == []


def test_a_turned_and_scaled_copy_is_found_with_its_turn_and_scale(grey_photo: np.ndarray) -> None:
    template = grey_photo[50:90, 40:90]
    angle, scale = 20.0, 1.25
    matrix = cv2.getRotationMatrix2D((64.5, 69.5), angle, scale)  # counter-clockwise about the template's centre
    image = cv2.warpAffine(grey_photo, matrix, (128, 128), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    matches = find_template(image, template, scales=(0.8, 1.0, 1.25), angles=(-20, -10, 0, 10, 20))
    assert (matches[0].angle, matches[0].scale) == (angle, scale)
    assert matches[0].score > 0.95
    assert abs(matches[0].x - 64.5) <= 1
    assert abs(matches[0].y - 69.5) <= 1


def test_of_overlapping_matches_only_the_best_is_kept() -> None:
    y, x = np.mgrid[:60, :80]
    image = np.zeros((60, 80), np.float32)
    for row, column, width in ((20, 20, 4.0), (20, 60, 4.4), (45, 31, 4.0), (45, 37, 4.2)):
        image = np.maximum(image, np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * width**2)).astype(np.float32))
    spot = np.exp(-np.add.outer(np.arange(-7, 8) ** 2, np.arange(-7, 8) ** 2) / 32).astype(np.float32)
    matches = find_template(image, spot, threshold=0.5, scales=(0.8, 1.0, 1.1, 1.25), angles=(0.0, 45.0, 90.0))
    near = [[abs(a.x - b.x) < 7 and abs(a.y - b.y) < 7 for a in matches] for b in matches]
    assert np.array_equal(near, np.eye(len(matches)))  # at all of those sizes and turns each spot fits itself
    assert {(m.x, m.y) for m in matches[:3]} >= {(20, 20), (60, 20)}
    assert [m.score for m in matches] == sorted((m.score for m in matches), reverse=True)


@pytest.mark.parametrize("scale", [0.2, 0.25, 0.4])
def test_a_template_that_shrinks_is_smoothed_first(scale: float) -> None:
    rng = np.random.default_rng(5)
    large = rng.random((160, 160), np.float32)  # of noise hardly anything is left but what is averaged
    side = round(160 * scale)
    image = np.full((side + 20, side + 30), 0.5, np.float32)
    image[8 : 8 + side, 12 : 12 + side] = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    best = find_template(image, large, scales=(scale,), threshold=0.1)[0]
    assert best.score > 0.8  # of single pixels, not averaged, some 0.5
    assert (best.x, best.y) == (12 + (side - 1) / 2, 8 + (side - 1) / 2)
    assert (best.width, best.height) == (side, side)


def test_wrong_shapes_are_refused(grey_photo: np.ndarray, colour_photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected a template"):
        match_template(grey_photo[:8, :8], grey_photo)
    with pytest.raises(ValueError, match="same channels"):
        match_template(colour_photo, grey_photo[:8, :8])
    with pytest.raises(ValueError, match="expected a mask"):
        match_template(grey_photo, grey_photo[:8, :8], mask=np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="at least one pixel"):
        match_template(grey_photo, grey_photo[:8, :8], mask=np.zeros((8, 8), bool))
    with pytest.raises(ValueError, match="scales"):
        find_template(grey_photo, grey_photo[:8, :8], scales=(0.0,))


def test_scales_that_do_not_fit_are_skipped_however_large(grey_photo: np.ndarray) -> None:
    template = grey_photo[40:61, 30:47]
    expected = find_template(grey_photo, template, scales=(1.0,))
    assert find_template(grey_photo, template, scales=(1e9, 1.0, 1e300)) == expected


@pytest.mark.parametrize(
    ("option", "value"),
    [("max_matches", -1), ("max_matches", 0), ("max_matches", 1.5), ("scales", [np.nan]), ("angles", [np.inf])],
)
def test_wrong_options_are_refused(option: str, value: object, grey_photo: np.ndarray) -> None:
    with pytest.raises(ValueError, match=option):
        find_template(grey_photo, grey_photo[:8, :8], **{option: value})  # type: ignore[arg-type]
