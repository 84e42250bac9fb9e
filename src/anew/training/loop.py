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
    run = _Run(objective, config, training, validation, folder, place, origin)
    saved = time.monotonic()
    while run.step < config.steps:
        rate = run.do_step()
        first, last = run.step == run.first_step + 1, run.step == config.steps
        if last or run.step % config.validate_every == 0:
            report(run.look_back(rate))
        out_of_time = stop_after_minutes is not None and run.watch.minutes() > stop_after_minutes
        stopping = out_of_time or bool(stop())
        if first or stopping or last or time.monotonic() - saved > 60 * config.checkpoint_minutes:
            run.save()
            saved = time.monotonic()
        if first:  # not before: with some settings no step can be done
            run.write_config()
        if stopping:
            break
    return run.ended()


class _Run:
    """What a run needs from step to step, at its start or as it was left."""

    def __init__(
        self,
        objective: Objective,
        config: TrainingConfig,
        training: Any,
        validation: Any,
        folder: Path,
        place: torch.device,
        origin: Mapping[str, str] | None,
    ) -> None:
        self.objective, self.config, self.folder = objective, config, folder
        self.state = TrainingState.at_start(objective, config, place)
        self.training, self.validation = training.to(place), validation.to(place)
        self.numbers = numbers_of(config, place)
        if place.type == "cuda":
            _compile(self.state, objective)
        self.checkpoint, held = folder / "checkpoint.pt", {}
        if self.checkpoint.exists():
            held = load_checkpoint(self.checkpoint, config, origin)
            self.state.restore(held)
        self.origin = held.get("origin", {}) | dict(origin or {})
        self.first_step = self.state.step
        self.journal = Journal(folder, self.first_step, over=self.first_step >= config.steps)
        self.before = held.get("minutes", self.journal.last().get("minutes", 0.0))  # older checkpoints do not say
        self.watch = Watch()

    @property
    def step(self) -> int:
        """Steps done."""
        return self.state.step

    @property
    def minutes(self) -> float:
        """How long the run has taken from its very start, without pauses."""
        return self.before + self.watch.minutes()

    def do_step(self) -> float:
        """Move one network after another, then the average towards the product; give the learning rate."""
        config = self.config
        rate = learning_rate(
            self.step,
            steps=config.steps,
            peak=config.learning_rate,
            warmup=config.warmup,
            decay_from=config.decay_from,
        )
        with self.watch.step():
            for name in self.state.networks:
                self._update(name, rate * self.objective.rates.get(name, 1.0))
            self.state.step += 1
            self.state.move_average(config.ema)
        return rate

    def _update(self, name: str, rate: float) -> None:
        """Move one network down its loss, as often as the objective says."""
        networks, optimiser = self.state.networks, self.state.optimisers[name]
        for other, module in networks.items():  # no gradient is worked out that nobody uses
            module.requires_grad_(other in (name, self.objective.product))
        for group in optimiser.param_groups:
            group["lr"] = rate
        for _ in range(self.objective.repeats.get(name, 1)):
            with self.numbers:
                loss = self.objective.losses[name](networks, self.training, self.config, self.state.generator)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(networks[name].parameters(), self.config.clip)
            optimiser.step()
            self.watch.see(name, loss.detach(), norm)

    def look_back(self, rate: float) -> dict[str, Any]:
        """Validate, and write down and give what there is to say."""
        state, objective, config = self.state, self.objective, self.config
        minutes = self.watch.minutes()
        _check_finite(state)
        with self.numbers:
            held_out = len(self.validation) > 0
            scores = objective.validate(state.average, self.validation, config) if held_out else {}
        steps_per_minute = (self.step - self.first_step) / max(minutes, 1e-9)
        entry: dict[str, Any] = {
            "step": self.step,
            **self.watch.means(),
            "rate": rate,
            "images_per_s": steps_per_minute * config.batch / 60,
            **scores,
            "minutes": self.before + minutes,
            "minutes_left": (config.steps - self.step) / steps_per_minute,
        }
        state.best.see(entry, state.average)
        trouble = objective.find_trouble([*self.journal.earlier, *self.journal.entries, entry])
        if trouble:
            entry["trouble"] = trouble
        shown = self.validation if held_out else self.training
        preview = None if objective.preview is None else objective.preview(state.average, shown, config)
        self.journal.write(entry, preview)
        return entry

    def save(self) -> None:
        """Write the checkpoint."""
        _check_finite(self.state)
        told = {"origin": self.origin, "minutes": self.minutes}
        save_checkpoint(self.checkpoint, self.state.gather() | told, self.config)

    def write_config(self) -> None:
        """Write what the run was told."""
        with whole_file(self.folder / "config.json") as part:
            Path(part).write_text(json.dumps(dataclasses.asdict(self.config), indent=2) + "\n")

    def ended(self) -> TrainingRun:
        """Give what is left of the run."""
        self.journal.close()
        for network in self.state.networks.values():
            network.requires_grad_(True)
        average = self.state.average
        scores = self.state.best.recall(average) or self.journal.last()
        log, pace = tuple(self.journal.entries), self.watch.seconds_per_step()
        return TrainingRun(average, scores, log, self.step, self.minutes, pace)


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
