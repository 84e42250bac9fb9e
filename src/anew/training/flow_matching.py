"""Flow matching and diffusion: a network learns the way from noise to images, one noise level at a time.

Two parametrisations of the same model. A rectified flow (Liu et al., "Flow Straight and Fast", ICLR 2023; Lipman et
al., "Flow Matching for Generative Modeling", ICLR 2023) regresses the velocity n - x at x_t = (1 - t) x + t n; t is the
logistic function of a normal number, or even (Esser et al., "Scaling Rectified Flow Transformers", ICML 2024, equation
19). EDM (Karras et al., NeurIPS 2022, table 1) regresses x at x + sigma n with log-normal sigma and weights under
which every level starts with the same loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.errors import InvalidSetting
from anew.generation.samplers import sample_flow_heun, sample_heun
from anew.generation.schedules import flow_times, karras_sigmas
from anew.networks import build_network
from anew.networks.flow_unet import SIGMA_DATA
from anew.options import Count, Positive
from anew.training.config import Part
from anew.training.data import LabelledImages
from anew.training.export import export_onnx
from anew.training.generation import (
    GenerationConfig,
    adapt_generation,
    draw_batch,
    load_shuffled,
    make_generator_card,
)
from anew.training.objective import Networks, Objective
from anew.training.restoration import RunFacts
from anew.training.sheet import draw_sheet

PREVIEW_STEPS = 12


@dataclass(frozen=True, kw_only=True)
class FlowConfig(GenerationConfig):
    """A flow's run; ``network_args["parametrisation"]`` says which.

    Attributes
    ----------
    times : {"logit-normal", "even"}
        How the times of a rectified flow are drawn.
    time_mean, time_std : float
        Of the normal number behind t (0 and 1 in Esser et al.), or of log sigma (-1.2 and 1.2 in EDM).
    label_dropout : float in [0, 1]
        Part of the images that are shown without their label, which guidance needs.
    steps_to_sample : int
        The default number of steps when the model is used.
    guidance : float
        The default guidance when the model is used.
    """

    objective: str = "flow_matching"
    network: str = "flow_unet"
    times: Literal["logit-normal", "even"] = "logit-normal"
    time_mean: float = 0.0
    time_std: Positive = 1.0
    label_dropout: Part = 0.1
    steps_to_sample: Count = 16
    guidance: float = 1.0


load_data = load_shuffled


def adapt(config: FlowConfig, data: LabelledImages) -> FlowConfig:
    """Fill in what the recipe leaves to the data: size and labels."""
    config = adapt_generation(config, data)
    return replace(config, network_args={**config.network_args, "labels": len(config.labels)})


def make_objective(config: FlowConfig) -> Objective:
    """Build the network, and say how it learns."""
    network = build_network(config.network, seed=config.seed, channels=config.channels, **config.network_args)
    multiple = network.size_multiple
    if config.patch % multiple:
        raise InvalidSetting(f"images of {config.patch} pixels a side: this network needs a multiple of {multiple}")
    return Objective(
        networks={"network": network},
        losses={"network": flow_loss},
        product="network",
        validate=validate,
        preview=preview,
    )


def flow_loss(networks: Networks, data: LabelledImages, config: FlowConfig, generator: torch.Generator) -> Tensor:
    """Draw images, noise and noise levels, and give the loss."""
    network = networks["network"]
    x, label = draw_batch(data, config, generator)
    device = generator.device
    dropped = torch.rand(len(x), generator=generator, device=device).to(x.device) < config.label_dropout
    label = torch.where(dropped, int(network.labels), label)
    noise = torch.randn(x.shape, generator=generator, device=device).to(x.device)
    draws = torch.randn(len(x), generator=generator, device=device).to(x.device)
    return regression_loss(network, x, label, noise, draws, config)


def regression_loss(
    network: nn.Module, x: Tensor, label: Tensor, noise: Tensor, draws: Tensor, config: FlowConfig
) -> Tensor:
    """Give the mean squared error of the velocity, or the weighted one of the denoised image.

    Parameters
    ----------
    x, noise : (N, C, H, W) float tensors
        Clean images in [-1, 1], and standard normal noise.
    label : (N,) int64 tensor
    draws : (N,) float tensor
        Standard normal numbers that the noise levels follow from.
    """
    if network.parametrisation == "rectified":
        t = draw_times(draws, config)
        t_ = t[:, None, None, None]
        v = network((1 - t_) * x + t_ * noise, t, label)
        return (v - (noise - x)).square().mean()
    sigma = (config.time_mean + config.time_std * draws).exp()
    sigma_ = sigma[:, None, None, None]
    x_hat = network(x + sigma_ * noise, sigma, label)
    weight = (sigma_.square() + SIGMA_DATA**2) / (sigma_ * SIGMA_DATA).square()
    return (weight * (x_hat - x).square()).mean()


def draw_times(draws: Tensor, config: FlowConfig) -> Tensor:
    """Turn standard normal numbers into times in (0, 1)."""
    if config.times == "even":
        return torch.special.ndtr(draws)
    return torch.sigmoid(config.time_mean + config.time_std * draws)


@torch.no_grad()
def validate(network: nn.Module, images: LabelledImages, config: FlowConfig) -> dict[str, float]:
    """Give the loss on up to 1024 held-out images, with the same noise and evenly spread levels every time."""
    generator = torch.Generator().manual_seed(0)
    count = min(len(images), 1024)
    draws = torch.special.ndtri((torch.arange(count) + 0.5) / count)[torch.randperm(count, generator=generator)]
    total = 0.0
    for start in range(0, count, 128):
        part = images.part(start, min(start + 128, count))
        x = (part.images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        noise = torch.randn(x.shape, generator=generator).to(x.device)
        levels = draws[start : start + len(part)].to(x.device)
        total += float(regression_loss(network, x, part.labels, noise, levels, config)) * len(part)
    return {"validation_loss": total / count}


@torch.no_grad()
def preview(network: nn.Module, images: LabelledImages, config: FlowConfig) -> NDArray[np.uint8]:
    """Draw a sheet of samples, one column per label, from the same noise every time."""
    labels = int(network.labels)
    columns = max(1, min(labels, 10)) if labels > 2 else 8
    count = 6 * columns
    device = images.images.device
    noise = torch.randn(count, *images.images.shape[1:], generator=torch.Generator().manual_seed(1)).to(device)
    label = torch.arange(count, device=device) % max(labels, 1)

    def run(x: Tensor, time: float) -> Tensor:
        moment = torch.full((count,), time, device=device)
        return network(x.contiguous(memory_format=torch.channels_last), moment, label)

    if network.parametrisation == "rectified":
        sampled = sample_flow_heun(run, noise, flow_times(PREVIEW_STEPS))
    else:
        sigmas = karras_sigmas(PREVIEW_STEPS)
        sampled = sample_heun(run, noise * sigmas[0], sigmas)
    return draw_sheet(sampled, columns=columns)


def export(network: nn.Module, config: FlowConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card: inputs ``image``, ``time`` and ``label``, output ``result``."""
    card = make_generator_card(
        network,
        config,
        facts,
        kind="flow",
        parametrisation=network.parametrisation,
        steps=config.steps_to_sample,
        guidance=config.guidance,
    )
    inputs = {
        "image": torch.randn(2, config.channels, config.patch, config.patch),
        "time": torch.full((2,), 0.5),
        "label": torch.zeros(2, dtype=torch.int64),
    }
    dynamic = {name: {0: "batch"} for name in (*inputs, "result")}
    export_onnx(network, card, path, inputs=inputs, dynamic=dynamic)
