"""Tiles with a halo: put together they are the whole, and each sees as far as it was told."""

from __future__ import annotations

import numpy as np
import pytest

from anew.tiles import haloed_tiles


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
