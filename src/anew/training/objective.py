"""What a run learns: its networks, the loss of each, and how the result is judged.

The loop (``loop.py``) knows only this; restoration, classification, autoencoding, flows and adversarial games differ in
the objective that they make.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.errors import InvalidSetting
from anew.losses.pixel import LOSSES
from anew.networks import build_network
from anew.training.restoration import RestorationConfig
from anew.training.sheet import draw_examples
from anew.training.teacher import Teacher

Networks = Mapping[str, nn.Module]
LossFunction = Callable[[Networks, Any, Any, torch.Generator], Tensor]  # data and config are the objective's own
Validate = Callable[[nn.Module, Any, Any], dict[str, float]]
Preview = Callable[[nn.Module, Any, Any], NDArray[Any]]
Finish = Callable[[nn.Module, Any, Any], None]
FindTrouble = Callable[[Sequence[dict[str, Any]]], str | None]
MakeBatch = Callable[[Any, Any, torch.Generator], tuple[Tensor, Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What a run learns.

    Attributes
    ----------
    networks : mapping of str to module
        Updated one after another in each step, in this order; everything that a run must remember lives in them.
    losses : mapping of str to function
        The loss of each network, ``(networks, data, config, generator) -> scalar``. It draws its own batch; all its
        random numbers come from the generator.
    product : str
        The network whose weights are averaged, validated and exported.
    validate : function
        (averaged product, validation data, config) -> scores for the log.
    criterion : str
        The score of ``validate`` that is least for the best network; empty if the last network is the best.
    preview : function, optional
        (averaged product, validation data, config) -> (H, W, 3) uint8 array, kept as ``preview.png``.
    finish : function, optional
        (averaged product, training data, config), called once when the run is over, for what is fitted afterwards.
    repeats : mapping of str to int
        Updates of a network per step; 1 if not given.
    rates : mapping of str to float
        Factor on a network's learning rate; 1 if not given.
    compiles : bool
        Compile the networks where that pays, on a GPU; not for losses that differentiate twice.
    find_trouble : function, optional
        (entries of the log so far, the last one new) -> what goes wrong, in plain words for the log, or nothing.
    """

    networks: Networks
    losses: Mapping[str, LossFunction]
    product: str
    validate: Validate
    criterion: str = ""
    preview: Preview | None = None
    finish: Finish | None = None
    repeats: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    compiles: bool = False
    find_trouble: FindTrouble = lambda log: None


def supervised(config: RestorationConfig, make_batch: MakeBatch, validate: Validate) -> Objective:
    """Build the network that a config names, and let it map an image, under a condition, to a known image.

    Parameters
    ----------
    config : RestorationConfig
        The network has ``forward(input, condition)`` and takes ``channels``.
    make_batch : function (data, config, generator) -> (target, input, condition)
    """

    network = build_network(config.network, seed=config.seed, channels=config.channels, **config.network_args)
    if config.teacher_share < 1 and not config.teacher:
        raise InvalidSetting(f"teacher_share = {config.teacher_share:g} is that of a teacher; name one: teacher=MODEL")
    teacher = Teacher(config.teacher, config) if config.teacher else None

    def loss(networks: Networks, data: Any, config: RestorationConfig, generator: torch.Generator) -> Tensor:
        if config.loss not in LOSSES:
            raise InvalidSetting(f"no loss {config.loss!r}; there are {', '.join(LOSSES)}")
        target, degraded, condition = make_batch(data, config, generator)
        if teacher is not None:
            target = torch.lerp(target, teacher(degraded, condition, generator), config.teacher_share)
        x_hat = networks["network"](degraded.contiguous(memory_format=torch.channels_last), condition)
        return LOSSES[config.loss](x_hat.float(), target)

    return Objective(
        networks={"network": network},
        losses={"network": loss},
        product="network",
        validate=validate,
        preview=lambda average, data, config: draw_examples(average, data, config, make_batch),
        compiles=True,
    )
