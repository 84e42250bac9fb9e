"""Scratches and hairs: a small network marks them, and what it marks must be thin and long, or add up to lines.

The network (``anew/networks/mask_unet.py``, the model ``scratches``) gives each pixel the probability that something
lies over the picture there. It has seen film dirt, drawn scratches, hairs and folds over photographs, and wires,
letters and grass without. What it takes for damage in a clean picture is mostly wide or short: sky between leaves,
lace, petals. So a picture is called scratched by its thin and long marks alone, together with faint lines in the
network's probabilities (``structure/faint_lines.py``), as scratches may be broken into dashes. In a scratched picture
the others count too: there scratches cross, and dust lies beside them. What the network sees where is partly chance:
where its first look finds something, it looks three more times, at the picture mirrored and turned, and the mean of
all decides (Krizhevsky, Sutskever and Hinton, NIPS 2012, for classes).

What scratched a picture scratched all of it about as deep: its scratches are as opaque as each other. A leash, a rope
and the bright net on a giraffe's coat hide what is behind them altogether, so what is far more opaque than most of
the marks (``structure/opacity.py``) is left alone. So are specks far from all lines, if there are many: the dashes of
broken scratches keep to lines, and sky between leaves does not. What lies along the rim between two things
(``structure/sides.py``) is no evidence, though in a scratched picture it counts. And where the other edges of a
picture are those of a drawing (``structure/drawn.py``), thin lines are drawn as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, luminance
from anew.diagnosis.finding import Finding, finding_of_mask
from anew.inference.models import open_model
from anew.structure.drawn import is_drawn_apart_from
from anew.structure.faint_lines import find_faint_lines
from anew.structure.opacity import estimate_opacity
from anew.structure.sides import difference_of_sides
from anew.tiles import apply_in_tiles

if TYPE_CHECKING:
    from anew.images import Picture

WORKING_PIXELS = 1e6  # a larger picture is reduced to that many
UNIT_SIDE = 400  # pixels of the square root of the area, at which the lengths below are in pixels
MARKED = 0.8  # probability
LIKELY = 0.65  # probability that counts on a line
THIN, WIDE = 4.0, 12.0  # pixels across: what is thin tells that there are scratches, what is wide is none
LEAST_LENGTH = 30.0  # pixels at UNIT_SIDE
# Sums of these lengths, and of faint lines, relative to the square root of the area; either would do alone, and so does
# half of each. Of 900 clean photographs that the network was trained on 11 have that much of what is as opaque as most,
# of 150 that it was not none; 98% of these under film scratches do, 64% under drawn scratches.
LEAST_TOTAL = 0.6
LEAST_LINES = 1.2
SURE = 2.0  # times as much
WORTH_A_LOOK = 0.6  # times as much, at the first look, for three more
# Of 150 photographs that the network was not trained on, under drawn and under film scratches, 9 of 300 were harmed by
# the repair without this, 2 with it, and the mean gain went from 2.06 to 2.18 dB and from 6.28 to 6.27.
TYPICAL = 0.35  # quantile of the opacities of what is marked
MOST_OPAQUE = 1.7  # times that, of a scratch
FAINT = 0.4  # opacity that any scratch may have
# Of the difference of the two sides, relative to the contrast of the mark. With this none of the 300 is harmed: of 235
# that looked scratched, the one that was does no more. At 0.7 one that gains does not either, at 0.6 nine. Of 62 clean
# photographs, at 0.6, 1 and 1.5 times their size, that looked scratched 7 do no more (11 at 0.7, 14 at 0.6).
RIM = 0.8
# With this, and without the limit before, 1 of these 300 is harmed, by 1.1 dB, and the mean gains are 2.19 and 6.28 dB.
APART = 8.0  # pixels at UNIT_SIDE from every line
MOST_APART = 0.3  # share of what is marked that may lie so far apart

Turn = Callable[[NDArray[np.float32]], NDArray[np.float32]]
AS_IT_IS: tuple[Turn, Turn] = (lambda x: x, lambda x: x)
TURNS: tuple[tuple[Turn, Turn], ...] = (  # there and back
    (lambda x: x[:, ::-1], lambda x: x[:, ::-1]),
    (np.rot90, lambda x: np.rot90(x, -1)),
    (lambda x: np.rot90(x, -1), np.rot90),
)


def estimate_scratch_probability(image: Image, *, turned: bool = False) -> NDArray[np.float32]:
    """Tell how likely each pixel is covered by a scratch, a hair, a crack, a fold or dust.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
    turned : bool
        Look at the image mirrored, and turned by a quarter to either side, and give the mean.

    Returns
    -------
    (H, W) float32 array in [0, 1]
    """
    channels = np.atleast_3d(image)
    if channels.shape[2] != 3:
        channels = np.repeat(luminance(channels)[:, :, None], 3, axis=2)
    network = open_model("scratches")
    colour = np.clip(channels, 0, 1)

    def look(there: Turn, back: Turn) -> NDArray[np.float32]:
        logits = apply_in_tiles(network, np.ascontiguousarray(there(colour)), halo=network.card.halo)[:, :, 0]
        return back(np.asarray(1 / (1 + np.exp(-logits)), np.float32))

    seen = [look(*turn) for turn in (TURNS if turned else (AS_IT_IS,))]
    return np.asarray(sum(seen[1:], start=seen[0]) / len(seen), np.float32)


def find_scratches(picture: Picture) -> Finding | None:
    """Report scratches and hairs and where they are, or None."""
    pixels = picture.pixels
    height, width = pixels.shape[:2]
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (height * width)))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32) if scale < 1 else pixels
    at_first = estimate_scratch_probability(small)
    if weigh(at_first).evidence < WORTH_A_LOOK:
        return None
    others = estimate_scratch_probability(small, turned=True)
    mean = np.asarray((at_first + len(TURNS) * others) / (1 + len(TURNS)), np.float32)
    marks = weigh(mean)
    if marks.evidence < 1:
        return None
    if is_drawn_apart_from(small, marks.mask):
        return None
    scratched = as_opaque_as_most(small, marks.mask)
    told = scratched & ~_is_rim(small, marks.mask)
    evidence = weigh(np.where(marks.mask & ~told, np.float32(0), mean)).evidence
    if evidence < 1:
        return None
    scratched = without_stray_specks(scratched, marks.lines)
    full = cv2.resize(scratched.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    confidence = min(0.95, 0.6 + 0.35 * (evidence - 1) / (SURE - 1))
    return finding_of_mask("scratches", full, confidence, "Scratches or hairs lie over {share} of the picture.")


def as_opaque_as_most(image: Image, mask: Mask) -> Mask:
    """Tell which of what is marked is about as opaque as most of it, around every pixel."""
    if not mask.any():  # lines may be so faint that no pixel on them is likely to be one
        return mask
    opacity = estimate_opacity(image, mask, unit=math.sqrt(mask.size) / UNIT_SIDE)
    return mask & (opacity <= max(FAINT, MOST_OPAQUE * float(np.quantile(opacity[mask], TYPICAL))))


def _is_rim(image: Image, mask: Mask) -> Mask:
    """Tell which of what is marked has one thing on one side and another on the other."""
    return difference_of_sides(image, mask, unit=math.sqrt(mask.size) / UNIT_SIDE) > RIM


def without_stray_specks(mask: Mask, lines: Mask) -> Mask:
    """Leave out what lies apart from every line, if that is much of what is marked."""
    unit = math.sqrt(mask.size) / UNIT_SIDE
    apart = mask & (cv2.distanceTransform((~lines).astype(np.uint8), cv2.DIST_L2, 5) > APART * unit)
    return mask & ~apart if apart.sum() > MOST_APART * mask.sum() else mask


@dataclass(frozen=True)
class Marks:
    """What may be damaged.

    Attributes
    ----------
    mask : (H, W) bool array
    lines : (H, W) bool array
        The part of it that is thin and long, or lies on a faint line.
    evidence : float
        How much speaks for it: from 1 on the picture is scratched.
    """

    mask: Mask
    lines: Mask
    evidence: float


def weigh(probability: NDArray[np.float32]) -> Marks:
    """Find what may be damaged, and tell how much speaks for it."""
    marks, thin, total = weigh_marks(probability)
    faint = find_faint_lines(probability)
    mask = marks | (faint.mask & (probability > LIKELY))
    return Marks(mask, thin | (faint.mask & mask), total / LEAST_TOTAL + faint.total / LEAST_LINES)


def weigh_marks(probability: NDArray[np.float32]) -> tuple[Mask, Mask, float]:
    """Keep what is marked and not wide, and measure what is thin.

    Parameters
    ----------
    probability : (H, W) float32 array in [0, 1]

    Returns
    -------
    mask, thin : (H, W) bool arrays
        What is kept, and the part of it that is thin and long enough to be a scratch.
    total : float
        Summed length of the latter, relative to the square root of the picture's area.
    """
    marked = (probability > MARKED).astype(np.uint8)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(marked, connectivity=8)
    if count == 1:
        nothing = np.zeros(probability.shape, bool)
        return nothing, nothing, 0.0
    inside = marked > 0
    bordered = cv2.copyMakeBorder(marked, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(bordered, cv2.DIST_L2, 5)[1:-1, 1:-1]
    area = np.bincount(labels[inside], minlength=count)
    mean_depth = np.bincount(labels[inside], depth[inside], minlength=count) / np.maximum(area, 1)
    # The mean distance to the rim is (width + 2) / 4 in a long strip of pixels; one turned upon itself is longer than
    # its box.
    across = np.maximum(4 * mean_depth - 2, 1)
    length = np.maximum(np.hypot(boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]), area / across)
    side = math.sqrt(probability.size)
    kept = across <= WIDE
    kept[0] = False  # the background
    thin = kept & (across <= THIN) & (length >= LEAST_LENGTH * side / UNIT_SIDE)
    return np.asarray(kept[labels]), np.asarray(thin[labels]), float(length[thin].sum() / side)
