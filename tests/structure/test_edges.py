"""Edges of drawn pictures, whose place, steepness and direction are known."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.feature
from scipy.ndimage import binary_dilation

from anew.structure.edges import canny, log_edges, sobel


@pytest.fixture
def square() -> np.ndarray:
    image = np.full((48, 56), 0.2, np.float32)
    image[12:36, 16:40] = 0.8
    return image


def test_sobel_of_a_ramp_is_its_slope_and_direction() -> None:
    y, x = np.mgrid[:20, :30].astype(np.float32)
    for slope_x, slope_y in ((0.02, 0.0), (0.0, 0.03), (-0.01, 0.01), (0.005, -0.02)):
        gradient = sobel(slope_x * x + slope_y * y)
        np.testing.assert_allclose(gradient.magnitude[1:-1, 1:-1], np.hypot(slope_x, slope_y), atol=1e-6)
        np.testing.assert_allclose(gradient.direction[1:-1, 1:-1], np.arctan2(slope_y, slope_x), atol=1e-4)


def test_sobel_takes_the_steepest_channel_at_each_pixel() -> None:
    image = np.zeros((9, 12, 3), np.float32)
    image[:, 3:, 1] = 0.4
    image[:, 8:, 2] = 0.9
    magnitude = sobel(image).magnitude
    np.testing.assert_allclose(magnitude[4], [0, 0, 0.2, 0.2, 0, 0, 0, 0.45, 0.45, 0, 0, 0], atol=1e-6)


def test_canny_finds_the_border_of_a_square_and_nothing_else(square: np.ndarray) -> None:
    edges = canny(square)
    border = np.zeros(square.shape, bool)  # within a pixel of the step on either side
    border[10:38, 14:42] = True
    border[14:34, 18:38] = False
    assert not (edges & ~border).any()
    assert (edges[14:34, 14:18].sum(axis=1) == 1).all(), "one pixel thin on the left side"
    assert (edges[10:14, 18:38].sum(axis=0) == 1).all(), "one pixel thin on the top side"
    assert 80 <= edges.sum() <= 100


def test_canny_keeps_weak_edges_only_beside_strong_ones() -> None:
    image = np.zeros((40, 60), np.float32)
    image[:, 30:] = np.linspace(1.0, 0.25, 40)[:, None]  # one chain that fades
    image[:, 10] = 0.3  # weak all along
    edges = canny(image, width=1.0, low=0.05, high=0.3)
    assert edges[:, 28:32].any(axis=1).all()
    assert not edges[:, :20].any()
    assert canny(image, width=1.0, low=0.05, high=0.05)[:, :20].any()


def test_canny_ends_a_chain_where_it_falls_below_the_lower_threshold() -> None:
    step = np.linspace(1.0, 0.0, 101, dtype=np.float32)[:, None]
    image = np.where(np.arange(40) < 20, 0, step)  # without smoothing the gradient is half of each step
    for low, end in ((0.2, 60), (0.3, 40), (None, 68)):  # 0.4 of the upper one if not given
        rows = np.flatnonzero(canny(image, width=0, low=low, high=0.4)[:, 18:22].any(axis=1))
        assert rows[0] == 0
        assert len(rows) == rows[-1] + 1 == pytest.approx(end, abs=1)


def test_canny_measures_an_oblique_gradient_by_its_length() -> None:
    y, x = np.mgrid[:40, :40]
    image = np.clip(0.05 * (x + y - 38), 0, 1).astype(np.float32)  # 0.05 per pixel along both axes: 0.0707
    assert canny(image, width=0, low=0.05, high=0.069).any()
    assert not canny(image, width=0, low=0.05, high=0.072).any()


def test_canny_agrees_with_an_independent_implementation(grey_photo: np.ndarray) -> None:
    ours = canny(grey_photo, width=2.0, low=0.02, high=0.05)
    # skimage does not scale its Sobel stencil: its thresholds are 8 times ours.
    theirs = skimage.feature.canny(grey_photo, sigma=2.0, low_threshold=0.16, high_threshold=0.4, mode="reflect")
    near = np.ones((3, 3), bool)
    assert ours.sum() > 300
    assert (ours & binary_dilation(theirs, near)).sum() > 0.9 * ours.sum()
    assert (theirs & binary_dilation(ours, near)).sum() > 0.9 * theirs.sum()


def test_log_edges_surround_a_square_once(square: np.ndarray) -> None:
    edges = log_edges(square, width=1.5)
    assert (edges[18:30, 12:20].sum(axis=1) == 1).all()
    assert np.flatnonzero(edges[24]).tolist() == [16, 39]  # its own outermost pixels: the brighter side
    assert np.flatnonzero(edges[:, 28]).tolist() == [12, 35]
    assert not edges[20:28, 22:34].any()
    assert not edges[:6].any()


@pytest.mark.parametrize("width", [0.7, 1.0, 1.5, 2.0])
@pytest.mark.parametrize(("outside", "inside"), [(0.2, 0.8), (0.8, 0.2), (0.0, 1.0), (0.1, 0.35), (0.301, 0.3)])
def test_log_edges_of_a_step_lie_on_its_brighter_side(outside: float, inside: float, width: float) -> None:
    image = np.full((48, 56), outside, np.float32)
    image[12:36, 16:40] = inside
    edges = log_edges(image, width=width)
    off = int(inside < outside)
    assert np.flatnonzero(edges[24]).tolist() == [16 - off, 39 + off]
    assert np.flatnonzero(edges[:, 28]).tolist() == [12 - off, 35 + off]


def test_log_edges_below_the_threshold_are_left_out() -> None:
    image = np.zeros((20, 60), np.float32)
    image[:, 20:40], image[:, 40:] = 0.1, 0.9
    # Beside a step of height h the response is h (g(0) - g(1)) and minus that, g the sampled Gaussian.
    gaussian = np.exp(-0.5 * (np.arange(-10, 11) / 1.5) ** 2)
    across = 2 * (gaussian[10] - gaussian[11]) / gaussian.sum()
    for threshold, columns in ((0.097, [20, 40]), (0.103, [40]), (0.78, [40]), (0.82, [])):
        assert np.flatnonzero(log_edges(image, width=1.5, threshold=threshold * across)[10]).tolist() == columns


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (7, 5, 3), (6, 6, 4)])
def test_a_flat_image_of_any_size_has_no_edges(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 0.7, np.float32)
    assert not canny(image).any()
    assert not log_edges(image).any()
    assert sobel(image).magnitude.max() < 1e-6
    noise = np.random.default_rng(0).random(shape, np.float32)
    assert canny(noise).shape == log_edges(noise).shape == sobel(noise).direction.shape == shape[:2]


def test_wrong_thresholds_and_widths_are_refused(square: np.ndarray) -> None:
    with pytest.raises(ValueError, match="low <= high"):
        canny(square, low=0.5, high=0.2)
    for width in (-1, np.nan, np.inf, 1e6):
        with pytest.raises(ValueError, match="width must be >= 0 and at most 1000"):
            canny(square, width=width)
    for width in (0, -1, np.nan, np.inf, 1e6):
        with pytest.raises(ValueError, match="width must be > 0 and at most 1000"):
            log_edges(square, width=width)
    for threshold in (-0.1, np.nan):
        with pytest.raises(ValueError, match="threshold must be >= 0"):
            log_edges(square, threshold=threshold)


@pytest.mark.parametrize("find", [sobel, log_edges, canny])
def test_every_kind_of_image_is_taken(find, square: np.ndarray) -> None:
    def edges(image: np.ndarray) -> np.ndarray:
        found = find(image)
        return found.magnitude if find is sobel else found

    byte = np.rint(square * 255).astype(np.uint8)
    expected = edges(byte.astype(np.float32) / np.float32(255))
    for image in (byte, byte.astype(np.uint16) * 257, byte.astype(np.float64) / 255):
        np.testing.assert_allclose(edges(image), expected, atol=1e-6)
    np.testing.assert_array_equal(edges(square > 0.5), edges((square > 0.5).astype(np.float32)))


@pytest.mark.parametrize("find", [sobel, log_edges, canny])
@pytest.mark.parametrize(
    ("image", "message"), [(np.zeros((0, 4), np.float32), "expected an image"), (np.full((4, 4), np.nan), "NaN")]
)
def test_what_is_no_image_is_refused(find, image: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find(image)
