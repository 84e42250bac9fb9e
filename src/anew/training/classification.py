"""What a classifier is trained and validated on: labelled images of one size, a little moved, and cross-entropy.

Its features are what sets of images are compared in, and its probabilities are what tells whether a generated image
shows the class that was asked for. The two uses get networks of their own, so that nothing is judged by what it was
tuned on.
"""

from __future__ import annotations

import dataclasses
import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from annotated_types import Interval
from torch import Tensor, nn

from anew.inference.card import ModelCard
from anew.networks import build_network
from anew.options import Count, NotNegative
from anew.training.config import TrainingConfig
from anew.training.data import LabelledImages, NoTrainingData, load_labelled
from anew.training.export import export_onnx
from anew.training.objective import Networks, Objective
from anew.training.restoration import RunFacts, budget

VALIDATION_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class ClassifyConfig(TrainingConfig):
    """A classifier's run.

    Attributes
    ----------
    model : str
        What the result is called on its card.
    patch : int
        Side of the images in pixels.
    labels : tuple of str
        Names of the classes: of the data's own, in any order, or for classes that it only numbers, from 0; empty
        takes what the data has.
    turn : float >= 0
        Largest rotation of a training image, in degrees.
    zoom, shear, shift : float >= 0
        Largest relative change of size, shear, and shift in parts of the side.
    mirror : bool
        Whether a mirrored image is one of the same class.
    cut : float in [0, 1)
        Side of the square that is blanked in half of the images (DeVries and Taylor, "Cutout", 2017), in parts of
        the side.
    """

    objective: str = "classification"
    task: str = "classify"
    model: str = "classifier"
    patch: Annotated[int, Interval(ge=1, le=4096)] = 28
    channels: Literal[1, 3] = 1
    validation: Count = 24
    labels: tuple[str, ...] = ()
    turn: NotNegative = 0.0
    zoom: NotNegative = 0.0
    shear: NotNegative = 0.0
    shift: NotNegative = 0.0
    mirror: bool = False
    cut: Annotated[float, Interval(ge=0, lt=1)] = 0.0


def load_data(source: Path, config: ClassifyConfig) -> tuple[LabelledImages, LabelledImages]:
    """Read labelled images (the training split of an ``.npz``), hold some out by the seed: (training, validation).

    Raises
    ------
    NoTrainingData
        If the data has another number of classes or another size than the config says.
    InvalidSetting
        If its classes have other names.
    """
    data = load_labelled(source, channels=config.channels)
    classes, (height, width) = config.network_args.get("classes", 10), data.images.shape[2:]
    if len(data.names) != classes or (height, width) != (config.patch, config.patch):
        raise NoTrainingData(
            f"{source}: {classes} classes of {config.patch} x {config.patch} pixels expected, it has "
            f"{len(data.names)} of {width} x {height}; change the recipe by --set"
        )
    data = data.named(config.labels or data.names)
    held_out = held_out_indices(len(data), config.validation)
    kept = torch.ones(len(data), dtype=torch.bool)
    kept[held_out] = False
    return _choose(data, kept.nonzero()[:, 0]), _choose(data, held_out)


def adapt(config: ClassifyConfig, data: LabelledImages) -> ClassifyConfig:
    """Fill in what the recipe leaves to the data: the names of the classes."""
    return dataclasses.replace(config, labels=config.labels or data.names)


