"""Colours under transparency: those of clear pixels are seen by nobody, and must be mixed into nothing."""

from __future__ import annotations

from anew.arrays import Image

CLEAR = 1e-3  # alpha up to which a colour cannot be told


def spread_colours(pixels: Image, alpha: Image) -> Image:
    """Give clear pixels the colour of the nearest one that is not.

    Parameters
    ----------
    pixels : (H, W, C) float32 array
    alpha : (H, W) float32 array in [0, 1]

    Returns
    -------
    (H, W, C) float32 array; ``pixels`` themselves where none is clear, or all are
    """
    clear = alpha <= CLEAR
    if not clear.any() or clear.all():
        return pixels
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(clear, return_distances=False, return_indices=True)
    return pixels[rows, columns]
