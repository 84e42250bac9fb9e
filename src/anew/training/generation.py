"""What the trained generators share: their settings, their data, their card and their sheet."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import torch
from annotated_types import Interval
from torch import Tensor, nn

from anew.errors import InvalidSetting
from anew.inference.card import ModelCard
from anew.options import Count
from anew.training.config import TrainingConfig
from anew.training.data import LabelledImages, NoTrainingData, load_labelled
from anew.training.restoration import RunFacts, budget


@dataclass(frozen=True, kw_only=True)
class GenerationConfig(TrainingConfig):
    """What every generator's run has.

    Attributes
    ----------
    patch : int
        Side of the images in pixels; 0 takes what the data has.
    labels : tuple of str
        Names of the labels: of the data's own, in any order, or for labels that it only numbers, from 0; empty takes
        what the data has.
    mirror : bool
        Show each image mirrored half of the time.
    """

    task: str = "generate"
    channels: Literal[1, 3] = 1
    patch: Annotated[int, Interval(ge=0, le=4096)] = 28
    batch: Annotated[int, Interval(ge=1, le=4096)] = 128
    validation: Count = 1000
    labels: tuple[str, ...] = ()
    mirror: bool = False


Config = TypeVar("Config", bound=GenerationConfig)
Built = TypeVar("Built")


def load_shuffled(source: Path, config: GenerationConfig) -> tuple[LabelledImages, LabelledImages]:
    """Read labelled images, and hold some out, chosen by the seed: (training, validation).

    Raises
    ------
    NoTrainingData
        If the data has another size than the recipe, or a single image, of which none could be held out.
    InvalidSetting
        If it has other labels than the recipe.
    """
    found = load_labelled(source, channels=config.channels)
    if len(found) < 2:
        raise NoTrainingData(f"{source}: at least 2 images expected, to hold one out; it has {len(found)}")
    height, width = found.images.shape[2:]
    side = config.patch or height
    if (height, width) != (side, side):
        raise NoTrainingData(f"{source}: images of {side} x {side} pixels expected, these are {width} x {height}")
    found = found.named(config.labels or found.names)
    order = torch.from_numpy(np.random.default_rng(config.seed).permutation(len(found)))
    images = replace(found, images=found.images[order], labels=found.labels[order])
    kept = len(images) - min(config.validation, len(images) // 2)
    return images.part(0, kept), images.part(kept, len(images))


def adapt_generation(config: Config, data: LabelledImages) -> Config:
    """Fill in what the recipe leaves to the data: the side of the images and the names of the labels."""
    names = config.labels or (data.names if len(data.names) > 1 else ())
    return replace(config, patch=config.patch or data.images.shape[2], labels=names)


def build_for_size(size: int, build: Callable[[int], Built]) -> Built:
    """Build networks for images of a size.

    Raises
    ------
    InvalidSetting
        If they take no such images; the message says which they take.
    """
    try:
        return build(size)
    except ValueError:
        multiple = next((side for side in range(2, size) if _builds(build, side)), None)
        if multiple is None:
            raise
    raise InvalidSetting(f"images of {size} x {size} pixels: this network needs sides that {multiple} divides")


def _builds(build: Callable[[int], object], size: int) -> bool:
    try:
        build(size)
    except ValueError:
        return False
    return True


def draw_batch(data: LabelledImages, config: GenerationConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw images and labels, (N, C, H, W) in [-1, 1] and (N,), channels last, mirrored if the recipe says so."""
    x, label = data.batch(config.batch, generator)
    if config.mirror:
        mirrored = torch.rand(len(x), generator=generator, device=generator.device).to(x.device) < 0.5
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    return x.contiguous(memory_format=torch.channels_last), label


def make_generator_card(network: nn.Module, config: GenerationConfig, facts: RunFacts, **how: Any) -> ModelCard:
    """Write the card of a generator from what is known of its run.

    Parameters
    ----------
    how
        What sampling needs, for ``card.facts``: ``kind``, ``parametrisation`` and so on; names of labels and size of
        images are added.
    """
    kept = {key: round(value, 4) for key, value in facts.scores.items() if key.startswith("validation_")}
    return ModelCard(
        name=config.network,
        task="generate",
        summary=f"{config.network} trained on {facts.images} images of {config.patch} x {config.patch} pixels",
        network=config.network,
        network_args=dict(config.network_args),
        channels=config.channels,
        size_multiple=1,
        halo=0,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=0,
        recipe=dataclasses.asdict(config),
        budget=budget(replace(config, patch=0), facts),
        data=facts.data,
        terms=facts.terms,
        scores={"held-out images of the training data": kept} if kept else {},
        date=datetime.date.today().isoformat(),
        facts={"labels": list(config.labels), "size": [config.patch, config.patch], **how},
    )