def held_out_indices(count: int, validation: int) -> Tensor:
    """Say which images are never trained on: the same ones for every seed, so that all classifiers share them."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return order[: min(validation, count // 2)].sort().values


def make_objective(config: ClassifyConfig) -> Objective:
    """Build the network, and say how it learns."""
    network = build_network(config.network, seed=config.seed, channels=config.channels, **config.network_args)
    return Objective(
        networks={"network": network}, losses={"network": cross_entropy}, product="network", validate=validate
    )


def cross_entropy(
    networks: Networks, data: LabelledImages, config: ClassifyConfig, generator: torch.Generator
) -> Tensor:
    """Draw a batch, move its images a little, and give the mean cross-entropy in nats."""
    images, labels = data.batch(config.batch, generator)
    moved = augment((images + 1) / 2, config, generator).contiguous(memory_format=torch.channels_last)
    _, logits = networks["network"](moved)
    return nn.functional.cross_entropy(logits.float(), labels)


def augment(images: Tensor, config: ClassifyConfig, generator: torch.Generator) -> Tensor:
    """Turn, zoom, shear, shift, mirror and blank (N, C, H, W) images in [0, 1] by random amounts up to the config's."""
    count, device = len(images), images.device
    draws = torch.rand(count, 9, generator=generator, device=generator.device).to(device)
    angle, zoom, shear, right, down = (2 * draws[:, :5] - 1).unbind(dim=1)
    angle, zoom, shear = angle * config.turn * torch.pi / 180, 1 + zoom * config.zoom, shear * config.shear
    flip = torch.where(draws[:, 5] < 0.5, -1.0, 1.0) if config.mirror else torch.ones_like(zoom)
    cos, sin = angle.cos() / zoom, angle.sin() / zoom
    top = [flip * cos, shear * cos - sin, 2 * config.shift * right]
    bottom = [flip * sin, shear * sin + cos, 2 * config.shift * down]
    matrix = torch.stack([*top, *bottom], dim=1).reshape(count, 2, 3)  # of the result's places to the image's
    grid = nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    moved = nn.functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    if config.cut:
        y, x = (torch.linspace(-1, 1, side, device=device) for side in images.shape[2:])
        centre = 2 * draws[:, 6:8, None, None] - 1
        away = torch.maximum((y[:, None] - centre[:, :1]).abs(), (x[None] - centre[:, 1:]).abs())
        moved = moved.masked_fill((away < config.cut) & (draws[:, 8, None, None, None] < 0.5), 0.0)
    return moved


@torch.no_grad()
def validate(network: nn.Module, data: LabelledImages, config: ClassifyConfig) -> dict[str, float]:
    """Give the share of the held-out images whose class is told right, and the mean cross-entropy in nats."""
    right, nats = 0, 0.0
    for start in range(0, len(data), VALIDATION_BATCH):
        images = data.images[start : start + VALIDATION_BATCH].float() / 255
        labels = data.labels[start : start + VALIDATION_BATCH]
        logits = network(images.contiguous(memory_format=torch.channels_last))[1].float()
        right += int((logits.argmax(dim=1) == labels).sum())
        nats += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
    return {"accuracy": right / len(data), "cross_entropy": nats / len(data)}


def export(network: nn.Module, config: ClassifyConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card: ``image`` in, ``features`` and ``logits`` out."""
    score = {"accuracy": round(facts.scores["accuracy"], 4)} if "accuracy" in facts.scores else {}
    classes, features = network.head.out_features, network.head.in_features
    names = list(config.labels) or [str(index) for index in range(classes)]
    example = torch.rand(2, config.channels, config.patch, config.patch)
    card = ModelCard(
        name=config.model,
        task=config.task,
        summary=f"{classes} classes, {features} features, {config.patch} x {config.patch} pixels",
        network=config.network,
        network_args=dict(config.network_args),
        channels=config.channels,
        size_multiple=1,
        halo=0,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=round(count_multiply_adds(network, example[:1]) / config.patch**2),
        recipe=dataclasses.asdict(config),
        budget=budget(dataclasses.replace(config, patch=0), facts),
        data=facts.data,
        terms=facts.terms,
        scores={"held-out images of the training data": score} if score else {},
        protocol="share of images whose class is told right",
        date=datetime.date.today().isoformat(),
        facts={"labels": names, "size": [config.patch, config.patch], "features": features, "range": [0, 1]},
    )
    outputs = ("features", "logits")
    any_count = {name: {0: "count"} for name in ("image", *outputs)}
    export_onnx(network, card, path, inputs={"image": example}, outputs=outputs, dynamic=any_count)


@torch.no_grad()
def count_multiply_adds(network: nn.Module, example: Tensor) -> int:
    """Count the multiplications of the convolutions for one input."""
    total = 0

    def count(module: nn.Module, inputs: object, output: Tensor) -> None:
        nonlocal total
        total += module.weight.numel() * output.shape[2] * output.shape[3]

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    network.cpu().eval()(example)
    for hook in hooks:
        hook.remove()
    return total


def _choose(data: LabelledImages, indices: Tensor) -> LabelledImages:
    return dataclasses.replace(data, images=data.images[indices], labels=data.labels[indices])
