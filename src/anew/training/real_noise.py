"""What a denoiser for real photographs is trained and validated on: noise that was developed or edited, and compressed.

Crops pass through ``anew.degradations.camera`` with parameters of their own; the target is what the lens let through.
The mosaic begins at any of its four pixels: where it always begins at the same one, a network learns which colour was
measured where, and draws false colour into photographs that were cut otherwise. Other crops get even noise, as of film,
scanners and editors, before they are compressed: JPEG with halved chroma leaves of it what red, green and blue share,
which a denoiser for independent channels takes for content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import torch
from annotated_types import Interval
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import luminance
from anew.degradations.camera import develop, expose
from anew.degradations.jpeg import compress
from anew.degradations.noise import poisson
from anew.errors import InvalidSetting
from anew.inference.conditions import BLIND
from anew.options import Positive
from anew.training.config import Part, Quality
from anew.training.data import ImageSet, load_images, split
from anew.training.drawings import with_drawings
from anew.training.objective import Objective, supervised
from anew.training.restoration import RestorationConfig, RunFacts, export_restorer, psnr_of

VALIDATION_GAINS = (1e-4, 1e-3, 4e-3)
VALIDATION_SIGMAS = (10, 25)  # of 255; before JPEG at 92, with halved chroma
READ_NOISE = (0.6, 0.4)  # sigma = gain ** 0.6 times a log-normal factor; a fit by eye to Brooks et al., figure 4
GREY_NOISE, SMOOTH_NOISE, HALF_CHROMA = 1 / 3, 1 / 2, 0.7  # shares: of even noise, of even noise, of JPEG files
SMOOTHEST = 0.8  # standard deviation in pixels of the blur of even noise
DRAWS = 14  # random numbers of a crop: of its noise, and six for what both kinds share
MIRRORS = (np.s_[:, :], np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-1])  # each puts another corner first
LENS = (0.3, 1.1)  # standard deviations in pixels of the blur before the sensor, without which the mosaic aliases


@dataclass(frozen=True, kw_only=True)
class RealNoiseConfig(RestorationConfig):
    """A real-noise denoiser's run.

    Attributes
    ----------
    gain_min, gain_max : float > 0
        The sensor's gain is drawn evenly on a logarithmic scale.
    even_share : float in [0, 1]
        Part of the crops with Gaussian noise in place of a camera's: a third of them grey, half of them smoothed.
    sigma_max : float
        Its levels are drawn evenly from [0, sigma_max], in grey levels of 255.
    jpeg_share : float in [0, 1]
        Part of the crops that are saved as JPEG, most of them with halved chroma.
    quality_min : int in [1, 100]
        Their quality is drawn evenly from here to 100.
    grey_share : float in [0, 1]
        Part of the crops that are turned grey after development, in three equal channels.
    blind_share : float in [0, 1]
        Part of the crops whose noise level is not told.
    """

    objective: str = "real_noise"
    task: str = "denoise"
    channels: Literal[3] = 3
    gain_min: Positive = 2e-5
    gain_max: Positive = 8e-3
    even_share: Part = 0.5
    sigma_max: Annotated[float, Interval(ge=0, le=255)] = 60.0
    jpeg_share: Part = 0.75
    quality_min: Quality = 60
    grey_share: Part = 0.1
    blind_share: Part = 0.6


def load_data(source: Path, config: RealNoiseConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    least = config.patch
    images = load_images(source, channels=3, min_size=least)
    training, validation = split(images, config.validation, config.seed)
    return with_drawings(training, config.drawn_share, least, config.seed), validation


def make_objective(config: RealNoiseConfig) -> Objective:
    """Build the network, and say how it learns."""
    if config.gain_min > config.gain_max:
        raise InvalidSetting(f"gain_min = {config.gain_min} must not exceed gain_max = {config.gain_max}")
    return supervised(config, make_batch, validate)


def export(network: nn.Module, config: RealNoiseConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = (
        "mean PSNR in dB of held-out images with the noise of the training, by gain or sigma; level not told; clipped"
    )
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(images: ImageSet, config: RealNoiseConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (clean, noisy, condition): (N, 3, h, w) in [0, 1] twice, and (N, 1, 1, 1)."""
    crops = images.crops(config.batch, config.patch, generator)
    draws = torch.rand(config.batch, DRAWS, generator=generator, device=generator.device).cpu().numpy()
    pixels = crops.permute(0, 2, 3, 1).cpu().numpy()
    pairs = [_pair(np.ascontiguousarray(p), config, d) for p, d in zip(pixels, draws, strict=True)]
    clean, noisy = (
        torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2).to(crops.device)
        for side in zip(*((c, y) for c, y, _ in pairs), strict=True)
    )
    conditions = torch.tensor([condition for _, _, condition in pairs], dtype=torch.float32, device=crops.device)
    return clean, noisy, conditions.reshape(-1, 1, 1, 1)


