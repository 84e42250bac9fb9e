"""Edges of content in a uniform surround: turned and projected by an independent warp, and silence without any."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data

from anew.structure.surround import (
    Edge,
    Surround,
    corners_of_content,
    disagreement_of,
    find_surround,
    rotation_of,
)

PHOTO = skimage.data.astronaut().astype(np.float32) / 255
GREY = skimage.data.camera().astype(np.float32) / 255


def turned(image: np.ndarray, angle: float, fill: float) -> np.ndarray:
    """By OpenCV, counter-clockwise about the centre of the picture."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(fill,) * 3)


def projected(image: np.ndarray, corners: list[tuple[float, float]], fill: float) -> np.ndarray:
    """By OpenCV: the outer corners of the picture come to lie at ``corners``."""
    height, width = image.shape[:2]
    ends = np.array([(-0.5, -0.5), (width - 0.5, -0.5), (width - 0.5, height - 0.5), (-0.5, height - 0.5)], np.float32)
    matrix = cv2.getPerspectiveTransform(ends, np.array(corners, np.float32))
    return cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(fill,) * 3)


@pytest.mark.parametrize("angle", [-9.0, -1.0, 1.7, 5.0])
@pytest.mark.parametrize("fill", [0.0, 0.6, 1.0])
def test_a_turned_picture(angle: float, fill: float) -> None:
    surround = find_surround(turned(PHOTO, angle, fill))
    assert surround is not None
    assert rotation_of(surround) == pytest.approx(angle, abs=0.08)
    np.testing.assert_allclose(surround.colour, fill, atol=0.02)


def test_noise_hides_no_edge() -> None:
    noise = np.random.default_rng(0).normal(0, 0.06, PHOTO.shape).astype(np.float32)
    surround = find_surround(turned(PHOTO, 4.0, 0.5) + noise)
    assert surround is not None
    assert rotation_of(surround) == pytest.approx(4.0, abs=0.15)
    assert surround.noise == pytest.approx(0.06, abs=0.01)


@pytest.mark.parametrize(
    "corners",
    [
        [(51.0, -0.5), (460.0, -0.5), (511.5, 511.5), (-0.5, 511.5)],
        [(30.0, 14.0), (470.0, 50.0), (490.0, 500.0), (10.0, 470.0)],
    ],
)
def test_corners_of_a_projected_picture(corners: list[tuple[float, float]]) -> None:
    for image in (PHOTO, GREY):
        surround = find_surround(projected(image, corners, 1.0))
        assert surround is not None
        assert rotation_of(surround) is None
        assert disagreement_of(surround) > 3
        np.testing.assert_allclose(corners_of_content(surround, image.shape), corners, atol=0.5)


def test_a_large_picture_is_reduced_and_scaled_back() -> None:
    large = cv2.resize(PHOTO, (1700, 1300), interpolation=cv2.INTER_CUBIC)
    corners = [(100.0, 60.0), (1600.0, 20.0), (1650.0, 1250.0), (50.0, 1200.0)]
    surround = find_surround(projected(large, corners, 0.0))
    assert surround is not None
    np.testing.assert_allclose(corners_of_content(surround, large.shape), corners, atol=1.0)


def test_silence_without_crooked_edges() -> None:
    framed = np.ones((560, 600, 3), np.float32)
    framed[24:536, 40:552] = PHOTO
    letterbox = np.zeros((640, 512, 3), np.float32)
    letterbox[64:576] = PHOTO
    x, y = np.meshgrid(np.linspace(-1, 1, 512), np.linspace(-1, 1, 512))
    vignette = PHOTO * np.clip(1.6 - x**2 - y**2, 0, 1)[:, :, np.newaxis].astype(np.float32)
    product = np.where((x**2 / 0.5 + y**2 / 0.7 < 1)[:, :, np.newaxis], PHOTO, np.float32(1))
    night = np.where(PHOTO > 0.8, PHOTO, np.float32(0.01))
    drawing = np.ones((400, 400, 3), np.float32)
    cv2.fillConvexPoly(drawing, np.array([(150, 120), (300, 150), (260, 300), (120, 260)]), (0.2, 0.4, 0.7))
    for image in (framed, letterbox, vignette, product, night, drawing, PHOTO, np.zeros((90, 90), np.float32)):
        assert find_surround(image) is None


def edges_at(*degrees: float | None) -> Surround:
    """Edges of a sheet of which each is turned counter-clockwise by so much; None is at the frame of the picture."""
    signs = (-1, -1, 1, 1)  # depths are measured from the side
    slopes = [None if d is None else np.tan(np.radians(s * d)) for d, s in zip(degrees, signs, strict=True)]
    top, right, bottom, left = (Edge() if s is None else Edge(20.0, float(s), 400.0) for s in slopes)
    return Surround(np.ones(3), 0.0, (top, right, bottom, left))


def test_edges_agree_on_a_turn_if_no_more_than_one_of_four_is_mistaken() -> None:
    assert rotation_of(edges_at(3, 3, 3, 3)) == pytest.approx(3)
    assert rotation_of(edges_at(3, 3.2, 2.9, 9)) == pytest.approx((3 + 3.2 + 2.9) / 3)
    assert rotation_of(edges_at(-6, 3, 3, 3)) == pytest.approx(3)
    assert rotation_of(edges_at(3, 3, None, None)) == pytest.approx(3)
    for edges in ((3, 3, 9, 9), (3, None, 3, None), (None, 3, None, None), (3, None, 5, 3), (3, 4, None, None)):
        assert rotation_of(edges_at(*edges)) is None


def test_the_disagreement_of_a_rectangle_is_none() -> None:
    assert disagreement_of(edges_at(3, 3, 3, 3)) == pytest.approx(0)
    assert disagreement_of(edges_at(3, 3, 5, 3)) == pytest.approx(2)
    assert disagreement_of(edges_at(3, 1, 3, 2)) == pytest.approx(1.5)  # of the turns of the two pairs
    assert disagreement_of(edges_at(3, -2, 3, 2)) == pytest.approx(4)


def test_corners_are_where_the_edges_cross() -> None:
    surround = Surround(np.ones(3), 0.0, (Edge(10.0, 0.1, 9), Edge(20.0, 0.0, 9), Edge(0.0, 0.0, 0), Edge(5.0, 0.2, 9)))
    # y = 9.5 + 0.1 x, x = 600 - 0.5 - 20, y = 400 - 0.5 and x = 4.5 + 0.2 y
    y = (9.5 + 0.45) / 0.98
    expected = [(4.5 + 0.2 * y, y), (579.5, 67.45), (579.5, 399.5), (4.5 + 0.2 * 399.5, 399.5)]
    np.testing.assert_allclose(corners_of_content(surround, (400, 600)), expected)
