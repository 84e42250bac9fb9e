"""Saliency by occlusion: blocks of the input are replaced one by one, and the change of the answer is laid on the map.

Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2. It asks the network
nothing but forward runs, and what it shows happened: no gradient is taken for an effect.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Answer = Callable[[NDArray[np.float32]], NDArray[np.float64]]

BATCH = 32


def measure_saliency(
    answer: Answer, image: NDArray[np.float32], *, block: int = 8, stride: int | None = None, fill: float | None = None
) -> NDArray[np.float64]:
    """Cover a block of the input at each place and record how much the answer changes.

    Parameters
    ----------
    answer : callable
        (N, C, H, W) float32 to (N, ...): what is asked about, e.g. one class's score or one region of the result.
    image : (C, H, W) float32 array
    block : int >= 1
        Side of what is covered, in pixels.
    stride : int >= 1, optional
        From one place to the next; by default the blocks lie side by side.
    fill : float, optional
        The grey that covers; by default each channel's mean.

    Returns
    -------
    (H, W) float64 array, >= 0
        Root mean square change of the answer, averaged over the blocks that cover a pixel.
    """
    channels, height, width = image.shape
    stride = block if stride is None else stride
    if block < 1 or not 1 <= stride <= block:
        raise ValueError(f"block must be >= 1 and stride in [1, block], got {block} and {stride}")
    cover = image.mean(axis=(1, 2)) if fill is None else np.full(channels, fill, np.float32)
    before = np.asarray(answer(image[None]), np.float64)[0]
    places = [(y, x) for y in _starts(height, block, stride) for x in _starts(width, block, stride)]
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for first in range(0, len(places), BATCH):
        some = places[first : first + BATCH]
        covered = np.repeat(image[None], len(some), axis=0)
        for picture, (y, x) in zip(covered, some, strict=True):
            picture[:, y : y + block, x : x + block] = cover[:, None, None]
        change = np.asarray(answer(covered), np.float64) - before
        for (y, x), size in zip(some, np.sqrt((change**2).reshape(len(some), -1).mean(axis=1)), strict=True):
            total[y : y + block, x : x + block] += size
            count[y : y + block, x : x + block] += 1
    return total / count


def _starts(side: int, block: int, stride: int) -> list[int]:
    """Give the places of a block along one side, the last one flush with the end."""
    return sorted({*range(0, max(1, side - block + 1), stride), max(0, side - block)})
