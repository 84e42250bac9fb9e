"""Recipes for detectors of damage: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.damage_masks import DamageConfig


def damage_masks() -> DamageConfig:
    """The detector of scratches, hairs and dust: a small U-Net at half resolution, for colour and grey.

    The shipped one went on from its result: ``--from``, patch 128, clean_share 0.45, learning_rate 0.0012, 6500 steps.
    """
    return DamageConfig(
        network="mask_unet",
        network_args={"widths": [24, 32, 48, 64], "blocks": [1, 1, 2, 2], "unshuffle": 2},
        patch=96,
        batch=16,
        steps=14_000,
        learning_rate=2e-3,
        warmup=200,
        decay_from=0.2,
        ema=0.999,
        validation=150,
        validate_every=1000,
    )
