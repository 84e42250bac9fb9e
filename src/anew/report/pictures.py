"""Turn pictures and maps into small 8-bit images for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from anew.images import Picture

CHECKER = 12  # pixels; side of the squares that show through where a picture is transparent
MARK = (230, 57, 70)  # RGB of marked pixels


def shown(picture: Picture, max_side: int) -> NDArray[np.uint8]:
    """Give a picture as (h, w, 3) uint8, reduced so that no side passes ``max_side``, over squares if transparent."""
    pixels = np.nan_to_num(reduced(picture.pixels, max_side), nan=0.0).clip(0, 1)
    rgb = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[:, :, :3]
    if picture.alpha is not None:
        alpha = reduced(picture.alpha[:, :, None], max_side).clip(0, 1)
        y, x = np.indices(rgb.shape[:2]) // CHECKER
        squares = np.where((x + y) % 2, 0.85, 1.0)[:, :, None]
        rgb = alpha * rgb + (1 - alpha) * squares
    return np.rint(rgb * 255).astype(np.uint8)


def reduced(image: NDArray[Any], max_side: int) -> NDArray[np.float32]:
    """Reduce an (H, W, C) image by averaging, or leave it if it is small enough."""
    height, width, channels = image.shape
    scale = max_side / max(height, width)
    if scale >= 1:
        return image.astype(np.float32)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image.astype(np.float32, copy=False), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size[1], size[0], channels)


def heat(field: NDArray[Any], max_side: int, top: float) -> NDArray[np.uint8]:
    """Give a field of values from 0 to ``top`` as (h, w, 3) uint8, black through red to pale yellow."""
    small = reduced(field[:, :, None], max_side)[:, :, 0]
    levels = np.rint(np.clip(small / max(top, 1e-9), 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[:, :, ::-1])


def marked(picture: Picture, mask: NDArray[Any], max_side: int) -> NDArray[np.uint8]:
    """Give a picture, paled, with the masked pixels in one colour."""
    base = shown(picture, max_side).astype(np.float32)
    weight = reduced((mask > 0).astype(np.float32)[:, :, None], max_side)
    weight = np.clip(weight * 2, 0, 1)  # thin lines stay visible when reduced
    pale = 0.55 * base + 0.45 * 255
    return np.rint(pale * (1 - weight) + weight * np.array(MARK, np.float32)).astype(np.uint8)
