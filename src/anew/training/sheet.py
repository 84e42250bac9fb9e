"""Pictures of how far a network has come, drawn while it trains."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from anew.training.config import TrainingConfig

EXAMPLES = 6
SEED = 1


@torch.no_grad()
def draw_examples(network: nn.Module, data: Any, config: TrainingConfig, make_batch: Any) -> NDArray[np.uint8]:
    """Draw, for the same crops of the data every time, what goes in, what comes out, and what should.

    Parameters
    ----------
    network : module with ``forward(input, condition)``
    make_batch : function (data, config, generator) -> (target, input, condition)

    Returns
    -------
    (H, W, 3) uint8 array of three rows
    """
    generator = torch.Generator(next(network.parameters()).device).manual_seed(SEED)
    target, degraded, condition = make_batch(data, replace(config, batch=EXAMPLES), generator)
    x_hat = network(degraded.contiguous(memory_format=torch.channels_last), condition)
    given = interpolate(degraded, target.shape[2:], mode="nearest")  # an upscaler's is smaller
    return draw_sheet(2 * torch.cat([given, x_hat.float(), target]) - 1, columns=EXAMPLES)


def draw_sheet(images: Tensor, *, columns: int) -> NDArray[np.uint8]:
    """Lay (N, C, H, W) images in [-1, 1] out on one (H, W, 3) uint8 picture, enlarged if small."""
    count, _, height, width = images.shape
    pixels = ((images.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    rows = math.ceil(count / columns)
    sheet = np.zeros((rows * (height + 2), columns * (width + 2), 3), np.uint8)
    for index, image in enumerate(pixels):
        top, left = index // columns * (height + 2), index % columns * (width + 2)
        sheet[top : top + height, left : left + width] = image
    enlarged = max(1, 64 // height)
    return sheet.repeat(enlarged, 0).repeat(enlarged, 1)
