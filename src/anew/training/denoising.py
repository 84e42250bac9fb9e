"""What a denoiser is trained and validated on: Gaussian noise of a random, known level."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from annotated_types import Interval
from torch import Tensor, nn

from anew.training.config import Part
from anew.training.data import ImageSet, load_images, split
from anew.training.drawings import with_drawings
from anew.training.objective import Objective, supervised
from anew.training.restoration import RestorationConfig, RunFacts, export_restorer, psnr_of

VALIDATION_SIGMAS = (15, 25, 50)
VALIDATION_SIDE = 256  # pixels; of larger images the top left corner is taken


@dataclass(frozen=True, kw_only=True)
class DenoiseConfig(RestorationConfig):
    """A denoiser's run.

    Attributes
    ----------
    sigma_max : float
        Noise levels are drawn from [0, sigma_max], in grey levels of 255.
    sigma_skew : float > 0
        They are sigma_max u^sigma_skew with u drawn evenly from [0, 1]: above 1, weak noise comes more often.
    grey_share : float in [0, 1]
        Part of the crops of a colour model that are grey, with the same noise in all channels, so that it also serves
        grey images.
    """

    objective: str = "denoising"
    task: str = "denoise"
    sigma_max: Annotated[float, Interval(ge=0, le=255)] = 75.0
    sigma_skew: Annotated[float, Interval(gt=0, le=10)] = 1.0
    grey_share: Part = 0.0


def load_data(source: Path, config: DenoiseConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    least = config.patch
    images = load_images(source, channels=config.channels, min_size=least)
    training, validation = split(images, config.validation, config.seed)
    return with_drawings(training, config.drawn_share, least, config.seed), validation


def make_objective(config: DenoiseConfig) -> Objective:
    """Build the network, and say how it learns."""
    return supervised(config, make_batch, validate)


def export(network: nn.Module, config: DenoiseConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = (
        f"mean PSNR in dB of the top left {VALIDATION_SIDE} x {VALIDATION_SIDE} pixels at most, Gaussian noise, not "
        "clipped; result clipped, not rounded"
    )
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(images: ImageSet, config: DenoiseConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (clean, noisy, sigma): (N, C, h, w) in [0, 1], the same with noise added and not clipped, (N, 1, 1, 1)."""
    clean = images.crops(config.batch, config.patch, generator)
    draws = torch.rand(2, config.batch, 1, 1, 1, generator=generator, device=generator.device).to(clean.device)
    sigma = draws[0] ** config.sigma_skew * (config.sigma_max / 255)
    noise = torch.randn(clean.shape, generator=generator, device=generator.device).to(clean.device)
    grey = draws[1] < config.grey_share
    clean = torch.where(grey, clean.mean(dim=1, keepdim=True), clean)
    noise = torch.where(grey, noise[:, :1], noise)
    return clean, clean + sigma * noise, sigma


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: DenoiseConfig) -> dict[str, float]:
    """Give the mean PSNR in dB of the held-out images at sigma 15, 25 and 50, of their top left corners.

    These have sides of 256 pixels, of smaller images the largest multiples that the network takes.
    """
    multiple: int = network.size_multiple
    scores: dict[str, float] = {}
    for level in VALIDATION_SIGMAS:
        generator = torch.Generator().manual_seed(level)
        psnrs = []
        for index in range(len(images)):
            clean = images.image(index).float()[None] / 255
            height, width = (min(VALIDATION_SIDE, side) // multiple * multiple for side in clean.shape[2:])
            clean = clean[:, :, :height, :width]
            noise = torch.randn(clean.shape, generator=generator).to(clean.device)
            sigma = torch.full((1, 1, 1, 1), level / 255, device=clean.device)
            x_hat = network((clean + sigma * noise).contiguous(memory_format=torch.channels_last), sigma)
            psnrs.append(psnr_of((x_hat.float().clamp(0, 1) - clean).square().mean()))
        scores[f"psnr_{level}"] = sum(psnrs) / len(psnrs)
    return scores
