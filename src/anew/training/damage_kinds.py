"""What the feature space of photographs is trained on: telling which damage a crop has suffered.

No labels of people are needed, and what such a network must see is what a perceptual distance must weigh: grain, blur,
blocks, ringing, banding, lost detail. Every damage comes at a random strength, weak and strong ones being different
kinds, over crops that may be grey, brighter or darker.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.arrays import luminance
from anew.inference.card import ModelCard
from anew.networks import build_network
from anew.training.classification import count_multiply_adds
from anew.training.config import TrainingConfig
from anew.training.data import ImageSet, load_images, split
from anew.training.export import export_onnx
from anew.training.objective import Networks, Objective
from anew.training.restoration import RunFacts, budget

Crop = NDArray[np.float32]
Damage = Callable[[Crop, np.random.Generator], Crop]

VALIDATION_BATCHES, VALIDATION_SEED = 8, 7
GREY_SHARE = 0.25
BRIGHTNESS = (0.7, 1.15)  # factors on the values before the damage


@dataclass(frozen=True, kw_only=True)
class DamageKindsConfig(TrainingConfig):
    """A run that learns to name damages."""

    objective: str = "damage_kinds"
    task: str = "classify"


def _noisy(low: float, high: float) -> Damage:
    def damage(x: Crop, rng: np.random.Generator) -> Crop:
        noise = rng.standard_normal(x.shape, np.float32)
        return x + np.float32(rng.uniform(low, high) / 255) * noise

    return damage


def _blurred(low: float, high: float) -> Damage:
    def damage(x: Crop, rng: np.random.Generator) -> Crop:
        return np.asarray(cv2.GaussianBlur(x, (0, 0), rng.uniform(low, high)), np.float32)

    return damage


def _compressed(low: int, high: int) -> Damage:
    def damage(x: Crop, rng: np.random.Generator) -> Crop:
        quality = int(rng.integers(low, high + 1))
        _, code = cv2.imencode(".jpg", _bytes(x), [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.float32) / np.float32(255)

    return damage


def _shaken(x: Crop, rng: np.random.Generator) -> Crop:
    """Blur along a line."""
    length = int(rng.integers(5, 16))
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    centre = (length / 2 - 0.5, length / 2 - 0.5)
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D(centre, rng.uniform(0, 180), 1), (length, length))
    return np.asarray(cv2.filter2D(x, -1, turned / turned.sum()), np.float32)


def _enlarged(x: Crop, rng: np.random.Generator) -> Crop:
    """Shrink, and enlarge again."""
    height, width = x.shape[:2]
    factor = rng.uniform(1.8, 4)
    small = cv2.resize(x, (round(width / factor), round(height / factor)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def _ringing(x: Crop, rng: np.random.Generator) -> Crop:
    """Sharpen too much."""
    soft = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.8, 2))
    return np.asarray(x + np.float32(rng.uniform(1, 3)) * (x - soft), np.float32)


def _banded(x: Crop, rng: np.random.Generator) -> Crop:
    """Leave few grey levels."""
    levels = np.float32(rng.integers(6, 20))
    return np.rint(x * levels) / levels


def _smeared(x: Crop, rng: np.random.Generator) -> Crop:
    """Smooth as a denoiser does that goes too far: flat inside, sharp at edges."""
    return np.asarray(cv2.bilateralFilter(x, 9, rng.uniform(0.1, 0.3), rng.uniform(2, 4)), np.float32)


def _patched(x: Crop, rng: np.random.Generator) -> Crop:
    """Fill squares with what lies around them, as a blind inpainter does."""
    result = x.copy()
    for _ in range(int(rng.integers(2, 6))):
        side = int(rng.integers(6, 18))
        top, left = (int(rng.integers(0, n - side)) for n in x.shape[:2])
        result[top : top + side, left : left + side] = x[top : top + side, left : left + side].mean(axis=(0, 1))
    return result


KINDS: dict[str, Damage] = {
    "none": lambda x, rng: x,
    "weak noise": _noisy(4, 14),
    "strong noise": _noisy(18, 60),
    "weak blur": _blurred(0.7, 1.3),
    "strong blur": _blurred(1.6, 4),
    "motion": _shaken,
    "weak JPEG": _compressed(30, 65),
    "strong JPEG": _compressed(5, 22),
    "enlarged": _enlarged,
    "ringing": _ringing,
    "banded": _banded,
    "smeared": _smeared,
    "patched": _patched,
}


def load_data(source: Path, config: DamageKindsConfig) -> tuple[ImageSet, ImageSet]:
    """Read the images of a folder, .zip or .tar, and hold some out: (training, validation)."""
    return split(load_images(source, channels=3, min_size=config.patch), config.validation, config.seed)


def make_objective(config: DamageKindsConfig) -> Objective:
    """Build the network, and say how it learns."""
    arguments = {"classes": len(KINDS), **config.network_args}
    network = build_network(config.network, seed=config.seed, channels=3, **arguments)
    return Objective(
        networks={"network": network}, losses={"network": cross_entropy}, product="network", validate=validate
    )


def cross_entropy(
    networks: Networks, images: ImageSet, config: DamageKindsConfig, generator: torch.Generator
) -> Tensor:
    """Draw a batch and give the mean cross-entropy in nats."""
    damaged, kinds = make_batch(images, config, generator)
    _, logits = networks["network"](damaged.contiguous(memory_format=torch.channels_last))
    return nn.functional.cross_entropy(logits.float(), kinds)


def make_batch(images: ImageSet, config: DamageKindsConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw (damaged, kind): (N, 3, h, w) in [0, 1] in 256 levels, and (N,) int64."""
    crops = images.crops(config.batch, config.patch, generator)
    rng = np.random.default_rng(int(torch.randint(2**62, (1,), generator=generator, device=generator.device)))
    kinds = rng.integers(len(KINDS), size=config.batch)
    damages = list(KINDS.values())
    damaged = [
        _bytes(damages[kind](_varied(crop.permute(1, 2, 0).cpu().numpy(), rng), rng))
        for crop, kind in zip(crops, kinds, strict=True)
    ]
    stacked = torch.from_numpy(np.stack(damaged)).permute(0, 3, 1, 2).to(crops.device).float() / 255
    return stacked, torch.from_numpy(kinds).to(crops.device)