def _pair(
    crop: NDArray[np.float32], config: RealNoiseConfig, draws: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """Give a crop without noise, the same with noise, and the condition."""
    own, (jpeg, quality, half, grey, told, even) = draws[:-6], draws[-6:]
    clean, noisy = (_even if even < config.even_share else _photograph)(crop, config, own)
    if grey < config.grey_share:
        clean, noisy = (np.repeat(luminance(x)[:, :, np.newaxis], 3, axis=2) for x in (clean, noisy))
    if jpeg < config.jpeg_share:
        noisy = compress(
            noisy,
            config.quality_min + int(quality * (101 - config.quality_min)),
            "4:2:0" if half < HALF_CHROMA else "4:4:4",
        )
    level = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    return clean, noisy, BLIND if told < config.blind_share else level


def _photograph(
    crop: NDArray[np.float32], config: RealNoiseConfig, draws: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give a crop through a random lens, and the same through a random camera with noise."""
    balance = {"red": 1.2 + 1.4 * float(draws[0]), "blue": 1.2 + 1.2 * float(draws[1]), "colour": float(draws[2])}
    gain = config.gain_min * (config.gain_max / config.gain_min) ** float(draws[3])
    sigma = gain ** READ_NOISE[0] * np.exp(READ_NOISE[1] * (4 * draws[4] - 2)) / 4
    width = LENS[0] + (LENS[1] - LENS[0]) * float(draws[5])
    soft = np.asarray(cv2.GaussianBlur(crop, (0, 0), width), np.float32)
    return soft, _shot(soft, gain, float(sigma), _seed(draws[6]), int(len(MIRRORS) * draws[7]), **balance)


def _shot(
    image: NDArray[np.float32], gain: float, sigma: float, seed: int, corner: int, **balance: float
) -> NDArray[np.float32]:
    """Photograph it; the ``corner`` of its mosaic, 0 to 3, where the image begins."""
    mirrored = MIRRORS[corner]
    mosaic = poisson(expose(image[mirrored], **balance), gain=gain, sigma=sigma, rng=seed).image
    return np.ascontiguousarray(develop(mosaic, **balance)[mirrored])


def _even(
    crop: NDArray[np.float32], config: RealNoiseConfig, draws: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give a crop as it is, and with Gaussian noise, independent or the same in all channels, white or smooth."""
    channels = 1 if draws[0] < GREY_NOISE else 3
    noise = np.random.default_rng(_seed(draws[1])).standard_normal((*crop.shape[:2], channels), np.float32)
    if draws[2] < SMOOTH_NOISE:
        smooth = cv2.GaussianBlur(noise, (0, 0), SMOOTHEST * max(float(draws[3]), 0.1)).reshape(noise.shape)
        noise = smooth / smooth.std()
    return crop, np.clip(crop + np.float32(config.sigma_max / 255 * draws[4]) * noise, 0, 1)


def _seed(draw: np.float32) -> int:
    """Make a seed of a number in [0, 1)."""
    return int(draw * 2**24)


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: RealNoiseConfig) -> dict[str, float]:
    """Give the mean PSNR in dB of the held-out images, level not told: by the gain of the sensor, and by even noise."""
    multiple: int = network.size_multiple
    device = next(network.parameters()).device
    blind = torch.full((1, 1, 1, 1), BLIND, device=device)
    psnrs: dict[str, list[float]] = {}
    for index in range(len(images)):
        image = images.image(index).permute(1, 2, 0).cpu().numpy().astype(np.float32) / np.float32(255)
        height, width = (min(192, side) // multiple * multiple for side in image.shape[:2])
        for name, clean, noisy in _validation_pairs(image[:height, :width], index):
            y = torch.from_numpy(noisy).permute(2, 0, 1)[None].to(device)
            x_hat = network(y.contiguous(memory_format=torch.channels_last), blind).float()[0].clamp(0, 1).cpu()
            error = (x_hat - torch.from_numpy(clean).permute(2, 0, 1)).square().mean()
            psnrs.setdefault(f"psnr_{name}", []).append(psnr_of(error))
    return {name: sum(each) / len(each) for name, each in psnrs.items()}


def _validation_pairs(
    crop: NDArray[np.float32], seed: int
) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Give (name, clean, noisy) at every level."""
    soft = np.asarray(cv2.GaussianBlur(crop, (0, 0), sum(LENS) / 2), np.float32)
    for gain in VALIDATION_GAINS:
        noisy = _shot(soft, gain, float(gain ** READ_NOISE[0] / 4), seed, seed % len(MIRRORS))
        yield f"gain {gain:g}", soft, compress(noisy, 95)
    for sigma in VALIDATION_SIGMAS:
        grain = np.random.default_rng(seed).standard_normal(crop.shape, np.float32)
        yield f"sigma {sigma}", crop, compress(np.clip(crop + np.float32(sigma / 255) * grain, 0, 1), 92)
