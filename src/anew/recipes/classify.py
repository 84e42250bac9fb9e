"""Recipes for classifiers whose features sets of images are compared in, and for judges of asked-for classes.

A judge differs from the extractor of the same data in seed, width and depth, and is used for nothing else.
"""

from __future__ import annotations

from dataclasses import replace

from anew.training.classification import ClassifyConfig
from anew.training.damage_kinds import DamageKindsConfig

FASHION = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot",
)  # fmt: skip


def features_digits() -> ClassifyConfig:
    """Features of 28 x 28 digits, from telling the ten apart."""
    return ClassifyConfig(
        network="classifier",
        network_args={"widths": [40, 64], "blocks": 1, "features": 96, "classes": 10},
        model="features-digits",
        batch=128,
        steps=2500,
        learning_rate=4e-3,
        warmup=200,
        weight_decay=0.02,
        clip=5.0,
        ema=0.99,
        validation=5000,
        labels=tuple("0123456789"),
        turn=12,
        zoom=0.12,
        shear=0.15,
        shift=0.08,
    )


def judge_digits() -> ClassifyConfig:
    """An independent judge of which digit a 28 x 28 image shows."""
    other = {"widths": [32, 48], "blocks": 2, "features": 0, "classes": 10}
    return replace(features_digits(), model="judge-digits", network_args=other, seed=1)


def features_fashion() -> ClassifyConfig:
    """Features of 28 x 28 clothes, from telling ten kinds apart."""
    return replace(
        features_digits(),
        model="features-fashion",
        labels=FASHION,
        steps=4500,
        turn=4,
        zoom=0.08,
        shear=0.04,
        shift=0.06,
        mirror=True,
        cut=0.2,
    )


def judge_fashion() -> ClassifyConfig:
    """An independent judge of which kind of clothes a 28 x 28 image shows."""
    other = {"widths": [32, 48], "blocks": 2, "features": 0, "classes": 10}
    return replace(features_fashion(), model="judge-fashion", network_args=other, seed=1)


def features_faces() -> ClassifyConfig:
    """Features of 64 x 64 grey faces, from telling smiling from neutral ones."""
    return replace(
        features_digits(),
        model="features-faces",
        network_args={"widths": [32, 40, 64], "blocks": 1, "features": 96, "classes": 2},
        patch=64,
        batch=64,
        steps=1500,
        labels=("neutral", "smiling"),
        validation=2000,
        turn=8,
        zoom=0.1,
        shear=0.05,
        shift=0.06,
        mirror=True,
        cut=0.2,
    )


def features_photos() -> DamageKindsConfig:
    """Features of photographs, from telling their damages apart; the space of the perceptual distance."""
    return DamageKindsConfig(
        network="classifier",
        network_args={"widths": [32, 48, 72], "blocks": 1, "features": 128},
        patch=64,
        batch=48,
        steps=2500,
        learning_rate=3e-3,
        weight_decay=0.02,
        clip=5.0,
        ema=0.99,
    )
