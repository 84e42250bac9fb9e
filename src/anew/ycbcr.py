"""Luma and chroma as in JPEG files (JFIF: full-range BT.601), and repairs of chroma at half size."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from anew.arrays import LUMA, Image

CB, CR = np.float32(1.772), np.float32(1.402)  # of blue and red, less luma


def split_luma(image: Image) -> tuple[Image, Image, Image]:
    """Give luma, Cb and Cr, (H, W) each, of an (H, W, 3) image; the last two are 0 for grey."""
    y = image @ np.array(LUMA, np.float32)
    return y, (image[:, :, 2] - y) / CB, (image[:, :, 0] - y) / CR


def join_luma(y: Image, cb: Image, cr: Image) -> Image:
    """Give the (H, W, 3) image of luma, Cb and Cr."""
    red, blue = y + CR * cr, y + CB * cb
    green = (y - np.float32(LUMA[0]) * red - np.float32(LUMA[2]) * blue) / np.float32(LUMA[1])
    return np.stack([red, green, blue], axis=2)


def halved(plane: Image) -> Image:
    """Give the 2 x 2 means of a plane, its last row and column repeated where they are left over."""
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    return even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2).mean(axis=(1, 3), dtype=np.float32)


def change_at_half_size(plane: Image, change: Callable[[Image], Image]) -> Image:
    """Give a plane with what a function changes in its 2 x 2 means, enlarged; finer detail stays as it is."""
    half = halved(plane)
    difference = np.asarray(change(half) - half, np.float32)
    enlarged = cv2.resize(difference, (2 * half.shape[1], 2 * half.shape[0]), interpolation=cv2.INTER_LINEAR)
    whole = np.asarray(enlarged, np.float32).reshape(2 * half.shape[0], 2 * half.shape[1])
    return plane + whole[: plane.shape[0], : plane.shape[1]]
