"""Recipes for JPEG repairers: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.deblocking import DeblockConfig


def deblock_unet() -> DeblockConfig:
    """The default JPEG repairer: the default denoiser's U-Net, blind or told the quality, for colour and grey.

    The shipped one last went on with drawn pictures, by Muon: drawn_share 0.2, learning_rate 0.0005, 5,000 steps, and
    apart from these 0.12, 0.0001, 2,500; it is the mean of where it began (0.3) and of both (0.35 each). In 8 bits:
    ``--from`` it, quantised, drawn_share 0.12, batch 8, learning_rate 0.00005, ema 0.99, 1,000 steps.
    """
    return DeblockConfig(
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=96,
        batch=16,
        learning_rate=4e-4,
        decay_from=0.3,
    )
