"""What readies pictures as they really are for enlarging: it learns from blurred, shrunk, noisy and compressed ones.

The damage is that of Zhang, Liang, Van Gool and Timofte, "Designing a Practical Degradation Model for Deep Blind Image
Super-Resolution", ICCV 2021 (BSRGAN), in any order, with milder strengths: the result is judged by its error, so
nothing is learned that would have to be invented. The network repairs the small picture; enlarging it is left to the
upscalers for clean ones. So one network serves every factor, and can start from a denoiser. All on the device, a whole
batch at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor, nn

from anew.inference.conditions import BLIND
from anew.options import Count, NotNegative
from anew.training.config import Part, Quality
from anew.training.data import ImageSet, load_images, split
from anew.training.drawings import with_drawings
from anew.training.jpeg_layer import grey_of, jpeg
from anew.training.objective import Objective, supervised
from anew.training.restoration import RestorationConfig, RunFacts, export_restorer, psnr_of
from anew.training.upscaling import check_shares

KERNEL = 21  # pixels a side of the blur kernels
SHRINKERS = ("bicubic", "bilinear", "area")
VALIDATION_SEED, VALIDATION_CROPS = 0, 96
BEST_QUALITY = 95  # of JPEG; above, hardly anything is lost


@dataclass(frozen=True, kw_only=True)
class RobustUpscaleConfig(RestorationConfig):
    """The run of a robust upscaler's first half; ``patch`` is the side of the small crop.

    Attributes
    ----------
    scales, shares : tuple of int, tuple of float
        By how much crops are shrunk, and how often by each.
    blur_max : float
        Largest standard deviation of the first, Gaussian blur, in pixels of the small image; the two axes differ.
    sigma_max : float
        Largest noise, in grey levels of 255.
    quality_min : int
        Lowest JPEG quality on the scale of libjpeg.
    clean_share : float in [0, 1]
        Part of the crops that each of blur, noise and JPEG spares.
    grey_share : float in [0, 1]
        Part of the crops that are grey.
    """

    objective: str = "robust_upscaling"
    task: str = "repair"
    channels: Literal[3] = 3
    scales: tuple[Count, ...] = (1, 2, 3)
    shares: tuple[NotNegative, ...] = (0.25, 0.4, 0.35)
    blur_max: NotNegative = 1.2
    sigma_max: Annotated[float, Interval(ge=0, le=255)] = 25.0
    quality_min: Quality = 30
    clean_share: Part = 0.25
    grey_share: Part = 0.1


def load_data(source: Path, config: RobustUpscaleConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    least = config.patch * max(config.scales)
    images = load_images(source, channels=3, min_size=least)
    training, validation = split(images, config.validation, config.seed)
    return with_drawings(training, config.drawn_share, least, config.seed), validation


def make_objective(config: RobustUpscaleConfig) -> Objective:
    """Build the network, and say how it learns."""
    check_shares(config.shares, config.scales)
    return supervised(config, make_batch, validate)


def export(network: nn.Module, config: RobustUpscaleConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = "mean PSNR in dB of held-out small crops, R'G'B', damaged as in the training; by the factor of shrinking"
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(
    images: ImageSet, config: RobustUpscaleConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (small, small and damaged, condition): (N, 3, h, w) in [0, 1] twice, and (N, 1, 1, 1).

    All are shrunk alike, by a factor that is drawn.
    """
    device = generator.device
    shares = torch.tensor(config.shares, device=device)
    scale = config.scales[int(torch.multinomial(shares, 1, generator=generator))]
    large = images.crops(config.batch, config.patch * scale, generator)
    grey = torch.rand(config.batch, generator=generator, device=device).to(large.device) < config.grey_share
    large = torch.where(grey[:, None, None, None], grey_of(large), large)
    damaged = damage(large, scale, config, generator)
    return shrink(large, scale).clamp(0, 1), damaged, torch.full((len(damaged), 1, 1, 1), BLIND, device=damaged.device)


