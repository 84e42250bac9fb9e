"""Shapes drawn by hand: moments with closed forms, invariance, and finding like among unlike."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.measure

from anew.structure.shapes import contours, find_shapes, fourier_descriptors, hu_moments, match_shapes


def polygon(
    points: list[tuple[float, float]], *, scale: float = 1.0, angle: float = 0.0, size: int = 160
) -> np.ndarray:
    """Draw a polygon, given about the origin, in the middle of a mask."""
    turn = np.exp(1j * np.radians(angle)) * scale
    z = np.array([complex(x, y) for x, y in points]) * turn + complex(size / 2, size / 2)
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint(np.column_stack([z.real, z.imag])).astype(np.int32)], 1)
    return mask > 0


L_SHAPE = [(-30, -30), (-10, -30), (-10, 10), (20, 10), (20, 30), (-30, 30)]
BAR = [(-40, -8), (40, -8), (40, 8), (-40, 8)]
TRIANGLE = [(-30, 25), (30, 25), (0, -30)]


def test_hu_moments_of_a_rectangle_are_the_closed_form() -> None:
    a, b = 40.0, 12.0  # eta_20 = a² / (12 a b), eta_02 = b² / (12 a b), all odd ones 0
    contour = np.array([[3.0, 5.0], [3 + a, 5], [3 + a, 5 + b], [3, 5 + b]])
    expected = [a / (12 * b) + b / (12 * a), (a / (12 * b) - b / (12 * a)) ** 2, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(hu_moments(contour), expected, atol=1e-6)


def test_hu_moments_of_a_disc_are_those_of_a_circle() -> None:
    disc = np.hypot(*np.mgrid[-60:61, -60:61]) <= 50
    np.testing.assert_allclose(hu_moments(disc), [1 / (2 * np.pi), 0, 0, 0, 0, 0, 0], atol=2e-5)


def test_hu_moments_equal_two_independent_implementations() -> None:
    image = np.random.default_rng(0).random((21, 34), np.float32) ** 3
    ours = hu_moments(image)
    np.testing.assert_allclose(ours, cv2.HuMoments(cv2.moments(image)).ravel(), rtol=1e-5)
    central = skimage.measure.moments_central(image.astype(np.float64))
    theirs = skimage.measure.moments_hu(skimage.measure.moments_normalized(central))
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), rtol=1e-6)  # its rows are x: the seventh mirrors


def test_hu_moments_do_not_change_with_shift_turn_and_scale() -> None:
    mask = polygon(L_SHAPE)
    expected = hu_moments(mask)
    for turns in (1, 2, 3):
        np.testing.assert_allclose(hu_moments(np.rot90(mask, turns)), expected, rtol=1e-9)
    np.testing.assert_allclose(hu_moments(np.pad(mask, ((3, 50), (20, 1)))), expected, rtol=1e-9)
    mirrored = hu_moments(mask[:, ::-1])
    np.testing.assert_allclose(mirrored[:6], expected[:6], rtol=1e-9)
    assert mirrored[6] == pytest.approx(-expected[6], rel=1e-9)
    large = hu_moments(np.kron(mask, np.ones((4, 4), bool)))
    np.testing.assert_allclose(large[:4], expected[:4], rtol=5e-3)
    turned = hu_moments(polygon(L_SHAPE, angle=33))
    np.testing.assert_allclose(turned[:4], expected[:4], rtol=0.12)  # the third moments of 60 pixels feel the staircase


def test_contours_are_the_outer_pixels_largest_first() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:5, 3:7] = True
    mask[8:18, 10:25] = True
    mask[10:12, 12:15] = False  # a hole is not an outer outline
    large, small = contours(mask)
    assert {tuple(p) for p in small} == {(x, y) for x in range(3, 7) for y in range(2, 5)} - {(4, 3), (5, 3)}
    assert len(large) == 2 * (15 + 10) - 4
    image = np.where(mask, 0.3, 0.8).astype(np.float32)
    for ours, expected in zip(contours(image, dark=True), [large, small], strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert len(contours(image[..., None].repeat(3, 2), level=0.5, dark=True)) == 2
    assert contours(np.zeros((4, 4), bool)) == []


def test_fourier_descriptors_of_an_ellipse_are_the_closed_form() -> None:
    angle = 2 * np.pi * np.arange(2000) / 2000
    circle = np.column_stack([7 * np.cos(angle) + 3, 7 * np.sin(angle) - 2])
    np.testing.assert_allclose(fourier_descriptors(circle), 0, atol=1e-4)
    # A square sampled at equal steps: only frequencies 1 + 4 k, with amplitudes 1 / (1 + 4 k)² of the first.
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    descriptors = fourier_descriptors(square, harmonics=8)
    expected = np.zeros(16)
    expected[5 - 2], expected[9 - 2], expected[8 + 3 - 1], expected[8 + 7 - 1] = 1 / 25, 1 / 81, 1 / 9, 1 / 49
    np.testing.assert_allclose(descriptors, expected, atol=5e-4)
    turned = np.roll(square @ np.array([[0.6, 0.8], [-0.8, 0.6]]) * 9 + 4, 2, axis=0)
    np.testing.assert_allclose(fourier_descriptors(turned, harmonics=8), descriptors, atol=1e-9)
    np.testing.assert_allclose(fourier_descriptors(square[::-1], harmonics=8), descriptors, atol=1e-9)


def test_the_same_shape_is_near_and_others_are_far() -> None:
    shape = polygon(L_SHAPE)
    same = match_shapes(shape, shape)
    assert (same.hu, same.fourier) == (0, 0)
    alike = match_shapes(shape, polygon(L_SHAPE, angle=40, scale=1.4))
    for other in (polygon(BAR), polygon(TRIANGLE)):
        far = match_shapes(shape, other)
        assert far.fourier > 5 * alike.fourier
        assert far.hu > 5 * alike.hu


def test_a_shape_is_found_among_others_in_a_picture() -> None:
    scene = np.full((200, 420), 0.8, np.float32)
    for left, points, angle in ((0, BAR, 10), (130, L_SHAPE, 70), (260, TRIANGLE, 20)):
        scene[20:180, left : left + 160][polygon(points, angle=angle)] = 0.2
    found = find_shapes(scene, polygon(L_SHAPE), dark=True)
    assert len(found) == 1
    x, y = found[0].contour.mean(axis=0)
    assert 180 < x < 240
    assert 70 < y < 130
    assert len(find_shapes(scene, polygon(L_SHAPE), dark=True, max_distance=10)) == 3


def test_degenerate_shapes_are_answered() -> None:
    dot = np.zeros((5, 5), bool)
    dot[2, 2] = True
    assert np.isfinite(hu_moments(dot)).all()
    assert not hu_moments(np.zeros((4, 6), bool)).any()
    distance = match_shapes(dot, polygon(BAR))
    assert np.isfinite([distance.hu, distance.fourier]).all()
    with pytest.raises(ValueError, match="at least one True"):
        match_shapes(np.zeros((4, 4), bool), dot)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.uint8])
def test_two_columns_of_numbers_are_a_contour_whatever_their_type(dtype: type) -> None:
    corners = np.array([[3, 5], [43, 5], [43, 17], [3, 17]], dtype)
    first = 40 / (12 * 12) + 12 / (12 * 40)  # the closed form of above
    for contour in (corners, corners[:, None]):  # OpenCV gives (N, 1, 2)
        assert hu_moments(contour)[0] == pytest.approx(first, rel=1e-6)
        assert match_shapes(contour, corners.astype(float)).fourier == 0
        np.testing.assert_array_equal(fourier_descriptors(contour), fourier_descriptors(corners.astype(float)))


def test_a_mask_of_two_columns_is_a_mask_and_an_empty_contour_has_no_area() -> None:
    tall = np.ones((6, 2), bool)
    np.testing.assert_allclose(hu_moments(tall), hu_moments(np.pad(tall, 1).astype(np.float32)), atol=1e-12)
    assert not hu_moments(np.zeros((0, 2))).any()


def test_what_is_no_shape_is_refused() -> None:
    square = np.ones((4, 4), bool)
    with pytest.raises(ValueError, match=r"a mask of bool or a contour of shape \(N, 2\), got uint8 of shape \(4, 4\)"):
        match_shapes(square, square.astype(np.uint8))
    with pytest.raises(ValueError, match="NaN"):
        contours(np.full((4, 4), np.nan))


@pytest.mark.parametrize("harmonics", [-1, 0, 127, 1000, 2.5])
def test_more_harmonics_than_samples_hold_are_refused(harmonics: float) -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    assert fourier_descriptors(square, harmonics=126).shape == (252,)
    with pytest.raises(ValueError, match=r"harmonics must be an integer in \[1, 126\], got"):
        fourier_descriptors(square, harmonics=harmonics)  # type: ignore[arg-type]
