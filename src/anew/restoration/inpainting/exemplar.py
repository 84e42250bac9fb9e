"""Exemplar inpainting: fill holes with what the rest of the picture shows, from coarse to fine.

Wexler, Shechtman and Irani, "Space-time completion of video", IEEE TPAMI 29 (2007): every patch that touches the hole
should look like some patch outside it. Matches are sought and the pixels re-estimated from them in turn, at each
level of a pyramid. Matches: Barnes et al., "PatchMatch", SIGGRAPH 2009. Start in layers from the border and texture
features in the distance: Newson, Almansa, Gousseau and Perez, "Non-local patch-based image inpainting", IPOL 7 (2017).

Thin holes, such as scratches, are known on both sides: a thin plate predicts their pixels better than any exemplar,
and the mean of both better than either, so that is what they get.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from anew.arrays import Image, Mask, luminance
from anew.kernels.patchmatch import FAR, Features, Places, measure, search, vote
from anew.options import Count, Fraction, NotNegative, checked_arguments
from anew.randomness import as_generator
from anew.restoration.inpainting.biharmonic import inpaint_biharmonic
from anew.restoration.inpainting.diffusion import inpaint_diffusion

# Weight of the squared distance to a match, in units of the longer side, while the coarsest level is first filled:
# what is near is likelier to go on. It settles where large things come from.
NEARNESS = 0.03
TEXTURE_WEIGHT = 16.0  # lambda of the texture features beside a mean squared difference of the channels
BASE_SCANS = 6  # of PatchMatch when the field is new
SCANS = 2  # when it is renewed
DOUBT = 0.2  # weight of a pixel that the plate filled, in the search for exemplars of thin holes
SHARE = 0.5  # of the exemplars in a thin hole; 0.25 and 0.75 gain less on photographs
CONFIDENCE_BASE = 1.3  # gamma of Wexler et al.: a patch's vote falls as gamma^-depth, its centre's depth in the hole
FIRST_QUANTILE = 0.25  # of the votes' distances in the first fill: sharper than the rounds after it by default, at 0.5
LEAST_PATCHES = 64  # known ones that a coarser level must offer to choose matches from
LEAST_CHANGE = 4e-4  # mean change of a pixel at which a level is done
NO_WEIGHTS = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Level:
    """One level of the pyramid."""

    features: Features  # (H, W, C + 2): channels / sqrt(C), then two texture features
    missing: Mask  # (H, W)


@dataclass(frozen=True)
class Patches:
    """Which patches seek a match and where they may find it."""

    places: Places  # (N, 2)
    index: Places  # (H - p + 1, W - p + 1)
    valid: Mask  # of the same shape


@checked_arguments
def inpaint_exemplar(
    image: Image,
    mask: Mask,
    *,
    patch: Annotated[int, Ge(2)] = 7,
    n_iter: Count = 10,
    sharpness: Fraction = 0.5,
    thin: NotNegative = 8.0,
    rng: int | np.random.Generator | None = 0,
) -> Image:
    """Fill holes by patches from the known part.

    Where no patch of the image, not even of 3 x 3 pixels, is fully known, the hole is filled by diffusion instead.

    Use it for big holes and for taking objects out of pictures: it continues texture and structure where the others
    blur. A hole whose content stands nowhere else in the picture is filled with what looks likely.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    patch : int >= 2
        Side of a patch in pixels.
    n_iter : int >= 1
        Most rounds of matching and voting per level.
    sharpness : float in [0, 1]
        0 averages all patches that hold a pixel, 1 takes the best one alone.
    thin : float >= 0
        Half the width, in pixels, of the parts of a hole that a thin plate helps to fill. 8 is best in PSNR on
        photographs with film scratches (3 loses 1.6 dB); less gives more texture.
    rng : int, Generator or None
        Seed of the random search.

    Returns
    -------
    float32 array of the same shape; known pixels are bit-identical, in wide holes the others are means of known ones
    """
    result = image.copy()
    if not mask.any():
        return result
    size = _usable_patch(mask, patch)
    if size is None:
        return inpaint_diffusion(image, mask)
    planes = np.atleast_3d(result)
    state = as_generator(rng).integers(1, 2**63, 1, np.uint64)
    narrow = _narrow(mask, thin)
    if narrow.any():
        planes[narrow] = _fill_narrow(planes, mask, narrow, size, state)
    wide = mask & ~narrow
    if wide.any():
        planes[wide] = _fill(planes, wide, size, n_iter, 1 - sharpness, state)
    return result


def _narrow(mask: Mask, radius: float) -> Mask:
    """Give the missing pixels in no missing disc of that radius (by opening), but not the corners beside one."""
    core = (_depth(mask) > radius).astype(np.uint8)
    if not core.any():
        return mask
    wide = mask & (cv2.distanceTransform(1 - core, cv2.DIST_L2, 5) <= radius)
    rest = (mask & ~wide).astype(np.uint8)
    _, labels, facts, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    corner = facts[:, cv2.CC_STAT_AREA] < 0.5 * radius**2  # the corner of a square has 0.21 radius^2
    near = np.zeros(len(corner), bool)
    near[labels[cv2.dilate(wide.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0]] = True
    return (rest > 0) & ~(corner & near)[labels]


def _depth(mask: Mask) -> NDArray[np.float32]:
    """Give the distance of each missing pixel to the nearest known one; beyond the border all is known."""
    return np.asarray(cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1], np.float32)


def _fill_narrow(
    planes: Image, mask: Mask, narrow: Mask, size: tuple[int, int], state: NDArray[np.uint64]
) -> NDArray[np.float32]:
    """Give the (M, C) pixels of narrow holes: the mean of a thin plate and of exemplars found by comparing with it."""
    plate = inpaint_biharmonic(planes, mask)
    seeking = _missing_in_patch(narrow, size) > 0
    patches = _numbered(seeking, known_patches(mask, size))
    weights = np.where(mask, np.float32(DOUBT), np.float32(1))
    confidence = (1 - _missing_in_patch(mask, size)[seeking] / (size[0] * size[1])).astype(np.float32) ** 2
    pixels = np.argwhere(narrow).astype(np.int32)
    guess = plate[narrow]
    total = np.zeros_like(guess)
    for _ in range(2):  # two searches find different exemplars, and their mean errs less
        field = _random_field(len(patches.places), patches.valid, state)
        distance = np.empty(len(field), np.float32)
        measure(plate, plate, size, patches.places, weights, field, distance)
        places, index, valid = patches.places, patches.index, patches.valid
        search(plate, plate, size, places, index, valid, weights, field, distance, BASE_SCANS, state)
        values = guess.copy()
        vote(plate, size, pixels, patches.index, field, distance, confidence, 0.5, values)
        total += values / 2
    return np.asarray(guess + np.float32(SHARE) * (total - guess), np.float32)


def _usable_patch(mask: Mask, patch: int) -> tuple[int, int] | None:
    """Give the largest size, up to `patch`, of which some patch is fully known."""
    for side in sorted({patch, 5, 3}, reverse=True):
        size = (min(side, mask.shape[0]), min(side, mask.shape[1]))
        if side <= patch and size[0] * size[1] > 1 and known_patches(mask, size).any():
            return size
    return None


def known_patches(mask: Mask, size: tuple[int, int]) -> Mask:
    """Tell at which top left pixels a patch without a missing pixel begins."""
    return _missing_in_patch(mask, size) == 0


def _missing_in_patch(mask: Mask, size: tuple[int, int]) -> NDArray[np.int32]:
    sums = np.pad(mask, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
    h, w = size
    return np.asarray(sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w], np.int32)


def _fill(
    planes: Image, mask: Mask, size: tuple[int, int], n_iter: int, quantile: float, state: NDArray[np.uint64]
) -> NDArray[np.float32]:
    """Give the (M, C) missing pixels of an (H, W, C) image."""
    channels = planes.shape[2]
    pyramid = _pyramid(_features(planes, mask), mask, size)
    patches = _patches(pyramid[-1].missing, size)
    features, field = _peel(pyramid[-1], patches, size, state)
    for depth in range(len(pyramid) - 1, -1, -1):
        level = pyramid[depth]
        if depth < len(pyramid) - 1:
            coarse = (patches, field)
            patches = _patches(level.missing, size)
            field = _finer_field(*coarse, patches, size, state)
            features = _doubled(features, level.missing.shape)
            np.copyto(features, level.features, where=~level.missing[:, :, None])
        _refine(features, level.missing, patches, field, size, n_iter, quantile, state)
    return np.asarray(features[mask][:, :channels] * np.float32(channels**0.5), np.float32)


def _features(planes: Image, mask: Mask) -> Features:
    """Append the local mean of |u_x| and |u_y|, from known pixels only, to the channels."""
    channels = planes.shape[2]
    features = np.empty((*planes.shape[:2], channels + 2), np.float32)
    features[:, :, :channels] = planes * np.float32(channels**-0.5)
    grey, known = luminance(planes), (~mask).astype(np.float32)
    for texture, axis in ((channels, 1), (channels + 1, 0)):
        inner = np.s_[:, :-1] if axis == 1 else np.s_[:-1]
        step, sure = np.zeros_like(grey), np.zeros_like(known)
        sure[inner] = np.minimum(np.delete(known, -1, axis), np.delete(known, 0, axis))
        step[inner] = np.abs(np.diff(grey, axis=axis)) * sure[inner]
        mean, share = (cv2.blur(x, (5, 5), borderType=cv2.BORDER_CONSTANT) for x in (step, sure))
        features[:, :, texture] = mean / np.maximum(share, 1e-6) * np.float32(TEXTURE_WEIGHT**0.5)
    return features


def _pyramid(features: Features, mask: Mask, size: tuple[int, int]) -> list[Level]:
    """Halve until the hole is about two patches wide, as long as enough patches are known."""
    levels = [Level(features, mask)]
    while True:
        level = levels[-1]
        if _depth(level.missing).max() <= max(size) or min(level.missing.shape) < 4 * max(size):
            return levels
        smaller = _halved(level)
        if known_patches(smaller.missing, size).sum() < LEAST_PATCHES:
            return levels
        levels.append(smaller)


def _halved(level: Level) -> Level:
    """Average known pixels over 2 x 2 blocks; a block with less than half of them is missing."""
    height, width = level.missing.shape
    padding = ((0, height % 2), (0, width % 2))
    known = np.pad((~level.missing).astype(np.float32), padding)[:, :, None]
    values = np.pad(level.features, (*padding, (0, 0))) * known
    half = (known.shape[0] // 2, 2, known.shape[1] // 2, 2, -1)
    count = known.reshape(half).sum(axis=(1, 3))
    mean = values.reshape(half).sum(axis=(1, 3)) / np.maximum(count, 1)
    room = np.pad(np.ones((height, width, 1), np.float32), (*padding, (0, 0))).reshape(half).sum(axis=(1, 3))
    return Level(mean.astype(np.float32), count[:, :, 0] < 0.5 * room[:, :, 0])


def _doubled(features: Features, shape: tuple[int, ...]) -> Features:
    height, width, depth = features.shape
    doubled = np.empty((*shape, depth), np.float32)
    for f in range(depth):
        plane = cv2.resize(features[:, :, f], (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
        doubled[:, :, f] = plane[: shape[0], : shape[1]]
    return doubled


def _patches(missing: Mask, size: tuple[int, int]) -> Patches:
    count = _missing_in_patch(missing, size)
    return _numbered(count > 0, count == 0)


def _numbered(seeking: Mask, valid: Mask) -> Patches:
    places = np.argwhere(seeking).astype(np.int32)
    index = np.full(seeking.shape, -1, np.int32)
    index[seeking] = np.arange(len(places))
    return Patches(places, index, valid)


def _random_field(count: int, valid: Mask, state: NDArray[np.uint64]) -> Places:
    rng = np.random.default_rng(int(state[0]))
    choices = np.flatnonzero(valid)
    chosen = choices[rng.integers(0, len(choices), count)]
    return np.stack(np.divmod(chosen, valid.shape[1]), axis=1).astype(np.int32)


def _peel(level: Level, patches: Patches, size: tuple[int, int], state: NDArray[np.uint64]) -> tuple[Features, Places]:
    """Fill the coarsest level layer by layer from the border, comparing what is filled already, and where it is."""
    features = np.where(level.missing[:, :, None], 0, level.features).astype(np.float32)
    missing = level.missing.copy()
    rows, columns = np.indices(missing.shape)
    place = (np.stack([rows, columns], axis=2) * (NEARNESS**0.5 / max(missing.shape))).astype(np.float32)
    field = _random_field(len(patches.places), patches.valid, state)
    while missing.any():
        layer = missing & (cv2.erode(missing.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
        if not layer.any():
            layer = missing
        touching = _missing_in_patch(layer, size) > 0
        now = _numbered(touching, patches.valid)
        numbers = patches.index[touching]
        near = np.ascontiguousarray(field[numbers])
        weights = (~missing).astype(np.float32)
        distance = np.empty(len(near), np.float32)
        placed = np.concatenate([features, place], axis=2)
        measure(placed, placed, size, now.places, weights, near, distance)
        search(placed, placed, size, now.places, now.index, now.valid, weights, near, distance, BASE_SCANS, state)
        known = 1 - _missing_in_patch(missing, size)[touching] / (size[0] * size[1])
        field[numbers] = near
        values = np.zeros((np.count_nonzero(layer), features.shape[2]), np.float32)
        pixels = np.argwhere(layer).astype(np.int32)
        confidence = (known**2 + 1e-6).astype(np.float32)
        vote(features, size, pixels, now.index, near, distance, confidence, FIRST_QUANTILE, values)
        features[layer] = values
        missing &= ~layer
    return features, field


def _finer_field(
    coarse: Patches, field: Places, fine: Patches, size: tuple[int, int], state: NDArray[np.uint64]
) -> Places:
    """Double the offsets of the coarse field; where that leads nowhere, start anew at random."""
    result = _random_field(len(fine.places), fine.valid, state)
    centre = np.array([(size[0] - 1) // 2, (size[1] - 1) // 2])
    above = np.clip((fine.places - centre) // 2, 0, np.array(coarse.index.shape) - 1)
    number = coarse.index[above[:, 0], above[:, 1]]
    moved = fine.places + 2 * (field[number] - above)
    inside = (number >= 0) & (moved >= 0).all(axis=1) & (moved < np.array(fine.valid.shape)).all(axis=1)
    inside[inside] = fine.valid[moved[inside, 0], moved[inside, 1]]
    result[inside] = moved[inside]
    return result


def _refine(
    features: Features,
    missing: Mask,
    patches: Patches,
    field: Places,
    size: tuple[int, int],
    n_iter: int,
    quantile: float,
    state: NDArray[np.uint64],
) -> None:
    """Match and vote in turn until little changes; ``features`` and ``field`` are changed in place."""
    pixels = np.argwhere(missing).astype(np.int32)
    distance = np.full(len(field), FAR, np.float32)
    depth = _depth(missing)
    centre = patches.places + np.array([size[0] // 2, size[1] // 2])
    confidence = (CONFIDENCE_BASE ** -depth[centre[:, 0], centre[:, 1]]).astype(np.float32)
    old = features[missing]
    for i in range(n_iter):
        measure(features, features, size, patches.places, NO_WEIGHTS, field, distance)
        scans = BASE_SCANS if i == 0 else SCANS
        places, index, valid = patches.places, patches.index, patches.valid
        search(features, features, size, places, index, valid, NO_WEIGHTS, field, distance, scans, state)
        values = old.copy()
        vote(features, size, pixels, patches.index, field, distance, confidence, quantile, values)
        features[missing] = values
        change = float(np.abs(values - old).mean())
        old = values
        if change < LEAST_CHANGE:
            break
