"""One whole training run: data in, an exported model with its card out."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from anew.inference.card import ModelCard
from anew.training.config import TrainingConfig
from anew.training.data import load_images, split
from anew.training.denoising import make_batch, validate
from anew.training.export import export_onnx, load_weights
from anew.training.loop import train

NETWORK_CLASSES = {"unet": "UNet"}
PROBE_STEPS = 12  # steps that are timed to turn minutes into a number of steps


def build_network(config: TrainingConfig) -> nn.Module:
    """Build the network that a configuration names, with weights that follow from its seed."""
    torch.manual_seed(config.seed)
    module = import_module(f"anew.networks.{config.network}")
    network: nn.Module = getattr(module, NETWORK_CLASSES[config.network])(
        channels=config.channels, **config.network_args
    )
    return network


def run_recipe(
    config: TrainingConfig,
    data: Path,
    folder: Path,
    *,
    minutes: float | None = None,
    steps: int | None = None,
    start_from: str | None = None,
    terms: str = "not stated",
    device: str = "cpu",
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> Path:
    """Train, validate and export.

    Parameters
    ----------
    config : TrainingConfig
    data : path of a folder, .zip or .tar of images
    folder : path
        Of the run; a run that was interrupted there goes on.
    minutes, steps : optional
        Length of the run; minutes are turned into steps by timing a few.
    start_from : str, optional
        A model to start from; its architecture replaces the recipe's.
    terms : str
        The terms of the data, for the card.

    Returns
    -------
    path of the exported ``model.onnx``
    """
    if start_from is not None:
        from anew.inference.models import read_card

        card = read_card(start_from)
        config = replace(config, network=card.network, network_args=card.network_args, channels=card.channels)
    images = load_images(data, channels=config.channels, min_size=config.patch)
    training, validation = split(images, config.validation, config.seed)
    if steps is not None:
        config = replace(config, steps=steps)
    elif minutes is not None:
        config = replace(config, steps=_steps_in(minutes, config, folder, training, device))
    network = build_network(config)
    if start_from is not None:
        load_weights(network, _weights_path(start_from))
    start = time.monotonic()
    run = train(
        network,
        config,
        training,
        validation,
        make_batch=make_batch,
        validate=validate,
        folder=folder,
        device=device,
        report=report,
    )
    path = folder / "model.onnx"
    took = (time.monotonic() - start) / 60
    export_onnx(run.network, make_card(run.network, config, run.log, data.name, terms, took, len(images)), path)
    return path


def make_card(
    network: nn.Module,
    config: TrainingConfig,
    log: tuple[dict[str, Any], ...],
    data: str,
    terms: str,
    minutes: float,
    count: int,
) -> ModelCard:
    """Write the card of a run from what is known of it."""
    last = log[-1] if log else {}
    scores = {key[5:]: round(value, 2) for key, value in last.items() if key.startswith("psnr_")}
    return ModelCard(
        name=config.network,
        task=config.task,
        summary=f"{config.network} trained on {count} images",
        network=config.network,
        network_args=dict(config.network_args),
        channels=config.channels,
        size_multiple=network.size_multiple,
        halo=64,
        parameters=sum(p.numel() for p in network.parameters()),
        multiply_adds_per_pixel=multiply_adds_per_pixel(network, config.channels),
        recipe=dataclasses.asdict(config),
        budget=f"{config.steps} steps of {config.batch} crops, {config.patch} pixels a side; {minutes:.0f} minutes",
        data=data,
        terms=terms,
        scores={"held-out images of the training data": scores} if scores else {},
        protocol="mean PSNR in dB, Gaussian noise, not clipped; result clipped, not rounded",
        date=datetime.date.today().isoformat(),
    )


@torch.no_grad()
def multiply_adds_per_pixel(network: nn.Module, channels: int) -> int:
    """Count the multiplications of the convolutions, per pixel of the image."""
    side = 16 * network.size_multiple
    total = 0

    def count(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        total += module.weight.numel() * output.shape[2] * output.shape[3]

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    device = next(network.parameters()).device
    network(torch.zeros(1, channels, side, side, device=device), torch.zeros(1, 1, 1, 1, device=device))
    for hook in hooks:
        hook.remove()
    return round(total / side**2)


def _weights_path(name: str) -> Path:
    from anew.inference.models import WEIGHTS

    return Path(name) if name.endswith(".onnx") else WEIGHTS / f"{name}.onnx"


def _steps_in(minutes: float, config: TrainingConfig, folder: Path, training: Any, device: str) -> int:
    """Time a few steps on a throw-away network; a run that goes on keeps the number it was given."""
    stored = folder / "config.json"
    if stored.exists():
        import json

        return int(json.loads(stored.read_text())["steps"])
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        times: list[float] = []
        probe = replace(config, steps=PROBE_STEPS, validate_every=PROBE_STEPS + 1, validation=1)

        def timed_batch(*arguments: Any) -> Any:
            times.append(time.monotonic())
            return make_batch(*arguments)

        train(
            build_network(probe),
            probe,
            training,
            training,
            make_batch=timed_batch,
            validate=lambda *_: {},
            folder=Path(scratch),
            device=device,
        )
    gaps = sorted(b - a for a, b in itertools.pairwise(times))
    return max(1, int(minutes * 60 / gaps[len(gaps) // 2]))
