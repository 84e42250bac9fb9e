"""Faint lines: dashes that lie on a line count, the same ones strewn about and what is wide do not."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from anew.structure.faint_lines import find_faint_lines


def dashes(angle: float, *, scale: int = 1) -> np.ndarray:
    """Five pixels of every ten, two across, along 250 pixels through the middle of 400 x 400."""
    canvas = np.zeros((400, 400), np.float32)
    way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    for start in range(-125, 125, 10):
        ends = [np.rint(200 + way * s).astype(int).tolist() for s in (start, start + 5)]
        cv2.line(canvas, *ends, 0.9, 2)
    return np.kron(canvas, np.ones((scale, scale), np.float32))


@pytest.mark.parametrize("angle", [0, 30, 41.25, 90, 137])
def test_dashes_on_a_line_are_found_at_any_angle(angle: float) -> None:
    lines = find_faint_lines(dashes(angle))
    assert lines.total > 0.4
    assert lines.mask[dashes(angle) > 0].mean() > 0.85
    assert lines.mask.mean() < 0.03


@pytest.mark.parametrize(("shape", "middle", "angle"), [
    ((300, 500), (70, 60), 0), ((300, 500), (440, 90), 45), ((500, 300), (60, 400), 127.5), ((200, 560), (500, 60), 90)
])  # fmt: skip
def test_a_line_is_marked_where_it_lies_in_an_oblong_map(
    shape: tuple[int, int], middle: tuple[int, int], angle: float
) -> None:
    way = 45 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    canvas = np.zeros(shape, np.float32)
    ends = [np.rint(middle + way * s).astype(int).tolist() for s in (-1, 1)]
    cv2.line(canvas, *ends, 0.8, 1)
    mask = find_faint_lines(canvas).mask
    assert mask[canvas > 0].all()
    y, x = np.nonzero(mask)
    along = ((x - middle[0]) * way[0] + (y - middle[1]) * way[1]) / 45
    across = ((x - middle[0]) * way[1] - (y - middle[1]) * way[0]) / 45
    assert np.abs(across).max() < 8  # some directions beside the line's own see it as well
    assert np.abs(along).max() < 45 + 41


def test_the_total_is_the_length_over_the_square_root_of_the_area() -> None:
    canvas = np.zeros((100, 360), np.float32)
    canvas[50, 40:320] = 1
    one = find_faint_lines(canvas).total  # most directions see but a part of it
    two = find_faint_lines(np.vstack([canvas, canvas])).total
    assert 280 / np.sqrt(canvas.size) < one < 4 * 280 / np.sqrt(canvas.size)
    assert two == pytest.approx(2 * one / np.sqrt(2), rel=0.02)


def test_the_same_dashes_strewn_about_are_no_line() -> None:
    rng = np.random.default_rng(0)
    canvas = np.zeros((400, 400), np.float32)
    for _ in range(25):
        start, turn = rng.uniform(20, 380, 2), rng.uniform(0, np.pi)
        end = start + 5 * np.array([np.cos(turn), np.sin(turn)])
        cv2.line(canvas, np.rint(start).astype(int).tolist(), np.rint(end).astype(int).tolist(), 0.9, 1)
    assert find_faint_lines(canvas).total == 0


def test_what_is_wide_or_everywhere_is_no_line() -> None:
    bar = np.zeros((400, 400), np.float32)
    bar[100:300, 190:210] = 1
    assert find_faint_lines(bar).total == 0
    assert find_faint_lines(np.full((300, 200), 0.7, np.float32)).total == 0


def test_a_larger_map_shows_the_same_lines() -> None:
    small, large = find_faint_lines(dashes(20)), find_faint_lines(dashes(20, scale=3))
    assert large.total == pytest.approx(small.total, rel=0.15)
    assert large.mask.shape == (1200, 1200)
    assert (large.mask[1::3, 1::3] == small.mask).mean() > 0.99


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (30, 2)])
def test_small_maps_are_taken(shape: tuple[int, int]) -> None:
    lines = find_faint_lines(np.ones(shape, np.float32))
    assert lines.mask.shape == shape


def test_a_strip_is_not_turned_on_a_square_of_its_length() -> None:
    before = time.process_time()
    lines = find_faint_lines(np.ones((2, 60_000), np.float32))
    assert time.process_time() - before < 20  # seconds; a square of 60,000 pixels a side does not fit into memory
    assert lines.mask.shape == (2, 60_000)
