"""Criminisi's inpainting: copy patches into the hole one by one, where edges run into it first.

Criminisi, Perez and Toyama, "Region filling and object removal by exemplar-based image inpainting", IEEE TIP 13
(2004). The search is accelerated: it compares within a window around the patch, the whole picture only where the
window holds no known patch, and leaves a row of candidates as soon as all of them differ more than the best one.

Where no patch is fully known, ``inpaint_exemplar`` applies its own rules (smaller patches, then diffusion).

Deviations: the data term is the largest one that the isophotes within two pixels of a border pixel give, since at the
border itself a gradient would take missing pixels; a small constant is added to it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask, luminance
from anew.kernels.patchmatch import nearest
from anew.options import Count, Window, checked_arguments
from anew.restoration.inpainting.exemplar import inpaint_exemplar, known_patches

LEAST_DATA = 1e-3  # of the data term, so that a flat border is filled too
NORMAL_BLUR = 1.0  # pixels; sigma at which the border's normal is measured
ISOPHOTE_REACH = 2  # pixels from the border of a hole to the nearest gradient of known pixels alone


@checked_arguments
def inpaint_criminisi(image: Image, mask: Mask, *, patch: Window = 9, window: Count = 128) -> Image:
    """Fill holes by copying whole patches, strong edges first.

    Use it for holes that straight edges cross (walls, roofs, horizons), where whole copied patches keep the line sharp.
    In busy scenes it goes astray; ``"exemplar"`` is better there.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    mask : (H, W) bool array
        True where a pixel is missing; its value is not read.
    patch : odd int >= 3
        Side of a patch in pixels, a little more than the largest distinct detail.
    window : int >= patch
        Patches are sought up to so many pixels away, per axis.

    Returns
    -------
    float32 array of the same shape; known pixels are bit-identical, the others are copies of known ones
    """
    if window < patch:
        raise ValueError(f"window must be at least as large as the patch, {patch}, got {window}")
    if not mask.any():
        return image.copy()
    size = (min(patch, mask.shape[0]), min(patch, mask.shape[1]))
    valid = known_patches(mask, size)
    if not valid.any():
        return inpaint_exemplar(image, mask)
    planes = np.moveaxis(np.where(mask[:, :, None], 0, np.atleast_3d(image)), 2, 0).astype(np.float32, order="C")
    x = np.moveaxis(planes, 0, 2)
    missing = mask.copy()
    confidence = (~mask).astype(np.float32)
    grey = luminance(x)
    isophotes = _isophotes(grey, missing)
    priority = _priorities(missing, confidence, isophotes, size)
    reach = 2 * max(size)
    while missing.any():
        y, x0 = divmod(int(np.argmax(priority)), mask.shape[1])
        top = min(max(y - size[0] // 2, 0), mask.shape[0] - size[0])
        left = min(max(x0 - size[1] // 2, 0), mask.shape[1] - size[1])
        box = np.s_[top : top + size[0], left : left + size[1]]
        from_y, from_x = _best_match(planes, missing, valid, (top, left), size, window)
        new = missing[box].copy()
        x[box][new] = x[from_y : from_y + size[0], from_x : from_x + size[1]][new]
        confidence[box][new] = confidence[box][~new].sum() / new.size
        missing[box] = False
        wide = _around(top, left, size, reach)
        inner = _around(top, left, size, reach // 2)
        isophotes[wide] = _isophotes(luminance(x[wide]), missing[wide])
        fresh = _priorities(missing[wide], confidence[wide], isophotes[wide], size)
        rows = slice(inner[0].start - wide[0].start, inner[0].stop - wide[0].start)
        columns = slice(inner[1].start - wide[1].start, inner[1].stop - wide[1].start)
        priority[inner] = fresh[rows, columns]
    return np.ascontiguousarray(x).reshape(image.shape)


def _around(top: int, left: int, size: tuple[int, int], margin: int) -> tuple[slice, slice]:
    """Give a box with a margin; its end may lie beyond the image."""
    rows = slice(max(0, top - margin), top + size[0] + margin)
    return rows, slice(max(0, left - margin), left + size[1] + margin)


def _isophotes(grey: Image, missing: Mask) -> Image:
    """Give the gradient turned by 90 degrees, (H, W, 2) as (x, y); 0 where a missing pixel takes part."""
    if min(grey.shape) < 2:
        return np.zeros((*grey.shape, 2), np.float32)
    gradient_y, gradient_x = np.gradient(grey)
    unsure = cv2.dilate(missing.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(unsure[:, :, None], 0, np.stack([-gradient_y, gradient_x], axis=2)).astype(np.float32)


def _priorities(missing: Mask, confidence: Image, isophotes: Image, size: tuple[int, int]) -> Image:
    """Give P = C D (equations 1 and 2) on the border of the hole, -1 elsewhere, and 0 in a hole without border."""
    hole = missing.astype(np.uint8)
    front = missing & (cv2.erode(hole, np.ones((3, 3), np.uint8)) == 0)
    soft = cv2.GaussianBlur(hole.astype(np.float32), (0, 0), NORMAL_BLUR)
    normal = np.stack([cv2.Sobel(soft, cv2.CV_32F, 1, 0)[front], cv2.Sobel(soft, cv2.CV_32F, 0, 1)[front]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    reliable = cv2.blur(confidence, size[::-1], borderType=cv2.BORDER_CONSTANT)[front]
    priority = np.where(missing, np.float32(0), np.float32(-1))
    priority[front] = reliable * (_strongest_across(isophotes, front, normal) + LEAST_DATA)
    return priority


def _strongest_across(isophotes: Image, front: Mask, normal: Image) -> NDArray[np.float32]:
    """Give the largest |isophote . normal| around each pixel of the front; beyond the image there are none."""
    around = np.pad(isophotes, ((ISOPHOTE_REACH, ISOPHOTE_REACH), (ISOPHOTE_REACH, ISOPHOTE_REACH), (0, 0)))
    side = 2 * ISOPHOTE_REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(around, (side, side), axis=(0, 1))[front]  # (N, 2, side, side)
    strength: NDArray[np.float32] = np.abs(np.einsum("ncyx,nc->nyx", windows, normal)).max(axis=(1, 2))
    return strength


def _best_match(
    planes: Image, missing: Mask, valid: Mask, corner: tuple[int, int], size: tuple[int, int], window: int
) -> tuple[int, int]:
    """Find the fully known patch that differs least where this one is filled (equation 4)."""
    top, left = corner
    height, width = valid.shape
    near = (max(0, top - window), min(height, top + window + 1), max(0, left - window), min(width, left + window + 1))
    y, found = nearest(planes, ~missing, valid, corner, size, near)
    return (y, found) if y >= 0 else nearest(planes, ~missing, valid, corner, size, (0, height, 0, width))
