"""Recipes for adversarial generators: each function returns a complete configuration.

``gan`` and its domains are ours. ``dcgan_plain`` and ``wgan_gp_plain`` are what the common tutorials train, unchanged:
yardsticks for them.
"""

from __future__ import annotations

from dataclasses import replace

from anew.recipes.classify import FASHION
from anew.training.adversarial import AdversarialConfig


def gan() -> AdversarialConfig:
    """Square images of your own, grey, a folder per label if there are labels: a residual GAN."""
    return replace(
        gan_fashion(),
        network_args={"latent": 64, "widths": [64, 48, 32]},
        discriminator_args={"widths": [32, 48, 64], "minibatch_std": True},
        patch=0,
        labels=(),
        extractor="",
    )


def gan_fashion() -> AdversarialConfig:
    """Clothes of ten kinds, 28 x 28: a residual GAN with paired scores, R1 and R2."""
    return AdversarialConfig(
        network_args={"latent": 64, "widths": [64, 32]},
        discriminator_args={"widths": [32, 64], "minibatch_std": True},
        batch=64,
        steps=5000,
        learning_rate=1e-3,
        warmup=50,
        decay_from=0.4,
        ema=0.995,
        r1=0.2,
        r2=0.2,
        penalty_every=4,
        keep="best",
        labels=FASHION,
        extractor="fashion",
    )


def gan_digits() -> AdversarialConfig:
    """Handwritten digits, 28 x 28: a residual GAN with paired scores, R1 and R2."""
    return replace(gan_fashion(), steps=3000, labels=tuple("0123456789"), r1=1.0, r2=1.0, extractor="digits")


def gan_faces() -> AdversarialConfig:
    """Grey faces, neutral or smiling, 64 x 64: a residual GAN with paired scores, R1 and R2."""
    return replace(
        gan(),
        patch=64,
        steps=3000,
        labels=("neutral", "smiling"),
        mirror=True,
        augment=("translation",),
        extractor="faces",
    )


def gan_textures() -> AdversarialConfig:
    """Brick, grass and gravel, 64 x 64: a residual GAN with paired scores, R1 and R2.

    The last weights are kept: those with the least distance, in features that see grain above all, came out of half as
    many steps and drew neither blades nor stones.
    """
    return replace(
        gan(),
        patch=64,
        steps=2600,
        keep="last",
        r1=0.1,
        r2=0.1,
        labels=("brick", "grass", "gravel"),
        extractor="photos",
    )


def dcgan_plain() -> AdversarialConfig:
    """DCGAN as in the common tutorials, for comparison: no labels, no penalty, no average."""
    return AdversarialConfig(
        network="dcgan",
        network_args={"latent": 100, "widths": [128, 64]},
        discriminator="dcgan_discriminator",
        discriminator_args={"widths": [64, 128]},
        loss="non-saturating",
        batch=64,
        steps=6000,
        learning_rate=2e-4,
        decay_from=1.0,
        betas=(0.5, 0.999),
        ema=0.0,
        conditional=False,
        extractor="fashion",
    )


def wgan_gp_plain() -> AdversarialConfig:
    """WGAN-GP as in the common tutorials, for comparison: five critic updates per generator update, penalty 10."""
    return replace(
        dcgan_plain(),
        discriminator_args={"widths": [64, 128], "normalise": False},
        loss="wasserstein",
        discriminator_updates=5,
        gradient_penalty=10.0,
    )
