"""Recipes for detectors of damage: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.damage_masks import DamageConfig


def damage_masks() -> DamageConfig:
    """The detector of scratches, hairs and dust: a small U-Net at half resolution, for colour and grey."""
    return DamageConfig(
        network="mask_unet",
        network_args={"widths": [24, 32, 48, 64], "blocks": [1, 1, 2, 2], "unshuffle": 2},
        patch=96,
        batch=8,
        steps=2400,
        learning_rate=2e-3,
        warmup=100,
        decay_from=0.2,
        ema=0.995,
        validation=150,
    )
