"""Unwarping against analytic truths: smooth images that are functions of the plane, and the mappings themselves."""

from __future__ import annotations

import numpy as np
import pytest

from anew.restoration.unwarping.keystone import keystone_mapping, unwarp_keystone, valid_keystone
from anew.restoration.unwarping.lens import lens_mapping, unwarp_lens, valid_lens
from anew.restoration.unwarping.tilt import unwarp_tilt, valid_tilt
from anew.structure.homography import corners_of, solve_homography

SHAPE = (120, 161)
CORNERS = [(12.0, 7.0), (150.0, -4.0), (171.0, 118.0), (-6.0, 109.0)]


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth image as a function of the plane, so that any warp of it is known without resampling."""
    return 0.5 + 0.2 * np.sin(0.09 * x + 0.05 * y) + 0.2 * np.cos(0.11 * y - 0.04 * x)


def pixel_grid(shape: tuple[int, int] = SHAPE) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(shape[1], dtype=float), np.arange(shape[0], dtype=float))
    return x, y


def interior(valid: np.ndarray, margin: int = 5) -> np.ndarray:
    """Where the 8 x 8 taps see only real pixels, as long as the map does not shrink much."""
    import cv2

    padded = np.pad(valid.astype(np.uint8), 1)
    return cv2.erode(padded, np.ones((2 * margin + 1,) * 2, np.uint8))[1:-1, 1:-1] > 0


def inverse_tilt(x: np.ndarray, y: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Upright place of a damaged point: rotate clockwise, written with complex numbers (y up)."""
    z = ((x - 80) - 1j * (y - 59.5)) * np.exp(-1j * np.radians(angle))
    return 80 + z.real, 59.5 - z.imag


@pytest.mark.parametrize("angle", [-7.3, 0.4, 12.0, 90.0])
def test_tilt_of_a_known_plane(angle: float) -> None:
    damaged = waves(*inverse_tilt(*pixel_grid(), angle)).astype(np.float32)
    result = unwarp_tilt(damaged, angle=angle)
    inside = interior(valid_tilt(SHAPE, angle=angle))
    assert inside.mean() > 0.4
    np.testing.assert_allclose(result[inside], waves(*pixel_grid())[inside], atol=1e-5)


def test_a_quarter_turn_clockwise_moves_whole_pixels(grey_photo: np.ndarray) -> None:
    counter_clockwise = np.ascontiguousarray(np.rot90(grey_photo))
    np.testing.assert_allclose(unwarp_tilt(counter_clockwise, angle=90), grey_photo, atol=1e-5)


def test_keystone_of_a_known_plane() -> None:
    back = solve_homography(np.array(CORNERS), corners_of(SHAPE))
    x, y = pixel_grid()
    u, v, w = np.tensordot(back, np.stack([x, y, np.ones_like(x)]), axes=1)
    damaged = waves(u / w, v / w).astype(np.float32)
    inside = interior(valid_keystone(SHAPE, corners=CORNERS), margin=10)
    result = unwarp_keystone(damaged, corners=CORNERS)
    np.testing.assert_allclose(result[inside], waves(x, y)[inside], atol=1e-5)


def test_corners_land_where_they_are_said_to() -> None:
    landed = keystone_mapping(SHAPE, np.array(CORNERS))(*corners_of(SHAPE).T)
    np.testing.assert_allclose(np.transpose(landed), CORNERS, atol=1e-9)


@pytest.mark.parametrize(("k1", "k2"), [(-0.15, 0.0), (0.2, 0.0), (-0.1, 0.04)])
def test_lens_of_a_known_plane(k1: float, k2: float) -> None:
    x, y = pixel_grid()
    dx, dy = x - 80, y - 59.5
    half_diagonal = np.hypot(80, 59.5)
    bent = np.hypot(dx, dy) / half_diagonal
    r = bent.copy()
    for _ in range(200):  # fixed point of Brown's equation; a contraction for these coefficients
        r = bent / (1 + k1 * r**2 + k2 * r**4)
    stretch = np.divide(r, bent, out=np.ones_like(r), where=bent > 0)
    damaged = waves(80 + dx * stretch, 59.5 + dy * stretch).astype(np.float32)
    inside = interior(valid_lens(SHAPE, k1=k1, k2=k2), margin=8)
    np.testing.assert_allclose(unwarp_lens(damaged, k1=k1, k2=k2)[inside], waves(x, y)[inside], atol=1e-5)


