"""Where marked points land, and that the parameters mean what ``unwarp`` takes."""

from __future__ import annotations

import numpy as np
import pytest

from anew import unwarp
from anew.degradations.geometry import keystone, lens, tilt
from anew.structure.homography import corners_of

H, W = 61, 81


def marked(x: float, y: float, shape: tuple[int, int] = (H, W)) -> np.ndarray:
    """Give an image with a Gaussian spot at a point."""
    rows, columns = np.indices(shape)
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 1.5**2)).astype(np.float32)


def spot(image: np.ndarray) -> tuple[float, float]:
    """Give the centre (x, y) of mass of the one spot in an image."""
    rows, columns = np.indices(image.shape)
    weights = np.maximum(image.astype(np.float64), 0)
    return float((columns * weights).sum() / weights.sum()), float((rows * weights).sum() / weights.sum())


@pytest.mark.parametrize("angle", [0, 360, -720])
def test_tilt_by_whole_turns_is_the_identity_bit_by_bit(angle, colour_photo):
    result = tilt(colour_photo, angle=angle)
    np.testing.assert_array_equal(result.image, colour_photo)
    assert not result.mask.any()


@pytest.mark.parametrize("turns", [1, 2, 3, -1])
def test_tilt_by_right_angles_is_rot90(turns, colour_photo):
    result = tilt(colour_photo[:33, :33], angle=90 * turns)
    np.testing.assert_array_equal(result.image, np.rot90(colour_photo[:33, :33], turns))
    assert not result.mask.any()


@pytest.mark.parametrize("angle", [7.0, -25.0, 130.0])
def test_tilt_moves_points_counter_clockwise_about_the_centre(angle):
    dx, up = 15.0, 9.0  # from the centre, y upwards
    a = np.radians(angle)
    image = marked(40 + dx, 30 - up)
    x, y = spot(tilt(image, angle=angle, border="constant").image)
    assert x == pytest.approx(40 + dx * np.cos(a) - up * np.sin(a), abs=0.02)
    assert y == pytest.approx(30 - (dx * np.sin(a) + up * np.cos(a)), abs=0.02)


def test_tilt_says_which_pixels_come_from_outside():
    result = tilt(np.ones((H, W), np.float32), angle=20, border="constant", fill=0)
    rows, columns = np.indices((H, W))
    dx, dy = columns - 40.0, rows - 30.0
    c, s = np.cos(np.radians(20)), np.sin(np.radians(20))
    inside = (np.abs(c * dx - s * dy) <= 40) & (np.abs(s * dx + c * dy) <= 30)
    np.testing.assert_array_equal(result.mask, ~inside)
    assert result.image[inside].min() > 0.4  # cubic taps reach beyond the border
    assert result.image[0, 0] == 0


def test_the_borders_are_mirrored_or_filled():
    image = np.full((20, 20), 0.6, np.float32)
    np.testing.assert_allclose(tilt(image, angle=30, border="reflect").image, 0.6, atol=1e-6)
    np.testing.assert_allclose(tilt(image, angle=30, border="constant", fill=0.6).image, 0.6, atol=1e-6)


def test_cubic_convolution_reproduces_quadratics():
    """Keys' kernel with a = -1/2 is exact for polynomials up to the second degree."""
    rows, columns = np.indices((40, 40)) / 40
    image = (0.2 + 0.5 * columns - 0.3 * rows + 0.4 * columns * rows - 0.6 * rows**2).astype(np.float32)
    a = np.radians(10)
    dx, dy = columns - 19.5 / 40, rows - 19.5 / 40
    u, v = 19.5 / 40 + np.cos(a) * dx - np.sin(a) * dy, 19.5 / 40 + np.sin(a) * dx + np.cos(a) * dy
    exact = 0.2 + 0.5 * u - 0.3 * v + 0.4 * u * v - 0.6 * v**2
    np.testing.assert_allclose(tilt(image, angle=10).image[8:-8, 8:-8], exact[8:-8, 8:-8], atol=2e-6)


CORNERS = np.array([[8.0, 5.0], [74.0, 1.0], [78.0, 55.0], [3.0, 58.0]])


