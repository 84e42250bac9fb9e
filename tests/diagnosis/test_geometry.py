"""Tilt, keystone and lens: drawn pictures whose geometry is known, and silence on good pictures."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from anew.degradations.geometry import keystone, tilt
from anew.diagnosis.diagnose import without_chance_lines
from anew.diagnosis.finding import Finding
from anew.diagnosis.keystone import estimate_keystone, find_keystone
from anew.diagnosis.lens import _straighten, estimate_lens, find_lens, measure_lens
from anew.diagnosis.tilt import estimate_tilt, find_tilt
from anew.images import Picture
from anew.registry import METHODS
from anew.restoration.unwarping.tilt import tilt_mapping
from anew.structure.homography import corners_of, solve_homography
from anew.structure.lines import find_segments, fit_bundles, lengths, slopes


def smooth_step(distance: np.ndarray) -> np.ndarray:
    """An antialiased edge: 0 on one side, 1 on the other."""
    return np.clip(distance + 0.5, 0, 1)


def facade(x: np.ndarray, y: np.ndarray, *, shape: tuple[int, int]) -> np.ndarray:
    """A wall with rows of dark windows, as a function of the plane."""
    pitch = np.array([shape[1] / 6, shape[0] / 5])
    u = np.abs((x / pitch[0]) % 1 - 0.5) * pitch[0]
    v = np.abs((y / pitch[1]) % 1 - 0.5) * pitch[1]
    window = smooth_step(0.27 * pitch[0] - u) * smooth_step(0.3 * pitch[1] - v)
    return (0.8 - 0.6 * window).astype(np.float32)


def pixel_grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(shape[1], dtype=float), np.arange(shape[0], dtype=float))
    return x, y


SHAPE = (360, 480)


def tilted_facade(angle: float) -> np.ndarray:
    """Damaged content at p shows the upright content at the inverse rotation of p."""
    return facade(*tilt_mapping(SHAPE, -angle)(*pixel_grid(SHAPE)), shape=SHAPE)


@pytest.mark.parametrize("angle", [-9.0, -3.3, 1.7, 6.25])
def test_tilt_of_a_drawn_facade(angle: float) -> None:
    estimate = estimate_tilt(tilted_facade(angle))
    assert estimate.angle == pytest.approx(angle, abs=0.1)
    assert estimate.confidence > 0.7


@pytest.mark.parametrize("angle", [0.0, 0.3, 25.0, 45.0])
def test_upright_and_artistic_angles_are_no_tilt(angle: float) -> None:
    assert estimate_tilt(tilted_facade(angle)).angle == 0


def keystoned_facade(corners: np.ndarray) -> np.ndarray:
    back = solve_homography(corners, corners_of(SHAPE))
    x, y = pixel_grid(SHAPE)
    u, v, w = np.tensordot(back, np.stack([x, y, np.ones_like(x)]), axes=1)
    return facade(u / w, v / w, shape=SHAPE)


def misalignment(found: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square error in pixels after straightening, up to place and size, which lines cannot tell."""
    x, y = (c.ravel() for c in pixel_grid(SHAPE))
    straight = np.linalg.inv(solve_homography(corners_of(SHAPE), found)) @ solve_homography(corners_of(SHAPE), truth)
    u, v, w = straight @ np.stack([x, y, np.ones_like(x)])
    errors = []
    for original, got in ((x, u / w), (y, v / w)):
        scale, shift = np.polyfit(got, original, 1)
        errors.append(scale * got + shift - original)
    return float(np.sqrt(np.mean(np.square(errors).sum(axis=0))))


@pytest.mark.parametrize(
    "moves",
    [
        [(50, 0), (-50, 0), (0, 0), (0, 0)],
        [(0, 0), (0, 0), (-50, 0), (50, 0)],
        [(0, 0), (-10, 45), (-10, -30), (0, 0)],
        [(10, 45), (0, 0), (0, 0), (10, -30)],
        [(20, 6), (-60, 20), (0, 0), (-15, 0)],
    ],
)
def test_keystone_of_a_drawn_facade(moves: list[tuple[int, int]]) -> None:
    truth = corners_of(SHAPE) + np.array(moves)
    estimate = estimate_keystone(keystoned_facade(truth))
    assert estimate.confidence > 0.6
    assert misalignment(estimate.corners, truth) < 1.0


