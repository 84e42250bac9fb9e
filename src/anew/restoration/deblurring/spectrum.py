"""The power spectrum of natural images: it falls as a power of the frequency.

About f^-2 in Field, JOSA A 4 (1987); f^-2.5 restores photographs best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXPONENT = 2.5


def natural_decay(shape: tuple[int, int], exponent: float = EXPONENT) -> NDArray[np.float64]:
    """Give f^-exponent, f in cycles per pixel, at each entry of a `rfft2`; at frequency 0 that of the longer side."""
    f_squared = frequency_squared(shape)
    f_squared[0, 0] = 1 / max(shape) ** 2
    decay: NDArray[np.float64] = f_squared ** (-exponent / 2)
    return decay


def frequency_squared(shape: tuple[int, int]) -> NDArray[np.float64]:
    """Give the squared spatial frequency, in (cycles per pixel)^2, of each entry of a `rfft2`."""
    fy, fx = np.fft.fftfreq(shape[0]), np.fft.rfftfreq(shape[1])
    squared: NDArray[np.float64] = fy[:, None] ** 2 + fx[None, :] ** 2
    return squared


def mean_over_plane(half: NDArray[np.float64], shape: tuple[int, int]) -> float:
    """Average a symmetric function over all frequencies but 0, given on those of a `rfft2`."""
    count = np.full(half.shape[1], 2.0)
    count[0] = 1
    if shape[1] % 2 == 0:
        count[-1] = 1
    total = np.sum(half * count) - half[0, 0]
    return float(max(total, np.finfo(np.float64).tiny) / (shape[0] * shape[1]))
