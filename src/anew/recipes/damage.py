"""Recipes for detectors of damage: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.damage_masks import DamageConfig


def damage_masks() -> DamageConfig:
    """The detector of scratches, hairs and dust: a small U-Net at half resolution, for colour and grey.

    The shipped one stopped at 12,000 steps without busy_share and went on from its result four times: ``--from``,
    clean_share 0.55, learning_rate 0.0008, warmup 50, decay_from 0.1, 4200 steps; then clean_share 0.5,
    misleading_share 0.5, busy_share 0.2, patch 176, batch 9, drawn 300, learning_rate 0.001, 6500 steps; then the same
    with batch 10, drawn 500, 10,300 steps; then with cracks among the layers, which the earlier runs had not, and
    lookalikes 160, 8000 steps. Last it went on in 8 bits: quantised, learning_rate 0.00005, ema 0.98, 250 steps.
    """
    return DamageConfig(
        network="mask_unet",
        network_args={"widths": [32, 48, 64, 96], "blocks": [1, 2, 2, 3], "unshuffle": 2},
        patch=128,
        batch=16,
        busy_share=0.5,
        steps=16_000,
        learning_rate=2e-3,
        warmup=200,
        decay_from=0.2,
        ema=0.999,
        validation=150,
        validate_every=1000,
    )
