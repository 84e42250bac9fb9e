"""Image quilting: a new texture sewn from blocks of a given one, cut where neighbours differ least.

Efros and Freeman, "Image quilting for texture synthesis and transfer", SIGGRAPH 2001.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anew.arrays import Image, Mask, as_image, like, luminance
from anew.generation.rules.canvas import Shape, check_shape
from anew.randomness import as_generator

TOLERANCE = 0.1  # a block is drawn from those with an error up to (1 + this) times the least
FLOOR = 1e-4  # of the least error, per value: exact copies would otherwise leave no choice


def quilt(
    texture: ArrayLike,
    shape: tuple[int, int],
    *,
    block: int | None = None,
    overlap: int | None = None,
    rng: int | np.random.Generator | None = 0,
) -> NDArray[np.generic]:
    """Synthesise a texture of any size.

    Parameters
    ----------
    texture : (h, w) or (h, w, C) array of uint8, uint16, bool or float
    shape : (H, W)
        Size of the result in pixels.
    block : int in [2, min(h, w)], optional
        Side of a block, a little more than the largest distinct detail; a sixth of the texture if not given.
    overlap : int in [1, block // 2], optional
        Of neighbouring blocks; a sixth of a block if not given, as in the paper.
    rng : int, Generator or None

    Returns
    -------
    (H, W) or (H, W, C) array of the same dtype; every pixel is one of the texture's

    Examples
    --------
    >>> import skimage.data
    >>> quilt(skimage.data.grass()[:128, :128], (200, 300)).shape
    (200, 300)
    """
    x = as_image(texture)
    block, overlap = _sizes(x, block, overlap)
    sewn = _sew(np.atleast_3d(x), shape, block, overlap, as_generator(rng), None, 1.0)
    return like(sewn.reshape(*shape, *x.shape[2:]), texture)


def transfer_texture(
    texture: ArrayLike,
    image: ArrayLike,
    *,
    block: int | None = None,
    overlap: int | None = None,
    alpha: float = 0.5,
    rng: int | np.random.Generator | None = 0,
) -> NDArray[np.generic]:
    """Draw an image with the blocks of a texture: bright ones where it is bright (section 3 of the paper, one pass).

    Parameters
    ----------
    texture : (h, w) or (h, w, C) array
    image : (H, W) or (H, W, D) array
        Its luminance, with its histogram matched in mean and spread, is what the blocks should resemble.
    block, overlap, rng
        As in ``quilt``.
    alpha : float in [0, 1]
        Weight of a smooth texture against the likeness to the image.

    Returns
    -------
    (H, W) or (H, W, C) array, channels and dtype of the texture
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in [0, 1], got {alpha}")
    x, guide = as_image(texture), luminance(as_image(image))
    block, overlap = _sizes(x, block, overlap)
    grey = luminance(x)
    guide = (guide - guide.mean()) * (grey.std() / max(float(guide.std()), 1e-6)) + grey.mean()
    sewn = _sew(
        np.atleast_3d(x),
        (guide.shape[0], guide.shape[1]),
        block,
        overlap,
        as_generator(rng),
        guide.astype(np.float32),
        alpha,
    )
    return like(sewn.reshape(*guide.shape, *x.shape[2:]), texture)


def _sizes(x: Image, block: int | None, overlap: int | None) -> tuple[int, int]:
    for name, value in (("block", block), ("overlap", overlap)):
        if value is not None and not isinstance(value, int | np.integer):
            raise ValueError(f"{name} must be an integer, got {value!r}")
    side = min(x.shape[:2])
    if side < 2:
        raise ValueError(f"expected a texture of at least 2 x 2 pixels, got {x.shape[0]} x {x.shape[1]}")
    block = min(max(side // 6, 8), side) if block is None else block
    overlap = max(block // 6, 1) if overlap is None else overlap
    if not 2 <= block <= side or not 1 <= overlap <= block // 2:
        raise ValueError(
            f"expected 2 <= block <= {side}, the shorter side, and 1 <= overlap <= block / 2; got {block} and {overlap}"
        )
    return block, overlap


def _sew(
    texture: Image,
    shape: Shape,
    block: int,
    overlap: int,
    rng: np.random.Generator,
    guide: Image | None,
    alpha: float,
) -> Image:
    """Lay blocks row by row: draw one that fits what lies there, cut along the least difference."""
    check_shape(shape)
    step = block - overlap
    rows, columns = (max(1, -(-(n - overlap) // step)) for n in shape)
    canvas = np.zeros((rows * step + overlap, columns * step + overlap, texture.shape[2]), np.float32)
    errors, grey_errors = _matcher(texture, block), None
    if guide is not None:
        grey_errors = _matcher(luminance(texture)[:, :, None], block)
        grown = [(0, max(0, n - m)) for n, m in zip(canvas.shape, guide.shape, strict=False)]
        guide = np.pad(guide, grown, mode="edge")[:, :, None]
    for i in range(rows):
        for j in range(columns):
            box = np.s_[i * step : i * step + block, j * step : j * step + block]
            laid = np.zeros((block, block), bool)
            laid[:overlap] = i > 0
            laid[:, :overlap] |= j > 0
            error = alpha * errors(canvas[box], laid)
            if guide is not None and grey_errors is not None:
                error += (1 - alpha) * grey_errors(guide[box], np.ones_like(laid))
            top, left = _draw(error, laid.sum() * texture.shape[2], rng)
            new = texture[top : top + block, left : left + block]
            keep = _cut(np.sum((new - canvas[box]) ** 2, axis=2), overlap, above=i > 0, beside=j > 0)
            canvas[box][~keep] = new[~keep]
    return canvas[: shape[0], : shape[1]]


def _matcher(texture: Image, block: int) -> Callable[[Image, Mask], NDArray[np.float64]]:
    """Make a function of a block and of where it counts: its summed squared differences to each block of a texture.

    sum (t - w)^2 = sum t^2 - 2 sum t w + sum w^2 over the places that count: correlations, of whose Fourier transforms
    those of the texture are computed once.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2

    height, width = (side - block + 1 for side in texture.shape[:2])
    size = [next_fast_len(side, real=True) for side in texture.shape[:2]]
    planes = np.moveaxis(texture.astype(np.float64), 2, 0)
    transformed, squares = rfft2(planes, size), rfft2((planes**2).sum(axis=0), size)
    energies: dict[bytes, NDArray[np.float64]] = {}  # few places count in turn: nothing, left, above, both

    def correlated(spectrum: NDArray[np.complex128]) -> NDArray[np.float64]:
        return np.asarray(irfft2(spectrum, size)[:height, :width])

    def errors(wanted: Image, where: Mask) -> NDArray[np.float64]:
        if not where.any():
            return np.zeros((height, width))
        key = where.tobytes()
        if key not in energies:
            energies[key] = correlated(squares * rfft2(where.astype(np.float64), size).conj())
        w = np.moveaxis(np.where(where[:, :, None], wanted, 0).astype(np.float64), 2, 0)
        across = correlated((transformed * rfft2(w, size).conj()).sum(axis=0))
        return np.maximum(energies[key] - 2 * across + np.sum(w**2), 0)

    return errors


def _draw(error: NDArray[np.float64], values: int, rng: np.random.Generator) -> tuple[int, int]:
    good = np.argwhere(error <= (1 + TOLERANCE) * (error.min() + FLOOR * values))
    top, left = good[rng.integers(len(good))]
    return int(top), int(left)


def _cut(difference: NDArray[np.floating], overlap: int, *, above: bool, beside: bool) -> Mask:
    """Tell which pixels of a block stay as they were laid: those before the cuts of least error."""
    keep = np.zeros(difference.shape, bool)
    if beside:
        keep |= np.arange(difference.shape[1]) < cheapest_path(difference[:, :overlap])[:, None]
    if above:
        keep |= np.arange(difference.shape[0])[:, None] < cheapest_path(difference[:overlap].T)
    return keep


def cheapest_path(cost: NDArray[np.floating]) -> NDArray[np.intp]:
    """Find the path from the first row to the last, to neighbours only, with the least sum (dynamic programming).

    Parameters
    ----------
    cost : (n, m) float array

    Returns
    -------
    (n,) int array of columns
    """
    rows, columns = cost.shape
    total = np.array(cost, np.float64)
    for i in range(1, rows):
        before = np.pad(total[i - 1], 1, constant_values=np.inf)
        total[i] += np.minimum(np.minimum(before[:-2], before[1:-1]), before[2:])
    path = np.empty(rows, np.intp)
    path[-1] = np.argmin(total[-1])
    for i in range(rows - 2, -1, -1):
        first = max(0, path[i + 1] - 1)
        path[i] = first + np.argmin(total[i, first : min(columns, path[i + 1] + 2)])
    return path
