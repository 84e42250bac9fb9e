"""What a JPEG repairer is trained and validated on: photographs through the real codec, once or twice.

The network is blind: it is told the quality of the file for half of the crops and ``BLIND`` for the others, so that one
set of weights serves files whose tables are known and pixels of which nothing is known (Jiang, Zhang and Timofte,
"Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021, predict the quality inside the network instead).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.networks import build_network
from anew.restoration.deblocking.unet import BLIND, condition_of
from anew.training.config import TrainingConfig
from anew.training.data import ImageSet, load_images, split
from anew.training.objective import Objective, supervised
from anew.training.restoration import RunFacts, export_restorer

VALIDATION_QUALITIES = (10, 20, 40)
LUMA = (0.299, 0.587, 0.114)  # BT.601
SAMPLING = {True: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, False: cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444}
MARGIN = 16  # pixels around a crop, so that the block grid can lie anywhere in it and blocks are whole


@dataclass(frozen=True, kw_only=True)
class DeblockConfig(TrainingConfig):
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
    quality_min: int = 5
    quality_max: int = 95
    low_share: float = 0.75
    grey_share: float = 0.35
    blind_share: float = 0.6
    half_chroma_share: float = 0.6
    double_share: float = 0.2
    shifted_share: float = 0.15


def load_data(source: Path, config: DeblockConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    images = load_images(source, channels=config.channels, min_size=config.patch + MARGIN)
    return split(images, config.validation, config.seed)


def make_objective(config: DeblockConfig) -> Objective:
    """Build the network, and say how it learns."""
    network = build_network(config.network, seed=config.seed, channels=config.channels, **config.network_args)
    return supervised(network, make_batch, validate)


def export(network: nn.Module, config: DeblockConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card."""
    protocol = "mean PSNR in dB of grey images (BT.601 luma) through cv2.imencode, quality not told; clipped, rounded"
    export_restorer(network, config, path, facts, protocol=protocol)


def make_batch(images: ImageSet, config: DeblockConfig, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw (clean, compressed, condition): (N, 3, h, w) in [0, 1] twice, and (N, 1, 1, 1)."""
    wide = images.crops(config.batch, config.patch + MARGIN, generator)
    device = wide.device
    draws = torch.rand(config.batch, 11, generator=generator, device=generator.device).cpu().numpy()
    pixels = (wide * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    pairs = [_compress_crop(p, config, d) for p, d in zip(pixels, draws, strict=True)]
    clean, compressed = (
        torch.from_numpy(np.stack(side)).permute(0, 3, 1, 2).to(device).float() / 255
        for side in zip(*((c, y) for c, y, _ in pairs), strict=True)
    )
    conditions = torch.tensor([condition for _, _, condition in pairs], dtype=torch.float32, device=device)
    return clean, compressed, conditions.reshape(-1, 1, 1, 1)


def _compress_crop(
    wide: NDArray[np.uint8], config: DeblockConfig, draws: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
    """Give a clean crop, the same compressed, and the condition.

    The encoder sees the crop with up to ``MARGIN`` pixels around it: its grid is that of the second corner drawn here.
    """
    if draws[0] < config.grey_share:
        wide = grey_of(wide)[:, :, None]
    half = bool(draws[1] < config.half_chroma_share)
    quality, earlier = (_draw_quality(config, draws[k], draws[k + 1]) for k in (2, 4))
    decoded = wide
    if draws[6] < config.double_share:
        top, left = divmod(int(draws[7] * 64), 8)
        decoded = wide.copy()
        decoded[top:, left:] = compress(np.ascontiguousarray(wide[top:, left:]), earlier, half)
    first = MARGIN // 2  # the last encoder's corner
    seen = compress(np.ascontiguousarray(decoded[first:, first:]), quality, half)
    top, left = divmod(int(draws[8] * 64), 8) if draws[9] < config.shifted_share else (0, 0)
    compressed = seen[top : top + config.patch, left : left + config.patch]
    clean = wide[first + top :, first + left :][: config.patch, : config.patch]
    condition = BLIND if draws[10] < config.blind_share else condition_of(quality)
    return _three(clean), _three(compressed), condition


def _three(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a grey image three equal channels."""
    return np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))


def _draw_quality(config: DeblockConfig, which: float, where: float) -> int:
    """Draw from the lower or the upper half of the range."""
    middle = (config.quality_min + config.quality_max) // 2
    low, high = (config.quality_min, middle) if which < config.low_share else (middle + 1, config.quality_max)
    return low + int(where * (high - low + 1))


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
            y = torch.from_numpy(_three(compress(clean, quality))).permute(2, 0, 1)[None].to(device).float() / 255
            x_hat = network(y.contiguous(memory_format=torch.channels_last), blind).float().mean(dim=1)
            levels = (x_hat[0].clamp(0, 1) * 255).round().cpu().numpy()
            error = float(np.mean((levels - clean[:, :, 0]) ** 2))
            psnrs.append(10 * np.log10(255**2 / error))
        scores[f"psnr_{quality}"] = float(np.mean(psnrs))
    return scores
