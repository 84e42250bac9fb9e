"""JPEG compression by the real codec (libjpeg through Pillow), in memory: once, or twice with shifted blocks."""

from __future__ import annotations

import io

import numpy as np

from anew.arrays import Image
from anew.degradations.degraded import Degraded, check_choice, check_whole

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
MAX_SIDE = 65_500  # libjpeg's limit


def jpeg(image: Image, *, quality: int = 30, subsampling: str = "4:2:0") -> Degraded:
    """Save as JPEG and read back; the image is clipped and rounded to 8 bits first.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3) float32 array
    quality : int in [1, 100], on the scale of libjpeg
    subsampling : {"4:4:4", "4:2:2", "4:2:0"}
        Of the colour; grey images have none.
    """
    result = compress(image, quality, subsampling)
    return Degraded(result, parameters={"quality": quality, "subsampling": subsampling})


def double_jpeg(
    image: Image,
    *,
    quality: int = 60,
    first_quality: int = 30,
    shift_x: int = 0,
    shift_y: int = 0,
    subsampling: str = "4:2:0",
) -> Degraded:
    """Save as JPEG twice, as a picture that was cropped and shared again.

    Parameters
    ----------
    image : (H, W), (H, W, 1) or (H, W, 3) float32 array
    quality, first_quality : int in [1, 100]
        Of the second and of the first compression.
    shift_x, shift_y : int in [0, 15]
        Pixels cropped on the left and on the top in between, which misalign the two block grids.
    subsampling : {"4:4:4", "4:2:2", "4:2:0"}
    """
    check_whole("shift_x", shift_x, 0, 15)
    check_whole("shift_y", shift_y, 0, 15)
    margins = [(int(shift_y), 0), (int(shift_x), 0), (0, 0)][: image.ndim]
    first = compress(np.pad(image, margins, mode="symmetric"), first_quality, subsampling)
    result = compress(first[int(shift_y) :, int(shift_x) :], quality, subsampling)
    truth = {"quality": quality, "first_quality": first_quality, "shift_x": shift_x, "shift_y": shift_y}
    return Degraded(result, parameters={**truth, "subsampling": subsampling})


def compress(image: Image, quality: int, subsampling: str = "4:2:0") -> Image:
    """Give the float32 image that a JPEG file of it decodes to."""
    from PIL import Image as Pillow

    check_choice("subsampling", subsampling, SUBSAMPLINGS)
    check_whole("quality", quality, 1, 100)
    if image.ndim == 3 and image.shape[2] not in (1, 3):
        raise ValueError(f"JPEG holds 1 or 3 channels, got {image.shape[2]}")
    if max(image.shape[:2]) > MAX_SIDE:
        raise ValueError(f"JPEG holds sides up to {MAX_SIDE} pixels, got {image.shape[1]} x {image.shape[0]}")
    grey = image.ndim == 2 or image.shape[2] == 1
    pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    picture = Pillow.fromarray(pixels.reshape(image.shape[:2]) if grey else pixels)
    file = io.BytesIO()
    if grey:
        picture.save(file, "JPEG", quality=int(quality))
    else:
        picture.save(file, "JPEG", quality=int(quality), subsampling=subsampling)
    with Pillow.open(file) as decoded:
        return (np.asarray(decoded, np.float32) / np.float32(255)).reshape(image.shape)
