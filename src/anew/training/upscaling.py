"""What an upscaler is trained and validated on: luma of photographs, shrunk as MATLAB's bicubic does it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import luminance
from anew.degradations.downscale import resize_bicubic
from anew.errors import InvalidSetting
from anew.inference.card import ModelCard
from anew.options import NotNegative, Share
from anew.training.config import TrainingConfig
from anew.training.data import ImageSet, load_images, pack, resized, split
from anew.training.drawings import with_drawings
from anew.training.export import export_onnx
from anew.training.objective import Objective, supervised
from anew.training.restoration import RestorationConfig, RunFacts, make_card, psnr_of

STUDIO = 219  # grey levels between black and white of studio-range Y, on which the field's PSNR is defined


@dataclass(frozen=True, kw_only=True)
class UpscaleConfig(RestorationConfig):
    """An upscaler's run; ``patch`` is the side of the small crop.

    Attributes
    ----------
    shares : tuple of float
        How often each of the network's ``scales`` is drawn.
    sizes : tuple of float in (0, 1]
        Each photograph is learned from at each of these sizes, if it is then still large enough. Shrunk ones are
        sharper and show less of the JPEG compression that most photographs have been through.
    """

    objective: str = "upscaling"
    task: str = "upscale"
    channels: Literal[1] = 1
    shares: tuple[NotNegative, ...] = (0.4, 0.3, 0.3)
    sizes: tuple[Share, ...] = (1.0,)

    @property
    def scales(self) -> tuple[int, ...]:
        """The factors, as the network has them."""
        if "scales" not in self.network_args:
            raise InvalidSetting(
                f'network_args = {dict(self.network_args)} must name the scales, as "scales": [2, 3, 4]'
            )
        return tuple(self.network_args["scales"])


@dataclass(frozen=True)
class Pairs:
    """Large images and the small ones made of them, luma.

    Attributes
    ----------
    large : ImageSet of one channel
    small : dict of int to ImageSet of one channel
        By scale; ``large // scale`` pixels a side. They belong to ``large`` cut on the right and below to a multiple of
        the scale.
    photographs : int
        How many the images show; an image may be another one at a smaller size.
    """

    large: ImageSet
    small: dict[int, ImageSet]
    photographs: int

    def __len__(self) -> int:
        return self.photographs

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out of the photographs, and why, one line each."""
        return self.large.skipped

    def to(self, device: torch.device) -> Pairs:
        """Give the same pairs on a device."""
        small = {scale: images.to(device) for scale, images in self.small.items()}
        return Pairs(self.large.to(device), small, self.photographs)

    def crops(self, scale: int, count: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw (large, small) crops that belong together, turned and mirrored at random.

        Returns
        -------
        (count, 1, size * scale, size * scale) and (count, 1, size, size) float32 tensors in [0, 1]
        """
        small = self.small[scale]
        place = small.places(count, size, generator)
        return (
            self.large.crops_at(replace(place, top=place.top * scale, left=place.left * scale), size * scale),
            small.crops_at(place, size),
        )


def load_data(source: Path, config: UpscaleConfig) -> tuple[Pairs, Pairs]:
    """Read the images of a folder, .zip or .tar, shrink them, and hold some out: (training, validation)."""
    least = config.patch * max(config.scales)
    training, validation = split(load_images(source, channels=3, min_size=least), config.validation, config.seed)
    images = with_drawings(resized(training, config.sizes, least), config.drawn_share, least, config.seed)
    copies = make_pairs(images, config.scales)
    return replace(copies, photographs=len(training)), make_pairs(validation, config.scales)


def make_pairs(images: ImageSet, scales: tuple[int, ...]) -> Pairs:
    """Shrink RGB images in 8 bits, as the test sets of the field were made, and keep the luma, not rounded."""
    large = []
    small: dict[int, list[NDArray[np.float32]]] = {scale: [] for scale in scales}
    for index in range(len(images)):
        pixels = images.image(index).permute(1, 2, 0).numpy().astype(np.float32) / np.float32(255)
        large.append(_luma(pixels))
        for scale in scales:
            height, width = (side // scale * scale for side in pixels.shape[:2])
            small[scale].append(_luma(resize_bicubic(pixels[:height, :width], scale=1 / scale, eight_bit=True)))
    shrunk = {scale: pack(copies) for scale, copies in small.items()}
    return Pairs(pack(large, images.skipped), shrunk, photographs=len(images))


def make_objective(config: UpscaleConfig) -> Objective:
    """Build the network, and say how it learns."""
    check_shares(config.shares, config.scales)
    return supervised(config, make_batch, validate)


def check_shares(shares: tuple[float, ...], scales: tuple[int, ...]) -> None:
    """Refuse shares that do not say how often each scale is drawn."""
    if len(shares) != len(scales) or not sum(shares) > 0:
        raise InvalidSetting(
            f"shares = {list(shares)} must be a number for each of the scales {list(scales)}, not all 0"
        )


def make_batch(pairs: Pairs, config: UpscaleConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (large, small, scale) for one scale, which is drawn too."""
    draw = float(torch.rand(1, generator=generator, device=generator.device))
    place = int(np.searchsorted(np.cumsum(config.shares) / sum(config.shares), draw, side="right"))
    scale = config.scales[min(place, len(config.scales) - 1)]
    large, small = pairs.crops(scale, config.batch, config.patch, generator)
    return large, small, torch.full((1, 1, 1, 1), float(scale), device=small.device)


@torch.no_grad()
def validate(network: nn.Module, pairs: Pairs, config: UpscaleConfig) -> dict[str, float]:
    """Give the mean PSNR in dB on studio-range Y of the held-out images, as many border pixels cut as the scale."""
    scores = {}
    for scale in config.scales:
        told = torch.full((1, 1, 1, 1), float(scale), device=pairs.large.pixels.device)
        psnrs = []
        for index in range(len(pairs.large)):
            large, small = (images.image(index) / 255 for images in (pairs.large, pairs.small[scale]))
            x_hat = network(small[None].contiguous(), told).float()[0].clamp(0, 1)
            error = (x_hat - large[:, : x_hat.shape[1], : x_hat.shape[2]])[:, scale:-scale, scale:-scale]
            psnrs.append(psnr_of((error * (STUDIO / 255)).square().mean()))
        scores[f"psnr_x{scale}"] = sum(psnrs) / len(psnrs)
    return scores


def export(network: nn.Module, config: UpscaleConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network, its branches collapsed, with its card."""
    protocol = "mean PSNR in dB on studio-range Y, MATLAB-style bicubic input, as many border pixels cut as the scale"
    export_upscaler(network, config, path, facts, protocol=protocol)


def export_upscaler(network: Any, config: TrainingConfig, path: Path, facts: RunFacts, *, protocol: str = "") -> None:
    """Write an upscaler with ``collapsed()`` as ONNX with one output per factor, ``x2``, ``x3`` and so on."""
    scales = config.network_args["scales"]
    plain = network.cpu().collapsed()
    arguments = {**config.network_args, **network.exported_arguments}
    card: ModelCard = make_card(plain, replace(config, network_args=arguments), facts, protocol=protocol)
    card = card.model_copy(update={"recipe": dataclasses.asdict(config), "facts": {"scales": list(scales)}})
    inputs = {"image": torch.rand(1, config.channels, 24, 24), "condition": torch.full((1, 1, 1, 1), 2.0)}
    outputs = [f"x{scale}" for scale in scales]
    dynamic = {name: {2: f"height_{name}", 3: f"width_{name}"} for name in ("image", *outputs)}
    export_onnx(plain, card, path, inputs=inputs, outputs=outputs, dynamic=dynamic, stored=config.stored)


def _luma(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give (H, W, 1) luma in [0, 255] of (H, W, 3) in [0, 1]."""
    return 255 * luminance(pixels)[:, :, None]
