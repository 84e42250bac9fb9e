"""The cosine transform of 8 x 8 blocks, as JPEG takes it of a plane of samples (ITU-T Recommendation T.81, annex A)."""

from __future__ import annotations

import numpy as np

from anew.arrays import Image

# The orthonormal transform of eight samples, a basis function a row. Products with it take a small part of the time of
# scipy.fft, which is made for long axes.
DCT = np.sqrt(2 / 8) * np.cos(np.pi / 8 * np.outer(np.arange(8), np.arange(8) + 0.5))
DCT[0] /= np.sqrt(2)
DCT = DCT.astype(np.float32)


def pad_to_blocks(image: Image, side: int = 8) -> Image:
    """Repeat the last row and column of an (H, W) or (H, W, C) array up to whole blocks, as encoders do."""
    height, width = image.shape[:2]
    beyond = ((0, -height % side), (0, -width % side), (0, 0))
    return np.pad(image, beyond[: image.ndim], mode="edge")


def blocks_to_coefficients(plane: Image) -> Image:
    """Transform every 8 x 8 block of an (8 m, 8 n) plane; coefficient (u, v) of a block lies at its pixel (u, v)."""
    height, width = plane.shape
    columns = np.matmul(DCT, plane.reshape(height // 8, 8, width))
    return (columns.reshape(-1, 8) @ DCT.T).reshape(height, width)


def coefficients_to_blocks(coefficients: Image) -> Image:
    """Undo `blocks_to_coefficients`."""
    height, width = coefficients.shape
    columns = np.matmul(DCT.T, coefficients.reshape(height // 8, 8, width))
    return (columns.reshape(-1, 8) @ DCT).reshape(height, width)