def _varied(crop: Crop, rng: np.random.Generator) -> Crop:
    """Make a crop darker, brighter or grey now and then."""
    if rng.random() < GREY_SHARE:
        crop = np.repeat(luminance(crop)[:, :, None], 3, axis=2)
    return np.ascontiguousarray(crop * np.float32(rng.uniform(*BRIGHTNESS)), np.float32).clip(0, 1)


def _bytes(x: Crop) -> NDArray[np.uint8]:
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.uint8)


@torch.no_grad()
def validate(network: nn.Module, images: ImageSet, config: DamageKindsConfig) -> dict[str, float]:
    """Give the share of held-out crops whose damage is named right."""
    generator = torch.Generator(images.pixels.device).manual_seed(VALIDATION_SEED)
    right = []
    for _ in range(VALIDATION_BATCHES):
        damaged, kinds = make_batch(images, config, generator)
        logits = network(damaged.contiguous(memory_format=torch.channels_last))[1]
        right.append((logits.argmax(dim=1) == kinds).float().mean())
    return {"accuracy": float(torch.stack(right).mean())}


class _WithMaps(nn.Module):
    """The network with the maps of its levels as further outputs; its weights keep their names."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.levels, self.widen, self.head = network.levels, network.widen, network.head
        self._maps = type(network).maps

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) -> features, logits, and (N, C_l, H_l, W_l) for each level l."""
        maps = self._maps(self, image)
        features = self.widen(maps[-1]).mean(dim=(2, 3))
        return features, self.head(features), *maps


def export(network: nn.Module, config: DamageKindsConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card: ``image`` of any size in, features, logits and maps out."""
    score = {"accuracy": round(facts.scores["accuracy"], 4)} if "accuracy" in facts.scores else {}
    levels, features = len(network.levels), network.head.in_features
    example = torch.rand(2, 3, config.patch, config.patch)
    card = ModelCard(
        name="features-photos",
        task="classify",
        summary=f"{len(KINDS)} kinds of damage to photographs, {features} features, {levels} levels of maps",
        network=config.network,
        network_args={"classes": len(KINDS), **config.network_args},
        channels=3,
        size_multiple=1,
        halo=0,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=round(count_multiply_adds(network, example[:1]) / config.patch**2),
        recipe=dataclasses.asdict(config),
        budget=budget(config, facts),
        data=facts.data,
        terms=facts.terms,
        scores={"held-out images of the training data": score} if score else {},
        protocol="share of crops whose damage is named right",
        failures="It knows damage, not contents: two photographs of different things may lie close together.",
        date=datetime.date.today().isoformat(),
        facts={"labels": list(KINDS), "features": features, "levels": levels, "range": [0, 1]},
    )
    maps = [f"level{index}" for index in range(levels)]
    any_size = {0: "count", 2: "height", 3: "width"}
    dynamic = {"image": any_size, "features": {0: "count"}, "logits": {0: "count"}, **dict.fromkeys(maps, any_size)}
    export_onnx(
        _WithMaps(network),
        card,
        path,
        inputs={"image": example},
        outputs=("features", "logits", *maps),
        dynamic={name: axes if name == "image" else _renamed(axes, name) for name, axes in dynamic.items()},
    )


def _renamed(axes: dict[int, str], name: str) -> dict[int, str]:
    """Give free axes names of their own, since the maps are smaller than the image."""
    return {axis: text if axis == 0 else f"{name}_{text}" for axis, text in axes.items()}
