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
