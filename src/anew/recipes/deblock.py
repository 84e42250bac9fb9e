"""Recipes for JPEG repairers: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.deblocking import DeblockConfig


def deblock_unet() -> DeblockConfig:
    """The default JPEG repairer: the default denoiser's U-Net, blind or told the quality, for colour and grey."""
    return DeblockConfig(
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=96,
        batch=16,
        learning_rate=4e-4,
        decay_from=0.3,
    )
