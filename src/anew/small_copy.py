"""A small copy of an image, or a selection of its pixels, for what is told by its statistics."""

from __future__ import annotations

import math

import cv2
import numpy as np

from anew.arrays import Image

SAMPLES = 300_000  # pixels that are picked


def small_copy(image: Image, side: int = 512) -> Image:
    """Give the image reduced by area averaging to at most ``side`` pixels a side: statistics need no more."""
    factor = side / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    channels = np.atleast_3d(image)
    reduced = [cv2.resize(channels[:, :, c], size, interpolation=cv2.INTER_AREA) for c in range(channels.shape[2])]
    return np.asarray(np.stack(reduced, axis=2), np.float32).reshape(size[1], size[0], *image.shape[2:])


def pick_pixels(image: Image) -> Image:
    """Give at most about SAMPLES pixels on a regular grid, as an (N, C) array; its channels are contiguous.

    Extremes are to be picked: an average has less extreme ones.
    """
    channels = np.atleast_3d(image)
    step = picking_step(channels)
    return np.asfortranarray(channels[::step, ::step].reshape(-1, channels.shape[2]))


def picking_step(channels: Image) -> int:
    """Give the distance of the picked pixels of an (H, W, C) image along both axes."""
    return max(1, math.ceil(math.sqrt(channels.shape[0] * channels.shape[1] / SAMPLES)))
