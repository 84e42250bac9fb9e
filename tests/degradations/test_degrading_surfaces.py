"""Holes, scratches, tears, folds, stains, dust: amounts, places and colours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from anew.degradations.cracks import cracks
from anew.degradations.holes import lettering, pixels, rectangles, strokes
from anew.degradations.painting import around, blend, dot, fractal_noise, line, wander
from anew.degradations.scratches import scratches
from anew.degradations.stains import dust, stains
from anew.degradations.tears import CORNERS, folds, tears

GREY = np.full((200, 300, 3), 0.4, np.float32)


@pytest.mark.parametrize("damage", [rectangles, strokes, lettering, pixels])
def test_holes_hold_their_fill(damage):
    result = damage(GREY, fill=0.125, rng=0)
    assert (result.image[result.mask] == 0.125).all()
    assert (result.image[~result.mask] == np.float32(0.4)).all()


def test_one_rectangle_is_one_rectangle_of_its_size():
    for seed in range(5):
        mask = rectangles(GREY, count=1, size=0.3, rng=seed).mask
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        assert mask.sum() == len(rows) * len(columns)  # full
        assert len(rows) == np.ptp(rows) + 1
        assert len(columns) == np.ptp(columns) + 1
        assert 30 <= len(rows) <= 60
        assert 45 <= len(columns) <= 90


def test_pixels_are_lost_with_their_density():
    assert pixels(GREY, density=0.3, rng=0).mask.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 60_000))
    assert not pixels(GREY, density=0, rng=0).mask.any()
    assert pixels(GREY, density=1, rng=0).mask.all()


def test_letters_are_written_once_per_count_and_grow_with_their_size():
    one, two = (lettering(GREY, text="I", count=n, rng=1).mask for n in (1, 2))
    assert ndimage.label(one, np.ones((3, 3)))[1] == 1
    assert two.sum() == pytest.approx(2 * one.sum(), rel=0.2)
    large = lettering(GREY, text="I", count=1, size=0.24, rng=1).mask
    assert np.ptp(np.nonzero(large)[0]) == pytest.approx(2 * np.ptp(np.nonzero(one)[0]), rel=0.15)


@pytest.mark.parametrize(
    ("damage", "zero"),
    [
        (rectangles, {"count": 0}),
        (strokes, {"count": 0}),
        (lettering, {"count": 0}),
        (scratches, {"count": 0}),
        (tears, {"count": 0}),
        (folds, {"count": 0}),
        (cracks, {"count": 0}),
        (stains, {"count": 0}),
        (stains, {"strength": 0.0}),
        (dust, {"count": 0, "hairs": 0}),
    ],
)
def test_none_of_it_changes_nothing(damage, zero):
    result = damage(GREY, rng=0, **zero)
    np.testing.assert_array_equal(result.image, GREY)
    assert not result.mask.any()


@pytest.mark.parametrize("corner", CORNERS)
def test_the_corner_that_was_asked_for_is_torn_off(corner):
    result = tears(GREY, where=corner, size=0.4, fill=1.0, rng=2)
    rows = slice(0, 15) if corner.startswith("top") else slice(-15, None)
    columns = slice(0, 15) if corner.endswith("left") else slice(-15, None)
    assert result.mask[rows, columns].all()
    assert result.image[rows, columns].min() > 0.6  # the background
    assert not result.mask[80:120, 130:170].any()
    assert 0.02 < result.mask.mean() < 0.12


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3])
def test_a_corner_too_small_to_see_takes_no_more_than_its_rim(size):
    for seed in range(8):
        mask = tears(GREY, where="top-left", size=size, rng=seed).mask
        assert not mask[30:].any()
        assert not mask[:, 30:].any()


def test_a_torn_edge_bares_white_paper():
    black = np.zeros((200, 200, 3), np.float32)
    result = tears(black, where="top-left", size=0.5, fill=0.0, rng=0)  # neither print nor background is bright
    assert (result.image.mean(axis=2) > 0.7).sum() > 100


def test_a_rip_starts_at_its_border_and_narrows():
    masks = [tears(GREY, kind="edge", where="top-left", size=0.6, rng=seed).mask for seed in range(6)]
    assert all(mask[0].any() and not mask[150:].any() for mask in masks)
    mouth, tip = (np.mean([mask[rows].sum(axis=1) for mask in masks]) for rows in (slice(0, 20), slice(90, 110)))
    assert mouth > 1.5 * tip > 0


def test_scratches_follow_the_angle_and_brighten():
    black = np.zeros((300, 300), np.float32)
    result = scratches(black, count=20, angle=0, dark=0, rng=0)
    rows, columns = (np.abs(np.diff(result.image, axis=a)).sum() for a in (0, 1))
    assert rows > 2 * columns  # lines along x change fast along y
    assert result.image.max() > 0.5
    dirty = scratches(np.ones((300, 300), np.float32), count=20, dark=1, rng=0)
    assert dirty.image.min() < 0.6


def test_a_fold_runs_from_border_to_border():
    mask = folds(GREY, count=1, angle=0, rng=0).mask
    assert mask.any(axis=0).all()
    assert mask.mean() < 0.15
    more, less = (folds(GREY, count=1, angle=0, flaking=f, rng=0).image.sum() for f in (1.0, 0.0))
    assert more > less


def test_cracks_bare_paper_along_lines_and_fork():
    black = np.zeros((300, 400, 3), np.float32)

    def bare(**options: float) -> list[np.ndarray]:
        return [cracks(black, relief=0, rng=seed, **options).image for seed in range(8)]

    alone = np.stack(bare(forks=0))
    assert 1000 < (alone[..., 1] > 0.02).sum() / 8 < 2500  # thin lines, each about as long as the picture is high
    red, _, blue = alone[alone[..., 1] > 0.3].mean(axis=0)
    assert red > blue  # yellowed
    assert np.stack(bare(forks=8)).sum() > 1.5 * alone.sum()
    assert np.stack(bare(forks=0, width=4)).sum() > 2 * alone.sum()


def test_the_ridge_of_a_crack_is_light_on_one_side_and_dark_on_the_other():
    change = cracks(GREY, count=6, relief=0.2, rng=0).image / GREY - 1
    bent = change[np.abs(change) < 0.21]
    assert bent.min() < -0.1
    assert bent.max() > 0.1
    assert np.abs(cracks(GREY, count=6, relief=0, rng=0).image / GREY - 1).max() > 0.5  # bare, but not bent
    assert (cracks(GREY, count=6, relief=0, rng=0).image >= GREY - 1e-6).all()


def test_stains_darken_most_at_the_rim_and_tint_brown():
    white = np.ones((300, 300, 3), np.float32)
    result = stains(white, count=1, size=0.5, rng=5)
    inside = result.image[result.mask]
    assert (inside <= 1).all()
    red, green, blue = inside.mean(axis=0)
    assert red > green > blue
    depth = ndimage.distance_transform_edt(result.mask)
    darkness = 1 - result.image[:, :, 2]
    assert darkness[(depth > 1) & (depth < 5)].mean() > 1.2 * darkness[depth > 15].mean()


def test_dust_is_small_and_counts():
    few, many = (dust(GREY, count=n, hairs=0, rng=0).mask.sum() for n in (50, 500))
    assert 5 * few < many < 20 * few
    labels, count = ndimage.label(dust(GREY, count=60, hairs=0, rng=1).mask, np.ones((3, 3)))
    assert 20 < count < 150
    assert np.bincount(labels.ravel())[1:].max() < 120
    assert dust(GREY, count=0, hairs=4, rng=1).mask.sum() > 60


def test_dots_keep_their_area_and_lines_their_length_times_width():
    covering = np.zeros((40, 60), np.float32)
    dot(covering, np.array([10.3, 30.0]), np.array([7.7, 20.0]), np.array([0.4, 0.25]))
    assert covering.sum() == pytest.approx(0.65, abs=1e-6)
    assert covering[20, 30] == pytest.approx(0.25)
    assert covering[8, 10] == pytest.approx(0.4 * 0.7 * 0.7, abs=1e-6)
    covering[:] = 0
    t = np.linspace(0, 30, 61)
    line(covering, 10 + t, 10 + 0.5 * t, np.full(61, 2.0), np.full(61, 0.5))
    assert covering.sum() == pytest.approx(0.5 * 2 * 30 * np.hypot(1, 0.5), rel=0.03)
    covering[:] = 0
    dot(covering, np.array([-5.0, 99.0]), np.array([1.0, 1.0]), 1.0)
    assert not covering.any()  # outside


def test_a_dot_on_the_first_row_and_column_keeps_its_area():
    covering = np.zeros((8, 9), np.float32)
    dot(covering, np.array([0.0, 8.0]), np.array([0.0, 7.0]), 0.5)
    assert covering[0, 0] == covering[7, 8] == 0.5
    dot(covering, np.array([-0.25, 3.0]), np.array([3.0, -0.75]), 1.0)
    np.testing.assert_allclose([covering[3, 0], covering[0, 3]], [0.75, 0.25])  # the rest lies outside


@pytest.mark.parametrize("angle", [0.0, 45.0, 90.0, 160.0])
def test_a_line_lies_half_its_width_on_either_side(angle):
    covering = np.zeros((100, 100), np.float32)
    t, way = np.linspace(-30, 30, 121), np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))])
    line(covering, 50 + t * way[0], 50 + t * way[1], np.full(121, 10.0), np.ones(121))
    y, x = np.mgrid[:100, :100] - 50.0
    along, across = x * way[0] + y * way[1], np.abs(x * way[1] - y * way[0])
    middle = np.abs(along) < 25
    assert (covering[middle & (across < 4)] > 0.9).all()
    assert (covering[(across > 6.5) | (np.abs(along) > 32)] == 0).all()


def test_a_region_holds_what_lies_within_reach_of_points():
    y, x = np.mgrid[:50, :70]
    for px, py, reach in (([10.2, 33.0], [5.5, 20.9], 3.5), ([-4.0], [60.0], 11.5), ([-30.0], [10.0], 5.0)):
        near = np.zeros((50, 70), bool)
        for u, v in zip(px, py, strict=True):
            near |= np.hypot(x - u, y - v) <= reach
        inside = np.zeros_like(near)
        inside[around((50, 70, 3), np.array(px), np.array(py), reach)] = True
        assert not (near & ~inside).any()
        assert inside.sum() <= (np.ptp(px) + 2 * reach + 3) * (np.ptp(py) + 2 * reach + 3)


@pytest.mark.parametrize("shape", [(40, 3200), (3200, 40), (1, 1700)])
def test_fractal_noise_of_a_large_picture_is_that_of_a_smaller_one_enlarged(shape):
    field = fractal_noise(shape, np.random.default_rng(1), exponent=2.0)
    assert field.shape == shape
    assert field.mean() == pytest.approx(0, abs=0.05)
    assert field.std() == pytest.approx(1, abs=0.1)
    axis = int(shape[1] > shape[0])
    assert np.abs(np.diff(field, axis=axis)).max() < 1  # smooth along the longer side


def test_fractal_noise_is_standardised_and_has_its_slope():
    field = fractal_noise((256, 256), np.random.default_rng(0), exponent=2.0).astype(np.float64)
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    windowed = field * np.outer(np.hanning(256), np.hanning(256))
    power = np.abs(np.fft.fft2(windowed)) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    bands = [power[(radius > low) & (radius < 1.3 * low)].mean() for low in (0.03, 0.24)]
    assert np.log(bands[0] / bands[1]) / np.log(8) == pytest.approx(2.0, abs=0.25)
    n = wander(4096, np.random.default_rng(0), exponent=1.0)
    assert n.std() == pytest.approx(1)


def test_blending_leaves_what_is_not_covered():
    covering = np.zeros((4, 5), np.float32)
    covering[1, 2], covering[2, 2], covering[3, 3] = 0.25, 1.5, 0.001
    image = np.full((4, 5, 2), 0.4, np.float32)
    result, mask = blend(image, covering, np.float32([1.0, 0.0]))
    np.testing.assert_array_equal(np.argwhere(mask), [[1, 2], [2, 2]])
    np.testing.assert_allclose(result[1, 2], [0.55, 0.3], atol=1e-6)
    np.testing.assert_allclose(result[2, 2], [1, 0], atol=1e-6)
    np.testing.assert_array_equal(result[~mask], image[~mask])


@pytest.mark.parametrize("size", [0.0, 0.01])
def test_stains_as_small_as_a_pixel_are_numbers(size: float) -> None:
    with np.errstate(all="raise", under="ignore"):
        result = stains(np.full((90, 300), 0.5, np.float32), count=5, size=size, rng=0)
    assert np.isfinite(result.image).all()


@pytest.mark.parametrize("damage", [cracks, folds])
def test_lines_without_width_are_refused(damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"width must be a finite number >= 0\.1"):
        damage(np.zeros((40, 40), np.float32), width=0.0)
