"""The training loop: an objective in, averaged weights out, exact resume.

The loop knows nothing of the task. A run depends on its config and its data alone: learning rate and random numbers
follow from the step and the stored generator state, so an interrupted run continues bit for bit (on a CPU with the same
number of threads).
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from anew.errors import AnewError, InvalidSetting
from anew.training.checkpoints import load_checkpoint, save_checkpoint
from anew.training.config import TrainingConfig
from anew.training.devices import find_device, numbers_of
from anew.training.journal import Journal, Watch
from anew.training.objective import Objective
from anew.training.schedule import learning_rate
from anew.training.state import TrainingState
from anew.training.whole_files import whole_file


class Diverged(AnewError):
    """A run whose steps grew without bound."""


@dataclass(frozen=True)
class TrainingRun:
    """What a run leaves.

    Attributes
    ----------
    network : module
        The product, with averaged weights.
    scores : dict
        The entry of the log that these weights were validated in; empty if there was no validation.
    log : tuple of dict
        Its entries since the run was started or continued.
    steps_done : int
    minutes : float
        That the run took from its very start, without the pauses between interruptions.
    seconds_per_step : float
        The mean, without the first steps, which are slower.
    """

    network: nn.Module
    scores: dict[str, Any]
    log: tuple[dict[str, Any], ...]
    steps_done: int
    minutes: float
    seconds_per_step: float


def train(
    objective: Objective,
    config: TrainingConfig,
    training: Any,
    validation: Any,
    *,
    folder: Path,
    device: str = "cpu",
    stop_after_minutes: float | None = None,
    stop: Callable[[], object] = lambda: False,
    origin: Mapping[str, str] | None = None,
    report: Callable[[dict[str, Any]], None] = lambda entry: None,
) -> TrainingRun:
    """Train the networks of an objective, or continue the run whose checkpoint lies in ``folder``.

    Parameters
    ----------
    objective : Objective
    config : TrainingConfig
    training, validation : data with ``to(device)``, of the kind that the objective reads
        Without validation data there are no scores.
    folder : path
        Takes ``checkpoint.pt``, ``log.jsonl``, ``config.json``, ``preview.png``, ``summary.png`` and, for TensorBoard,
        ``events.out.tfevents.*``.
    stop_after_minutes : float, optional
        Write a checkpoint and stop, to be continued later.
    stop : function
        Asked after every step whether to do so.
    origin : mapping of str to str, optional
        What else a run that goes on must have been told alike, such as its data; kept in the checkpoints.
    report : function of a log entry

    Returns
    -------
    TrainingRun

    Raises
    ------
    InvalidSetting
        If the best weights are asked for where nothing says which they are, the device is not there, or the folder
        cannot be made.
    CannotResume
        If the checkpoint in the folder is of another run.
    Diverged
        If the weights have become no numbers; the last checkpoint is from before.
    """
    if config.keep == "best" and not objective.criterion:
        raise InvalidSetting(f"keep is 'best', but {config.objective} has no score to choose by; set keep to 'last'")
    place = find_device(device)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(f"{folder}: cannot make this folder ({error.strerror}); choose another") from None
    state = TrainingState.at_start(objective, config, place)
    training, validation = training.to(place), validation.to(place)
    numbers = numbers_of(config, place)
    if place.type == "cuda":
        _compile(state, objective)
    checkpoint, told, held = folder / "checkpoint.pt", dict(origin or {}), {}
    if checkpoint.exists():
        held = load_checkpoint(checkpoint, config, origin)
        state.restore(held)
        told = held.get("origin", {}) | told

    journal = Journal(folder, state.step, over=state.step >= config.steps)
    watch, first_step = Watch(), state.step
    before = held.get("minutes", journal.last().get("minutes", 0.0))  # older checkpoints do not say
    start = saved = time.monotonic()
    while state.step < config.steps:
        rate = learning_rate(
            state.step,
            steps=config.steps,
            peak=config.learning_rate,
            warmup=config.warmup,
            decay_from=config.decay_from,
        )
        with watch.step():
            update(state, objective, training, config, rate, watch, numbers)
        last, elapsed = state.step == config.steps, time.monotonic() - start
        if last or state.step % config.validate_every == 0:
            _check_finite(state)
            with numbers:
                scores = objective.validate(state.average, validation, config) if len(validation) else {}
            speed = (state.step - first_step) / max(elapsed, 1e-9)
            entry: dict[str, Any] = {
                "step": state.step,
                **watch.means(),
                "rate": rate,
                "images_per_s": speed * config.batch,
                **scores,
                "minutes": before + elapsed / 60,
                "minutes_left": (config.steps - state.step) / speed / 60,
            }
            state.best.see(entry, state.average)
            trouble = objective.find_trouble([*journal.earlier, *journal.entries, entry])
            if trouble:
                entry["trouble"] = trouble
            shown = validation if len(validation) else training
            preview = None if objective.preview is None else objective.preview(state.average, shown, config)
            journal.write(entry, preview)
            report(entry)
        first = state.step == first_step + 1  # not before: with some settings no step can be done
        out_of_time = stop_after_minutes is not None and elapsed > 60 * stop_after_minutes
        stopping = out_of_time or bool(stop())
        if first or stopping or last or time.monotonic() - saved > 60 * config.checkpoint_minutes:
            _check_finite(state)
            minutes = before + (time.monotonic() - start) / 60
            save_checkpoint(checkpoint, state.gather() | {"origin": told, "minutes": minutes}, config)
            saved = time.monotonic()
        if first:
            with whole_file(folder / "config.json") as part:
                Path(part).write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")
        if stopping:
            break
    journal.close()
    for network in state.networks.values():
        network.requires_grad_(True)
    scores = state.best.recall(state.average) or journal.last()
    minutes = before + (time.monotonic() - start) / 60
    return TrainingRun(state.average, scores, tuple(journal.entries), state.step, minutes, watch.seconds_per_step())


def update(
    state: TrainingState,
    objective: Objective,
    training: Any,
    config: TrainingConfig,
    rate: float,
    watch: Watch,
    numbers: torch.autocast,
) -> None:
    """Do one step: move each network down its loss, one after another, then the average towards the product."""
    for name, network in state.networks.items():
        optimiser = state.optimisers[name]
        for other, module in state.networks.items():  # no gradient is worked out that nobody uses
            module.requires_grad_(other in (name, objective.product))
        for group in optimiser.param_groups:
            group["lr"] = rate * objective.rates.get(name, 1.0)
        for _ in range(objective.repeats.get(name, 1)):
            with numbers:
                loss = objective.losses[name](state.networks, training, config, state.generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(network.parameters(), config.clip)
            optimiser.step()
            watch.see(name, loss.detach(), norm)
    state.step += 1
    state.move_average(config.ema)


def _check_finite(state: TrainingState) -> None:
    """Stop a run whose weights have become no numbers: no step leads back from there."""
    for name, network in state.networks.items():
        if not all(bool(torch.isfinite(weights).all()) for weights in network.parameters()):
            raise Diverged(
                f"by step {state.step} the weights of {name} have become no numbers: the learning rate is too high; "
                "lower learning_rate and start afresh (--overwrite, or another -o)"
            )


def _compile(state: TrainingState, objective: Objective) -> None:
    """Let a GPU choose its fastest convolutions, and fuse what stands between them, which it waits for."""
    torch.backends.cudnn.benchmark = True  # the shapes of a step never change
    if objective.compiles:
        for network in state.networks.values():
            network.compile()  # in place
