"""The denoiser for photographs takes noise away, and adds no colour that the file cannot hold."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from anew.degradations.camera import camera
from anew.degradations.jpeg import compress
from anew.restoration.denoising.camera import denoise_camera


def fine_chroma(image: np.ndarray) -> float:
    """Give the level of what a file with halved chroma does not hold: chroma less its 2 x 2 means."""
    chroma = image[..., ::2] - image @ np.float32([0.299, 0.587, 0.114])[:, np.newaxis]
    blocks = chroma.reshape(chroma.shape[0] // 2, 2, chroma.shape[1] // 2, 2, 2)
    return float((blocks - blocks.mean(axis=(1, 3), keepdims=True)).std())


@pytest.fixture(scope="module")
def mesh() -> np.ndarray:
    """Give a grey-green mesh, whose holes are about as fine as pixels, 144 x 144."""
    y, x = np.mgrid[:144, :144]
    waves = np.sin(2.1 * x + 0.5 * y) + np.sin(2.0 * y - 0.6 * x)
    return np.float32([0.35, 0.36, 0.28]) * (1 + 0.35 * waves[..., np.newaxis]).astype(np.float32)


def test_a_mesh_gets_no_colours(mesh: np.ndarray) -> None:
    noisy = camera(mesh, gain=5e-4, sigma=0.002, quality=92, rng=0).image
    assert fine_chroma(denoise_camera(noisy)) < 1.1 * fine_chroma(noisy)


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_photograph_gains_in_colour_too(subsampling: str) -> None:
    photo = np.float32(skimage.data.astronaut()[60:204, 120:264] / 255)
    noise = np.random.default_rng(0).normal(0, 0.06, photo.shape).astype(np.float32)
    noisy = compress(photo + noise, 95, subsampling)
    before, after = (x @ np.float32([-0.5, 0, 0.5]) for x in (noisy - photo, denoise_camera(noisy) - photo))
    assert after.std() < 0.7 * before.std()
