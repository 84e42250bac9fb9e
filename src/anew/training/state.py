"""Everything that the next step of a training depends on, and that its checkpoints therefore hold."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from anew.training.config import TrainingConfig
from anew.training.muon import Muon
from anew.training.objective import Objective


@dataclass
class TrainingState:
    """Networks, their optimisers, the averaged product, random numbers, and how many steps are done.

    Attributes
    ----------
    networks : dict of str to module
    product, average : module
        The network that is made, and its averaged weights.
    optimisers : dict of str to optimiser
        One for each network.
    generator : torch.Generator
        All random numbers come from it.
    best : Best
        The best average so far, if that is asked for.
    step : int
        Steps done.
    """

    networks: dict[str, nn.Module]
    product: nn.Module
    average: nn.Module
    optimisers: dict[str, torch.optim.Optimizer]
    generator: torch.Generator
    best: Best
    step: int = 0

    @classmethod
    def at_start(cls, objective: Objective, config: TrainingConfig, place: torch.device) -> TrainingState:
        """Give the state before the first step, on a device."""
        networks = {name: n.to(place, memory_format=torch.channels_last) for name, n in objective.networks.items()}
        product = networks[objective.product]
        return cls(
            networks=networks,
            product=product,
            average=copy.deepcopy(product).requires_grad_(False).eval(),
            optimisers={name: make_optimiser(network, config) for name, network in networks.items()},
            generator=torch.Generator(place).manual_seed(config.seed),
            best=Best(objective.criterion if config.keep == "best" else ""),
        )

    def gather(self) -> dict[str, Any]:
        """Give what a checkpoint holds."""
        return {
            "step": self.step,
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "average": self.average.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "generator": self.generator.get_state(),
            "best": self.best.state(),
        }

    def restore(self, held: dict[str, Any]) -> None:
        """Put back what a checkpoint held."""
        for name, network in self.networks.items():
            network.load_state_dict(held["networks"][name])
            self.optimisers[name].load_state_dict(held["optimisers"][name])
        self.average.load_state_dict(held["average"])
        self.generator.set_state(held["generator"])
        self.best.restore(held.get("best"))
        self.step = int(held["step"])

    def move_average(self, decay: float) -> None:
        """Move the average towards the product, which has done one step more; by less while there are few steps."""
        update_average(self.average, self.product, min(decay, (1 + self.step) / (10 + self.step)))


@dataclass
class Best:
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

    def recall(self, network: nn.Module) -> dict[str, Any]:
        """Give the network the best weights, if there are any, and tell their entry."""
        if self.weights is not None:
            network.load_state_dict(self.weights)
        return self.entry


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
