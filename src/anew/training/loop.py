"""The training loop: batches in, averaged weights out, exact resume.

The loop knows nothing of the task; it is given a function that makes a batch and one that validates. A run depends on
its config and its data alone: learning rate and random numbers follow from the step and the stored generator state, so
an interrupted run continues bit for bit (on a CPU with the same number of threads).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anew.losses.pixel import LOSSES
from anew.training.checkpoints import load_checkpoint, save_checkpoint
from anew.training.config import TrainingConfig
from anew.training.data import ImageSet
from anew.training.schedule import learning_rate

MakeBatch = Callable[[ImageSet, TrainingConfig, torch.Generator], tuple[Tensor, Tensor, Tensor]]
Validate = Callable[[nn.Module, ImageSet, TrainingConfig], dict[str, float]]


@dataclass(frozen=True)
class TrainingRun:
    """What a run leaves: the averaged network and its log."""

    network: nn.Module
    log: tuple[dict[str, Any], ...]
    steps_done: int


def train(
    network: nn.Module,
    config: TrainingConfig,
    training: ImageSet,
    validation: ImageSet,
    *,
    make_batch: MakeBatch,
    validate: Validate,
    folder: Path,
    device: str = "cpu",
    stop_after_minutes: float | None = None,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> TrainingRun:
    """Train a network, or continue the run whose checkpoint lies in ``folder``.

    Parameters
    ----------
    network : module with ``forward(noisy, condition)`` and ``size_multiple``
    config : TrainingConfig
    training, validation : ImageSet
    make_batch : function (images, config, generator) -> (target, input, condition)
    validate : function (network, images, config) -> scores
    folder : path
        Takes ``checkpoint.pt``, ``log.jsonl`` and ``config.json``.
    stop_after_minutes : float, optional
        Write a checkpoint and stop, to be continued later.
    report : function of a log entry

    Returns
    -------
    TrainingRun
    """
    folder.mkdir(parents=True, exist_ok=True)
    place = torch.device(device)
    network = network.to(place, memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False)
    optimiser = make_optimiser(network, config)
    generator = torch.Generator(place).manual_seed(config.seed)
    training, validation = training.to(place), validation.to(place)
    loss_function = LOSSES[config.loss]
    bfloat16 = place.type == "cuda" or torch.backends.mkldnn.is_available()
    checkpoint = folder / "checkpoint.pt"
    step = 0
    if checkpoint.exists():
        step = restore_state(load_checkpoint(checkpoint, config), network, average, optimiser, generator)
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")

    log: list[dict[str, Any]] = []
    start = saved = time.monotonic()
    first_step, running = step, torch.zeros((), device=place)
    while step < config.steps:
        rate = learning_rate(
            step, steps=config.steps, peak=config.learning_rate, warmup=config.warmup, decay_from=config.decay_from
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        target, degraded, condition = make_batch(training, config, generator)
        with torch.autocast(place.type, torch.bfloat16, enabled=bfloat16):
            x_hat = network(degraded.contiguous(memory_format=torch.channels_last), condition)
        loss = loss_function(x_hat.float(), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        optimiser.step()
        step += 1
        update_average(average, network, min(config.ema, (1 + step) / (10 + step)))
        running += loss.detach()

        elapsed = time.monotonic() - start
        out_of_time = stop_after_minutes is not None and elapsed > 60 * stop_after_minutes
        if step % config.validate_every == 0 or step == config.steps:
            with torch.autocast(place.type, torch.bfloat16, enabled=bfloat16):
                scores = validate(average, validation, config)
            speed = (step - first_step) / max(elapsed, 1e-9)
            mean_loss = float(running) / config.validate_every
            running.zero_()
            entry = {"step": step, "loss": mean_loss, "rate": rate, "images_per_s": speed * config.batch, **scores}
            entry["minutes"], entry["minutes_left"] = elapsed / 60, (config.steps - step) / speed / 60
            log.append(entry)
            with (folder / "log.jsonl").open("a") as lines:
                lines.write(json.dumps(entry) + "\n")
            report(entry)
        if out_of_time or step == config.steps or time.monotonic() - saved > 60 * config.checkpoint_minutes:
            save_checkpoint(checkpoint, gather_state(step, network, average, optimiser, generator), config)
            saved = time.monotonic()
        if out_of_time:
            break
    return TrainingRun(average, tuple(log), step)


def make_optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Make the optimiser that the config names."""
    parameters, rate, decay = network.parameters(), config.learning_rate, config.weight_decay
    match config.optimiser:
        case "adamw":
            return torch.optim.AdamW(parameters, rate, betas=(0.9, 0.99), weight_decay=decay)
        case "adam":
            return torch.optim.Adam(parameters, rate, betas=(0.9, 0.99), weight_decay=decay)
        case "momentum":
            return torch.optim.SGD(parameters, rate, momentum=0.9, nesterov=True, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, rate, weight_decay=decay)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the current ones: a <- decay a + (1 - decay) w."""
    for a, w in zip(average.parameters(), network.parameters(), strict=True):
        a.lerp_(w, 1 - decay)


def gather_state(
    step: int, network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> dict[str, Any]:
    """Collect everything that the next step depends on."""
    return {
        "step": step,
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "generator": generator.get_state(),
    }


def restore_state(
    state: dict[str, Any],
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
) -> int:
    """Put a gathered state back, and give its step."""
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    generator.set_state(state["generator"])
    return int(state["step"])
