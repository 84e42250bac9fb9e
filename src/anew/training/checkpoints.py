"""Checkpoints: everything that the next step depends on, in one file, written atomically and read without pickle code.

Tensors are stored with ``torch.save`` and loaded with ``weights_only=True``, which runs no code from the file.
"""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from anew.errors import AnewError
from anew.training.config import TrainingConfig
from anew.training.whole_files import whole_file

PARTS = frozenset({"config", "step", "networks", "average", "optimisers", "generator"})
AFRESH = "--overwrite starts afresh, another -o leaves it"


class CannotResume(AnewError):
    """A checkpoint does not fit the run that wants to continue from it."""


def save_checkpoint(path: Path, state: dict[str, Any], config: TrainingConfig) -> None:
    """Write a checkpoint; an interruption or a full disk leaves the old one."""
    with whole_file(path) as part, open(part, "wb") as file:
        try:
            torch.save({"config": dataclasses.asdict(config), **state}, file)
        except RuntimeError as error:  # torch closes its archive once more and hides what the disk said
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of any run.

    Raises
    ------
    CannotResume
        If it is no whole checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            intact = archive.testzip() is None  # torch looks at no checksum
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        whole = intact and state.keys() >= PARTS and isinstance(state["config"], dict)
    except PermissionError:
        raise CannotResume(f"{path}: no permission to read it; change its permissions, or take another -o") from None
    except Exception:  # torch raises nearly anything at a file of something else
        whole = False
    if not whole:
        raise CannotResume(f"{path}: not a whole checkpoint of a training run; {AFRESH}")
    return state


def load_checkpoint(path: Path, config: TrainingConfig, origin: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a checkpoint of the same run; only the number of steps and the shape of the decay may differ.

    Parameters
    ----------
    path : path
    config : TrainingConfig
    origin : mapping of str to str, optional
        What else a run must have been told alike, such as its data; a checkpoint that knows nothing of it fits.

    Raises
    ------
    CannotResume
        If another setting differs, or more steps were done than are asked for; the message names it.
    """
    state = read_checkpoint(path)
    # A setting that is newer than the checkpoint had its default then: a default must leave a run as it was.
    stored = {f.name: f.default for f in dataclasses.fields(config)} | state.pop("config")
    changeable = {"steps", "decay_from", "validate_every", "checkpoint_minutes"}
    told_elsewhere = {"quantised"}  # in network_args, also where it is left to the model to start from
    for name, value in dataclasses.asdict(config).items():
        if name not in changeable | told_elsewhere and stored[name] != value:
            raise CannotResume(f"{path}: was trained with {name} = {stored[name]!r}, this run has {value!r}; {AFRESH}")
    told = state.get("origin", {})
    for name, text in (origin or {}).items():
        if told.get(name, text) != text:
            raise CannotResume(f"{path}: was trained with {name} = {told[name]}, this run has {text}; {AFRESH}")
    if state["step"] > config.steps:
        raise CannotResume(f"{path}: {state['step']} steps are done already, this run has {config.steps}; {AFRESH}")
    return state
