"""Noise: the standard deviation that the diagnosis estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from anew.diagnosis.noise import estimate_noise_sigma
from anew.metrics.error import as_pair, check_data_range


def noise_level(image: ArrayLike, *, data_range: float) -> float:
    """Standard deviation of the white noise in an image, in units of ``data_range``; 0 is best.

    The estimate of ``anew.diagnosis.noise`` (eigenvalues of the covariance of weak patches): root mean square over
    the channels, no border cut, computed in float32 after division by ``data_range``. Fine texture can pass for a
    little noise.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array
    data_range : float > 0
        255 for 8 bits, 1 for floats in [0, 1].
    """
    check_data_range(data_range)
    x = as_pair(image, image)[0] / data_range
    return estimate_noise_sigma(x.astype(np.float32)) * data_range
