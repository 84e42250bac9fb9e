"""Recipes for rectified flows: each function returns a complete configuration."""

from __future__ import annotations

from dataclasses import replace

from anew.recipes.classify import FASHION
from anew.training.flow_matching import FlowConfig


def flow() -> FlowConfig:
    """Square images of your own, grey, a folder per label if there are labels: a rectified flow."""
    return replace(
        flow_fashion(),
        network_args={"widths": [32, 64, 128], "blocks": 1, "middle_blocks": 3, "unshuffle": 2},
        patch=0,
        batch=32,
        labels=(),
        steps_to_sample=16,
        guidance=1.0,
    )


def flow_fashion() -> FlowConfig:
    """Clothes of ten kinds, 28 x 28: a rectified flow from noise to images."""
    return FlowConfig(
        network_args={"labels": 10, "widths": [48, 96], "blocks": 1, "middle_blocks": 3, "unshuffle": 2},
        batch=64,
        steps=9000,
        learning_rate=1e-3,
        warmup=100,
        decay_from=0.5,
        weight_decay=0.01,
        ema=0.998,
        labels=FASHION,
        steps_to_sample=8,
        guidance=1.25,
    )


def flow_digits() -> FlowConfig:
    """Handwritten digits, 28 x 28: a rectified flow from noise to images."""
    return replace(flow_fashion(), steps=6500, labels=tuple("0123456789"), guidance=1.5)


def flow_faces() -> FlowConfig:
    """Grey faces, neutral or smiling, 64 x 64: a rectified flow from noise to images."""
    return replace(
        flow(),
        network_args={"labels": 2, "widths": [32, 64, 128], "blocks": 1, "middle_blocks": 3, "unshuffle": 2},
        patch=64,
        steps=4500,
        labels=("neutral", "smiling"),
        mirror=True,
    )