@pytest.mark.parametrize(("angle", "told"), [(-9, False), (-5, True), (5, True), (9, False)])
def test_a_plane_that_is_turned_far_is_not_meant_to_be_frontal(angle: float, told: bool) -> None:
    middle = (np.array(SHAPE[::-1]) - 1) / 2
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    narrow_above = corners_of(SHAPE) + np.array([(50, 0), (-50, 0), (0, 0), (0, 0)])
    turned = (narrow_above - middle) @ np.array([[cosine, -sine], [sine, cosine]]) + middle
    assert (estimate_keystone(keystoned_facade(turned)).confidence > 0) == told


def bent_facade(k1: float) -> np.ndarray:
    x, y = pixel_grid(SHAPE)
    dx, dy = x - (SHAPE[1] - 1) / 2, y - (SHAPE[0] - 1) / 2
    half = np.hypot(SHAPE[1] - 1, SHAPE[0] - 1) / 2
    bent = np.hypot(dx, dy) / half
    r = bent.copy()
    for _ in range(300):  # a fixed point of Brown's equation
        r = bent / (1 + k1 * r**2)
    stretch = np.divide(r, bent, out=np.ones_like(r), where=bent > 0)
    return facade((SHAPE[1] - 1) / 2 + dx * stretch, (SHAPE[0] - 1) / 2 + dy * stretch, shape=SHAPE)


@pytest.mark.parametrize(("k1", "kind"), [(-0.12, "barrel"), (-0.08, "barrel"), (0.1, "pincushion")])
def test_lens_of_a_drawn_facade(k1: float, kind: str) -> None:
    damaged = bent_facade(k1)
    assert estimate_lens(damaged).k1 == pytest.approx(k1, abs=0.015)
    finding = find_lens(Picture(damaged[:, :, np.newaxis]))
    assert finding is not None
    assert finding.details == {"k1": pytest.approx(finding.value / 100), "k2": 0}
    assert finding.value == pytest.approx(100 * k1, abs=1.5)
    assert kind in finding.message


@pytest.mark.parametrize("k1", [0.35, 0.5])
def test_a_lens_beyond_all_that_is_tried_is_not_taken_for_the_last_one(k1: float) -> None:
    damaged = bent_facade(k1)
    assert abs(measure_lens(damaged).k1) > 0.2
    assert estimate_lens(damaged).k1 == 0


@pytest.mark.parametrize("k1", [-0.2, -0.1, 0.1, 0.25])
def test_bending_is_undone_up_to_where_the_picture_would_fold(k1: float) -> None:
    radius = np.linspace(0, 1.35, 400)
    points = 300 * np.column_stack([0.6 * radius, -0.8 * radius])
    bent = points * (1 + k1 * radius**2)[:, np.newaxis]
    unfolded = 1 + 3 * k1 * radius**2 > 0.2
    np.testing.assert_allclose(_straighten(bent, k1, 300.0)[unfolded], points[unfolded], atol=0.05)
    # No place is bent to beyond the fold, nor to beyond what is looked at.
    farthest = max(r * (1 + k1 * r**2) for r in radius)
    assert np.isnan(_straighten(np.array([[300 * farthest + 5, 0.0]]), k1, 300.0)).all()


@pytest.mark.parametrize(
    ("seed", "shape"), [(2, (480, 640)), (1, (600, 800)), (0, (700, 900)), (2, (640, 640)), (1, (1000, 1000, 3))]
)
def test_grains_that_line_up_by_chance_tell_no_lens(seed: int, shape: tuple[int, ...]) -> None:
    assert estimate_lens(np.random.default_rng(seed).random(shape).astype(np.float32)).k1 == 0