def damage(large: Tensor, scale: int, config: RobustUpscaleConfig, generator: torch.Generator) -> Tensor:
    """Blur and shrink (N, 3, H, W); then noise, a second faint blur and JPEG, in an order drawn for the batch.

    Returns
    -------
    (N, 3, H // scale, W // scale) float32 tensor in [0, 1], whole levels of 8 bits
    """
    device = generator.device
    count = len(large)

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device).to(large.device)

    def spared() -> Tensor:
        return draw(count)[:, None, None, None] < config.clean_share

    with torch.autocast(large.device.type, enabled=False):
        widths = draw(count, 2) * config.blur_max * scale
        x = torch.where(spared(), large, blur(large, widths, draw(count) * torch.pi))
        shrinker = SHRINKERS[int(draw(1) * len(SHRINKERS))]
        x = shrink(x, scale, shrinker).clamp(0, 1)
        order = torch.randperm(3, generator=generator, device=device).tolist()
        for step in order:
            keep = spared()
            if step == 0:
                sigma = draw(count)[:, None, None, None] * (config.sigma_max / 255)
                noise = torch.randn(x.shape, generator=generator, device=device).to(x.device)
                alike = draw(count)[:, None, None, None] < 0.4  # the same in all channels
                noise = torch.where(alike, noise[:, :1], noise)
                x = torch.where(keep, x, x + sigma * noise)
            elif step == 1:
                x = torch.where(keep, x, blur(x, draw(count, 2) * 0.6, draw(count) * torch.pi))
            else:
                best = max(BEST_QUALITY, config.quality_min)
                quality = config.quality_min + (draw(count) * (best + 1 - config.quality_min)).long()
                x = torch.where(keep, x, jpeg(x, quality, draw(count) < 0.7))
        return (x.clamp(0, 1) * 255).round() / 255


def blur(images: Tensor, widths: Tensor, angles: Tensor) -> Tensor:
    """Blur each of (N, C, H, W) with an anisotropic Gaussian: (N, 2) standard deviations in pixels, (N,) radians."""
    count = len(images)
    steps = torch.arange(KERNEL, device=images.device, dtype=torch.float32) - KERNEL // 2
    cosine, sine = torch.cos(angles)[:, None, None], torch.sin(angles)[:, None, None]
    along = cosine * steps + sine * steps[:, None]
    across = cosine * steps[:, None] - sine * steps
    variances = widths.clamp(min=0.2).square()[:, :, None, None]
    kernels = torch.exp(-0.5 * (along.square() / variances[:, 0] + across.square() / variances[:, 1]))
    kernels = kernels / kernels.sum(dim=(1, 2), keepdim=True)
    wide = nn.functional.pad(images, (KERNEL // 2,) * 4, mode="replicate").transpose(0, 1)  # images as channels
    return nn.functional.conv2d(wide, kernels[:, None], groups=count).transpose(0, 1).reshape(images.shape)


def shrink(images: Tensor, scale: int, how: str = "bicubic") -> Tensor:
    """Shrink (N, C, H, W) by a whole factor; "bicubic" and "bilinear" with antialiasing."""
    if scale == 1:
        return images
    if how == "area":
        return nn.functional.avg_pool2d(images, scale)
    size = [side // scale for side in images.shape[2:]]
    return nn.functional.interpolate(images, size=size, mode=how, antialias=True)


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: RobustUpscaleConfig) -> dict[str, float]:
    """Give the mean PSNR in dB on R'G'B' of held-out small crops, damaged the same way every time."""
    scores = {}
    for scale in config.scales:
        generator = torch.Generator(images.pixels.device).manual_seed(VALIDATION_SEED)
        large = images.crops(VALIDATION_CROPS, config.patch * scale, generator)
        damaged = damage(large, scale, config, generator)
        blind = torch.full((len(damaged), 1, 1, 1), BLIND, device=damaged.device)
        x_hat = network(damaged.contiguous(memory_format=torch.channels_last), blind).float().clamp(0, 1)
        errors = (x_hat - shrink(large, scale).clamp(0, 1)).square().mean(dim=(1, 2, 3))
        scores[f"psnr_x{scale}"] = sum(map(psnr_of, errors)) / len(errors)
    return scores
