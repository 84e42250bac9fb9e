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


def denoise_grey() -> DenoiseConfig:
    """The default denoiser's network for grey images alone.

    The shipped one went on in 8 bits: ``--from``, quantised, AdamW at 0.0001, batch 8, ema 0.998, 9,000 steps.
    """
    return replace(denoise_unet(), channels=1, grey_share=0.0)


def denoise_fast() -> DenoiseConfig:
    """A fast denoiser: a quarter of the work.

    The shipped one learned by Muon, last at a rate of 0.0015 for 46,000 steps, and went on in 8 bits for 9,000:
    ``--from``, quantised, AdamW at 0.0002, sigma_skew 1.5; last for 6,000 at 0.00015, sigma_skew 2.5.
    """
    return replace(
        denoise_unet(),
        network_args={
            "widths": [32, 64, 96],
            "blocks": 1,
            "middle_blocks": 5,
            "up_blocks": [2, 1],
            "unshuffle": 2,
            "scaled_steps": True,
        },
        patch=80,
        steps=24_000,
    )


def denoise_autoencoder() -> DenoiseConfig:
    """An encoder-decoder without skips, for comparison."""
    arguments = {"widths": [64, 128], "blocks": 1, "middle_blocks": 4, "unshuffle": 2}
    return replace(denoise_unet(), network="autoencoder", network_args=arguments)


def denoise_dncnn() -> DenoiseConfig:
    """DnCNN with a noise map, at half resolution, for comparison."""
    return replace(denoise_unet(), network="dncnn", network_args={"width": 64, "depth": 15, "unshuffle": 2})


def denoise_recurrent() -> DenoiseConfig:
    """One residual block iterated with shared weights, for comparison."""
    arguments = {"width": 64, "iterations": 6, "unshuffle": 2}
    return replace(denoise_unet(), network="recurrent_cnn", network_args=arguments)


def denoise_scan() -> DenoiseConfig:
    """Rows and columns read as sequences by recurrent units (ReNet), for comparison."""
    arguments = {"width": 64, "blocks": 2, "layers": 4, "coarse_width": 96, "unshuffle": 2}
    return replace(denoise_unet(), network="renet", network_args=arguments)


def denoise_lstm() -> DenoiseConfig:
    """A convolutional LSTM unrolled over refinements, for comparison."""
    arguments = {"width": 32, "blocks": 2, "iterations": 4, "unshuffle": 2}
    return replace(denoise_unet(), network="conv_lstm", network_args=arguments)


def denoise_attention() -> DenoiseConfig:
    """A U-Net with self-attention in windows at its coarse level, for comparison."""
    arguments = {"widths": [64, 96], "blocks": 1, "layers": 5, "heads": 3, "window": 8, "unshuffle": 2}
    return replace(denoise_unet(), network="attention_cnn", network_args=arguments)