def test_details_are_parameters_of_the_repair() -> None:
    upright = tilted_facade(0)
    finding = find_tilt(Picture(tilted_facade(4)[:, :, np.newaxis]))
    assert finding is not None
    repaired = METHODS.get("unwarp", "tilt").function(tilted_facade(4), **finding.details)
    inner = np.s_[60:-60, 60:-60]
    assert np.abs(repaired[inner] - upright[inner]).mean() < 0.02
    keystone = find_keystone(
        Picture(keystoned_facade(corners_of(SHAPE) + np.array([(50, 0), (-50, 0), (0, 0), (0, 0)]))[:, :, None])
    )
    assert keystone is not None
    METHODS.get("unwarp", "keystone").function(upright, **keystone.details)


def test_segments_of_a_drawn_rectangle() -> None:
    image = np.zeros((200, 300), np.float32)
    image[50:150, 60:240] = 1  # its edges run between the pixels: at 49.5, 149.5, 59.5, 239.5
    segments = find_segments(image)
    upright = np.abs(slopes(segments)) > 45
    np.testing.assert_allclose(np.sort(lengths(segments)), [100, 100, 180, 180], atol=4)
    np.testing.assert_allclose(np.sort(segments[upright][:, 0]), [59.5, 239.5], atol=0.6)
    np.testing.assert_allclose(np.sort(segments[~upright][:, 1]), [49.5, 149.5], atol=0.6)


def test_a_bundle_tells_tilt_from_convergence() -> None:
    """Lines through a vanishing point far above: upright in the middle, leaning inwards at the borders."""
    shape, apex = (400, 600), np.array([300.0, -2000.0])
    feet = np.stack([np.linspace(20, 580, 15), np.full(15, 390.0)], axis=1)
    heads = feet + (apex - feet) * 0.15
    _, vertical = fit_bundles(np.concatenate([feet, heads], axis=1), shape)
    assert vertical.count == 15
    assert vertical.tilt == pytest.approx(0, abs=0.05)
    at_border = np.degrees(np.arctan2(300, 2200))  # seen from half the height of the lines
    assert abs(vertical.convergence) == pytest.approx(at_border, abs=0.5)


@pytest.mark.parametrize(("angle", "fill"), [(5.0, 0.0), (-2.0, 1.0)])
@pytest.mark.parametrize("name", ["page", "astronaut", "coins"])
def test_a_scan_that_lay_crooked(name: str, angle: float, fill: float) -> None:
    image = np.atleast_3d(np.asarray(getattr(skimage.data, name)(), np.float32) / 255)
    finding = find_tilt(Picture(tilt(image, angle=angle, border="constant", fill=fill).image))
    assert finding is not None
    assert finding.value == pytest.approx(angle, abs=0.15)
    assert find_keystone(Picture(tilt(image, angle=angle, border="constant", fill=fill).image)) is None


def test_a_page_that_lay_crooked_under_the_whole_scanner() -> None:
    page = np.atleast_3d(skimage.data.page().astype(np.float32) / 255)
    finding = find_tilt(Picture(tilt(page, angle=-6, border="reflect").image))
    assert finding is not None
    assert finding.value == pytest.approx(-6.5, abs=0.2)  # the print itself is half a degree off


@pytest.mark.parametrize("name", ["chelsea", "grass"])
def test_a_photograph_without_a_line_in_it_that_was_turned_within_its_frame(name: str) -> None:
    image = np.atleast_3d(np.asarray(getattr(skimage.data, name)(), np.float32) / 255)
    finding = find_tilt(Picture(tilt(image, angle=-4, border="reflect").image.clip(0, 1)))
    assert finding is not None
    assert finding.value == pytest.approx(-4, abs=0.1)


