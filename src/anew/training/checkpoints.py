"""Checkpoints: everything that the next step depends on, in one file, written atomically and read without pickle code.

Tensors are stored with ``torch.save`` and loaded with ``weights_only=True``, which runs no code from the file.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import torch

from anew.errors import AnewError
from anew.training.config import TrainingConfig


class CannotResume(AnewError):
    """A checkpoint does not fit the run that wants to continue from it."""


def save_checkpoint(path: Path, state: dict[str, Any], config: TrainingConfig) -> None:
    """Write a checkpoint; an interruption leaves the old one."""
    part = path.with_suffix(".part")
    torch.save({"config": dataclasses.asdict(config), **state}, part)
    os.replace(part, path)


def load_checkpoint(path: Path, config: TrainingConfig) -> dict[str, Any]:
    """Read a checkpoint of the same run; only the number of steps and the shape of the decay may differ.

    Raises
    ------
    CannotResume
        If another setting differs; the message names it.
    """
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    # A setting that is newer than the checkpoint had its default then: a default must leave a run as it was.
    stored = {f.name: f.default for f in dataclasses.fields(config)} | state.pop("config")
    changeable = {"steps", "decay_from", "validate_every", "checkpoint_minutes"}
    for name, value in dataclasses.asdict(config).items():
        if name not in changeable and stored[name] != value:
            raise CannotResume(f"{path}: was trained with {name} = {stored[name]!r}, this run has {value!r}")
    return state
