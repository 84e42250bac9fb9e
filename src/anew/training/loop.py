"""The training loop: an objective in, averaged weights out, exact resume.

The loop knows nothing of the task. A run depends on its config and its data alone: learning rate and random numbers
follow from the step and the stored generator state, so an interrupted run continues bit for bit (on a CPU with the same
number of threads).
"""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tensorboardX import SummaryWriter
from torch import nn

from anew.errors import InvalidSetting
from anew.training.checkpoints import load_checkpoint, save_checkpoint
from anew.training.config import TrainingConfig
from anew.training.log_summary import draw_log, read_log
from anew.training.muon import Muon
from anew.training.objective import Objective
from anew.training.schedule import learning_rate

WARM_UP = 4  # steps that do not count as typical


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
    seconds_per_step : float
        The mean, without the first steps, which are slower.
    """

    network: nn.Module
    scores: dict[str, Any]
    log: tuple[dict[str, Any], ...]
    steps_done: int
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
    """
    if config.keep == "best" and not objective.criterion:
        raise InvalidSetting(f"keep is 'best', but {config.objective} has no score to choose by; set keep to 'last'")
    place = find_device(device)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidSetting(f"{folder}: cannot make this folder ({error.strerror}); choose another") from None
    if place.type == "cuda":
        torch.backends.cudnn.benchmark = True  # the shapes of a step never change
    networks = {name: n.to(place, memory_format=torch.channels_last) for name, n in objective.networks.items()}
    product = networks[objective.product]
    average = copy.deepcopy(product).requires_grad_(False).eval()
    optimisers = {name: make_optimiser(network, config) for name, network in networks.items()}
    generator = torch.Generator(place).manual_seed(config.seed)
    training, validation = training.to(place), validation.to(place)
    bfloat16 = config.bfloat16 and computes_bfloat16(place)
    if place.type == "cuda" and objective.compiles:
        for network in networks.values():
            network.compile()  # in place: fuses what stands between the convolutions, which a GPU waits for
    checkpoint = folder / "checkpoint.pt"
    step, told = 0, dict(origin or {})
    best = _Best(objective.criterion if config.keep == "best" else "")
    if checkpoint.exists():
        state = load_checkpoint(checkpoint, config, origin)
        step = restore_state(state, networks, average, optimisers, generator)
        best.restore(state.get("best"))
        told = state.get("origin", {}) | told

    log: list[dict[str, Any]] = []
    board = SummaryWriter(str(folder), purge_step=step + 1, write_to_disk=step < config.steps)
    earlier = [entry for entry in read_log(folder / "log.jsonl") if entry["step"] <= step]
    start = saved = time.monotonic()
    first_step, watch = step, _Watch()
    while step < config.steps:
        begun = time.monotonic()
        rate = learning_rate(
            step, steps=config.steps, peak=config.learning_rate, warmup=config.warmup, decay_from=config.decay_from
        )
        for name, network in networks.items():
            optimiser = optimisers[name]
            for other, module in networks.items():  # no gradient is worked out that nobody uses
                module.requires_grad_(other in (name, objective.product))
            for group in optimiser.param_groups:
                group["lr"] = rate * objective.rates.get(name, 1.0)
            for _ in range(objective.repeats.get(name, 1)):
                with torch.autocast(place.type, torch.bfloat16, enabled=bfloat16):
                    loss = objective.losses[name](networks, training, config, generator)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                norm = nn.utils.clip_grad_norm_(network.parameters(), config.clip)
                optimiser.step()
                watch.see(name, loss.detach(), norm)
        step += 1
        update_average(average, product, min(config.ema, (1 + step) / (10 + step)))
        watch.durations.append(time.monotonic() - begun)

        elapsed = time.monotonic() - start
        out_of_time = stop_after_minutes is not None and elapsed > 60 * stop_after_minutes
        if step % config.validate_every == 0 or step == config.steps:
            with torch.autocast(place.type, torch.bfloat16, enabled=bfloat16):
                scores = objective.validate(average, validation, config)
            speed = (step - first_step) / max(elapsed, 1e-9)
            times = {"minutes": elapsed / 60, "minutes_left": (config.steps - step) / speed / 60}
            entry: dict[str, Any] = {
                "step": step,
                **watch.means(),
                "rate": rate,
                "images_per_s": speed * config.batch,
                **scores,
                **times,
            }
            log.append(entry)
            best.see(entry, average)
            trouble = objective.find_trouble([*earlier, *log])
            if trouble:
                entry["trouble"] = trouble
            with (folder / "log.jsonl").open("a") as lines:
                lines.write(json.dumps(entry) + "\n")
            _write_picture(folder / "summary.png", draw_log(read_log(folder / "log.jsonl")))
            for key, value in entry.items():
                if isinstance(value, float):
                    board.add_scalar(key, value, step)
            if objective.preview is not None:
                sheet = objective.preview(average, validation, config)
                _write_picture(folder / "preview.png", sheet)
                board.add_image("preview", sheet, step, dataformats="HWC")
            board.flush()
            report(entry)
        first = step == first_step + 1  # not before: with some settings no step can be done
        stopping = out_of_time or bool(stop())
        if first or stopping or step == config.steps or time.monotonic() - saved > 60 * config.checkpoint_minutes:
            state = gather_state(step, networks, average, optimisers, generator)
            save_checkpoint(checkpoint, state | {"best": best.state(), "origin": told}, config)
            saved = time.monotonic()
        if first:
            (folder / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=2) + "\n")
        if stopping:
            break
    board.close()
    for network in networks.values():
        network.requires_grad_(True)
    scores = (earlier + log or [{}])[-1]
    if best.weights is not None:
        average.load_state_dict(best.weights)
        scores = best.entry
    return TrainingRun(average, scores, tuple(log), step, watch.seconds_per_step())


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether bfloat16 is computed and not imitated on a device."""
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def make_optimiser(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Make the optimiser that the config names."""
    parameters, rate, decay = list(network.parameters()), config.learning_rate, config.weight_decay
    match config.optimiser:
        case "adamw":
            return torch.optim.AdamW(parameters, rate, betas=config.betas, weight_decay=decay, fused=True)
        case "muon":
            return Muon(parameters, rate, betas=config.betas, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(parameters, rate, betas=config.betas, weight_decay=decay, fused=True)
        case "momentum":
            return torch.optim.SGD(parameters, rate, momentum=config.betas[0], nesterov=True, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(parameters, rate, weight_decay=decay)


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the current ones, a <- decay a + (1 - decay) w; buffers are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
    for a, w in zip(average.buffers(), network.buffers(), strict=True):
        a.copy_(w)


def gather_state(
    step: int,
    networks: Mapping[str, nn.Module],
    average: nn.Module,
    optimisers: Mapping[str, torch.optim.Optimizer],
    generator: torch.Generator,
) -> dict[str, Any]:
    """Collect everything that the next step depends on."""
    return {
        "step": step,
        "networks": {name: network.state_dict() for name, network in networks.items()},
        "average": average.state_dict(),
        "optimisers": {name: optimiser.state_dict() for name, optimiser in optimisers.items()},
        "generator": generator.get_state(),
    }


def restore_state(
    state: dict[str, Any],
    networks: Mapping[str, nn.Module],
    average: nn.Module,
    optimisers: Mapping[str, torch.optim.Optimizer],
    generator: torch.Generator,
) -> int:
    """Put a gathered state back, and give its step."""
    for name, network in networks.items():
        network.load_state_dict(state["networks"][name])
        optimisers[name].load_state_dict(state["optimisers"][name])
    average.load_state_dict(state["average"])
    generator.set_state(state["generator"])
    return int(state["step"])


@dataclass
class _Best:
    """The weights with the least score so far, and their entry of the log; none without a criterion."""

    criterion: str
    entry: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, torch.Tensor] | None = None

    def see(self, entry: dict[str, Any], network: nn.Module) -> None:
        """Keep the network's weights if they are the best yet."""
        if entry.get(self.criterion, math.inf) < self.entry.get(self.criterion, math.inf):
            self.entry = dict(entry)
            self.weights = {name: value.clone() for name, value in network.state_dict().items()}

    def state(self) -> dict[str, Any] | None:
        """Give what a checkpoint holds of it."""
        return None if self.weights is None else {"entry": self.entry, "weights": self.weights}

    def restore(self, state: dict[str, Any] | None) -> None:
        """Put it back."""
        if state is not None:
            self.entry, self.weights = state["entry"], state["weights"]


@dataclass
class _Watch:
    """Running sums between two entries of the log."""

    losses: dict[str, list[torch.Tensor]] = field(default_factory=lambda: defaultdict(list))
    norms: dict[str, list[torch.Tensor]] = field(default_factory=lambda: defaultdict(list))
    durations: list[float] = field(default_factory=list)

    def see(self, name: str, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """Take note of one update."""
        self.losses[name].append(loss)
        self.norms[name].append(norm)

    def seconds_per_step(self) -> float:
        """Give the mean, which counts what happens only at every few steps; the first steps warm up."""
        return statistics.fmean(self.durations[WARM_UP:] or self.durations or [0.0])

    def means(self) -> dict[str, float]:
        """Give the mean loss and gradient norm of each network, and start again; a lone network goes without name."""
        means = {}
        for kind, seen in (("loss", self.losses), ("gradient", self.norms)):
            for name, values in seen.items():
                means[kind if len(seen) == 1 else f"{kind}_{name}"] = float(torch.stack(values).mean())
            seen.clear()
        return means


def _write_picture(path: Path, pixels: Any) -> None:
    """Write a picture whole or not at all."""
    from PIL import Image

    part = path.with_suffix(".part")
    Image.fromarray(pixels).save(part, format="PNG")
    os.replace(part, path)


def find_device(device: str) -> torch.device:
    """Give a device that can be computed on.

    Raises
    ------
    InvalidSetting
        If there is none of this name here.
    """
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError):
        there = "cpu and cuda" if torch.cuda.is_available() else "cpu alone"
        raise InvalidSetting(f"no device {device!r} here: this PyTorch can compute on {there}") from None
    return place