def test_corner_moves_by_brown_s_factor() -> None:
    x, y = lens_mapping(SHAPE, -0.2, 0.05)(np.array([160.0]), np.array([119.0]))
    np.testing.assert_allclose([x[0], y[0]], [80 + 80 * 0.85, 59.5 + 59.5 * 0.85])


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 7])
def test_identity_is_bit_identical_and_a_copy(channels: int | None) -> None:
    image = np.random.default_rng(0).random((9, 14) if channels is None else (9, 14, channels)).astype(np.float32)
    kept = image.copy()
    for same in (
        unwarp_tilt(image, angle=0),
        unwarp_keystone(image, corners=corners_of(image.shape)),
        unwarp_lens(image, k1=0),
    ):
        assert np.array_equal(same, kept)
        assert same is not image
    turned = unwarp_tilt(image, angle=5)
    assert turned.shape == image.shape
    assert turned.dtype == np.float32
    assert np.array_equal(image, kept)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 3), (2, 3, 5)])
def test_tiny_pictures(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.25, np.float32)
    for border in ("reflect", "nearest"):
        np.testing.assert_allclose(unwarp_tilt(image, angle=10, border=border), image, atol=1e-6)
        np.testing.assert_allclose(unwarp_lens(image, k1=0.1, border=border), image, atol=1e-6)


def test_channels_are_warped_alike() -> None:
    grey = np.random.default_rng(1).random((31, 40)).astype(np.float32)
    stacked = np.stack([grey] * 6, axis=2)
    for c in range(6):
        np.testing.assert_array_equal(unwarp_lens(stacked, k1=-0.1)[:, :, c], unwarp_lens(grey, k1=-0.1))


def test_outside_is_filled_and_told() -> None:
    image = np.full((60, 60), 0.5, np.float32)
    result = unwarp_tilt(image, angle=30, border="constant", fill=-1.0)
    valid = valid_tilt(image.shape, angle=30)
    assert result[0, 0] == -1
    assert not valid[0, 0]
    assert valid[30, 30]
    np.testing.assert_allclose(result[interior(valid)], 0.5, atol=1e-6)
    assert valid_lens((50, 70), k1=-0.1).all()
    assert not valid_lens((50, 70), k1=0.1).all()


def test_strips_join_without_a_seam() -> None:
    rows = np.linspace(0, 1, 2400, dtype=np.float32)  # a ramp along y, cut into several strips of rows
    result = unwarp_tilt(np.tile(rows[:, np.newaxis], (1, 900)), angle=1.0, border="nearest")
    steps = np.diff(result[100:-100], axis=0)
    np.testing.assert_allclose(steps, np.cos(np.radians(1.0)) / 2399, rtol=0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: unwarp_tilt(x, angle=np.nan), "angle should be a finite number"),
        (lambda x: unwarp_tilt(x, angle=1, border="wrap"), "border should be 'reflect', 'constant' or 'nearest'"),
        (lambda x: unwarp_lens(x, k1=np.inf), "finite"),
        (lambda x: unwarp_lens(x, k1=-0.5), "folds"),
        (lambda x: unwarp_lens(x, k1=0.1, k2=-0.4), "folds"),
        (lambda x: unwarp_keystone(x, corners=[(0, 0), (1, 1)]), "4 finite"),
        (lambda x: unwarp_keystone(x, corners=[(0, 0), (0, 5), (5, 5), (5, 0)]), "convex and run"),
    ],
)
def test_wrong_parameters_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(np.zeros((6, 6), np.float32))
