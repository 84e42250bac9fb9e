"""Recipes for upscalers: each function returns a complete configuration."""

from __future__ import annotations

from dataclasses import replace

from anew.training.robust_upscaling import RobustUpscaleConfig
from anew.training.upscaling import UpscaleConfig


def upscale_x2() -> UpscaleConfig:
    """The default upscaler for x2: a re-parameterised net of 3x3 convolutions.

    The shipped ones went on in 8 bits: ``--from``, quantised, AdamW, batch 16, patch 40, ema 0.995, 700 to 1000 steps
    at a rate of 0.00005.
    """
    return UpscaleConfig(
        network="edge-oriented",
        network_args={"scales": [2], "width": 48, "depth": 9},
        shares=(1.0,),
        sizes=(1.0, 0.75, 0.55),
        patch=40,
        batch=16,
        optimiser="muon",
        learning_rate=7e-4,
        decay_from=0.2,
        ema=0.998,
    )


def upscale_x3() -> UpscaleConfig:
    """The default upscaler for x3: narrower and deeper than the others, at as many multiplications per new pixel.

    The shipped one learned from a wider one of 14 convolutions: teacher, teacher_share 0.7, 8,500 steps; in 8 bits the
    same, AdamW at 0.0001 for 1,000 steps.
    """
    return replace(upscale_x2(), network_args={"scales": [3], "width": 48, "depth": 20})


def upscale_x4() -> UpscaleConfig:
    """The default upscaler for x4: as many multiplications per new pixel, more per old one."""
    return replace(upscale_x2(), network_args={"scales": [4], "width": 64, "depth": 20})


def upscale_srcnn() -> UpscaleConfig:
    """SRCNN, for comparison: three convolutions at the full size."""
    return replace(upscale_x2(), network="srcnn", network_args={"scales": [2, 3, 4]}, shares=(0.4, 0.3, 0.3))


def upscale_espcn() -> UpscaleConfig:
    """ESPCN, for comparison: three convolutions at the small size and sub-pixel convolution."""
    return replace(upscale_srcnn(), network="espcn")


def upscale_robust() -> RobustUpscaleConfig:
    """What repairs blurred, noisy and compressed pictures before they are enlarged: the default denoiser's U-Net."""
    return RobustUpscaleConfig(
        network="unet",
        network_args={"widths": [64, 96, 160], "blocks": 2, "middle_blocks": 3, "unshuffle": 2},
        channels=3,
        patch=64,
        batch=24,
        learning_rate=4e-4,
        decay_from=0.3,
    )
