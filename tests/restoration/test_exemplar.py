"""Exemplar inpainting: periodic pictures are filled as they must be, known pixels stay, seeds repeat."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import skimage.data

from anew.restoration.inpainting import criminisi
from anew.restoration.inpainting.biharmonic import inpaint_biharmonic
from anew.restoration.inpainting.criminisi import _isophotes, _priorities, inpaint_criminisi
from anew.restoration.inpainting.exemplar import Level, _patches, _peel, inpaint_exemplar
from anew.restoration.inpainting.telea import inpaint_telea


def blank(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.where(mask if image.ndim == 2 else mask[:, :, None], 0, image).astype(np.float32)


def hole(height: int, width: int, side: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    mask[height // 2 - side // 2 :, width // 2 - side // 2 :][:side, :side] = True
    return mask


@pytest.mark.parametrize("period", [4, 8])
def test_a_checkerboard_is_continued_exactly(period: int) -> None:
    y, x = np.mgrid[0:80, 0:90]
    board = (0.2 + 0.6 * (((y // period) + (x // period)) % 2)).astype(np.float32)
    mask = hole(80, 90, 24)
    result = inpaint_exemplar(blank(board, mask), mask)
    np.testing.assert_allclose(result, board, atol=0.02)


def test_bricks_are_continued() -> None:
    y, x = np.mgrid[0:96, 0:96]
    shifted = x + 8 * ((y // 8) % 2)
    wall = np.where((y % 8 < 2) | (shifted % 16 < 2), 0.8, 0.3).astype(np.float32)
    mask = hole(96, 96, 28)
    result = inpaint_exemplar(blank(wall, mask), mask)
    assert np.abs(result - wall)[mask].mean() < 0.02


def test_texture_is_filled_by_texture() -> None:
    clean = (skimage.data.gravel()[:160, :160] / 255).astype(np.float32)
    mask = hole(160, 160, 40)
    spread = clean[mask].std()
    given = blank(clean, mask)
    assert 0.7 * spread < inpaint_exemplar(given, mask)[mask].std() < 1.3 * spread
    assert inpaint_telea(given, mask)[mask].std() < 0.7 * spread


@pytest.mark.parametrize("shape", [(2, 3), (1, 9), (9, 1), (23, 17), (31, 44, 1), (30, 33, 4), (21, 30, 3)])
def test_known_pixels_are_untouched_whatever_the_shape(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random(shape, np.float32)
    for share in (0.05, 0.5, 0.9):
        mask = rng.random(shape[:2]) < share
        mask.flat[0] = False
        given = blank(image, mask)
        before = given.copy()
        result = inpaint_exemplar(given, mask)
        assert np.array_equal(given, before)
        assert np.array_equal(result[~mask], image[~mask])
        assert result.dtype == np.float32
        assert np.isfinite(result).all()


def test_a_hole_at_the_border_and_in_a_corner_is_filled(colour_photo: np.ndarray) -> None:
    mask = np.zeros((128, 128), bool)
    mask[:30, :25] = mask[60:90, 100:] = True
    result = inpaint_exemplar(blank(colour_photo, mask), mask)
    known = colour_photo[~mask]
    assert (result[mask] >= known.min(axis=0) - 1e-4).all()
    assert (result[mask] <= known.max(axis=0) + 1e-4).all()
    assert result[mask].std() > 0.05


def test_values_beyond_the_range_stay(grey_photo: np.ndarray) -> None:
    """A picture, scaled, is filled by the same patches, scaled."""
    mask = hole(128, 128, 20)
    given = blank(grey_photo, mask)
    low, high = inpaint_exemplar(given, mask), inpaint_exemplar(4 * given, mask)
    assert np.abs(high[mask] / 4 - low[mask]).mean() < 0.1


def test_the_seed_fixes_the_result_whatever_the_threads(grey_photo: np.ndarray) -> None:
    mask = hole(128, 128, 24)
    given = blank(grey_photo, mask)
    alone = inpaint_exemplar(given, mask, rng=3)
    together: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: together.append(inpaint_exemplar(given, mask, rng=3))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == 2
    assert all(np.array_equal(alone, other) for other in together)
    assert not np.array_equal(alone, inpaint_exemplar(given, mask, rng=4))


@pytest.mark.parametrize("options", [{"patch": 1}, {"n_iter": 0}, {"sharpness": 1.5}, {"thin": -1}])
def test_senseless_options_are_refused(options: dict[str, float]) -> None:
    mask = hole(30, 30, 4)
    with pytest.raises(ValueError, match=f"{next(iter(options))} should be"):
        inpaint_exemplar(np.zeros((30, 30), np.float32), mask, **options)


def test_thin_holes_are_filled_nearer_the_truth_than_by_the_plate_alone() -> None:
    clean = (skimage.data.brick()[:160, :160] / 255).astype(np.float32)
    mask = np.zeros((160, 160), bool)
    mask[:, 20:150:25] = mask[:, 21:151:25] = True
    given = blank(clean, mask)
    errors = [np.mean((f(given, mask) - clean)[mask] ** 2) for f in (inpaint_exemplar, inpaint_biharmonic)]
    assert errors[0] < 0.95 * errors[1]


@pytest.mark.parametrize("transposed", [False, True])
def test_criminisi_continues_a_straight_edge_exactly(transposed: bool) -> None:
    edge = np.zeros((60, 64), np.float32)
    edge[:, :30] = 1
    mask = hole(60, 64, 22)
    if transposed:
        edge, mask = np.ascontiguousarray(edge.T), np.ascontiguousarray(mask.T)
    np.testing.assert_array_equal(inpaint_criminisi(blank(edge, mask), mask), edge)


def first_priorities(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return _priorities(mask, (~mask).astype(np.float32), _isophotes(blank(image, mask), mask), (9, 9))


def test_criminisi_begins_where_an_edge_runs_into_the_hole() -> None:
    edge = np.zeros((60, 64), np.float32)
    edge[:, 30:] = 1
    row, column = np.unravel_index(np.argmax(first_priorities(edge, hole(60, 64, 22))), edge.shape)
    assert row in (19, 40)  # the first or the last row of the hole; most is known around its corners
    assert abs(column - 29.5) <= 4  # two pixels for the gradient, two for its reach


def test_criminisi_takes_nothing_from_the_opposite_border() -> None:
    mask = np.zeros((60, 64), bool)
    mask[20:42, :12] = True
    flat = np.zeros((60, 64), np.float32)
    far = flat.copy()
    far[:, 62:] = 1  # an edge that would run into the hole if the picture were a ring
    np.testing.assert_array_equal(first_priorities(far, mask), first_priorities(flat, mask))
    np.testing.assert_array_equal(first_priorities(far.T, mask.T), first_priorities(flat.T, mask.T))


def test_criminisi_trusts_what_it_fills_as_far_as_the_patch_was_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """C of the paper's equation for the confidence: its sum over the known pixels of the patch by all of its pixels."""
    seen = []

    def spy(missing: np.ndarray, confidence: np.ndarray, *others: object) -> np.ndarray:
        seen.append((missing.copy(), confidence.copy()))
        return _priorities(missing, confidence, *others)

    monkeypatch.setattr(criminisi, "_priorities", spy)
    mask = np.zeros((25, 25), bool)  # so small that what is looked at around every patch is the whole picture
    mask[9:21, 9:21] = True
    inpaint_criminisi(np.full((25, 25), 0.5, np.float32), mask)
    (before, _), (after, confidence) = seen[:2]
    filled = before & ~after
    assert np.count_nonzero(filled) == 25  # a patch of 9 x 9 around a corner of the hole, where most is known
    np.testing.assert_allclose(confidence[filled], (81 - 25) / 81, rtol=1e-6)
    last = seen[-1][1]
    assert last[14:16, 14:16].max() < last[9:14, 9:14].min() < 1