@pytest.mark.parametrize("moves", [[(40, 0), (-40, 0), (0, 0), (0, 0)], [(30, 12), (-20, 40), (0, -15), (8, 0)]])
def test_a_picture_seen_in_perspective(moves: list[tuple[int, int]]) -> None:
    image = skimage.data.astronaut().astype(np.float32) / 255
    truth = corners_of(image.shape) + np.array(moves)
    finding = find_keystone(Picture(keystone(image, corners=truth, border="constant", fill=1.0).image))
    assert finding is not None
    np.testing.assert_allclose(finding.details["corners"], truth, atol=1.0)


@pytest.mark.parametrize("flip", [np.s_[:, :], np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-1]])
def test_a_sheet_that_leaves_the_frame_beside_an_edge_out_of_sight_tells_nothing(flip: tuple[slice, ...]) -> None:
    image = skimage.data.astronaut().astype(np.float32) / 255
    sheet = corners_of(image.shape) + np.array([(-20, -40), (0, 90), (-60, 0), (0, 0)])
    damaged = keystone(image, corners=sheet, border="constant", fill=1.0).image
    assert estimate_keystone(np.ascontiguousarray(damaged[flip])).confidence == 0
    inside = sheet + np.array([(40, 60), (0, 0), (0, 0), (0, 0)])
    damaged = keystone(image, corners=inside, border="constant", fill=1.0).image
    assert estimate_keystone(np.ascontiguousarray(damaged[flip])).confidence > 0


def test_a_sheet_on_a_table_keeps_its_size() -> None:
    image = skimage.data.astronaut().astype(np.float32) / 255
    sheet = np.array([(60, 70), (430, 50), (460, 460), (40, 440)])
    damaged = keystone(image, corners=sheet, border="constant", fill=1.0).image
    finding = find_keystone(Picture(damaged))
    assert finding is not None
    repaired = METHODS.get("unwarp", "keystone").function(damaged, **finding.details)
    is_sheet = repaired.min(axis=2) < 0.95
    columns, rows = (np.flatnonzero(is_sheet.mean(axis=axis) > 0.3) for axis in (0, 1))
    assert np.ptp(columns) == pytest.approx(396, abs=12)  # the mean of its sides
    assert np.ptp(rows) == pytest.approx(391, abs=12)


CLEAN = ["astronaut", "camera", "coffee", "chelsea", "coins", "page", "text", "rocket", "brick", "moon", "horse"]


@pytest.mark.parametrize("name", CLEAN)
def test_silence_on_good_pictures(name: str) -> None:
    image = np.asarray(getattr(skimage.data, name)())
    image = image.astype(np.float32) / (1 if image.dtype == bool else 255)
    picture = Picture(np.atleast_3d(image))
    assert (find_tilt(picture), find_keystone(picture), find_lens(picture)) == (None, None, None)


def test_lines_of_a_part_of_a_scene_tell_no_tilt() -> None:
    wall = skimage.data.brick()[:, :, np.newaxis] / np.float32(255)
    parts = [wall[top : top + 100, left : left + 100] for top in range(0, 400, 100) for left in range(0, 400, 100)]
    assert sum(estimate_tilt(part).angle != 0 for part in parts) > 4  # to whom asks, they tell what they say
    assert [find_tilt(Picture(part)) for part in parts] == [None] * len(parts)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 3), (9, 9, 3), (40, 30, 1)])
def test_pictures_without_anything_in_them(shape: tuple[int, ...]) -> None:
    for image in (np.full(shape, 0.5, np.float32), np.random.default_rng(0).random(shape, np.float32)):
        assert estimate_tilt(image).angle == 0
        assert estimate_keystone(image).confidence == 0
        assert estimate_lens(image).k1 == 0


@pytest.mark.parametrize(("sigma", "confidence", "told"), [(40, 0.7, False), (40, 0.95, True), (10, 0.7, True)])
def test_few_lines_in_strong_noise_tell_no_tilt(sigma: float, confidence: float, told: bool) -> None:
    noise = Finding("noise", sigma, "of 255", 0.8, "There is noise.")
    tilt = Finding("tilt", 4.0, "degrees", confidence, "It leans.")
    left = without_chance_lines((noise, tilt))
    assert (tilt in left) == told
    assert noise in left
