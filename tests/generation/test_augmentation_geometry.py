"""Geometry whose result is known: exact turns, corners by hand, and boxes that follow masks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anew
from anew.generation.augmentation.boxes import clipped, move_outline, outlines_of
from anew.generation.augmentation.catalogue import OPERATIONS
from anew.generation.augmentation.geometry import elastic, perspective, rotate

GEOMETRIC = [name for name, operation in OPERATIONS.items() if operation.family == "geometry"]


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)


@pytest.mark.parametrize("axis", ["horizontal", "vertical", "both"])
def test_two_flips_are_none(picture: np.ndarray, axis: str) -> None:
    step = f"flip:p=1:axis={axis}"
    boxes = np.array([[3, 4, 10.5, 20], [0, 0, 53, 37]])
    once = anew.augment(picture, step, boxes=boxes, mask=picture[:, :, 0])
    assert not np.array_equal(once.image, picture)
    twice = anew.augment(picture, f"{step},{step}", boxes=boxes, mask=picture[:, :, 0])
    np.testing.assert_array_equal(twice.image, picture)
    np.testing.assert_array_equal(twice.mask, picture[:, :, 0])
    np.testing.assert_array_equal(twice.boxes, boxes)
    expected = {"horizontal": picture[:, ::-1], "vertical": picture[::-1], "both": picture[::-1, ::-1]}
    np.testing.assert_array_equal(once.image, expected[axis])


@pytest.mark.parametrize("quarters", range(-4, 5))
@pytest.mark.parametrize("shape", [(37, 53, 3), (8, 8, 3), (1, 1, 3), (1, 6, 3), (5, 2, 3)])
def test_quarter_rotations_are_exact(quarters: int, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    rotated = anew.augment(image, f"rotate:degrees={90 * quarters}..{90 * quarters}:expand=true", mask=image[..., 0])
    np.testing.assert_array_equal(rotated.image, np.rot90(image, quarters))
    np.testing.assert_array_equal(rotated.mask, np.rot90(image[..., 0], quarters))
    turned = anew.augment(image, f"turn:quarters={quarters % 4}")
    np.testing.assert_array_equal(turned.image, np.rot90(image, quarters))


def test_a_turned_box_is_where_its_pixels_are(picture: np.ndarray) -> None:
    turned = anew.augment(picture, "turn:quarters=1", boxes=[[10, 5, 30, 12]])
    np.testing.assert_allclose(turned.boxes, [[5, 53 - 30, 12, 53 - 10]])
    left, top, right, bottom = turned.boxes[0].astype(int)
    np.testing.assert_array_equal(turned.image[top:bottom, left:right], np.rot90(picture[5:12, 10:30]))


@pytest.mark.parametrize("degrees", [-33.0, 7.5, 45.0, 100.0])
def test_the_box_of_a_rotated_rectangle_is_that_of_its_corners(degrees: float) -> None:
    left, top, right, bottom = 90.0, 70, 130, 120
    result = anew.augment(
        np.zeros((200, 240)), f"rotate:degrees={degrees}..{degrees}", boxes=[[left, top, right, bottom]]
    )
    turn = np.exp(-1j * np.radians(degrees))  # y runs down
    corners = [(complex(x, y) - (120 + 100j)) * turn + (120 + 100j) for x in (left, right) for y in (top, bottom)]
    x, y = np.real(corners), np.imag(corners)
    np.testing.assert_allclose(result.boxes, [[x.min(), y.min(), x.max(), y.max()]], atol=1e-9)


def test_rotating_there_and_back_gives_the_box_back() -> None:
    boxes = [[90.0, 70, 130, 120]]
    result = anew.augment(np.zeros((200, 240)), "rotate:degrees=25..25,rotate:degrees=-25..-25", boxes=boxes)
    np.testing.assert_allclose(result.boxes, boxes, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(GEOMETRIC), second=st.sampled_from(GEOMETRIC), seed=st.integers(0, 10**6), data=st.data())
def test_boxes_follow_masks(name: str, second: str, seed: int, data: st.DataObject) -> None:
    height, width = data.draw(st.integers(60, 120)), data.draw(st.integers(60, 120))
    left, top = data.draw(st.integers(0, width - 25)), data.draw(st.integers(0, height - 25))
    right = data.draw(st.integers(left + 20, width))
    bottom = data.draw(st.integers(top + 20, height))
    mask = np.zeros((height, width), bool)
    mask[top:bottom, left:right] = True
    chain = [(n, {"p": 1}) for n in dict.fromkeys((name, second))]
    boxes = [[left, top, right, bottom]]
    result = anew.augment(mask.astype(np.float32), chain, rng=seed, mask=mask, boxes=boxes, min_visible=0.3)
    assert result.mask.dtype == bool
    assert result.mask.shape == result.image.shape
    if len(result.boxes):
        rows, columns = np.flatnonzero(result.mask.any(1)), np.flatnonzero(result.mask.any(0))
        around = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        # A sharp corner may hold no pixel centre: sides are found to a pixel where they are straight, corners less so.
        np.testing.assert_allclose(result.boxes[0], around, atol=1.0 if name in ("flip", "turn", "crop") else 2.0)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_the_box_of_a_disc_is_that_of_its_mask(name: str) -> None:
    y, x = np.mgrid[:160, :200] + 0.5
    disc = np.hypot(x - 100, y - 80) <= 45
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    for seed in range(8):
        result = anew.augment(disc, [(name, {"p": 1})], rng=seed, mask=disc)
        geometry_step = result.operations[0]
        parameters = {k: v for k, v in geometry_step.parameters.items() if k not in ("border", "fill")}
        geometry = OPERATIONS[name].function(disc.shape, **parameters)
        outline = np.stack(geometry.to_target(100 + 45 * np.cos(angles), 80 + 45 * np.sin(angles)), axis=1)
        outline = clipped(outline, geometry.size)
        rows, columns = np.flatnonzero(result.mask.any(1)), np.flatnonzero(result.mask.any(0))
        around = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        # half a pixel each for drawing the disc, for the nearest pixel, and for the far side of it
        np.testing.assert_allclose([*outline.min(0), *outline.max(0)], around, atol=1.5)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_the_image_goes_where_the_mask_goes(name: str) -> None:
    mask = np.zeros((90, 70), bool)
    mask[20:60, 15:50] = True
    for seed in range(4):
        result = anew.augment(mask.astype(np.float32), [(name, {"p": 1})], rng=seed, mask=mask)
        # interpolation and the nearest pixel differ on the outline only
        assert np.mean((result.image >= 0.5) != result.mask) < 0.02


def test_to_source_and_to_target_are_inverse() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(5, 95, 200), rng.uniform(5, 75, 200)
    for geometry in (
        perspective((80, 100), amount=0.15, seed=4),
        elastic((80, 100), amount=0.04, smoothness=0.08, seed=2),
        rotate((80, 100), degrees=33, expand=True),
    ):
        u, v = geometry.to_source(*geometry.to_target(x, y))
        np.testing.assert_allclose([u, v], [x, y], atol=1e-4)


@pytest.mark.parametrize("amount", [0.01, 0.03])
def test_an_elastic_displacement_is_as_large_as_it_says_and_never_folds(amount: float) -> None:
    y, x = np.mgrid[:300, :400] + 0.5
    u, v = elastic((300, 400), amount=amount, smoothness=0.2, seed=1).to_source(x, y)
    assert np.sqrt(np.mean([(u - x) ** 2, (v - y) ** 2])) == pytest.approx(amount * 300, rel=1e-3)
    for smoothness in (0.02, 0.05):
        u, v = elastic((300, 400), amount=0.2, smoothness=smoothness, seed=1).to_source(x, y)
        assert np.diff(u, axis=1).min() > 0
        assert np.diff(v, axis=0).min() > 0


@pytest.mark.parametrize(
    ("step", "same"),
    [
        ("rotate:degrees=0", True),
        ("scale:factor=1", True),
        ("shift:x=0:y=0", True),
        ("shear:x=0:y=0", True),
        ("perspective:amount=0", True),
        ("elastic:amount=0", True),
        ("crop:area=1:aspect=1", True),
        ("crop:area=0.5", False),
    ],
)
def test_no_amount_changes_nothing(picture: np.ndarray, step: str, same: bool) -> None:
    assert np.array_equal(anew.augment(picture, step).image, picture) == same


def test_a_crop_is_a_part_of_the_image(picture: np.ndarray) -> None:
    result = anew.augment(
        picture, "crop:area=0.25:aspect=1:x=0.5:y=1:enlarge=false", boxes=[[0, 0, 53, 37], [0, 0, 5, 5]]
    )
    np.testing.assert_array_equal(result.image, picture[37 - 18 :, 14 : 14 + 26])
    np.testing.assert_allclose(result.boxes, [[0, 0, 26, 18]])
    np.testing.assert_array_equal(result.kept, [0])


def test_a_shift_moves_pixels_and_drops_what_leaves() -> None:
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    boxes = [[7, 0, 9, 4], [8, 0, 10, 4], [0, 0, 1, 1]]
    result = anew.augment(image, "shift:x=0.2..0.2:y=0", boxes=boxes)  # 2 pixels to the right
    np.testing.assert_array_equal(result.image[:, 2:], image[:, :-2])
    assert not result.image[:, :2].any()
    np.testing.assert_allclose(result.boxes, [[9, 0, 10, 4], [2, 0, 3, 1]], atol=1e-9)  # half of the first is left
    np.testing.assert_array_equal(result.kept, [0, 2])
    strict = anew.augment(image, "shift:x=0.2..0.2:y=0", boxes=boxes, min_visible=0.6)
    np.testing.assert_array_equal(strict.kept, [2])
    alone = anew.augment(image, "shift:x=0.2..0.2:y=0")
    np.testing.assert_array_equal(alone.image[:, :2], image[:, [2, 1]][:, ::1])  # the mirror image comes in


def test_scaling_grows_a_box_by_its_factor() -> None:
    result = anew.augment(np.zeros((100, 100)), "scale:factor=1.5", boxes=[[40, 40, 60, 70]])
    np.testing.assert_allclose(result.boxes, [[35, 35, 65, 80]])


def test_shrinking_does_not_alias() -> None:
    stripes = np.tile(np.float32([0, 1]), (64, 32))
    result = anew.augment(stripes, "scale:factor=0.4:border=reflect").image
    assert result[20:44, 20:44].std() < 0.08


def test_clipping_a_triangle() -> None:
    triangle = np.array([[-5.0, 5], [5, -5], [5, 5]])
    kept = clipped(triangle, (10, 10))
    assert sorted(set(map(tuple, kept.tolist()))) == [(0.0, 0.0), (0.0, 5.0), (5.0, 0.0), (5.0, 5.0)]
    assert len(clipped(triangle - 20, (10, 10))) == 0


def test_boxes_outside_and_wrong_ones() -> None:
    outlines = outlines_of([[-10, 0, 0, 5], [-5, -5, 5, 5]], (10, 10))
    assert len(outlines[0].polygon) == 0
    assert outlines[1].visible == 1  # what was outside from the start does not count
    moved = move_outline(outlines[0], rotate((10, 10), degrees=5, expand=False))
    assert len(moved.polygon) == 0
    for wrong in ([[1, 2, 3]], [[5, 0, 1, 2]], [[0, 0, math.nan, 1]]):
        with pytest.raises(ValueError, match="boxes"):
            outlines_of(wrong, (10, 10))
    empty = anew.augment(np.zeros((5, 5)), "flip", boxes=[])
    assert empty.boxes.shape == (0, 4)


@pytest.mark.parametrize("step", ["rotate:degrees=17..17:p=1", "scale:factor=0.5:p=1", "elastic:p=1", "shear:p=1"])
@pytest.mark.parametrize("border", ["reflect", "constant"])
def test_hidden_colours_do_not_rim_what_is_visible(step: str, border: str) -> None:
    rows, columns = np.mgrid[:80, :80]
    disc = np.hypot(rows - 40, columns - 40) < 25
    white = np.zeros((80, 80, 4), np.uint8)  # a white disc on clear black
    white[disc] = 255
    moved = anew.augment(white, f"{step}:border={border}", rng=1).image / 255
    alpha = moved[:, :, 3]
    assert ((alpha > 0.2) & (alpha < 0.8)).sum() > 30
    on_white = moved[:, :, :3] * alpha[:, :, None] + 1 - alpha[:, :, None]
    assert on_white.min() > 0.98
    opaque = anew.augment(np.where(disc[:, :, None], white, 255), step, rng=1).image
    np.testing.assert_array_equal(opaque, 255)


def test_colours_of_what_is_clear_move_as_they_are() -> None:
    hidden = np.random.default_rng(0).random((20, 30, 4), np.float32)
    hidden[:, :, 3] = 0
    step = "rotate:degrees=9..9:p=1"
    moved = anew.augment(hidden, step, rng=1).image
    np.testing.assert_array_equal(moved[:, :, :3], anew.augment(hidden[:, :, :3], step, rng=1).image)
