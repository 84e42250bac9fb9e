"""Distillation: a network learns from what another one makes of the same input, in place of the true image.

The noise of a single photograph cannot be foretold, and neither can what fell between the samples of a small one: the
true image is one of many that fit the input, and a network that follows them one by one follows chance. A teacher gives
their mean (Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015). Its input is turned and
mirrored at random, so that the mean of what the network follows is the teacher's self-ensemble
(``inference/ensemble.py``), at the cost of one member.
"""

from __future__ import annotations

import torch
from torch import Tensor

from anew.errors import InvalidSetting
from anew.inference.card import BadModel
from anew.inference.models import model_path, read_card
from anew.networks import build_network
from anew.training.config import TrainingConfig
from anew.training.export import load_weights

SYMMETRIES = 8  # of the square


class Teacher:
    """A trained network to learn from.

    Parameters
    ----------
    name : str
        A shipped model, or the path of an ONNX file that ``anew train`` has made.
    config : TrainingConfig
        Of the run that learns from it: for the same task, channels and factors.

    Raises
    ------
    InvalidSetting
        If there is no such model, or it is made for something else.
    """

    def __init__(self, name: str, config: TrainingConfig) -> None:
        try:
            card = read_card(name)
        except BadModel as error:
            raise InvalidSetting(f"no teacher: {error}") from None
        own, asked = (
            (task, channels, arguments.get("scales"))
            for task, channels, arguments in (
                (card.task, card.channels, card.network_args),
                (config.task, config.channels, config.network_args),
            )
        )
        if own != asked:
            raise InvalidSetting(f"the teacher {name} is for {_described(*own)}, this recipe for {_described(*asked)}")
        unrounded = {key: value for key, value in card.network_args.items() if key != "quantised"}
        self.network = build_network(card.network, channels=card.channels, **unrounded)
        load_weights(self.network, model_path(name))
        self.network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, degraded: Tensor, condition: Tensor, generator: torch.Generator) -> Tensor:
        """Give what the teacher makes of a batch (N, C, H, W), turned by one of the symmetries and turned back."""
        symmetry = int(torch.randint(SYMMETRIES, (), generator=generator, device=generator.device))
        network = self.network.to(degraded.device)
        x_hat = network(turned(degraded, symmetry).contiguous(memory_format=torch.channels_last), condition)
        return turned_back(x_hat.float(), symmetry)


def turned(images: Tensor, symmetry: int) -> Tensor:
    """Apply one of the 8 symmetries of the square to (N, C, H, W): mirror along the axes, then transpose."""
    images = images.flip([axis for axis in (2, 3) if symmetry & (axis - 1)])
    return images.transpose(2, 3) if symmetry & 4 else images


def turned_back(images: Tensor, symmetry: int) -> Tensor:
    """Undo ``turned``."""
    images = images.transpose(2, 3) if symmetry & 4 else images
    return images.flip([axis for axis in (2, 3) if symmetry & (axis - 1)])


def _described(task: str, channels: int, scales: list[int] | None) -> str:
    return f"{task}, {channels} channel{'s'[: channels != 1]}" + (f", factors {scales}" if scales else "")
