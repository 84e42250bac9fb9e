"""Inpainting: functions that solve a method's own equation are filled exactly; known pixels are never touched."""

from __future__ import annotations

import numpy as np
import pytest

from anew.registry import METHODS
from anew.restoration.inpainting import quadratic_fill
from anew.restoration.inpainting.biharmonic import inpaint_biharmonic
from anew.restoration.inpainting.diffusion import inpaint_diffusion

NAMES = ["biharmonic", "telea", "navier-stokes", "diffusion"]
GRID = np.mgrid[0:40, 0:50] / 50.0


def blank(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Zero the missing pixels, as the public function does."""
    return np.where(mask if image.ndim == 2 else mask[:, :, None], 0, image).astype(np.float32)


def inner_holes() -> np.ndarray:
    mask = np.zeros((40, 50), bool)
    mask[5:20, 8:30] = True
    mask[25:27, 5:45] = True
    mask[33, 33] = True
    return mask


def masks(height: int, width: int) -> dict[str, np.ndarray]:
    """Masks of every awkward kind."""
    rng = np.random.default_rng(0)
    border = np.zeros((height, width), bool)
    border[: height // 3] = border[:, : width // 4] = True
    one = np.ones((height, width), bool)
    one[height // 2, width // 2] = False
    line = np.ones((height, width), bool)
    line[height // 2] = False
    diagonal = np.ones((height, width), bool)
    diagonal[np.arange(min(height, width)), np.arange(min(height, width))] = False
    return {
        "border": border,
        "one known": one,
        "one known row": line,
        "known diagonal": diagonal,
        "80 % random": rng.random((height, width)) < 0.8,
        "none": np.zeros((height, width), bool),
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", masks(9, 9))
def test_any_mask_keeps_known_pixels_and_fills_a_constant(name: str, kind: str) -> None:
    mask = masks(31, 44)[kind]
    constant = np.full((31, 44, 2), 0.3, np.float32)
    given = blank(constant, mask)
    before = given.copy()
    result = METHODS.get("inpaint", name).function(given, mask)
    assert np.array_equal(given, before)
    assert result.dtype == np.float32
    assert np.array_equal(result[~mask], constant[~mask])
    assert np.abs(result - constant).max() < 3e-4


@pytest.mark.parametrize("name", METHODS.names("inpaint"))
def test_what_lies_under_the_mask_is_not_read(name: str, grey_photo: np.ndarray) -> None:
    photo, mask = grey_photo[:40, :50], np.random.default_rng(2).random((40, 50)) < 0.3
    fill = METHODS.get("inpaint", name).function
    expected = fill(blank(photo, mask), mask)
    for value in (1, np.nan, np.inf):
        np.testing.assert_array_equal(fill(np.where(mask, np.float32(value), photo), mask), expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 2), (1, 9), (9, 1), (2, 3), (5, 7, 1), (5, 7, 3), (6, 5, 4)])
def test_any_shape(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    image = rng.random(shape).astype(np.float32)
    mask = rng.random(shape[:2]) < 0.5
    mask.flat[0], mask.flat[1] = False, True
    result = METHODS.get("inpaint", name).function(blank(image, mask), mask)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert np.array_equal(result[~mask], image[~mask])


@pytest.mark.parametrize("name", NAMES)
def test_fills_a_photo_better_than_its_mean(name: str, colour_photo: np.ndarray) -> None:
    mask = np.random.default_rng(2).random(colour_photo.shape[:2]) < 0.3
    result = METHODS.get("inpaint", name).function(blank(colour_photo, mask), mask)
    error = np.mean((result - colour_photo)[mask] ** 2)
    assert error < 0.1 * np.mean((colour_photo[~mask].mean(axis=0) - colour_photo[mask]) ** 2)


@pytest.mark.parametrize("function", [GRID[0] + 2 * GRID[1], GRID[0] ** 2 - GRID[1] ** 2, GRID[0] * GRID[1]])
@pytest.mark.parametrize("name", ["diffusion", "biharmonic"])
def test_harmonic_functions_are_filled_exactly(name: str, function: np.ndarray) -> None:
    truth = function.astype(np.float32)
    mask = inner_holes()
    result = METHODS.get("inpaint", name).function(blank(truth, mask), mask)
    assert np.abs(result - truth).max() < 1e-5


@pytest.mark.parametrize("function", [GRID[0] ** 3 - GRID[1] ** 2, GRID[0] ** 2 * GRID[1], GRID[0] ** 2 + GRID[1] ** 2])
def test_cubic_functions_are_filled_exactly_by_the_plate(function: np.ndarray) -> None:
    truth = function.astype(np.float32)
    mask = inner_holes()
    result = inpaint_biharmonic(blank(truth, mask), mask, tension=0)
    assert np.abs(result - truth).max() < 1e-5


def test_a_plate_continues_a_plane_to_the_border() -> None:
    truth = (GRID[0] + 0.5 * GRID[1]).astype(np.float32)
    mask = np.zeros(truth.shape, bool)
    mask[:4] = mask[:, -3:] = True
    assert np.abs(inpaint_biharmonic(blank(truth, mask), mask, tension=0) - truth).max() < 1e-5


def test_plate_equals_scikit_image_away_from_the_border(grey_photo: np.ndarray) -> None:
    from skimage.restoration import inpaint_biharmonic as independent

    mask = np.zeros(grey_photo.shape, bool)
    mask[20:30, 40:60] = mask[80:82, 10:110] = True
    given = blank(grey_photo, mask)
    expected = independent(given.astype(np.float64), mask)
    assert np.abs(inpaint_biharmonic(given, mask, tension=0) - expected)[mask].max() < 1e-3


@pytest.mark.parametrize("fill", [inpaint_biharmonic, inpaint_diffusion])
def test_iterated_solution_equals_the_factorised(fill, grey_photo: np.ndarray, monkeypatch) -> None:
    mask = np.random.default_rng(3).random(grey_photo.shape) < 0.8
    mask[30:60, 40:70] = True
    direct = fill(blank(grey_photo, mask), mask)
    monkeypatch.setattr(quadratic_fill, "DIRECT_LIMIT", 50)
    iterated = fill(blank(grey_photo, mask), mask)
    assert np.sqrt(np.mean((iterated - direct) ** 2)) < 2 / 255


def test_edge_stopping_keeps_a_step_sharper() -> None:
    step = np.zeros((30, 30), np.float32)
    step[:, 15:] = 1
    mask = np.zeros(step.shape, bool)
    mask[12:18, 5:25] = True
    harmonic = inpaint_diffusion(blank(step, mask), mask)
    stopped = inpaint_diffusion(blank(step, mask), mask, contrast=0.1)
    assert np.abs(stopped - step).mean() < 0.5 * np.abs(harmonic - step).mean()


def test_edges_stop_the_flow_in_a_grey_image_of_three_channels_as_in_one(grey_photo: np.ndarray) -> None:
    mask = np.random.default_rng(1).random(grey_photo.shape) < 0.3
    given = blank(grey_photo, mask)
    alone = inpaint_diffusion(given, mask, contrast=0.1)
    three = inpaint_diffusion(np.repeat(given[:, :, None], 3, axis=2), mask, contrast=0.1)
    np.testing.assert_allclose(three, np.repeat(alone[:, :, None], 3, axis=2), atol=1e-6)


def test_contrast_must_be_positive() -> None:
    with pytest.raises(ValueError, match="contrast"):
        inpaint_diffusion(np.zeros((4, 4), np.float32), np.eye(4, dtype=bool), contrast=0)
