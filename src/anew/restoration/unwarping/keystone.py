"""Undo perspective ("keystone") from the places where the four corners landed.

Hartley and Zisserman, Multiple View Geometry, section 4.1: four point pairs fix the homography between the upright and
the damaged picture; it is solved for directly (8 equations) and applied in one resampling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from anew.arrays import Image, Mask, as_numbers
from anew.diagnosis.keystone import estimate_keystone
from anew.options import checked_arguments
from anew.restoration.unwarping.warping import Border, Mapping, Points, valid_mask, warp
from anew.structure.homography import corners_of, keystone_homography


@checked_arguments
def unwarp_keystone(
    image: Image,
    *,
    corners: ArrayLike | Sequence[Sequence[float]] | None = None,
    border: Border = "reflect",
    fill: float = 0.0,
) -> Image:
    """Map the quadrilateral ``corners`` back onto the whole picture.

    Use it for pages, screens and fronts of houses photographed at a slant, with their four corners.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    corners : (4, 2) array, optional
        Pixel coordinates (x, y) where the centres of the corner pixels (top-left, top-right, bottom-right,
        bottom-left) of the original landed in ``image``; they may lie outside of it. Estimated from the picture's lines
        if not given; a picture without a sure keystone is left as it is.
    border : {"reflect", "constant", "nearest"}
        What fills the parts that the input does not show (see ``valid_keystone``).
    fill : float
        The value for ``border="constant"``.

    Returns
    -------
    float32 array of the same shape
    """
    if corners is None:
        corners = estimate_keystone(image).corners
    corners = as_numbers("corners", corners, "4 finite (x, y) pairs")
    if np.array_equal(corners, corners_of(image.shape)):
        return image.copy()
    return warp(image, keystone_mapping(image.shape, corners), border=border, fill=fill)


def valid_keystone(shape: tuple[int, ...], *, corners: ArrayLike) -> Mask:
    """Tell, as an (H, W) bool array, where ``unwarp_keystone`` has real pixels to show."""
    return valid_mask(shape, keystone_mapping(shape, corners))


def keystone_mapping(shape: tuple[int, ...], corners: ArrayLike) -> Mapping:
    """Give the map from upright to damaged points: the homography that takes the picture's corners to ``corners``."""
    h = keystone_homography(shape, corners)

    def to_damaged(x: Points, y: Points) -> tuple[Points, Points]:
        w = h[2, 0] * x + h[2, 1] * y + h[2, 2]
        w = np.where(w > 1e-9, w, np.nan)  # behind the camera: nothing is seen there
        return _far((h[0, 0] * x + h[0, 1] * y + h[0, 2]) / w), _far((h[1, 0] * x + h[1, 1] * y + h[1, 2]) / w)

    return to_damaged


def _far(position: Points) -> Points:
    return np.clip(np.nan_to_num(position, nan=-1e6), -1e6, 1e6)