def test_the_corners_of_a_keystone_land_where_said():
    for corner, target in zip(corners_of((H, W)), CORNERS, strict=True):
        damaged = keystone(marked(*corner), corners=CORNERS, border="constant").image
        peak = np.unravel_index(damaged.argmax(), damaged.shape)
        assert peak[::-1] == tuple(np.rint(target).astype(int))
        assert damaged.max() == pytest.approx(1, abs=0.02)


def test_a_keystone_keeps_lines_straight_and_the_crossing_of_diagonals():
    # the diagonals of the picture cross at its centre; so do those of the quadrilateral at the centre's image
    (p, q, r, s) = CORNERS
    t, _ = np.linalg.solve(np.stack([r - p, q - s], axis=1), q - p)
    x, y = spot(keystone(marked(40, 30), corners=CORNERS, border="constant").image)
    np.testing.assert_allclose((x, y), p + t * (r - p), atol=0.1)


def test_a_keystone_without_corners_narrows_the_top():
    corners = keystone(marked(40, 30), amount=0.1).parameters["corners"]
    assert corners == [[8, 0], [72, 0], [80, 60], [0, 60]]
    image = np.random.default_rng(0).random((9, 7)).astype(np.float32)
    np.testing.assert_allclose(keystone(image, corners=corners_of((9, 7))).image, image, atol=1e-6)


@pytest.mark.parametrize(("k1", "k2"), [(-0.15, 0.0), (0.2, 0.0), (-0.1, 0.05)])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_lens_moves_points_along_the_radius_by_browns_law(k1, k2, share):
    corner = np.array([40.0, 30.0])
    point = share * corner * (1, -0.9)
    r = np.hypot(*point) / np.hypot(*corner)
    expected = corner + point * (1 + k1 * r**2 + k2 * r**4)
    x, y = spot(lens(marked(*(corner + point)), k1=k1, k2=k2, border="constant").image)
    np.testing.assert_allclose((x, y), expected, atol=0.08)  # the spot itself is bent a little


def test_a_lens_without_distortion_is_the_identity_and_barrel_shows_the_outside(colour_photo):
    np.testing.assert_allclose(lens(colour_photo, k1=0).image, colour_photo, atol=1e-5)
    assert lens(colour_photo, k1=-0.2).mask[0, 0]
    assert not lens(colour_photo, k1=0.2).mask.any()


@pytest.mark.parametrize(
    ("task", "damage", "parameters"),
    [
        ("tilt", tilt, {"angle": 6.5}),
        ("keystone", keystone, {"corners": [[8, 5], [110, 2], [120, 118], [3, 122]]}),
        ("lens", lens, {"k1": -0.12, "k2": 0.02}),
    ],
)
def test_unwarp_undoes_it_with_the_same_parameters(task, damage, parameters, colour_photo):
    smooth = colour_photo.copy()
    for _ in range(3):
        smooth = (smooth + np.roll(smooth, 1, 0) + np.roll(smooth, 1, 1) + np.roll(smooth, (1, 1), (0, 1))) / 4
    damaged = damage(smooth, **parameters).image
    back = unwarp(damaged, method=task, **parameters)
    middle = slice(32, 96)
    error = np.abs(back - smooth)[middle, middle].max()
    assert error < 0.03
    assert error < 0.2 * np.abs(damaged - smooth)[middle, middle].max()


def test_nonsense_is_refused():
    image = np.zeros((9, 9), np.float32)
    with pytest.raises(ValueError, match="folds the picture over itself"):
        lens(image, k1=-0.6)
    with pytest.raises(ValueError, match="at least 2 x 2 pixels"):
        keystone(image[:1])
    with pytest.raises(ValueError, match="convex"):
        keystone(image, corners=[[8, 0], [0, 0], [0, 8], [8, 8]])
    with pytest.raises(ValueError, match="border must be one of reflect, constant"):
        tilt(image, border="wrap")
    with pytest.raises(ValueError, match="angle must be a finite number, got nan"):
        tilt(image, angle=float("nan"))
