"""What a denoiser for real photographs is trained and validated on: the noise of a camera, developed and compressed.

Every crop passes through ``anew.degradations.camera`` with parameters of its own; the target is the same crop through
the same camera without noise and without JPEG, so the network learns to remove noise and not to undo interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import luminance
from anew.degradations.camera import develop, expose
from anew.degradations.jpeg import compress
from anew.degradations.noise import poisson
from anew.networks import build_network
from anew.restoration.networks import BLIND
from anew.training.config import TrainingConfig
from anew.training.data import ImageSet, load_images, split
from anew.training.objective import Objective, supervised
from anew.training.restoration import RunFacts, export_restorer

VALIDATION_GAINS = (1e-4, 1e-3, 4e-3)
READ_NOISE = (0.6, 0.4)  # sigma = gain ** 0.6 times a log-normal factor; a fit by eye to Brooks et al., figure 4
LENS = (0.3, 1.1)  # standard deviations in pixels of the blur before the sensor, without which the mosaic aliases


@dataclass(frozen=True, kw_only=True)
class RealNoiseConfig(TrainingConfig):
    """A real-noise denoiser's run.

    Attributes
    ----------
    gain_min, gain_max : float > 0
        The sensor's gain is drawn evenly on a logarithmic scale.
    jpeg_share : float in [0, 1]
        Part of the crops that the camera saves as JPEG, at a quality of 75 to 100.
    grey_share : float in [0, 1]
        Part of the crops that are turned grey after development, in three equal channels.
    blind_share : float in [0, 1]
        Part of the crops whose noise level is not told.
    """

    objective: str = "real_noise"
    task: str = "denoise"
    gain_min: float = 2e-5
    gain_max: float = 8e-3
    jpeg_share: float = 0.7
    grey_share: float = 0.1
    blind_share: float = 0.6


def load_data(source: Path, config: RealNoiseConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    images = load_images(source, channels=3, min_size=config.patch)
    return split(images, config.validation, config.seed)


def make_objective(config: RealNoiseConfig) -> Objective:
    """Build the network, and say how it learns."""
    network = build_network(config.network, seed=config.seed, channels=config.channels, **config.network_args)
    return supervised(network, make_batch, validate)


def export(network: nn.Module, config: RealNoiseConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = "mean PSNR in dB of held-out images through the camera of the training, by gain; level not told; clipped"
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(images: ImageSet, config: RealNoiseConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (clean, noisy, condition): (N, 3, h, w) in [0, 1] twice, and (N, 1, 1, 1)."""
    crops = images.crops(config.batch, config.patch, generator)
    draws = torch.rand(config.batch, 11, generator=generator, device=generator.device).cpu().numpy()
    pixels = crops.permute(0, 2, 3, 1).cpu().numpy()
    pairs = [_photograph(np.ascontiguousarray(p), config, d) for p, d in zip(pixels, draws, strict=True)]
    clean, noisy = (
        torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2).to(crops.device)
        for side in zip(*((c, y) for c, y, _ in pairs), strict=True)
    )
    conditions = torch.tensor([condition for _, _, condition in pairs], dtype=torch.float32, device=crops.device)
    return clean, noisy, conditions.reshape(-1, 1, 1, 1)


def _photograph(
    crop: NDArray[np.float32], config: RealNoiseConfig, draws: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Give a crop through a random camera without noise, the same with noise, and the condition."""
    balance = {"red": 1.2 + 1.4 * float(draws[0]), "blue": 1.2 + 1.2 * float(draws[1]), "colour": float(draws[2])}
    gain = config.gain_min * (config.gain_max / config.gain_min) ** float(draws[3])
    sigma = gain ** READ_NOISE[0] * np.exp(READ_NOISE[1] * (4 * draws[4] - 2)) / 4
    width = LENS[0] + (LENS[1] - LENS[0]) * float(draws[10])
    soft = np.asarray(cv2.GaussianBlur(crop, (0, 0), width), np.float32)
    raw = expose(soft, **balance)
    clean = develop(raw, **balance)
    noisy = develop(poisson(raw, gain=gain, sigma=float(sigma), rng=int(draws[5] * 2**24)).image, **balance)
    if draws[6] < config.jpeg_share:
        noisy = compress(noisy, 75 + int(draws[7] * 26), "4:4:4" if draws[7] > 0.5 else "4:2:0")
    if draws[8] < config.grey_share:
        clean, noisy = (np.repeat(luminance(x)[:, :, np.newaxis], 3, axis=2) for x in (clean, noisy))
    level = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    told = draws[9] >= config.blind_share
    return clean, noisy, level if told else BLIND


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: RealNoiseConfig) -> dict[str, float]:
    """Give the mean PSNR in dB of the held-out images, level not told, by the gain of the sensor, with JPEG at 95."""
    multiple: int = network.size_multiple
    scores: dict[str, float] = {}
    device = next(network.parameters()).device
    blind = torch.full((1, 1, 1, 1), BLIND, device=device)
    for gain in VALIDATION_GAINS:
        psnrs = []
        for index in range(len(images)):
            image = images.image(index).permute(1, 2, 0).cpu().numpy().astype(np.float32) / np.float32(255)
            height, width = (min(192, side) // multiple * multiple for side in image.shape[:2])
            raw = expose(image[:height, :width])
            clean = torch.from_numpy(develop(raw)).permute(2, 0, 1)
            noise = poisson(raw, gain=gain, sigma=float(gain ** READ_NOISE[0] / 4), rng=index).image
            y = torch.from_numpy(compress(develop(noise), 95)).permute(2, 0, 1)[None].to(device)
            x_hat = network(y.contiguous(memory_format=torch.channels_last), blind).float()[0].clamp(0, 1).cpu()
            psnrs.append(-10 * float(torch.log10((x_hat - clean).square().mean())))
        scores[f"psnr_gain {gain:g}"] = sum(psnrs) / len(psnrs)
    return scores
