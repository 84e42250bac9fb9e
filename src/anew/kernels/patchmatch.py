"""PatchMatch: find, for each patch of one image, a patch of another that looks alike, and vote with what was found.

Barnes, Shechtman, Finkelstein and Goldman, "PatchMatch: a randomized correspondence algorithm for structural image
editing", SIGGRAPH 2009: a good match of a patch, shifted alike, is a good guess for its neighbour (propagation), and
better ones are sought around the best so far in windows of halving size (random search). One thread scans in order,
so a seed fixes the result.

Patches are named by their top left pixel and lie inside their image; the distance of two patches is the sum of
squared differences of all their values. Images are (H, W, F): F is channels and whatever features are compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Mask
from anew.kernels.compiling import kernel

Features = NDArray[np.float32]
Places = NDArray[np.int32]
FAR = np.float32(3.0e38)


@kernel
def search(
    target: Features,
    source: Features,
    patch: tuple[int, int],
    places: Places,
    index: Places,
    valid: Mask,
    weights: Features,
    field: Places,
    distance: Features,
    n_iter: int,
    state: NDArray[np.uint64],
) -> None:
    """Improve a field of correspondences.

    Parameters
    ----------
    target : (H, W, F) float32 array
    source : (h, w, F) float32 array
        May be the same array.
    patch : (height, width)
        Size of a patch in pixels.
    places : (N, 2) int32 array
        Row and column of the patches of the target that seek a match, in scan order.
    index : (H - height + 1, W - width + 1) int32 array
        Number of the patch that begins there, -1 where none does.
    valid : (h - height + 1, w - width + 1) bool array
        Where a patch of the source may be taken.
    weights : (H, W) float32 array, or (0, 0)
        Weight of each pixel of the target in the distance, which is then divided by their sum; empty: all 1.
    field : (N, 2) int32 array, in and out
        Row and column of the match of each patch, a valid one.
    distance : (N,) float32 array, in and out
        Their distances, as ``measure`` gives them.
    n_iter : int
        Scans; their direction alternates.
    state : (1,) uint64 array, in and out
        Of the random numbers; not 0.
    """
    rows, columns = valid.shape
    count = places.shape[0]
    for iteration in range(n_iter):
        step = 1 - 2 * (iteration % 2)
        for i in range(count):
            n = i if step == 1 else count - 1 - i
            y, x = places[n, 0], places[n, 1]
            best_y, best_x, best = field[n, 0], field[n, 1], distance[n]
            for axis in range(2):
                near_y, near_x = (y - step, x) if axis == 0 else (y, x - step)
                if not (0 <= near_y < index.shape[0] and 0 <= near_x < index.shape[1]):
                    continue
                near = index[near_y, near_x]
                if near < 0:
                    continue
                new_y, new_x = field[near, 0] + y - near_y, field[near, 1] + x - near_x
                if (new_y == best_y and new_x == best_x) or not (0 <= new_y < rows and 0 <= new_x < columns):
                    continue
                if valid[new_y, new_x]:
                    d = _distance(target, source, patch, y, x, new_y, new_x, weights, best)
                    if d < best:
                        best_y, best_x, best = new_y, new_x, d
            radius = max(rows, columns)
            while radius >= 1:
                new_y = best_y + np.int64((2 * _random(state) - 1) * radius)
                new_x = best_x + np.int64((2 * _random(state) - 1) * radius)
                radius //= 2
                if 0 <= new_y < rows and 0 <= new_x < columns and valid[new_y, new_x]:
                    d = _distance(target, source, patch, y, x, new_y, new_x, weights, best)
                    if d < best:
                        best_y, best_x, best = new_y, new_x, d
            field[n, 0], field[n, 1], distance[n] = best_y, best_x, best


@kernel
def measure(
    target: Features,
    source: Features,
    patch: tuple[int, int],
    places: Places,
    weights: Features,
    field: Places,
    distance: Features,
) -> None:
    """Compute the distance of each patch to its match; arguments as in ``search``."""
    for n in range(places.shape[0]):
        distance[n] = _distance(
            target, source, patch, places[n, 0], places[n, 1], field[n, 0], field[n, 1], weights, FAR
        )


@kernel
def _distance(
    target: Features,
    source: Features,
    patch: tuple[int, int],
    y: int,
    x: int,
    source_y: int,
    source_x: int,
    weights: Features,
    limit: np.float32,
) -> np.float32:
    """Give the distance of two patches, or anything above the limit if it is above it."""
    if weights.size > 0:
        return _weighted_distance(target, source, patch, y, x, source_y, source_x, weights)
    height, width = patch
    depth = target.shape[2]
    a, b = target.ravel(), source.ravel()
    length = np.uint64(width * depth)
    total = np.float32(0)
    for k in range(height):
        here = np.uint64(((y + k) * target.shape[1] + x) * depth)
        there = np.uint64(((source_y + k) * source.shape[1] + source_x) * depth)
        for i in range(length):
            difference = a[here + i] - b[there + i]
            total += difference * difference
        if total > limit:
            return total
    return total


@kernel
def _weighted_distance(
    target: Features,
    source: Features,
    patch: tuple[int, int],
    y: int,
    x: int,
    source_y: int,
    source_x: int,
    weights: Features,
) -> np.float32:
    total, known = np.float32(0), np.float32(0)
    for k in range(patch[0]):
        for j in range(patch[1]):
            w = weights[y + k, x + j]
            if w > 0:
                for f in range(target.shape[2]):
                    difference = target[y + k, x + j, f] - source[source_y + k, source_x + j, f]
                    total += w * difference * difference
                known += w
    return total / known if known > 0 else np.float32(0)


@kernel
def _random(state: NDArray[np.uint64]) -> float:
    """Give a number in [0, 1): xorshift64* (Vigna, ACM Trans. Math. Software 42 (2016))."""
    s = state[0]
    s ^= s >> np.uint64(12)
    s ^= s << np.uint64(25)
    s ^= s >> np.uint64(27)
    state[0] = s
    return np.float64((s * np.uint64(2685821657736338717)) >> np.uint64(40)) / 16777216.0


@kernel
def vote(
    source: Features,
    patch: tuple[int, int],
    pixels: Places,
    index: Places,
    field: Places,
    distance: Features,
    confidence: Features,
    quantile: float,
    result: Features,
) -> None:
    """Estimate pixels from the matches of all patches that hold them.

    Each patch says what its match has in that place; the mean is weighted by confidence * exp(-distance / 2 sigma^2),
    sigma^2 being a quantile of the distances of these patches (Wexler, Shechtman and Irani, IEEE TPAMI 29 (2007)).

    Parameters
    ----------
    source : (h, w, F) float32 array
    patch : (height, width)
    pixels : (M, 2) int32 array
        Row and column of the pixels to estimate.
    index, field, distance
        As in ``search``.
    confidence : (N,) float32 array
        Weight of each patch.
    quantile : float in [0, 1]
        Near 0 the best patch decides alone and the result is sharp; 0.75 gives a smooth one.
    result : (M, F) float32 array, out
        Pixels that no patch holds keep what stands there.
    """
    height, width = patch
    numbers = np.empty(height * width, np.int64)
    ordered = np.empty(height * width, np.float32)
    depth = source.shape[2]
    for m in range(pixels.shape[0]):
        y, x = pixels[m, 0], pixels[m, 1]
        count = 0
        for top in range(max(0, y - height + 1), min(y + 1, index.shape[0])):
            for left in range(max(0, x - width + 1), min(x + 1, index.shape[1])):
                n = index[top, left]
                if n >= 0 and confidence[n] > 0:
                    numbers[count] = ((y - top) * width + x - left) + n * height * width
                    i = count
                    while i > 0 and ordered[i - 1] > distance[n]:
                        ordered[i] = ordered[i - 1]
                        i -= 1
                    ordered[i] = distance[n]
                    count += 1
        if count == 0:
            continue
        variance = max(ordered[np.int64(quantile * (count - 1))], np.float32(1e-12))
        least = ordered[0]
        total = np.float32(0)
        result[m, :] = 0
        for i in range(count):
            n, place = numbers[i] // (height * width), numbers[i] % (height * width)
            w = confidence[n] * np.exp((least - distance[n]) / (2 * variance))
            from_y, from_x = field[n, 0] + place // width, field[n, 1] + place % width
            for f in range(depth):
                result[m, f] += w * source[from_y, from_x, f]
            total += w
        for f in range(depth):
            result[m, f] /= total


@kernel
def nearest(
    planes: Features,
    known: Mask,
    valid: Mask,
    corner: tuple[int, int],
    patch: tuple[int, int],
    window: tuple[int, int, int, int],
) -> tuple[int, int]:
    """Find the patch that differs least from the known part of another: all are tried, a row of them at a time.

    Parameters
    ----------
    planes : (F, H, W) float32 array
    known : (H, W) bool array
    valid : bool array
        Where a patch may be taken.
    corner, patch : (int, int)
        Top left pixel and size of the patch.
    window : (first row, end row, first column, end column)
        Where matches may begin.

    Returns
    -------
    (row, column) of the best, (-1, -1) if the window holds no valid one
    """
    top, left = corner
    start, count = window[2], window[3] - window[2]
    total = np.empty(count, np.float32)
    best, best_y, best_x = FAR, -1, -1
    for y in range(window[0], window[1]):
        for x in range(count):
            total[x] = np.float32(0) if valid[y, start + x] else FAR
        least = np.float32(0)
        for k in range(patch[0]):
            for j in range(patch[1]):
                if known[top + k, left + j]:
                    for f in range(planes.shape[0]):
                        wanted = planes[f, top + k, left + j]
                        values = planes[f, y + k, start + j : start + j + count]
                        for x in range(count):
                            difference = values[x] - wanted
                            total[x] += difference * difference
            least = total.min()
            if least >= best:
                break
        if least < best:
            best, best_y, best_x = least, y, start + int(np.argmin(total))
    return best_y, best_x
