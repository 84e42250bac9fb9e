"""Non-local means: each pixel becomes the average of pixels whose surroundings look like its own.

Buades, Coll and Morel, A non-local algorithm for image denoising, CVPR 2005; patch distances for one offset at a time
as in Darbon et al., ISBI 2008. Colour: one distance over all channels, one weight for all of them.

On BSD68 grey at sigma 25 (every 12th image): 28.11 dB here; 27.97 at 9 times the time by scikit-image's fast mode, and
27.62 at twice the time or more by OpenCV, which takes integers only and squeezes the noise into their range.

Deviation: the weight exp(-t) is replaced by (1 - t / 64)^64, zero from t = 64 on, which the compiler turns into vector
instructions; below t = 3, where weights matter, the two differ by less than 7%.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.kernels.compiling import kernel
from anew.options import NotNegative, Odd, Positive, checked_arguments
from anew.threads import thread_count

STRIP_ROWS = 24  # a strip and its buffers stay in the second-level cache
# Tuned for PSNR on photographs: h = factor sigma / (sqrt(patch) channels^power), and a wider patch above a sigma that
# grows with the square root of the channels: they give the distance more to go by.
H_FACTOR, H_CHANNEL_POWER = 1.6, 0.19
WIDE_PATCH_FROM = 0.12


@checked_arguments
def denoise_nlm(
    image: Image, sigma: NotNegative, *, patch: Odd | None = None, search: Odd = 15, h: Positive | None = None
) -> Image:
    """Average pixels by the likeness of the patches around them.

    Use it for large pictures that repeat themselves, when ``"bm3d"`` is too slow: fifteen times as fast, two decibels
    behind.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    sigma : float >= 0
        Standard deviation of the noise, in units of the range [0, 1]. 0 changes nothing.
    patch : odd int >= 1, optional
        Side of the patches that are compared, in pixels. Default: 3, with much noise 5.
    search : odd int >= 1
        Side of the window in which alike patches are looked for, in pixels.
    h : float > 0, optional
        How far patches may differ, root mean square beyond the noise, before they lose weight; in units of the range.
        Default: a measured multiple of ``sigma``.

    Returns
    -------
    float32 array of the same shape; the image is mirrored at its border, edge pixel included
    """
    x = np.atleast_3d(image)
    height, width, channels = x.shape
    if patch is None:
        patch = 3 if sigma < WIDE_PATCH_FROM * np.sqrt(channels) else 5
    h = H_FACTOR * sigma / (np.sqrt(patch) * channels**H_CHANNEL_POWER) if h is None else h
    if h == 0:
        return image.copy()
    margin = patch // 2 + search // 2
    padded = np.pad(x, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
    planes = np.ascontiguousarray(padded.transpose(2, 0, 1))
    # t = max(mean squared difference - 2 sigma², 0) / h²; two noisy patches of one scene differ by 2 sigma².
    unit = np.float32(1 / (h * np.sqrt(channels) * patch))
    expected = np.float32(2 * (sigma / h) ** 2)
    result = np.empty((channels, height, width), np.float32)

    def run(top: int) -> None:
        _strip(planes, unit, expected, patch // 2, search // 2, top, min(top + STRIP_ROWS, height), result)

    with ThreadPoolExecutor(thread_count()) as pool:
        list(pool.map(run, range(0, height, STRIP_ROWS)))
    return np.ascontiguousarray(result.transpose(1, 2, 0)).reshape(image.shape)


@kernel
def _strip(
    planes: NDArray[np.float32],
    unit: np.float32,
    expected: np.float32,
    p: int,
    s: int,
    top: int,
    bottom: int,
    result: NDArray[np.float32],
) -> None:
    """Denoise rows top to bottom: planes (C, H + 2 (p + s), W + 2 (p + s)), patch radius p, search radius s."""
    channels, rows, width = planes.shape[0], bottom - top, result.shape[2]
    m = p + s
    total = np.zeros((channels, rows, width), np.float32)
    weights = np.zeros((rows, width), np.float32)
    squares = np.empty((rows + 2 * p, width + 2 * p), np.float32)
    column, weight = np.empty(width + 2 * p, np.float32), np.empty(width, np.float32)
    for dy in range(-s, s + 1):
        for dx in range(-s, s + 1):
            _square_differences(planes, (top + s, s), (dy, dx), unit, squares)
            for i in range(rows):
                _weigh(squares[i : i + 2 * p + 1], expected, column, weight)
                sums = weights[i]
                for j in range(width):
                    sums[j] += weight[j]
                for c in range(channels):
                    values, accumulator = planes[c, top + m + i + dy, m + dx : m + dx + width], total[c, i]
                    for j in range(width):
                        accumulator[j] += weight[j] * values[j]
    for c in range(channels):
        for i in range(rows):
            for j in range(width):
                result[c, top + i, j] = total[c, i, j] / weights[i, j]


@kernel
def _square_differences(
    planes: NDArray[np.float32],
    corner: tuple[int, int],
    offset: tuple[int, int],
    unit: np.float32,
    squares: NDArray[np.float32],
) -> None:
    """Compare a rectangle of (C, H, W) planes with another at an offset: sums over the channels, in given units."""
    (y, x), (dy, dx), width = corner, offset, squares.shape[1]
    for i in range(squares.shape[0]):
        row = squares[i]
        row[:] = np.float32(0)
        for c in range(planes.shape[0]):
            here, there = planes[c, y + i, x : x + width], planes[c, y + i + dy, x + dx : x + dx + width]
            for j in range(width):
                d = (here[j] - there[j]) * unit
                row[j] += d * d


@kernel
def _weigh(
    squares: NDArray[np.float32], expected: np.float32, column: NDArray[np.float32], weight: NDArray[np.float32]
) -> None:
    """Weigh a row of patches by t, the sum of their squared differences less what is expected: (1 - t / 64)^64."""
    side, width = squares.shape[0], weight.size
    column[:] = squares[0]
    for k in range(1, side):
        row = squares[k]
        for j in range(column.size):
            column[j] += row[j]
    weight[:] = -expected
    for k in range(side):
        shifted = column[k : k + width]
        for j in range(width):
            weight[j] += shifted[j]
    one, zero, step = np.float32(1), np.float32(0), np.float32(1 / 64)
    for j in range(width):
        w = max(one - max(weight[j], zero) * step, zero)
        for _ in range(6):
            w *= w
        weight[j] = w
