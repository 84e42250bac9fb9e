"""Homographies against their definition, and corners that span no quadrilateral."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import anew
from anew.degradations.geometry import keystone
from anew.errors import InvalidPlan
from anew.restoration.plan import Plan, Step
from anew.restoration.unwarping.keystone import unwarp_keystone, valid_keystone
from anew.structure.homography import as_quad, corners_of, keystone_homography, solve_homography

SHAPE = (60, 80)


def test_the_homography_of_projected_points_is_found() -> None:
    h = np.array([[1.1, 0.2, 3.0], [-0.1, 0.9, 5.0], [1e-3, -2e-3, 1.0]])
    corners = corners_of(SHAPE)
    u, v, w = h @ np.vstack([corners.T, np.ones(4)])
    projected = np.column_stack([u / w, v / w])
    np.testing.assert_allclose(solve_homography(corners, projected), h, atol=1e-12)
    np.testing.assert_allclose(keystone_homography(SHAPE, projected.tolist()), h, atol=1e-12)


def test_the_corners_of_a_picture_are_the_centres_of_its_corner_pixels() -> None:
    assert corners_of((3, 5, 3)).tolist() == [[0, 0], [4, 0], [4, 2], [0, 2]]
    assert as_quad(corners_of(SHAPE)).tolist() == corners_of(SHAPE).tolist()


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (0, 0), (0, 0), (0, 0)],
        [(0, 0), (10, 10), (20, 20), (30, 30)],
        [(0, 0), (10, 0), (20, 0), (0, 20)],
        [(0, 0), (0, 50), (70, 50), (70, 0)],
        [(0, 0), (70, 50), (70, 0), (0, 50)],
    ],
    ids=["a point", "a line", "three on a line", "mirrored", "crossing"],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda image, corners: as_quad(corners),
        lambda image, corners: keystone(image, corners=corners),
        lambda image, corners: unwarp_keystone(image, corners=corners),
        lambda image, corners: valid_keystone(image.shape, corners=corners),
    ],
    ids=["check", "degrade", "unwarp", "valid"],
)
def test_corners_that_span_no_quadrilateral_are_refused(use: Callable[..., Any], corners: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"corners must be convex and run top-left, .*, got \(0, 0\), "):
        use(np.zeros(SHAPE, np.float32), corners)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_plan_with_such_corners_is_refused(strength: float) -> None:
    step = Step(kind="keystone", task="unwarp", method="keystone", parameters={"corners": [[0, 0]] * 4})
    with pytest.raises(InvalidPlan, match="corners must be convex"):
        anew.restore(np.zeros(SHAPE, np.uint8), plan=Plan(steps=(step,)), strength=strength)