def test_criminisi_copies_known_colours(colour_photo: np.ndarray) -> None:
    mask = hole(128, 128, 24)
    mask[:5, :5] = True
    given = blank(colour_photo, mask)
    result = inpaint_criminisi(given, mask)
    assert np.array_equal(result[~mask], given[~mask])
    known = {tuple(p) for p in given[~mask]}
    assert all(tuple(p) in known for p in result[mask])


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3), (1, 19), (23, 17), (31, 44, 4)])
def test_criminisi_takes_every_shape(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    image = rng.random(shape, np.float32)
    for share in (0.02, 0.5):
        mask = rng.random(shape[:2]) < share
        mask.flat[0] = False
        result = inpaint_criminisi(blank(image, mask), mask)
        assert np.array_equal(result[~mask], image[~mask])
        assert result.shape == shape
        assert np.isfinite(result).all()


@pytest.mark.parametrize("options", [{"patch": 8}, {"patch": 1}, {"patch": 9, "window": 5}])
def test_criminisi_refuses_senseless_options(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="patch"):
        inpaint_criminisi(np.zeros((30, 30), np.float32), hole(30, 30, 4), **options)


def test_of_equal_matches_the_coarsest_level_takes_those_nearby() -> None:
    missing = np.zeros((60, 60), bool)
    missing[20:32, :14] = True
    level = Level(np.zeros((60, 60, 3), np.float32), missing)
    patches = _patches(missing, (5, 5))
    _, field = _peel(level, patches, (5, 5), np.array([1], np.uint64))
    away = np.hypot(*(field - patches.places).T)
    assert np.median(away) < 16  # at random it is 30


@pytest.mark.parametrize(("inpaint", "most"), [(inpaint_exemplar, 15.5), (inpaint_criminisi, 13)])
def test_memory_is_a_few_times_that_of_the_picture(inpaint: Callable[..., np.ndarray], most: float) -> None:
    image, mask = np.random.default_rng(0).random((500, 500), np.float32), np.zeros((500, 500), bool)
    mask[200:230, 200:230] = True
    inpaint(image[180:240, 180:240], mask[180:240, 180:240])  # what the first call loads is no working memory
    tracemalloc.start()
    inpaint(image, mask)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < most * image.nbytes
