"""Undo barrel and pincushion distortion.

Brown, Photogrammetric Engineering 37 (1971), radial terms only:  r_damaged = r (1 + k1 r^2 + k2 r^4),  about the image
centre, r = 1 at the corner (half the diagonal). k1 < 0 is barrel, k1 > 0 pincushion.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, Mask
from anew.diagnosis.lens import estimate_lens
from anew.options import checked_arguments
from anew.restoration.unwarping.warping import Border, Mapping, Points, centre_of, valid_mask, warp


@checked_arguments
def unwarp_lens(
    image: Image,
    *,
    k1: float | None = None,
    k2: float = 0.0,
    border: Border = "reflect",
    fill: float = 0.0,
) -> Image:
    """Make straight again what a lens has bent.

    Use it where straight lines near the border come out bent: wide-angle and telephone lenses, old cameras.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array
    k1, k2 : float
        Radial coefficients that bent it; 0 and 0 give the input bit by bit. ``k1`` is estimated from the picture's
        edges if not given; a picture without a sure distortion is left as it is. The mapping must not fold over inside
        the picture.
    border : {"reflect", "constant", "nearest"}
        What fills the parts that the input does not show (see ``valid_lens``).
    fill : float
        The value for ``border="constant"``.

    Returns
    -------
    float32 array of the same shape
    """
    if k1 is None:
        k1 = estimate_lens(image).k1
    if k1 == 0 and k2 == 0:
        return image.copy()
    return warp(image, lens_mapping(image.shape, k1, k2), border=border, fill=fill)


def valid_lens(shape: tuple[int, ...], *, k1: float, k2: float = 0.0) -> Mask:
    """Tell, as an (H, W) bool array, where ``unwarp_lens`` has real pixels to show."""
    return valid_mask(shape, lens_mapping(shape, k1, k2))


def lens_mapping(shape: tuple[int, ...], k1: float, k2: float = 0.0) -> Mapping:
    """Give the map from straight to bent points."""
    inside = np.linspace(0, 1, 1001)  # r^2
    if (1 + 3 * k1 * inside + 5 * k2 * inside**2 <= 0).any():
        raise ValueError(f"k1={k1:g}, k2={k2:g} folds the picture over itself: 1 + 3 k1 r^2 + 5 k2 r^4 must stay > 0")
    cx, cy = centre_of(shape)
    scale = 1 / max(cx**2 + cy**2, 1e-12)  # r^2 = 1 at the centre of a corner pixel

    def to_bent(x: Points, y: Points) -> tuple[Points, Points]:
        dx, dy = x - cx, y - cy
        r2 = (dx**2 + dy**2) * scale
        stretch = 1 + k1 * r2 + k2 * r2**2
        return np.asarray(cx + dx * stretch), np.asarray(cy + dy * stretch)

    return to_bent
