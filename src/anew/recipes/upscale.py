"""Recipes for upscalers: each function returns a complete configuration."""

from __future__ import annotations

from anew.training.upscaling import UpscaleConfig


def upscale_compact() -> UpscaleConfig:
    """The default upscaler: a re-parameterised net of 3x3 convolutions for x2, x3 and x4."""
    return UpscaleConfig(
        network="edge-oriented",
        network_args={"scales": [2, 3, 4], "width": 48, "depth": 10},
        patch=32,
        batch=16,
        learning_rate=1e-3,
        decay_from=0.3,
    )
