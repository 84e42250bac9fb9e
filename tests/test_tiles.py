"""Tiles with a halo: put together they are the whole, each sees as far as it was told, and deep holes stay whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from anew.tiles import DEEP, apply_in_tiles, depth_of, fill_in_tiles, haloed_tiles


@pytest.mark.parametrize("scale", [1, 3])
@pytest.mark.parametrize("shape", [(50, 70, 2), (16, 5), (1, 1)])
def test_tiles_put_together_are_the_whole(shape: tuple[int, ...], scale: int) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    enlarged = image.repeat(scale, 0).repeat(scale, 1)
    result = np.full_like(enlarged, np.nan)
    for t in haloed_tiles(shape, 16, 4, scale=scale):
        result[t.place] = image[t.wide].repeat(scale, 0).repeat(scale, 1)[t.inside]
    np.testing.assert_array_equal(result, enlarged)


def test_a_halo_ends_at_the_border() -> None:
    first, *_, last = haloed_tiles((40, 40), 16, 4)
    assert first.wide == np.s_[0:20, 0:20]
    assert first.inside == np.s_[0:16, 0:16]
    assert (last.place, last.wide, last.inside) == (np.s_[32:40, 32:40], np.s_[28:40, 28:40], np.s_[4:12, 4:12])


def test_a_function_that_sees_no_further_than_the_halo_gives_the_same_in_tiles() -> None:
    image = np.random.default_rng(1).random((70, 101, 3), np.float32)
    seen: list[tuple[int, ...]] = []
    told: list[float] = []

    def smooth(piece: np.ndarray) -> np.ndarray:
        seen.append(piece.shape)
        return ndimage.uniform_filter(piece, (9, 9, 0))[:, :, :2]

    expected = ndimage.uniform_filter(image, (9, 9, 0))[:, :, :2]
    tiled = apply_in_tiles(smooth, image, halo=4, tile=32, whole=70 * 101 - 1, progress=told.append)
    np.testing.assert_allclose(tiled, expected, atol=1e-6)
    assert len(seen) == len(told) == 12
    assert max(seen) == (40, 40, 3)
    np.testing.assert_allclose(told, np.arange(1, 13) / 12)
    del seen[:]
    np.testing.assert_allclose(apply_in_tiles(smooth, image, halo=4, tile=32, whole=70 * 101), expected, atol=1e-6)
    assert seen == [(70, 101, 3)]
    assert np.abs(apply_in_tiles(smooth, image, halo=3, tile=32, whole=0) - expected).max() > 1e-3


def test_the_depth_of_a_hole_is_the_distance_to_what_is_known() -> None:
    mask = np.random.default_rng(2).random((60, 80)) < 0.97
    np.testing.assert_allclose(depth_of(mask), ndimage.distance_transform_edt(mask), rtol=0.03)
    assert (depth_of(np.ones((7, 9), bool)) == 9).all()


def test_a_deep_hole_is_filled_in_one_piece_and_the_rest_in_tiles() -> None:
    image = np.random.default_rng(3).random((300, 400, 2), np.float32)
    mask = np.zeros((300, 400), bool)
    mask[20:90, 50:130] = True  # deep, across tiles
    mask[40:60, 60:72] = False
    mask[48:52, 65:69] = True  # another one within its bounding box
    mask[200:240, 300:340] = True  # deep
    mask[150 : 150 + 2 * DEEP - 2, 10:390] = True  # long, but shallow
    image[mask] = np.nan  # what is missing is not read
    calls: list[int] = []
    told: list[float] = []

    def fill(piece: np.ndarray, hole: np.ndarray) -> np.ndarray:
        assert np.isfinite(piece).all()
        assert not hole.all()
        calls.append(int(hole.sum()))
        result = piece.copy()
        result[hole] = np.sqrt(ndimage.distance_transform_edt(hole))[hole][:, np.newaxis]
        return result

    result = fill_in_tiles(fill, image, mask, tile=64, whole=0, progress=told.append)
    np.testing.assert_array_equal(result[~mask], image[~mask])
    expected = np.sqrt(ndimage.distance_transform_edt(mask))[mask]
    np.testing.assert_allclose(result[mask], np.column_stack([expected, expected]), atol=1e-6)
    first, second = mask[:140].sum() - 16, mask[190:].sum()
    assert calls[0] >= first  # the hole, and what its surroundings miss
    assert calls[1] >= second
    assert len(calls) == 2 + 1 + 7  # the long one lies in one row of seven tiles
    assert told[-1] == 1
    assert (np.diff(told) > 0).all()
    once = fill_in_tiles(fill, image, mask, tile=64, whole=300 * 400)
    np.testing.assert_allclose(once, result, atol=1e-6)
    assert calls[-1] == mask.sum()
