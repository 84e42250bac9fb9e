"""A U-Net that we trained to repair JPEG, blind or told the quality; runs through ONNX Runtime.

The network is ``anew/networks/unet.py``; its card (``anew models deblock-unet``) says what it was trained on and how
good it is. It sees the decoded pixels alone and finds out by itself how strongly they were compressed, once or twice,
at 4:4:4 or 4:2:0; a quality that is known may be told, and a lower one than the true one makes it bolder. Colour images
are repaired jointly. A grey image goes in as three equal channels, which the network knows from its training; other
channel counts are repaired channel by channel. On a CPU it computes in 8 bits where the quality is known and the damage
hides the rounding (``deblock-unet-int8``). Where the quality is known, the luma of the result is projected onto the
pictures that the encoder can have seen (Zakhor, IEEE TCSVT 2 (1992)), narrowed as in ``reapplication.py``: a repair
that the file contradicts is none.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from anew.arrays import Image, luminance
from anew.block_dct import pad_to_blocks
from anew.inference.conditions import BLIND, condition_of_quality
from anew.inference.ensemble import Ensemble, self_ensemble
from anew.inference.models import open_model
from anew.inference.tiled import apply_network
from anew.jpeg_tables import LUMINANCE, quantisation_table
from anew.options import Quality, checked_arguments
from anew.restoration.deblocking.jpeg_planes import project_on_quantiser

NARROW = 0.7  # share of half a quantisation step by which a coefficient may change
ROUNDING = 0.4 / 255  # room for the decoder's rounding to 8 bits, in units of the range
LARGEST_BLOCK = 16  # pixels a side, of chroma that was halved
FADING = (90, 96)  # qualities between which the repair fades out: beyond, there is next to nothing left to repair


@checked_arguments
def deblock_unet(
    image: Image,
    quality: Quality | None = None,
    *,
    blind: bool = False,
    ensemble: Ensemble = 1,
    model: str = "deblock-unet",
) -> Image:
    """Repair a decoded JPEG with a trained U-Net.

    Use it for any visible JPEG trace, in colour or grey, also where the quality is not known. Files above quality 90
    are best left as they are.

    Parameters
    ----------
    image : (H, W) or (H, W, C) float32 array, nominally in [0, 1]
        Decoded. It does best, as all methods do, with the block grid starting at its top left corner.
    quality : int in [1, 100], optional
        On the scale of libjpeg. From 96 on the image comes back as it is. None: the network judges by the pixels.
    blind : bool
        Let it judge by the pixels even if a quality is given: for pictures that were saved again at a higher quality
        than before.
    ensemble : {1, 2, 4, 8}
        Average what the network makes of the image turned and mirrored in as many ways, in as many times the time.
    model : str
        A shipped model, or the path of an ONNX file made by ``anew train deblock``.

    Returns
    -------
    float32 array of the same shape, not clipped

    References
    ----------
    Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", IEEE TPAMI 44 (2022), the network; Jiang,
    Zhang and Timofte, "Towards Flexible Blind JPEG Artifacts Removal", ICCV 2021, the task; Timofte et al.,
    CVPR 2016, the ensemble.
    """
    network = open_model(model, task="deblock")
    known = None if blind else quality
    strength = 1.0 if known is None else float(np.clip((FADING[1] - known) / (FADING[1] - FADING[0]), 0, 1))
    if strength == 0:
        return image.copy()
    run = partial(apply_network, network, condition=BLIND if known is None else condition_of_quality(known))
    # Tiles and halo are multiples of 8, so the grid of blocks keeps its place in them; in a mirrored image it does if
    # that ends with a block.
    whole = image if ensemble == 1 else pad_to_blocks(image, LARGEST_BLOCK)
    result = self_ensemble(run, whole, ensemble)
    result = result[: image.shape[0], : image.shape[1]]
    if known is not None:
        result = _consistent(result, image, known)
    return result if strength == 1 else image + np.float32(strength) * (result - image)


def _consistent(result: Image, decoded: Image, quality: int) -> Image:
    """Project the luma of the result onto what the encoder can have seen; chroma may have been shrunk, and stays."""
    if result.ndim == 2:
        return _project_plane(result, decoded, quality)
    if result.shape[2] != 3:
        planes = [_project_plane(result[:, :, c], decoded[:, :, c], quality) for c in range(result.shape[2])]
        return np.stack(planes, axis=2)
    y = luminance(result)
    return result + (_project_plane(y, luminance(decoded), quality) - y)[:, :, np.newaxis]


def _project_plane(plane: Image, decoded: Image, quality: int) -> Image:
    height, width = plane.shape
    room = (NARROW * quantisation_table(quality, LUMINANCE) / 255 + ROUNDING).astype(np.float32)
    return project_on_quantiser(pad_to_blocks(plane), pad_to_blocks(decoded), room)[:height, :width]
