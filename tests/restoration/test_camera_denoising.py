"""The denoiser for photographs takes noise away, and draws no colours."""

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
    """Give a grey-green mesh, as fine as a mosaic of colours shows one, 144 x 144."""
    y, x = np.mgrid[:144, :144]
    waves = np.sin(1.3 * x + 0.4 * y) + np.sin(1.2 * y - 0.5 * x)
    return np.float32([0.35, 0.36, 0.28]) * (1 + 0.35 * waves[..., np.newaxis]).astype(np.float32)


@pytest.mark.parametrize("cut", [0, 1])
def test_a_mesh_stays_and_gets_no_colours_wherever_its_mosaic_begins(cut: int, mesh: np.ndarray) -> None:
    inside = np.s_[cut : len(mesh) - cut, cut : len(mesh) - cut]
    noisy = camera(mesh, gain=5e-4, sigma=0.002, quality=92, rng=0).image[inside]
    denoised = denoise_camera(np.ascontiguousarray(noisy))
    assert fine_chroma(denoised) < fine_chroma(noisy)
    assert np.std(denoised - mesh[inside]) < 0.7 * np.std(noisy - mesh[inside])


@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_photograph_gains_in_colour_too(subsampling: str) -> None:
    photo = np.float32(skimage.data.astronaut()[60:204, 120:264] / 255)
    noise = np.random.default_rng(0).normal(0, 0.06, photo.shape).astype(np.float32)
    noisy = compress(photo + noise, 95, subsampling)
    before, after = (x @ np.float32([-0.5, 0, 0.5]) for x in (noisy - photo, denoise_camera(noisy) - photo))
    assert after.std() < 0.7 * before.std()
