"""A U-Net that we trained to repair JPEG, blind or told the quality; runs through ONNX Runtime.

The network is ``anew/networks/unet.py``; its card (``anew models deblock-unet``) says what it was trained on and how
good it is. It sees the decoded pixels alone and finds out by itself how strongly they were compressed, once or twice,
at 4:4:4 or 4:2:0; a quality that is known may be told, and a lower one than the true one makes it bolder. Colour images
are repaired jointly. A grey image goes in as three equal channels, which the network knows from its training; other
channel counts are repaired channel by channel.
"""

from __future__ import annotations

import numpy as np

from anew.arrays import Image, per_channel
from anew.inference.models import Model, open_model
from anew.restoration.tiles import apply_in_tiles

BLIND = -0.5  # the condition that says that nothing is known


def condition_of(quality: float) -> float:
    """Give the network's condition of a quality on libjpeg's scale: 0 at 100, rising with the damage."""
    return 1 - quality / 100


def deblock_unet(
    image: Image, quality: int | None = None, *, blind: bool = False, model: str = "deblock-unet"
) -> Image:
    """Repair a decoded JPEG with a trained U-Net.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
        Decoded. It does best, as all methods do, with the block grid starting at its top left corner.
    quality : int in [1, 100], optional
        On the scale of libjpeg. None: the network judges by the pixels.
    blind : bool
        Let it judge by the pixels even if a quality is given: for pictures that were saved again at a higher quality
        than before.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train deblock``.

    Returns
    -------
    float32 array of the same shape, not clipped

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 44 (2022), the network; Jiang,
    Zhang and Timofte, "Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021, the task.
    """
    network = open_model(model)
    condition = BLIND if blind or quality is None else condition_of(quality)
    if image.ndim == 3 and image.shape[2] == 3:
        return _repair(network, image, condition)
    return per_channel(lambda x: _repair_grey(network, x, condition), image)


def _repair(network: Model, image: Image, condition: float) -> Image:
    """Run tile by tile; tiles and halo are multiples of 8, so the grid of blocks keeps its place in them."""
    return apply_in_tiles(lambda tile: network(tile, condition), image, halo=network.card.halo)


def _repair_grey(network: Model, image: Image, condition: float) -> Image:
    if network.card.channels == 1:
        return _repair(network, image[:, :, None], condition)[:, :, 0]
    tripled = np.repeat(image[:, :, None], 3, axis=2)
    return _repair(network, tripled, condition).mean(axis=2, dtype=np.float32)
