"""What a JPEG repairer is trained and validated on: photographs compressed once or twice.

Training compresses whole batches on the device (``jpeg_layer.py``); validation goes through the real codec.

The network is blind: it is told the quality of the file for half of the crops and ``BLIND`` for the others, so that one
set of weights serves files whose tables are known and pixels of which nothing is known (Jiang, Zhang and Timofte,
"Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021, predict the quality inside the network instead).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import LUMA
from anew.errors import InvalidSetting
from anew.inference.conditions import BLIND, condition_of_quality
from anew.training import jpeg_layer
from anew.training.config import Part, Quality
from anew.training.data import ImageSet, load_images, split
from anew.training.drawings import with_drawings
from anew.training.objective import Objective, supervised
from anew.training.restoration import RestorationConfig, RunFacts, export_restorer, psnr_of

VALIDATION_QUALITIES = (10, 20, 40)
SAMPLING = {True: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, False: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444}
BLOCK = 8
MARGIN = 2 * BLOCK  # pixels around a crop, so that the block grids can lie anywhere in it


@dataclass(frozen=True, kw_only=True)
class DeblockConfig(RestorationConfig):
    """A JPEG repairer's run.

    Attributes
    ----------
    quality_min, quality_max : int in [1, 100]
        On the scale of libjpeg.
    low_share : float in [0, 1]
        Part of the crops whose quality is drawn from the range's lower half, where the damage is seen.
    grey_share : float in [0, 1]
        Part of the crops that are grey, in three equal channels.
    blind_share : float in [0, 1]
        Part of the crops whose quality is not told.
    half_chroma_share : float in [0, 1]
        Part of the colour crops with 4:2:0 chroma; the others have 4:4:4.
    double_share : float in [0, 1]
        Part of the crops that were compressed before, with another quality and another block grid.
    shifted_share : float in [0, 1]
        Part of the crops whose block grid does not start at the corner, as in cropped pictures.
    """

    objective: str = "deblocking"
    task: str = "deblock"
    channels: Literal[3] = 3
    quality_min: Quality = 5
    quality_max: Quality = 95
    low_share: Part = 0.75
    grey_share: Part = 0.35
    blind_share: Part = 0.6
    half_chroma_share: Part = 0.6
    double_share: Part = 0.2
    shifted_share: Part = 0.15


def load_data(source: Path, config: DeblockConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    least = config.patch + MARGIN
    images = load_images(source, channels=config.channels, min_size=least)
    training, validation = split(images, config.validation, config.seed)
    return with_drawings(training, config.drawn_share, least, config.seed), validation


def make_objective(config: DeblockConfig) -> Objective:
    """Build the network, and say how it learns."""
    if config.quality_min > config.quality_max:
        raise InvalidSetting(f"quality_min = {config.quality_min} must not exceed quality_max = {config.quality_max}")
    return supervised(config, make_batch, validate)


def export(network: nn.Module, config: DeblockConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = "mean PSNR in dB of grey images (BT.601 luma) through cv2.imencode, quality not told; clipped, rounded"
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(images: ImageSet, config: DeblockConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (clean, compressed, condition): (N, 3, h, w) in [0, 1] twice, and (N, 1, 1, 1).

    What the last encoder sees is a window of what an earlier one may have left; both grids can lie anywhere.
    """
    wide = images.crops(config.batch, config.patch + MARGIN, generator)
    draws = torch.rand(11, config.batch, generator=generator, device=generator.device).to(wide.device)
    wide = torch.where((draws[0] < config.grey_share)[:, None, None, None], jpeg_layer.grey_of(wide), wide)
    half = draws[1] < config.half_chroma_share
    quality, earlier = (_draw_quality(config, draws[k], draws[k + 1]) for k in (2, 4))
    twice = (draws[6] < config.double_share)[:, None, None, None]
    decoded = torch.where(twice, jpeg_layer.jpeg(wide, earlier, half), wide)
    corner = (draws[7] * 64).long()  # of the last encoder, and below that of the crop in what it saw
    clean, decoded = (_windows(x, corner, config.patch + BLOCK) for x in (wide, decoded))
    seen = jpeg_layer.jpeg(decoded, quality, half)
    corner = torch.where(draws[9] < config.shifted_share, (draws[8] * 64).long(), 0)
    clean, seen = (_windows(x, corner, config.patch) for x in (clean, seen))
    condition = torch.where(draws[10] < config.blind_share, BLIND, condition_of_quality(quality))
    return clean, seen, condition.reshape(-1, 1, 1, 1)


def _windows(images: Tensor, corner: Tensor, size: int) -> Tensor:
    """Cut a window out of each of (N, C, H, W), its corner given as 8 y + x."""
    steps = torch.arange(size, device=images.device)
    rows = (corner // BLOCK)[:, None] + steps
    columns = (corner % BLOCK)[:, None] + steps
    which = torch.arange(len(images), device=images.device)[:, None, None, None]
    planes = torch.arange(images.shape[1], device=images.device)[:, None, None]
    return images[which, planes, rows[:, None, :, None], columns[:, None, None, :]]


def _draw_quality(config: DeblockConfig, which: Tensor, where: Tensor) -> Tensor:
    """Draw from the lower or the upper half of the range."""
    middle = (config.quality_min + config.quality_max) // 2
    low = torch.where(which < config.low_share, config.quality_min, min(middle + 1, config.quality_max))
    high = torch.where(which < config.low_share, middle, config.quality_max)
    return low + (where * (high - low + 1)).long()


def grey_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the BT.601 luma of an (H, W, 3) image."""
    return np.rint(image @ np.array(LUMA, np.float32)).astype(np.uint8)


def compress(image: NDArray[np.uint8], quality: int, half_chroma: bool = False) -> NDArray[np.uint8]:
    """Encode as JPEG and decode again: (H, W, 1) or (H, W, 3) R'G'B' uint8."""
    grey = image.shape[2] == 1
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if not grey:
        flags += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[half_chroma]]
    _, code = cv2.imencode(".jpg", image if grey else image[:, :, ::-1], flags)
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR), np.uint8)
    return decoded[:, :, None] if grey else decoded[:, :, ::-1]


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: DeblockConfig) -> dict[str, float]:
    """Give the mean PSNR in dB of the held-out images, grey and blind, at quality 10, 20 and 40."""
    multiple: int = network.size_multiple
    scores: dict[str, float] = {}
    device = next(network.parameters()).device
    blind = torch.full((1, 1, 1, 1), BLIND, device=device)
    for quality in VALIDATION_QUALITIES:
        psnrs = []
        for index in range(len(images)):
            image = images.image(index).permute(1, 2, 0).cpu().numpy()
            height, width = (min(256, side) // multiple * multiple for side in image.shape[:2])
            clean = grey_of(image[:height, :width])[:, :, None]
            y = (
                torch.from_numpy(np.repeat(compress(clean, quality), 3, axis=2))
                .permute(2, 0, 1)[None]
                .to(device)
                .float()
                / 255
            )
            x_hat = network(y.contiguous(memory_format=torch.channels_last), blind).float().mean(dim=1)
            levels = (x_hat[0].clamp(0, 1) * 255).round().cpu()
            psnrs.append(psnr_of(((levels - torch.from_numpy(clean[:, :, 0])) / 255).square().mean()))
        scores[f"psnr_{quality}"] = float(np.mean(psnrs))
    return scores
