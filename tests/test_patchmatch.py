"""PatchMatch: what is known without it: copies are found at distance 0, a shift is found as that shift."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from anew.kernels.patchmatch import FAR, measure, nearest, search, vote

NO_WEIGHTS = np.empty((0, 0), np.float32)
PATCH = (5, 5)


def texture(height: int, width: int, depth: int = 2, seed: int = 0) -> np.ndarray:
    """Smooth random texture: neighbouring patches look alike, far ones do not."""
    noise = np.random.default_rng(seed).normal(size=(height, width, depth))
    return gaussian_filter(noise, (1.5, 1.5, 0)).astype(np.float32)


def find(target: np.ndarray, source: np.ndarray, *, seed: int = 1, n_iter: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Match all patches; start from random ones. Gives the field, (H - 4, W - 4, 2), and the distances."""
    rows, columns = target.shape[0] - 4, target.shape[1] - 4
    places = np.argwhere(np.ones((rows, columns), bool)).astype(np.int32)
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    valid = np.ones((source.shape[0] - 4, source.shape[1] - 4), bool)
    field = np.random.default_rng(seed).integers(0, valid.shape, (len(places), 2)).astype(np.int32)
    distance = np.empty(len(places), np.float32)
    measure(target, source, PATCH, places, NO_WEIGHTS, field, distance)
    state = np.array([seed], np.uint64)
    search(target, source, PATCH, places, index, valid, NO_WEIGHTS, field, distance, n_iter, state)
    return field.reshape(rows, columns, 2), distance.reshape(rows, columns)


def test_every_patch_of_an_image_is_found_in_it() -> None:
    image = texture(40, 50)
    field, distance = find(image, image)
    assert (distance == 0).mean() > 0.98
    identity = np.moveaxis(np.mgrid[0:36, 0:46], 0, -1)
    assert (field == identity).all(axis=2).mean() > 0.98


def test_a_copy_is_found_where_it_was_copied_to() -> None:
    source = texture(60, 70)
    target = np.ascontiguousarray(source[20:50, 30:65])
    field, distance = find(target, source)
    shift = field - np.moveaxis(np.mgrid[0:26, 0:31], 0, -1)
    assert (shift == [20, 30]).all(axis=2).mean() > 0.98
    assert (distance == 0).mean() > 0.98


def test_distances_are_sums_of_squared_differences_and_never_grow() -> None:
    target, source = texture(24, 25, seed=3), texture(30, 28, seed=4)
    few, many = find(target, source, n_iter=1), find(target, source, n_iter=6)
    assert (many[1] <= few[1]).all()
    (y, x), field = (7, 9), many[0]
    a = target[y : y + 5, x : x + 5]
    top, left = field[y, x]
    b = source[top : top + 5, left : left + 5]
    np.testing.assert_allclose(many[1][y, x], np.sum((a - b) ** 2), rtol=1e-4)


def test_the_search_is_nearly_exhaustive() -> None:
    target, source = texture(24, 25, seed=3), texture(30, 28, seed=4)
    _, distance = find(target, source, n_iter=20)
    windows = np.lib.stride_tricks.sliding_window_view
    a = windows(target, PATCH, axis=(0, 1)).reshape(-1, 50).astype(np.float64)
    b = windows(source, PATCH, axis=(0, 1)).reshape(-1, 50).astype(np.float64)
    best = np.min((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, axis=1).reshape(distance.shape)
    assert (distance >= best - 1e-4).all()
    assert distance.mean() < 1.1 * best.mean()


def test_invalid_patches_are_never_taken_and_weights_hide_pixels() -> None:
    source = texture(30, 30)
    target = source[5:15, 5:15].copy()
    target[4] = 9  # one wrong pixel row
    weights = np.ones((10, 10), np.float32)
    weights[4] = 0
    places = np.array([[2, 2]], np.int32)
    index = np.full((6, 6), -1, np.int32)
    index[2, 2] = 0
    for hidden in (False, True):
        valid = np.ones((26, 26), bool)
        valid[7, 7] = not hidden
        field, distance = np.zeros((1, 2), np.int32), np.full(1, FAR, np.float32)
        state = np.array([5], np.uint64)
        search(target, source, PATCH, places, index, valid, weights, field, distance, 400, state)
        assert (field[0].tolist() == [7, 7]) is not hidden
        assert (distance[0] == 0) is not hidden


def test_votes_are_weighted_means() -> None:
    source = np.arange(20, dtype=np.float32).reshape(1, 20, 1)
    index = np.array([[-1, -1, 0, 1]], np.int32)  # two patches of 1 x 2 hold pixel 3
    field = np.array([[0, 5], [0, 10]], np.int32)
    pixels = np.array([[0, 3], [0, 0]], np.int32)
    result = np.full((2, 1), -1, np.float32)
    equal = np.array([0.5, 0.5], np.float32)
    vote(source, (1, 2), pixels, index, field, equal, np.array([1, 3], np.float32), 0.5, result)
    np.testing.assert_allclose(result, [[(1 * 6 + 3 * 10) / 4], [-1]], rtol=1e-6)
    unequal = np.array([0.5, 1.5], np.float32)
    vote(source, (1, 2), pixels, index, field, unequal, np.ones(2, np.float32), 0.0, result)
    w = np.exp(-(1.5 - 0.5) / (2 * 0.5))
    np.testing.assert_allclose(result[0, 0], (6 + w * 10) / (1 + w), rtol=1e-5)


def test_the_nearest_patch_is_that_of_all_comparisons() -> None:
    rng = np.random.default_rng(0)
    image = texture(40, 50)
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0))
    known, valid = rng.random((40, 50)) < 0.6, rng.random((36, 46)) < 0.5
    windows = np.lib.stride_tricks.sliding_window_view(image, PATCH, axis=(0, 1))  # (36, 46, F, 5, 5)
    for top, left, window in ((7, 9, (0, 36, 0, 46)), (35, 0, (20, 36, 0, 11)), (0, 45, (0, 3, 30, 46))):
        differs = (windows - windows[top, left]) ** 2 * known[top : top + 5, left : left + 5]
        distance = np.where(valid, differs.sum(axis=(2, 3, 4)), np.inf)
        part = distance[window[0] : window[1], window[2] : window[3]]
        y, x = np.unravel_index(np.argmin(part), part.shape)
        assert nearest(planes, known, valid, (top, left), PATCH, window) == (window[0] + y, window[2] + x)
    assert nearest(planes, known, np.zeros_like(valid), (0, 0), PATCH, (0, 36, 0, 46)) == (-1, -1)
