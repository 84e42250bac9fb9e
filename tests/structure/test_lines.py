"""Segments drawn at known places, and what lines built for a tilt and a vanishing point agree on."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anew.structure.lines import find_segments, fit_bundles, lengths, midpoints, slopes, working_copy

SHAPE = (400, 600)


def drawn(ends: list[tuple[float, float, float, float]], shape: tuple[int, int]) -> np.ndarray:
    """White bars, 12 pixels across, each pixel with the share of it that they cover."""
    canvas = np.zeros((8 * shape[0], 8 * shape[1]), np.uint8)
    for x1, y1, x2, y2 in ends:
        a, b = np.array([x1, y1]), np.array([x2, y2])
        across = 6 * np.array([y1 - y2, x2 - x1]) / np.hypot(*(b - a))
        corners = 8 * (np.array([a + across, b + across, b - across, a - across]) + 0.5) - 0.5
        cv2.fillPoly(canvas, [np.rint(256 * corners).astype(np.int32)], 255, cv2.LINE_8, 8)
    return cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def segments_of(angles: np.ndarray, centres: np.ndarray, length: float) -> np.ndarray:
    """Segments through points (x, y), at angles in degrees counter-clockwise as one sees it."""
    half = 0.5 * length * np.column_stack([np.cos(np.radians(angles)), -np.sin(np.radians(angles))])
    return np.hstack([centres - half, centres + half])


def test_length_slope_and_middle_of_a_segment() -> None:
    segments = np.array([[0.0, 0, 3, -4], [10, 10, 10, 4], [5, 5, 1, 5], [0, 0, 2, 2]])
    np.testing.assert_allclose(lengths(segments), [5, 6, 4, np.sqrt(8)])
    np.testing.assert_allclose(slopes(segments), [np.degrees(np.arctan2(4, 3)), -90, 0, -45])
    np.testing.assert_allclose(midpoints(segments), [[1.5, -2], [10, 7], [3, 5], [1, 1]])


@pytest.mark.parametrize("scale", [1, 4])  # the larger one is found in a copy of 800 pixels
def test_the_edges_of_a_bar_are_where_they_were_drawn(scale: int) -> None:
    ends = (60.0 * scale, 90.0 * scale, 420.0 * scale, 150.0 * scale)
    found = find_segments(drawn([ends], (320 * scale, 480 * scale)), min_length=0.3)
    assert len(found) == 2
    np.testing.assert_allclose(slopes(found), -np.degrees(np.arctan2(60, 360)), atol=0.1)
    np.testing.assert_allclose(lengths(found), scale * np.hypot(360, 60), rtol=0.03)
    across = np.array([-60, 360]) / np.hypot(60, 360)
    beside = (midpoints(found) - [240 * scale, 120 * scale]) @ across
    np.testing.assert_allclose(np.sort(beside), [-6, 6], atol=0.3 * scale)


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("ends", [(60, 90, 420, 150), (60, 150, 420, 90), (60, 40, 110, 300), (110, 40, 60, 300)])
def test_segments_are_shifted_to_no_side(ends: tuple[float, ...], scale: int) -> None:
    """What an edge is off by, it is off by to both sides of a bar: their mean is the middle of the bar."""
    x1, y1, x2, y2 = (float(scale * n) for n in ends)
    found = find_segments(drawn([(x1, y1, x2, y2)], (320 * scale, 480 * scale)), min_length=0.3)
    across = np.array([y1 - y2, x2 - x1]) / np.hypot(x2 - x1, y2 - y1)
    beside = (midpoints(found) - [(x1 + x2) / 2, (y1 + y2) / 2]) @ across
    assert beside.mean() == pytest.approx(0, abs=0.03)


def test_short_segments_are_left_out_and_the_longest_comes_first() -> None:
    picture = drawn([(40, 60, 560, 60), (40, 160, 340, 160), (40, 260, 160, 260)], SHAPE)
    found = lengths(find_segments(picture, min_length=0.03))
    assert (np.diff(found) <= 0).all()
    diagonal = np.hypot(*SHAPE)
    for share, count in ((0.1, 6), (0.3, 4), (0.6, 2), (0.9, 0)):
        assert len(find_segments(picture, min_length=share)) == count
        assert np.count_nonzero(found >= share * diagonal) == count
    assert find_segments(np.zeros((7, 90), np.float32)).shape == find_segments(np.zeros(SHAPE)).shape == (0, 4)


def test_the_working_copy_is_reduced_and_stretched() -> None:
    ramp = np.tile(np.linspace(0.4, 0.6, 1000, dtype=np.float32), (250, 1))
    copy, scale = working_copy(ramp, 500)
    assert copy.shape == (125, 500)
    assert scale.tolist() == [0.5, 0.5]
    assert (copy.min(), copy.max()) == (0, 255)
    assert copy[60, 250] == pytest.approx(127.5, abs=1.5)
    assert working_copy(ramp[:, :30])[0].shape == (250, 30)


@pytest.mark.parametrize(("tilt", "convergence"), [(0.0, 0.0), (2.37, 0.0), (-4.74, 3.4), (1.04, -6.5)])
def test_lines_through_one_vanishing_point_give_tilt_and_convergence(tilt: float, convergence: float) -> None:
    rng = np.random.default_rng(1)
    centres = rng.random((40, 2)) * SHAPE[::-1]
    position = (centres + 0.5) / (np.array(SHAPE[::-1]) / 2) - 1
    lying = segments_of(tilt + convergence * position[:, 1], centres, 60)
    standing = segments_of(90 + tilt - convergence * position[:, 0], centres, 60)
    # Others nearly lie as well, by 1.2 degrees off at least.
    places = rng.random((15, 2)) * SHAPE[::-1]
    off = rng.uniform(1.2, 4, 15) * rng.choice([-1, 1], 15)
    astray = segments_of(tilt + convergence * ((places[:, 1] + 0.5) / 200 - 1) + off, places, 30)
    diagonals = segments_of(np.full(30, 45.0), centres[:30], 90)
    horizontal, vertical = fit_bundles(np.vstack([lying, standing, astray, diagonals]), SHAPE)
    assert horizontal.tilt == pytest.approx(tilt, abs=0.03)
    assert horizontal.convergence == pytest.approx(convergence, abs=0.05)
    assert vertical.tilt == pytest.approx(tilt, abs=0.03)
    assert vertical.convergence == pytest.approx(-convergence, abs=0.05)
    assert set(horizontal.members) == set(range(40))
    assert set(vertical.members) == set(range(40, 80))
    diagonal = np.hypot(*SHAPE)
    assert vertical.support == pytest.approx(40 * 60 / diagonal)
    assert vertical.candidates == pytest.approx(40 * 60 / diagonal)
    assert horizontal.candidates == pytest.approx((40 * 60 + 15 * 30) / diagonal)
    assert vertical.count == 40
    assert vertical.spread == pytest.approx(np.ptp(position[:, 0]) / 2)
    upright = np.abs(tilt - convergence * position[:, 0]) < 0.6
    assert vertical.upright == pytest.approx(60 * upright.sum() / diagonal)


def test_a_mirrored_picture_leans_as_far_to_the_other_side() -> None:
    shape = (100, 150)
    feet, heads = np.linspace(10, 130, 20), np.linspace(20, 118, 20)
    standing = np.column_stack([feet, np.full(20, 90.0), heads, np.full(20, 10.0)])
    mirrored = standing.copy()
    mirrored[:, [0, 2]] = shape[1] - 1 - standing[:, [0, 2]]
    (_, one), (_, other) = fit_bundles(standing, shape), fit_bundles(mirrored, shape)
    assert one.count == 20
    assert other.tilt == pytest.approx(-one.tilt, abs=1e-3)
    assert other.convergence == pytest.approx(one.convergence, abs=1e-3)


def test_one_line_agrees_with_nothing() -> None:
    horizontal, vertical = fit_bundles(segments_of(np.array([2.0]), np.array([[300.0, 200]]), 100), SHAPE)
    assert (horizontal.count, horizontal.support, vertical.candidates) == (0, 0, 0)
    assert horizontal.candidates == pytest.approx(100 / np.hypot(*SHAPE))
