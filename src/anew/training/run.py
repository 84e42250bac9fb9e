"""One whole training run: data in, an exported model with its card out."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from anew.errors import InvalidSetting
from anew.networks import arguments_of
from anew.networks.quantised import calibrate
from anew.training.config import TrainingConfig
from anew.training.export import load_weights
from anew.training.loop import train
from anew.training.restoration import RunFacts

PROBE_STEPS = 12  # steps that are timed to turn minutes into a number of steps
RESTORERS = ("denoise", "deblock", "repair")  # tasks whose U-Nets go on from each other


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
    data : path
        What the objective reads: a folder, .zip or .tar of images; labelled data also as .npz.
    folder : path
        Of the run; a run that was interrupted there goes on.
    minutes, steps : optional
        Length of the run; minutes are turned into steps by timing a few.
    start_from : str, optional
        A model to start from; its architecture replaces the recipe's. Its scores are reported first, as step 0.
    terms : str
        The terms of the data, for the card.

    Returns
    -------
    path of the exported ``model.onnx``

    Raises
    ------
    InvalidSetting
        If a setting is impossible, or ``start_from`` is a model of another kind.
    NoTrainingData
        If there is nothing to learn from.
    """
    if start_from is not None:
        from anew.inference.models import read_card

        card = read_card(start_from)
        if card.task != config.task and not {card.task, config.task} <= set(RESTORERS):
            raise InvalidSetting(f"{start_from} is for {card.task}; a model for {config.task} cannot go on from it")
        config = replace(config, network=card.network, network_args=card.network_args, channels=card.channels)
    if config.quantised:
        if "quantised" not in arguments_of(config.network):
            raise InvalidSetting(f"quantised is true, but the network {config.network} cannot compute in 8 bits")
        config = replace(config, network_args={**config.network_args, "quantised": True})
    task = import_module(f"anew.training.{config.objective}")
    training, validation = task.load_data(data, config)
    if hasattr(task, "adapt"):  # what a recipe leaves to the data, such as its labels
        config = task.adapt(config, training)
    if steps is not None:
        config = replace(config, steps=steps)
    elif minutes is not None:
        config = replace(config, steps=_steps_in(minutes, config, folder, task, training, device))
    objective = task.make_objective(config)
    given = objective.networks[objective.product]
    fresh = not (folder / "checkpoint.pt").exists()
    if start_from is not None:
        load_weights(given, _weights_path(start_from))
    if fresh and not (start_from is not None and card.network_args.get("quantised")):
        generator = torch.Generator().manual_seed(config.seed)
        loss = partial(objective.losses[objective.product], objective.networks, training, config, generator)
        calibrate(given, loss)
    if fresh and start_from is not None:
        given.to(device).eval()
        report({"step": 0, **objective.validate(given, validation.to(torch.device(device)), config)})
        given.train()
    start = time.monotonic()
    run = train(objective, config, training, validation, folder=folder, device=device, report=report)
    if objective.finish is not None:
        objective.finish(run.network, training.to(torch.device(device)), config)
    path = folder / "model.onnx"
    took = (time.monotonic() - start) / 60
    count = len(training) + len(validation)
    task.export(run.network, config, path, RunFacts(run.scores, data.name, terms, count, took))
    return path


def _weights_path(name: str) -> Path:
    from anew.inference.models import WEIGHTS

    return Path(name) if name.endswith(".onnx") else WEIGHTS / f"{name}.onnx"


def _steps_in(minutes: float, config: TrainingConfig, folder: Path, task: Any, training: Any, device: str) -> int:
    """Time a few steps of throw-away networks; a run that goes on keeps the number it was given."""
    stored = folder / "config.json"
    if stored.exists():
        return int(json.loads(stored.read_text())["steps"])
    probe = replace(config, steps=PROBE_STEPS, validate_every=PROBE_STEPS + 1)
    objective = replace(task.make_objective(probe), validate=lambda *_: {}, preview=None)
    with tempfile.TemporaryDirectory() as scratch:
        run = train(objective, probe, training, training, folder=Path(scratch), device=device)
    return max(1, int(minutes * 60 / run.seconds_per_step))
