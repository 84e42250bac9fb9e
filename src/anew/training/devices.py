"""Where a training computes, and in which numbers."""

from __future__ import annotations

import torch

from anew.errors import InvalidSetting
from anew.training.config import TrainingConfig


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


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether bfloat16 is computed and not imitated on a device."""
    if device.type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported()


def numbers_of(config: TrainingConfig, device: torch.device) -> torch.autocast:
    """Give the context in which a run computes its networks: bfloat16 where the config and the device allow it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.bfloat16 and computes_bfloat16(device))
