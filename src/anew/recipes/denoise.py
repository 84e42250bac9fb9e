"""Recipes for denoisers: each function returns a complete configuration; variants are ``replace(base(), ...)``."""

from __future__ import annotations

from dataclasses import replace

from anew.training.config import TrainingConfig


def denoise_unet() -> TrainingConfig:
    """The default denoiser: a U-Net with noise map at half resolution, for colour and, by a share of crops, grey."""
    return TrainingConfig(
        task="denoise",
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=96,
        batch=16,
        grey_share=0.15,
    )


def denoise_unet_small() -> TrainingConfig:
    """A fast denoiser: a quarter of the work."""
    return replace(
        denoise_unet(),
        network_args={"widths": [32, 64, 96], "blocks": 2, "middle_blocks": 2, "unshuffle": 2},
    )


RECIPES = {"denoise": denoise_unet, "denoise-small": denoise_unet_small}
