"""Everything that a training run depends on, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Interval, Le, Lt

from anew.options import Count, NotNegative, Positive
from anew.training.stored_weights import Stored

Part = Annotated[float, Ge(0), Le(1)]
Decay = Annotated[float, Ge(0), Lt(1)]
Quality = Annotated[int, Interval(ge=1, le=100)]  # of JPEG, on the scale of libjpeg


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What every training run is told; each objective adds its own settings in a subclass beside it.

    Attributes
    ----------
    objective : str
        What is learned: the file in ``anew/training``, e.g. ``"denoising"``.
    task : str
        What the result is for, e.g. ``"denoise"``.
    network : str
        A name of ``anew.networks``.
    network_args : mapping
        Its keyword arguments.
    channels : {1, 3}
    patch, batch : int
        Side of a training crop in pixels, and crops per step.
    steps : int
        Optimiser steps of the whole run.
    learning_rate : float
        At the peak.
    warmup : int
        Steps of linear rise to the peak; a tenth of the run, if that is fewer.
    decay_from : float in [0, 1]
        Part of the run after which the rate falls to zero along a half cosine; 0 is the plain cosine schedule.
    optimiser : {"adamw", "muon", "adam", "momentum", "sgd"}
    betas : pair of float
        Of AdamW, Adam and what Muon leaves to it; the first is the momentum of ``"momentum"``.
    weight_decay : float
    clip : float
        Largest norm of the gradient.
    ema : float in [0, 1)
        Decay of the average of the weights, which is what is validated and exported.
    loss : str
        A name of ``anew.losses``.
    validation : int
        Images held out.
    validate_every, seed : int
    checkpoint_minutes : float
    keep : {"last", "best"}
        Which weights are the result: those after the last step, or those with the best score in validation, where the
        objective has such a score.
    bfloat16 : bool
        Compute in bfloat16 where the processor can; the weights stay float32.
    quantised : bool, optional
        Learn with activations and weights rounded to 8 bits, and export a file that computes so, two to three times
        as fast on a CPU (``networks/quantised.py``). Meant for a short run at a low rate from a network that has
        learned without, of an architecture that can: the U-Nets, and the upscaler of branches. None: if the model
        that the run starts from does.
    stored : {"half", "float", "byte"}
        How the exported file holds the weights (``training/stored_weights.py``); it computes in float32 all the same.
    """

    objective: str
    task: str
    network: str
    network_args: Mapping[str, Any] = field(default_factory=dict)
    channels: Literal[1, 3] = 3
    patch: Annotated[int, Interval(ge=1, le=4096)] = 80
    batch: Annotated[int, Interval(ge=1, le=4096)] = 16
    steps: Count = 10_000
    learning_rate: Positive = 1e-3
    warmup: Annotated[int, Ge(0)] = 200
    decay_from: Part = 0.0
    optimiser: Literal["adamw", "muon", "adam", "momentum", "sgd"] = "adamw"
    betas: tuple[Decay, Decay] = (0.9, 0.99)
    weight_decay: NotNegative = 0.0
    clip: Positive = 1.0
    ema: Decay = 0.999
    loss: str = "l1"
    validation: Annotated[int, Ge(0)] = 24
    validate_every: Count = 500
    checkpoint_minutes: NotNegative = 3.0
    seed: Annotated[int, Interval(ge=0, lt=2**63)] = 0
    keep: Literal["last", "best"] = "last"
    bfloat16: bool = True
    quantised: bool | None = None
    stored: Stored = "half"
