"""The receptive field, measured: one input pixel is changed at a time, and the change of every output recorded.

Luo, Li, Urtasun and Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", NeurIPS
2016. They take the gradient of one output; we take finite changes of one input, which need no gradient, and average
them over all places of the input pixel within the network's grid, because a network with strides or pixel-unshuffles
answers differently at each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Respond = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SHARES = (0.5, 0.9, 0.99)
STEP = 0.1  # size of a change, in units of the range; much smaller ones drown in the rounding of float32


@dataclass(frozen=True)
class ReceptiveField:
    """How much an output pixel depends on the input pixels around it.

    Attributes
    ----------
    influence : (2 R + 1, 2 R + 1) float64 array, >= 0
        Mean |change of the output| per |change of the input|, both summed over channels, by the offset of the input
        pixel from the output pixel, -R to R, down and right. Where an output pixel is a cell of r x r input pixels,
        the offset is from the cell's first one.
    cell : int
        That r; 1 for outputs as fine as the input or finer.
    radius : dict of float to float
        Share of the influence -> half the side in pixels, less one half, of the smallest centred square that holds it.
    support : (int, int)
        Height and width in pixels of the smallest rectangle with all the influence, over all places in the grid.
    cut : bool
        Whether the support reaches the edge of what could be measured.
    """

    influence: NDArray[np.float64]
    cell: int
    radius: dict[float, float]
    support: tuple[int, int]
    cut: bool


def measure_receptive_field(
    respond: Respond, image: NDArray[np.float32], *, phases: int = 8, step: float = STEP, rng: int = 0
) -> ReceptiveField:
    """Change single pixels around the middle of an image and average |response| by offset.

    Parameters
    ----------
    respond : callable
        (1, C, H, W) float32 in [0, 1] to (1, C', H', W'): sides equal, whole multiples, whole parts, or a little less
        for want of padding.
    image : (C, H, W) float32 array
        What the network is looking at when it is disturbed.
    phases : int >= 1
        The period of the network's grid in pixels; ``phases ** 2`` neighbouring pixels are changed.
    step : float > 0
        The change; each channel gets its own, between half of it and all of it.
    rng : int

    Returns
    -------
    ReceptiveField
    """
    return _disturb(respond, image, phases, step, rng, diagonal=False)


def measure_support(respond: Respond, image: NDArray[np.float32], *, phases: int = 8) -> ReceptiveField:
    """Find the support alone: the same along the diagonal of the grid, with changes of the whole range."""
    return _disturb(respond, image, phases, 1.0, 0, diagonal=True)


def _disturb(
    respond: Respond, image: NDArray[np.float32], phases: int, step: float, seed: int, *, diagonal: bool
) -> ReceptiveField:
    generator = np.random.default_rng(seed)
    channels, height, width = image.shape
    before = np.asarray(respond(image[None]), np.float64)[0]
    grid = _Grid.between((height, width), before.shape[1:])
    phases = min(max(1, -(-phases // grid.cell)) * grid.cell, height, width)
    top, left = ((side - phases + 1) // 2 // phases * phases for side in (height, width))
    reach = max(top, left, height - top - 1, width - left - 1)
    influence = np.zeros((2 * reach + 1, 2 * reach + 1))
    places = [(i, i) for i in range(phases)] if diagonal else list(np.ndindex(phases, phases))
    for y, x in ((top + down, left + right) for down, right in places):
        disturbed = image.copy()
        disturbed[:, y, x] += np.asarray(generator.uniform(0.5, 1, channels) * step, np.float32)
        after = np.asarray(respond(disturbed[None]), np.float64)[0]
        delta = np.abs(disturbed[:, y, x] - image[:, y, x]).sum(dtype=np.float64)
        change = grid.on_input(np.abs(after - before).sum(axis=0) / delta)
        rows, columns = reach + y - np.arange(height), reach + x - np.arange(width)
        near_rows, near_columns = (abs(i - reach) <= reach for i in (rows, columns))
        influence[np.ix_(rows[near_rows], columns[near_columns])] += change[np.ix_(near_rows, near_columns)]
    influence /= len(places) / grid.cell**2
    margins = (min(top, height - top - phases), min(left, width - left - phases))
    found = _summary(influence, grid.cell, margins)
    return replace(found, cut=True) if 1 in (height, width) else found  # beside a single row nothing could be seen


def _summary(influence: NDArray[np.float64], cell: int, margins: tuple[int, int]) -> ReceptiveField:
    """Find the squares and the support; ``margins``: offsets that every changed pixel could be seen at."""
    reach = influence.shape[0] // 2
    distance = np.abs(np.arange(-reach, reach + 1) - (cell - 1) / 2)
    square = np.maximum(distance[:, None], distance[None, :])
    radii = np.unique(square)
    within = np.cumsum([influence[square == r].sum() for r in radii])
    whole = within[-1]
    radius = {
        share: float(radii[np.argmax(within >= share * whole * (1 - 1e-12))]) if whole > 0 else 0.0 for share in SHARES
    }
    rows, columns = (np.flatnonzero(influence.sum(axis=axis) > 0) for axis in (1, 0))
    support = tuple(int(places[-1] - places[0] + 1) if len(places) else 0 for places in (rows, columns))
    far = [max(reach - places[0], places[-1] - reach) if len(places) else 0 for places in (rows, columns)]
    cut = any(furthest >= margin > 0 or margin == 0 < furthest for furthest, margin in zip(far, margins, strict=True))
    return ReceptiveField(influence, cell, radius, (support[0], support[1]), cut)


@dataclass(frozen=True)
class _Grid:
    """How the pixels of an output lie on those of the input."""

    shape: tuple[int, int]  # of the input
    cell: int  # input pixels per output pixel
    scale: int  # output pixels per input pixel
    start: tuple[int, int]  # input pixel on which the first output pixel lies

    @classmethod
    def between(cls, shape: tuple[int, int], out: tuple[int, ...]) -> _Grid:
        """Compare the sizes of input and output."""
        if out[0] >= 2 * shape[0]:
            return cls(shape, 1, out[0] // shape[0], (0, 0))
        cell = max(1, round(shape[0] / out[0]))
        start = ((shape[0] - out[0] * cell) // 2, (shape[1] - out[1] * cell) // 2)
        return cls(shape, cell, 1, (max(0, start[0]), max(0, start[1])))

    def on_input(self, change: NDArray[np.float64]) -> NDArray[np.float64]:
        """Lay an (H', W') output on the (H, W) input: fine pixels averaged, coarse ones on their cell's first pixel."""
        height, width = self.shape
        if self.scale > 1:
            blocks = change[: height * self.scale, : width * self.scale]
            return blocks.reshape(height, self.scale, width, self.scale).mean(axis=(1, 3))
        laid = np.zeros(self.shape)
        rows = self.start[0] + self.cell * np.arange(change.shape[0])
        columns = self.start[1] + self.cell * np.arange(change.shape[1])
        inside_rows, inside_columns = rows < height, columns < width
        laid[np.ix_(rows[inside_rows], columns[inside_columns])] = change[np.ix_(inside_rows, inside_columns)]
        return laid
