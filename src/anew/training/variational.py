"""Variational autoencoders: the evidence lower bound, with beta, or the tighter bound of several importance samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.errors import InvalidSetting
from anew.losses.likelihood import (
    bernoulli_log_likelihood,
    gaussian_log_likelihood,
    importance_log_weights,
    importance_weighted_nll,
    kl_to_standard_normal,
)
from anew.networks import build_network
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

VALIDATION_SAMPLES = 50


@dataclass(frozen=True, kw_only=True)
class VariationalConfig(GenerationConfig):
    """A variational autoencoder's run; ``network_args["likelihood"]`` says what a pixel is.

    Attributes
    ----------
    beta : float >= 0
        Weight of the divergence from the prior (Higgins et al., "beta-VAE", ICLR 2017); 1 is the evidence lower bound.
    importance_samples : int >= 1
        Samples of the bound that is maximised (Burda et al., "Importance Weighted Autoencoders", ICLR 2016, equation
        8). Above 1 ``beta`` must be 1.
    binarise : bool
        Draw every pixel anew, white with the probability that is its brightness, each time an image is shown
        (Salakhutdinov and Murray, "On the Quantitative Analysis of Deep Belief Networks", ICML 2008).
    """

    objective: str = "variational"
    network: str = "vae"
    beta: float = 1.0
    importance_samples: int = 1
    binarise: bool = False


def load_data(source: Path, config: VariationalConfig) -> tuple[LabelledImages, LabelledImages]:
    """Read images, and hold some out, chosen by the seed: (training, validation). Labels are not used."""
    return load_shuffled(source, replace(config, labels=()))


def adapt(config: VariationalConfig, data: LabelledImages) -> VariationalConfig:
    """Fill in what the recipe leaves to the data: the size."""
    return replace(adapt_generation(config, data), labels=())


def make_objective(config: VariationalConfig) -> Objective:
    """Build the network, and say how it learns."""
    if config.importance_samples > 1 and config.beta != 1:
        raise InvalidSetting(f"beta must be 1 with importance_samples above 1, not {config.beta}")
    network = build_network(
        config.network, seed=config.seed, channels=config.channels, size=config.patch, **config.network_args
    )
    return Objective(
        networks={"network": network},
        losses={"network": negative_bound},
        product="network",
        validate=validate,
        preview=preview,
    )


def negative_bound(
    networks: Networks, data: LabelledImages, config: VariationalConfig, generator: torch.Generator
) -> Tensor:
    """Draw images and latent vectors, and give the negative bound in nats per pixel."""
    network = networks["network"]
    x = as_observed((draw_batch(data, config, generator)[0] + 1) / 2, config, generator)
    mean, log_var = network.encode(x)
    shape = (config.importance_samples, *mean.shape)
    noise = torch.randn(shape, generator=generator, device=generator.device).to(mean.device)
    z = mean + (0.5 * log_var).exp() * noise
    likelihood = log_likelihood(network, x, z)
    if config.importance_samples == 1:
        bound = likelihood[0] - config.beta * kl_to_standard_normal(mean, log_var)
    else:
        weights = importance_log_weights(z, mean, log_var, likelihood)
        bound = weights.logsumexp(0) - torch.tensor(float(len(weights))).log()
    return -bound.mean() / x[0].numel()


def as_observed(images: Tensor, config: VariationalConfig, generator: torch.Generator) -> Tensor:
    """Give images in [0, 1] as the model sees them: as they are, or binarised anew."""
    if not config.binarise:
        return images
    draws = torch.rand(images.shape, generator=generator, device=generator.device).to(images.device)
    return (draws < images).float().contiguous(memory_format=torch.channels_last)


def log_likelihood(network: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    """Give log p(x | z) in nats, (k, N), for images (N, C, H, W) and k latent vectors of each, (k, N, Z)."""
    decoded = network.decode(z.flatten(0, 1)).unflatten(0, z.shape[:2])
    if network.likelihood == "bernoulli":
        return bernoulli_log_likelihood(decoded, x)
    return gaussian_log_likelihood(decoded, x, network.log_sigma)


def negative_log_likelihood(
    network: nn.Module, x: Tensor, *, samples: int, chunk: int, generator: torch.Generator
) -> Tensor:
    """Estimate -log p(x) in nats, (N,), of observed images (N, C, H, W) by importance sampling."""
    with torch.no_grad():
        mean, log_var = network.encode(x)
        return importance_weighted_nll(
            mean,
            log_var,
            lambda z: log_likelihood(network, x, z),
            samples=samples,
            chunk=chunk,
            generator=generator,
        )


@torch.no_grad()
def validate(network: nn.Module, images: LabelledImages, config: VariationalConfig) -> dict[str, float]:
    """Give the negative bound and its divergence part in nats on up to 1000 held-out images, and a tighter bound."""
    generator = torch.Generator().manual_seed(0)
    part = images.part(0, 1000)
    x = as_observed((part.images.float() / 255).contiguous(memory_format=torch.channels_last), config, generator)
    mean, log_var = network.encode(x)
    z = mean + (0.5 * log_var).exp() * torch.randn(mean.shape, generator=generator).to(mean.device)
    divergence = kl_to_standard_normal(mean, log_var)
    few = x[:200]
    nll = negative_log_likelihood(network, few, samples=VALIDATION_SAMPLES, chunk=10, generator=generator)
    return {
        "validation_bound": float((divergence - log_likelihood(network, x, z[None])[0]).mean()),
        "validation_divergence": float(divergence.mean()),
        f"validation_nll_{VALIDATION_SAMPLES}": float(nll.mean()),
    }


@torch.no_grad()
def preview(network: nn.Module, images: LabelledImages, config: VariationalConfig) -> NDArray[np.uint8]:
    """Draw a sheet: held-out images, their reconstructions below, then samples."""
    generator = torch.Generator().manual_seed(1)
    x = as_observed(images.part(0, 10).images.float() / 255, config, generator)
    mean, _ = network.encode(x)
    prior = torch.randn(40, mean.shape[1], generator=generator).to(mean.device)
    _, _, decoded, _ = network(x, torch.cat([mean, prior]))
    return draw_sheet(torch.cat([x, decoded]) * 2 - 1, columns=10)


def export(network: nn.Module, config: VariationalConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card.

    Encoder and decoder share one file: inputs ``image`` and ``latent``, each with a batch axis of its own, outputs
    ``mean`` and ``log_var`` of the latent vector, ``result`` and ``log_std`` of the pixels; images are in [0, 1].
    """
    card = make_generator_card(
        network,
        replace(config, labels=()),
        facts,
        kind="vae",
        latent=network.latent,
        likelihood=network.likelihood,
    )
    inputs = {
        "image": torch.rand(2, config.channels, config.patch, config.patch),
        "latent": torch.randn(3, int(network.latent)),
    }
    dynamic = {name: {0: "images"} for name in ("image", "mean", "log_var")}
    dynamic |= {name: {0: "vectors"} for name in ("latent", "result", "log_std")}
    outputs = ("mean", "log_var", "result", "log_std")
    export_onnx(network, card, path, inputs=inputs, outputs=outputs, dynamic=dynamic)
