"""What the trained restorers share: their card, their cost, and their export; image and condition in, image out."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn

from anew.inference.card import ModelCard
from anew.training.config import Part, TrainingConfig
from anew.training.export import export_onnx

NO_ERROR = 1e-10  # less is rounding, and a log in JSON takes no infinity


@dataclass(frozen=True, kw_only=True)
class RestorationConfig(TrainingConfig):
    """What every restorer's run is told besides.

    Attributes
    ----------
    drawn_share : float in [0, 1)
        Part of the crops that are cut from drawn pictures (``training/drawings.py``) in place of the given ones.
    teacher : str
        A model to learn from, shipped or a file (``training/teacher.py``); none if empty.
    teacher_share : float in [0, 1]
        What is learned is the true image and the teacher's, mixed, with this share of the teacher's.
    """

    drawn_share: Annotated[float, Ge(0), Lt(1)] = 0.0
    teacher: str = ""
    teacher_share: Part = 1.0


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run when it ends.

    Attributes
    ----------
    scores : mapping
        The entry of the log that the weights were validated in.
    data, terms : str
        What it was trained on, and the terms of that data.
    images : int
        How many it learned from, without those held out.
    minutes : float
        How long it took, without the pauses between interruptions.
    """

    scores: Mapping[str, Any] = field(default_factory=dict)
    data: str = "not stated"
    terms: str = "not stated"
    images: int = 0
    minutes: float = 0.0


def psnr_of(squared_error: Tensor) -> float:
    """Give the PSNR in dB of a mean squared error of values in [0, 1]; of no error, as of one of 1e-10, 100 dB."""
    return -10 * float(torch.log10(squared_error.clamp(min=NO_ERROR)))


def export_restorer(network: nn.Module, config: TrainingConfig, path: Path, facts: RunFacts, *, protocol: str) -> None:
    """Write an image-to-image network with its card.

    Parameters
    ----------
    network : module with ``forward(image, condition)``, ``size_multiple`` and, optionally, ``halo``
    protocol : str
        How the scores of the log were measured.
    """
    card = make_card(network, config, facts, protocol=protocol)
    side = 4 * card.size_multiple
    inputs = {"image": torch.rand(1, card.channels, side, side), "condition": torch.full((1, 1, 1, 1), 0.1)}
    free_size = {2: "height", 3: "width"}
    dynamic = {"image": free_size, "result": free_size}
    export_onnx(network, card, path, inputs=inputs, dynamic=dynamic, stored=config.stored)


def make_card(network: nn.Module, config: TrainingConfig, facts: RunFacts, *, protocol: str = "") -> ModelCard:
    """Write the card of a run from what is known of it."""
    scores = {key[5:]: round(value, 2) for key, value in facts.scores.items() if key.startswith("psnr_")}
    multiple: Any = network.size_multiple
    halo: Any = getattr(network, "halo", 64)
    return ModelCard(
        name=config.network,
        task=config.task,
        summary=f"{config.network} trained on {facts.images} images",
        network=config.network,
        network_args=dict(config.network_args),
        channels=config.channels,
        size_multiple=multiple,
        halo=halo,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=multiply_adds_per_pixel(network, config.channels),
        recipe=dataclasses.asdict(config),
        budget=budget(config, facts),
        data=facts.data + _drawn(config),
        terms=facts.terms,
        scores={"held-out images of the training data": scores} if scores else {},
        protocol=protocol,
        date=datetime.date.today().isoformat(),
    )


def _drawn(config: TrainingConfig) -> str:
    """Say how much was learned from drawn pictures."""
    share = config.drawn_share if isinstance(config, RestorationConfig) else 0.0
    return (
        f"; {share:.0%} of the crops from pictures drawn at random (pages, windows, cartoons, charts)" if share else ""
    )


def budget(config: TrainingConfig, facts: RunFacts) -> str:
    """Say in words what a run took."""
    return (
        f"{config.steps} steps of {config.batch} crops, {config.patch} pixels a side; {facts.minutes:.0f} minutes"
        if config.patch
        else f"{config.steps} steps of {config.batch} images; {facts.minutes:.0f} minutes"
    )


@torch.no_grad()
def multiply_adds_per_pixel(network: nn.Module, channels: int) -> int:
    """Count the multiplications of convolutions, recurrences and attention, per pixel of the input."""
    from torch.utils.flop_counter import FlopCounterMode

    multiple = int(network.size_multiple)
    side = 256 // multiple * multiple
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, channels, side, side, device=device), torch.zeros(1, 1, 1, 1, device=device))
    return round(counter.get_total_flops() / 2 / side**2)
