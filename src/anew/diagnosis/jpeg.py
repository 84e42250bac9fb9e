"""Was the image saved as JPEG, how hard, and where is the grid of its blocks.

A file says so itself: its quantisation tables are those of Annex K of the JPEG standard, scaled by the quality as
libjpeg does. From pixels alone: the DCT coefficients of a decoded JPEG stand close to multiples of the quantiser steps.
The likelihood of that, relative to a smooth law, is compared over all 100 qualities (after Fan and de Queiroz, IEEE
TIP 12, 2003, who compare the steps of single coefficients).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, across_channels, luminance
from anew.block_dct import blocks_to_coefficients
from anew.diagnosis.finding import Finding
from anew.jpeg_tables import quantisation_table

if TYPE_CHECKING:
    from anew.images import Picture

BLOCK = 8
VISIBLE_QUALITY = 85  # above it the artefacts are too weak to see
LARGE = 1.5  # of 255, for a coefficient; those near 0 are there in any image
# Different sizes of large coefficients, relative to their number. Rounding makes them differ: photographs compressed at
# qualities of 3 to 85 have at least 0.37, a compressed ramp 0.24, drawn ramps up to 0.023, and those fit any quantiser.
LEAST_DIFFERENT = 0.1
LEAST_GAIN = 0.1
# Black on white paper has hardly a block that does not reach white. Clipping moves coefficients by more than rounding
# does; by how much, depends on the quality: (spread, share of outliers).
MOSTLY_CLIPPED, FEWEST_BLOCKS, SOME = 0.5, 300, 1000  # the last two are blocks
LEAST_CLIPPED_GAIN = 0.12  # of 588 clean icons on black and white, 144 pixels a side and more, 2 have more
OTHER_GRIDS = ((4, 4), (2, 5), (5, 3), (3, 2))  # rows and columns away
CLIPPED_LAWS = ((0.4, 0.02), (1.0, 0.1), (2.0, 0.2), (4.0, 0.3))


@dataclass(frozen=True)
class JpegTraces:
    """What compression left in the pixels.

    Attributes
    ----------
    quality : int in [1, 100]
    offset : (int, int)
        Row and column, each in 0..7, of the first corner of a block.
    gain : float
        Mean log-likelihood ratio per coefficient against "never compressed"; 0 is a draw.
    """

    quality: int
    offset: tuple[int, int]
    gain: float


def quality_of_table(table: Sequence[int] | NDArray[np.int64]) -> tuple[int, bool]:
    """Invert libjpeg's scaling: the quality nearest to a luminance table, and whether it is met exactly.

    Parameters
    ----------
    table : 64 ints in natural (row by row) order
    """
    given = np.asarray(table).reshape(BLOCK, BLOCK)
    distances = [int(np.abs(quantisation_table(q) - given).sum()) for q in range(1, 101)]
    best = int(np.argmin(distances))
    return best + 1, distances[best] == 0


def estimate_jpeg_quality(image: Image) -> int | None:
    """Estimate the JPEG quality from pixels alone.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array in [0, 1]
        Decoded, neither resized nor filtered since; it may be cropped.

    Returns
    -------
    int in [1, 100] on libjpeg's scale, or None if there is no trace of compression
    """
    traces = estimate_jpeg_traces(image)
    return None if traces is None else traces.quality


def estimate_jpeg_traces(image: Image) -> JpegTraces | None:
    """Find quality and grid of a JPEG compression in pixels, or None if there are no traces."""
    image = _crop(image)
    if min(image.shape[:2]) < 3 * BLOCK:
        return None
    y = luminance(image) * np.float32(255) - np.float32(128)
    offset = _grid_offset(y)
    every = block_dct(y[offset[0] :, offset[1] :])
    clipped = clipped_blocks(image[offset[0] :, offset[1] :])
    if _repeat(every if clipped.all() else every[~clipped]):
        return None
    if np.mean(clipped) > MOSTLY_CLIPPED:
        gains, least = _clipped_gains(y, every, offset), LEAST_CLIPPED_GAIN
    else:
        gains, least = _quality_gains(every[~clipped]), LEAST_GAIN
    best = int(np.argmax(gains))
    return JpegTraces(best + 1, offset, float(gains[best])) if gains[best] >= least else None


def find_jpeg(picture: Picture) -> Finding | None:
    """Report JPEG compression that is strong enough to be seen, or None.

    The tables of the file are believed; without them (or if they hide an earlier, harder compression) the pixels speak.
    ``details["double"]`` says that it was compressed before, harder than the file's tables tell. It is seen if the last
    compression was much weaker than that one; a hard last compression leaves no trace of what was before.
    """
    tables = picture.facts.jpeg_quantisation
    traces = estimate_jpeg_traces(picture.pixels)
    double = False
    if tables:
        quality, exact = quality_of_table(tables[0])
        source, confidence = ("tables", 1.0) if exact else ("tables, nearest quality", 0.9)
        if traces is not None and traces.quality < quality - 5:
            double = True
            quality, source, confidence = traces.quality, "pixels: saved again since", 0.85
    elif traces is not None:
        quality, source, confidence = traces.quality, "pixels", float(np.clip(0.6 + 0.4 * traces.gain, 0.6, 0.98))
    else:
        return None
    if quality > VISIBLE_QUALITY:
        return None
    strength = "very strongly" if quality < 25 else "strongly" if quality < 60 else "noticeably"
    return Finding(
        kind="jpeg",
        value=float(quality),
        unit="quality",
        confidence=confidence,
        message=f"It was {strength} compressed as JPEG: quality {quality} of 100.",
        details={
            "quality": quality,
            "offset": list(traces.offset if traces else (0, 0)),
            "source": source,
            "double": double,
        },
    )


def _crop(image: Image, side: int = 512) -> Image:
    """Cut the centre out, on a multiple of the block size so that the grid offset stays."""
    top = max(0, (image.shape[0] - side) // 2) // BLOCK * BLOCK
    left = max(0, (image.shape[1] - side) // 2) // BLOCK * BLOCK
    return image[top : top + side, left : left + side]


def clipped_blocks(image: Image) -> NDArray[np.bool_]:
    """Tell which blocks hold a value at the end of the range: clipping moved their coefficients off the lattice."""
    rows, columns = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    planes = np.atleast_3d(image)
    ends = across_channels(np.logical_or, (planes <= 0) | (planes >= 1))
    blocks = ends[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    clipped: NDArray[np.bool_] = blocks.any(axis=(1, 3)).ravel()
    return clipped


def block_dct(y: Image) -> NDArray[np.float32]:
    """Give the orthonormal DCT of all 8 x 8 blocks as (N, 8, 8)."""
    plane = blocks_to_coefficients(_whole_blocks(y))
    blocks = plane.reshape(len(plane) // BLOCK, BLOCK, -1, BLOCK).swapaxes(1, 2)
    return blocks.reshape(-1, BLOCK, BLOCK)


def _whole_blocks(y: Image) -> Image:
    return y[: len(y) // BLOCK * BLOCK, : y.shape[1] // BLOCK * BLOCK]


def _grid_offset(y: Image) -> tuple[int, int]:
    """Find the grid on which most coefficients vanish: quantisation sets them to zero only there."""
    zeros = np.empty((BLOCK, BLOCK))
    for row in range(BLOCK):
        for column in range(BLOCK):
            coefficients = blocks_to_coefficients(_whole_blocks(y[row:, column:]))
            zeros[row, column] = np.mean(np.abs(coefficients) < 0.5)
    best = int(np.argmax(zeros))
    return best // BLOCK, best % BLOCK


def _repeat(coefficients: NDArray[np.float32]) -> bool:
    """Tell whether large (N, 8, 8) coefficients have but a few sizes, exactly: a ramp or a pattern, drawn."""
    sizes = np.abs(coefficients.reshape(-1, BLOCK * BLOCK)[:, 1:])
    large = sizes > LARGE
    which = np.nonzero(large)[1]
    different = np.unique(1e5 * which + np.rint(100 * sizes[large].astype(np.float64)))
    return len(different) < LEAST_DIFFERENT * len(which)


def _clipped_gains(y: Image, coefficients: NDArray[np.float32], offset: tuple[int, int]) -> NDArray[np.float64]:
    """Give the same as `_quality_gains` where most blocks are clipped, less what blocks on other grids show of it.

    Wide laws also fit what lies near 0, in any image; it lies there in blocks on any grid.
    """
    if len(coefficients) < FEWEST_BLOCKS:
        return np.zeros(100)
    gains = []
    for law in CLIPPED_LAWS:
        gain = _quality_gains(_some(coefficients), *law)
        if gain.max() >= LEAST_CLIPPED_GAIN:  # of clean pages it hardly ever is
            others = (block_dct(y[offset[0] + row :, offset[1] + column :]) for row, column in OTHER_GRIDS)
            gain = gain - np.maximum.reduce([np.zeros(100), *(_quality_gains(_some(o), *law) for o in others)])
        gains.append(gain)
    return np.maximum.reduce(gains)


def _some(coefficients: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give some of (N, 8, 8) blocks that are not even, from everywhere."""
    uneven = coefficients[(np.abs(coefficients.reshape(-1, BLOCK * BLOCK)[:, 1:]) > LARGE).any(axis=1)]
    return uneven[:: len(uneven) // SOME + 1]


def _quality_gains(
    coefficients: NDArray[np.float32], spread: float = 0.4, outliers: float = 0.02
) -> NDArray[np.float64]:
    """Give, for each quality 1..100, the mean log-likelihood ratio of "quantised" against "smooth".

    Near a multiple of the step s, the density of a coefficient is s N(c - ks; spread) times that of a smooth law.
    Coefficients near 0 tell nothing: they are there in any image.
    """
    gains = np.zeros(100)
    steps = np.stack([quantisation_table(q) for q in range(1, 101)])
    count = 0
    for u in range(BLOCK):
        for v in range(BLOCK):
            if u == v == 0:
                continue
            c = coefficients[:, u, v]
            c = c[np.abs(c) > LARGE][:4000]
            if not len(c):
                continue
            count += len(c)
            unique, which = np.unique(steps[:, u, v], return_inverse=True)
            s = unique[:, None].astype(np.float32)
            r = c - s * np.rint(c / s)
            density = s / (spread * np.sqrt(2 * np.pi)) * np.exp(-0.5 * (r / spread) ** 2)
            gains += np.log(outliers + (1 - outliers) * density).sum(1)[which]
    return gains / max(count, 1)
