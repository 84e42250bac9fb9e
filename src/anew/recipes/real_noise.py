"""Recipes for denoisers of real photographs: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.real_noise import RealNoiseConfig


def real_noise_unet() -> RealNoiseConfig:
    """A denoiser for the noise of cameras and before JPEG: the default denoiser's U-Net, blind or told the level.

    The shipped one went on from an earlier one by Muon at a rate of 0.0007, decay from 0.25, and in 8 bits: ``--from``,
    quantised, AdamW at 0.0001.
    """
    return RealNoiseConfig(
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=96,
        batch=16,
        learning_rate=4e-4,
        decay_from=0.3,
    )
