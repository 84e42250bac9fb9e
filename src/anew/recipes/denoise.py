"""Recipes for denoisers: each function returns a complete configuration; variants are ``replace(base(), ...)``."""

from __future__ import annotations

from dataclasses import replace

from anew.training.denoising import DenoiseConfig


def denoise_unet() -> DenoiseConfig:
    """The default denoiser: a U-Net with noise map at half resolution, for colour and, by a share of crops, grey."""
    return DenoiseConfig(
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=96,
        batch=16,
        grey_share=0.15,
    )


def denoise_unet_small() -> DenoiseConfig:
    """A fast denoiser: a quarter of the work."""
    return replace(
        denoise_unet(),
        network_args={"widths": [32, 64, 96], "blocks": 2, "middle_blocks": 2, "unshuffle": 2},
    )
