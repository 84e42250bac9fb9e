"""Pictures that the tests share: small crops of photographs that scikit-image carries."""

from __future__ import annotations

import os

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: workers with several threads each wait for another
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def colour_photo() -> np.ndarray:
    """A (128, 128, 3) float32 photograph in [0, 1]; read-only."""
    photo = (skimage.data.astronaut()[60:188, 150:278] / 255.0).astype(np.float32)
    photo.setflags(write=False)
    return photo


@pytest.fixture(scope="session")
def grey_photo() -> np.ndarray:
    """A (128, 128) float32 photograph in [0, 1]; read-only."""
    photo = (skimage.data.camera()[60:188, 180:308] / 255.0).astype(np.float32)
    photo.setflags(write=False)
    return photo
