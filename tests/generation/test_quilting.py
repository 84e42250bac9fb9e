"""Quilting: only the texture's own pixels, seams cheaper than chance, cuts of least error."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import skimage.data

from anew.generation.quilting import _matcher, cheapest_path, quilt, transfer_texture

GRASS = skimage.data.grass()[:96, :96]


def pixels(image: np.ndarray) -> set[tuple[float, ...]]:
    return {tuple(p) for p in image.reshape(image.shape[0] * image.shape[1], -1).tolist()}


@pytest.mark.parametrize("shape", [(1, 1), (17, 150), (130, 101)])
def test_every_pixel_is_one_of_the_texture(shape: tuple[int, int]) -> None:
    texture = skimage.data.coffee()[100:160, 100:170]
    result = quilt(texture, shape)
    assert result.shape == (*shape, 3)
    assert result.dtype == np.uint8
    assert pixels(result) <= pixels(texture)


@pytest.mark.parametrize("channels", [1, 3])
def test_errors_are_sums_of_squared_differences(channels: int) -> None:
    rng = np.random.default_rng(0)
    texture, wanted = rng.random((17, 22, channels), np.float32), rng.random((5, 5, channels), np.float32)
    errors = _matcher(texture, 5)
    for where in (rng.random((5, 5)) < 0.4, np.ones((5, 5), bool), np.zeros((5, 5), bool)):
        blocks = np.lib.stride_tricks.sliding_window_view(texture, (5, 5), axis=(0, 1))  # (13, 18, C, 5, 5)
        expected = (((blocks - np.moveaxis(wanted, 2, 0)) ** 2) * where).sum(axis=(2, 3, 4))
        np.testing.assert_allclose(errors(wanted, where), expected, atol=1e-5)


def test_the_cheapest_path_is_the_best_of_all_paths() -> None:
    cost = np.random.default_rng(0).random((6, 4))
    paths = itertools.product(range(4), repeat=6)
    allowed = (p for p in paths if all(abs(a - b) <= 1 for a, b in itertools.pairwise(p)))
    best = min(sum(cost[i, x] for i, x in enumerate(p)) for p in allowed)
    path = cheapest_path(cost)
    assert np.isclose(cost[np.arange(6), path].sum(), best)


def test_seams_cost_less_than_between_random_blocks() -> None:
    block, overlap = 24, 6
    step = block - overlap
    sewn = quilt(GRASS, (step * 6 + overlap,) * 2, block=block, overlap=overlap).astype(float)
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 96 - step, (6, 6, 2))
    tiled = np.block([[GRASS[y : y + step, x : x + step].astype(float) for y, x in row] for row in corners])
    inside = np.abs(np.diff(GRASS.astype(float), axis=1)).mean()
    random_seam = np.abs(np.diff(tiled, axis=1))[:, step - 1 :: step].mean()
    overlaps = [np.abs(np.diff(sewn, axis=1))[:, k * step : k * step + overlap].mean() for k in range(1, 6)]
    assert random_seam > 1.3 * inside
    assert np.mean(overlaps) < 1.15 * inside


def test_a_periodic_texture_stays_periodic() -> None:
    y, x = np.mgrid[0:48, 0:48]
    board = (0.25 + 0.5 * ((y // 4 + x // 4) % 2)).astype(np.float32)
    result = quilt(board, (70, 90), block=16, overlap=4)
    np.testing.assert_array_equal(result[8:], result[:-8])
    np.testing.assert_array_equal(result[:, 4:], np.float32(1) - result[:, :-4])


def test_the_seed_fixes_the_result() -> None:
    before = GRASS.copy()
    first = quilt(GRASS, (80, 80), rng=1)
    assert np.array_equal(first, quilt(GRASS, (80, 80), rng=1))
    assert not np.array_equal(first, quilt(GRASS, (80, 80), rng=2))
    assert np.array_equal(GRASS, before)


def test_transferred_texture_follows_the_image() -> None:
    image = np.zeros((90, 90), np.float32)
    image[:, 45:] = 1
    result = transfer_texture(GRASS, image, block=9, overlap=3, alpha=0.2)
    assert result.shape == (90, 90)
    assert pixels(result) <= pixels(GRASS)
    assert result[:, 50:].mean() > result[:, :40].mean() + 20


@pytest.mark.parametrize("options", [{"block": 97}, {"block": 1}, {"block": 12, "overlap": 7}, {"overlap": 0}])
def test_senseless_sizes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected 2 <= block"):
        quilt(GRASS, (50, 50), **options)


def test_senseless_textures_and_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 x 2"):
        quilt(GRASS[:1], (5, 5))
    with pytest.raises(ValueError, match="shape"):
        quilt(GRASS, (0, 5))
    with pytest.raises(ValueError, match="whole pixels"):
        quilt(np.zeros((9, 9)), (5.5, 5))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"block must be an integer, got 4\.5"):
        quilt(np.zeros((9, 9)), (5, 5), block=4.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="alpha"):
        transfer_texture(GRASS, GRASS, alpha=2)
