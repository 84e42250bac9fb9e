"""Mirrored corners: pictures turned by a known angle by another library, and silence on everything else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter, rotate

from anew.structure.mirrored_corners import MirroredCorners, correlation_at, find_mirrored_corners


def photograph(name: str) -> np.ndarray:
    return np.asarray(getattr(skimage.data, name)(), np.float32) / 255


def turned(image: np.ndarray, angle: float, mode: str = "reflect") -> np.ndarray:
    """By scipy, which keeps the frame; without ``prefilter`` it only interpolates."""
    axes = (1, 0)  # counter-clockwise as one sees it
    return rotate(image, angle, axes, reshape=False, order=1, mode=mode).astype(np.float32)


@pytest.mark.parametrize("mode", ["reflect", "mirror"])  # about the border of the last pixel, and about its middle
@pytest.mark.parametrize("angle", [-7.3, 3.5])
@pytest.mark.parametrize("name", ["chelsea", "grass", "camera"])
def test_the_angle_of_a_turned_photograph(name: str, angle: float, mode: str) -> None:
    found = find_mirrored_corners(turned(photograph(name), angle, mode))
    assert found.sure
    assert found.angle == pytest.approx(angle, abs=0.2)  # 0.7 pixels on average in a picture of 512


def test_noise_hides_it_no_sooner_than_the_picture() -> None:
    image = turned(photograph("camera"), 4.0)
    noise = np.random.default_rng(0).standard_normal(image.shape).astype(np.float32)
    found = find_mirrored_corners(image + np.float32(0.05) * noise)
    assert found.sure
    assert found.angle == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize("name", ["astronaut", "brick", "camera", "chelsea", "coins", "grass", "moon", "page"])
def test_upright_photographs_have_none(name: str) -> None:
    assert not find_mirrored_corners(photograph(name)).sure


@pytest.mark.parametrize("mode", ["nearest", "constant", "wrap"])
def test_corners_that_were_filled_otherwise(mode: str) -> None:
    assert not find_mirrored_corners(turned(photograph("camera"), 5.0, mode)).sure


def test_pictures_that_look_alike_everywhere() -> None:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:200, :300]
    pictures = (
        np.full((200, 300), 0.5),
        columns / 300,
        rng.random((200, 300)),
        gaussian_filter(rng.random((200, 300)), 3),
        np.hypot(rows - 99.5, columns - 149.5) % 20 / 20,  # symmetric about every axis through its middle
        (rows // 10 + columns // 10) % 2,
        rng.random((20, 30)),
    )
    assert not any(find_mirrored_corners(image.astype(np.float32)).sure for image in pictures)


@pytest.mark.parametrize(
    ("shape", "angle", "period"), [((128, 128), 0, 2), ((256, 256), 90, 2), ((200, 300), 5, 4), ((384, 512), 5, 6)]
)
def test_stripes_are_symmetric_by_nature(shape: tuple[int, int], angle: float, period: float) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    across = rows * np.cos(np.radians(angle)) + columns * np.sin(np.radians(angle))
    noise = np.random.default_rng(0).standard_normal(shape)
    for sigma in (0, 0.02):
        stripes = 0.5 + 0.4 * np.cos(2 * np.pi * across / period) + sigma * noise
        assert not find_mirrored_corners(stripes.astype(np.float32)).sure


@pytest.mark.parametrize(
    ("correlation", "rise", "elsewhere", "sure"),
    [
        (0.77, 0.16, 0.65, False),  # smooth content, seen behind noise, that fits other angles nearly as well
        (0.77, 0.16, 0.55, True),
        (0.77, 0.40, 0.65, True),  # a peak
        (0.90, 0.16, 0.80, True),
    ],
)
def test_a_middling_correlation_must_stand_out(correlation: float, rise: float, elsewhere: float, sure: bool) -> None:
    assert MirroredCorners(3.0, correlation, rise, elsewhere, sides=3, points=1600).sure == sure


@pytest.mark.parametrize(
    ("angle", "correlation", "rise", "elsewhere", "sides", "sure"),
    [
        (1.3, 0.99, 0.5, 0.1, 4, False),  # corners too thin to tell
        (-1.5, 0.99, 0.5, 0.1, 4, True),
        (2.4, 0.96, 0.3, 0.87, 3, True),  # thin ones, no other angle of which fits a third as well
        (2.4, 0.96, 0.3, 0.89, 3, False),
        (2.4, 0.96, 0.3, 0.5, 2, False),  # and at one side more than thick ones
        (2.6, 0.96, 0.3, 0.5, 2, True),
        (5.0, 0.96, 0.3, 0.5, 1, False),
        (5.0, 0.72, 0.3, 0.4, 2, True),
        (5.0, 0.69, 0.3, 0.4, 4, True),  # weak, but alone and at all sides
        (5.0, 0.69, 0.3, 0.4, 3, False),
        (5.0, 0.64, 0.3, 0.3, 4, False),
        (5.0, 0.84, 0.2, 0.70, 4, False),  # neither alone nor ahead
        (5.0, 0.84, 0.2, 0.67, 4, True),
        (5.0, 0.84, 0.28, 0.70, 4, True),
        (5.0, 0.86, 0.2, 0.72, 4, True),
        (5.0, 0.86, 0.2, 0.72, 2, False),
        (5.0, 0.80, 0.07, 0.4, 4, False),  # no peak
        (5.0, 0.80, 0.09, 0.4, 4, True),
        (5.0, 0.74, 0.09, 0.4, 4, False),
        (5.0, 0.74, 0.17, 0.4, 4, True),
    ],
)
def test_where_chance_begins(  # calibrated: the class says on what
    angle: float, correlation: float, rise: float, elsewhere: float, sides: int, sure: bool
) -> None:
    assert MirroredCorners(angle, correlation, rise, elsewhere, sides, points=1300).sure == sure


def test_sides_with_hardly_any_detail_do_not_count() -> None:
    detail = turned(photograph("grass"), 5.0)
    detail -= gaussian_filter(detail, 4)
    assert correlation_at(detail, 5.0)[1] == 4
    one_side = np.full_like(detail, 0.02)
    one_side[40:-40, :100] = 1
    assert correlation_at(detail * one_side, 5.0)[1] == 1


def test_thin_corners_must_fit_nearly_perfectly() -> None:
    blotches = MirroredCorners(2.03, correlation=0.88, rise=0.18, elsewhere=0.69, sides=3, points=1000)
    assert not blotches.sure
    assert MirroredCorners(2.03, correlation=0.95, rise=0.3, elsewhere=0.5, sides=3, points=1000).sure


@pytest.mark.parametrize(("correlation", "sides", "sure"), [(0.64, 3, False), (0.61, 4, False), (0.66, 4, True)])
def test_a_weak_correlation_must_show_at_all_sides(correlation: float, sides: int, sure: bool) -> None:
    assert MirroredCorners(3.0, correlation, rise=0.21, elsewhere=0.28, sides=sides, points=1300).sure == sure


def test_few_points_must_fit_nearly_perfectly() -> None:
    assert not MirroredCorners(2.91, correlation=0.88, rise=0.2, elsewhere=0.72, sides=3, points=325).sure
    assert MirroredCorners(2.91, correlation=0.95, rise=0.3, elsewhere=0.5, sides=3, points=325).sure


@pytest.mark.parametrize("shape", [(80, 120), (85, 128), (90, 130)])
def test_thumbnails_are_too_small_to_tell(shape: tuple[int, int]) -> None:
    """Their corners have enough pixels beyond an angle only, which is no symmetry at that angle."""
    names = ("astronaut", "camera", "chelsea", "coffee", "coins", "moon", "page", "rocket")
    thumbnails = (cv2.resize(photograph(name), shape[::-1], interpolation=cv2.INTER_AREA) for name in names)
    assert not any(find_mirrored_corners(image).sure for image in thumbnails)


@pytest.mark.parametrize("angle", [3.0, -5.0])
def test_a_panorama_is_told_by_its_long_sides(angle: float) -> None:
    image = cv2.resize(photograph("chelsea"), (500, 333))[100:225]
    found = find_mirrored_corners(turned(image, angle))
    assert found.sure
    assert found.angle == pytest.approx(angle, abs=0.2)
