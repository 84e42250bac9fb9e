"""Variational autoencoders: the evidence lower bound, with beta, or the tighter bound of several importance samples.

Labels play no part until the network is trained; then each gets a mixture of latent vectors to sample from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
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
from anew.options import Count, NotNegative
from anew.training.data import LabelledImages
from anew.training.export import export_onnx
from anew.training.generation import (
    GenerationConfig,
    adapt_generation,
    build_for_size,
    draw_batch,
    load_shuffled,
    make_generator_card,
)
from anew.training.objective import Networks, Objective
from anew.training.restoration import RunFacts
from anew.training.sheet import draw_sheet

VALIDATION_SAMPLES = 50
ENCODED = 500  # images at a time
COMPONENTS = 10  # of a label's mixture; distance of clothes with 1, 4, 10 and 20: 1.24, 0.85, 0.75 and 0.72
LEAST_IMAGES = 50  # of a component
K_MEANS_STEPS = 30


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
    beta: NotNegative = 1.0
    importance_samples: Count = 1
    binarise: bool = False


load_data = load_shuffled
adapt = adapt_generation


def make_objective(config: VariationalConfig) -> Objective:
    """Build the network, and say how it learns."""
    if config.importance_samples > 1 and config.beta != 1:
        raise InvalidSetting(f"beta must be 1 with importance_samples above 1, not {config.beta}")
    build = partial(build_network, config.network, seed=config.seed, channels=config.channels, **config.network_args)
    network = build_for_size(config.patch, lambda side: build(size=side))
    return Objective(
        networks={"network": network},
        losses={"network": negative_bound},
        product="network",
        validate=validate,
        preview=preview,
        finish=fit_mixtures,
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
def fit_mixtures(network: nn.Module, images: LabelledImages, config: VariationalConfig) -> None:
    """Encode the training images, and fit the mixture of each label to their latent vectors.

    Images are put together by k-means of their means. A component has the moments of the mixture of its images'
    posteriors: their covariance is that of the means, plus the mean of the variances.
    """
    from scipy.cluster.vq import kmeans2

    mean, log_var = _encode_all(network, images, config)
    shown = images.labels.cpu() if config.labels else torch.zeros(len(images), dtype=torch.int64)
    labels, size = max(len(config.labels), 1), mean.shape[1]
    weight = torch.zeros(labels, COMPONENTS)
    centre = torch.zeros(labels, COMPONENTS, size)
    factor = torch.eye(size).repeat(labels, COMPONENTS, 1, 1)
    weight[:, 0] = 1  # a label without images keeps the prior
    for label in shown.unique().tolist():
        means, variances = mean[shown == label].double(), log_var[shown == label].double().exp()
        count = min(COMPONENTS, max(1, len(means) // LEAST_IMAGES))
        first = np.random.default_rng(config.seed).permutation(len(means))[:count]
        _, groups = kmeans2(means.numpy(), means[first].numpy(), iter=K_MEANS_STEPS, minit="matrix")
        for component in np.unique(groups):
            group = torch.from_numpy(groups == component)
            covariance = torch.cov(means[group].T, correction=0) + variances[group].mean(0).diag()
            centre[label, component] = means[group].mean(0)
            factor[label, component] = torch.linalg.cholesky(covariance)
        weight[label] = torch.from_numpy(np.bincount(groups, minlength=COMPONENTS) / len(groups))
    for name, value in {"weight": weight, "mean": centre, "factor": factor}.items():
        network.register_buffer(f"component_{name}", value)  # exported with the weights, from now on


def _encode_all(network: nn.Module, images: LabelledImages, config: VariationalConfig) -> tuple[Tensor, Tensor]:
    """Give mean and log-variance of the latent vectors of all images, on the CPU."""
    generator = torch.Generator().manual_seed(0)
    encoded = []
    for start in range(0, len(images), ENCODED):
        part = images.part(start, start + ENCODED).images.float() / 255
        x = as_observed(part.contiguous(memory_format=torch.channels_last), config, generator)
        encoded.append(torch.stack(network.encode(x)).cpu())
    mean, log_var = torch.cat(encoded, dim=1)
    return mean, log_var


@torch.no_grad()
def preview(network: nn.Module, images: LabelledImages, config: VariationalConfig) -> NDArray[np.uint8]:
    """Draw a sheet: held-out images, their reconstructions below, then samples."""
    generator = torch.Generator().manual_seed(1)
    x = as_observed(images.part(0, 10).images.float() / 255, config, generator)
    mean, _ = network.encode(x)
    latent = torch.cat([mean, torch.randn(4 * len(x), mean.shape[1], generator=generator).to(mean.device)])
    first = torch.zeros(len(latent), dtype=torch.int64, device=mean.device)
    decoded = network(x, latent, first, first)[3]
    return draw_sheet(torch.cat([x, decoded]) * 2 - 1, columns=len(x))


def export(network: nn.Module, config: VariationalConfig, path: Path, facts: RunFacts) -> None:
    """Write the trained network with its card.

    Encoder and decoder share one file: inputs ``image``, and with a batch axis of their own ``latent``, ``label`` and
    ``component``; outputs ``mean`` and ``log_var`` of an image's latent vector, ``placed`` the latent vectors of a
    label's component if ``latent`` is noise, ``result`` and ``log_std`` the pixels of latent vectors, ``weight`` how
    often the components of each label are drawn; images are in [0, 1].
    """
    card = make_generator_card(
        network,
        config,
        facts,
        kind="vae",
        latent=network.latent,
        likelihood=network.likelihood,
        components=network.component_weight.shape[1],
    )
    inputs = {
        "image": torch.rand(2, config.channels, config.patch, config.patch),
        "latent": torch.randn(3, int(network.latent)),
        "label": torch.zeros(3, dtype=torch.int64),
        "component": torch.zeros(3, dtype=torch.int64),
    }
    outputs = ("mean", "log_var", "placed", "result", "log_std", "weight")
    dynamic = {name: {0: "images"} for name in ("image", "mean", "log_var")}
    dynamic |= {name: {0: "vectors"} for name in ("latent", "label", "component", "placed", "result", "log_std")}
    export_onnx(network, card, path, inputs=inputs, outputs=outputs, dynamic=dynamic)
