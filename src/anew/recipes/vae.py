"""Recipes for variational autoencoders: each function returns a complete configuration."""

from __future__ import annotations

from dataclasses import replace

from anew.recipes.classify import FASHION
from anew.training.variational import VariationalConfig


def vae_digits() -> VariationalConfig:
    """Handwritten digits, 28 x 28, binarised anew at every look: a variational autoencoder with Bernoulli pixels."""
    return VariationalConfig(
        network_args={"latent": 40, "widths": [64], "blocks": 2, "unshuffle": 4, "likelihood": "bernoulli"},
        batch=100,
        steps=30_000,
        learning_rate=3e-3,
        warmup=200,
        decay_from=0.2,
        ema=0.999,
        binarise=True,
        validate_every=1000,
        labels=tuple("0123456789"),
    )


def vae() -> VariationalConfig:
    """Square images of your own, grey, a folder per label if there are labels: a variational autoencoder."""
    return replace(vae_fashion(), patch=0, labels=())


def vae_fashion() -> VariationalConfig:
    """Clothes of ten kinds, 28 x 28: a variational autoencoder with normal pixels of learned variance."""
    return replace(
        vae_digits(),
        network_args={"latent": 32, "widths": [64], "blocks": 2, "unshuffle": 4, "likelihood": "gaussian"},
        binarise=False,
        steps=15_000,
        beta=0.3,
        labels=FASHION,
    )
