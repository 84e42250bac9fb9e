"""Log-likelihoods of latent-variable models, in nats: of an image given its latent vector, and of an image alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

LOG_2_PI = math.log(2 * math.pi)


def bernoulli_log_likelihood(logits: Tensor, x: Tensor) -> Tensor:
    """Give sum_i x_i log p_i + (1 - x_i) log(1 - p_i), p = sigmoid(logits).

    Parameters
    ----------
    logits : (..., C, H, W) float tensor
    x : (..., C, H, W) float tensor, 0 or 1

    Returns
    -------
    (...) float tensor, <= 0
    """
    x, logits = torch.broadcast_tensors(x, logits)
    return -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(-3).sum(-1)


def gaussian_log_likelihood(mean: Tensor, x: Tensor, log_sigma: Tensor) -> Tensor:
    """Give sum_i log N(x_i; mean_i, sigma^2), a density.

    Parameters
    ----------
    mean, x : (..., C, H, W) float tensors
    log_sigma : float tensor that broadcasts against them
        One learned number for all pixels gives the calibrated decoder of Rybkin et al., "Simple and Effective VAE
        Training with Calibrated Decoders", ICML 2021.
    """
    deviation = (x - mean) * (-log_sigma).exp()
    return (-0.5 * (deviation.square() + LOG_2_PI) - log_sigma).flatten(-3).sum(-1)


def normal_log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Give log N(z; mean, diag(exp(log_var))) over the last axis."""
    return -0.5 * (LOG_2_PI + log_var + (z - mean).square() * (-log_var).exp()).sum(-1)


def kl_to_standard_normal(mean: Tensor, log_var: Tensor) -> Tensor:
    """Give KL(N(mean, diag(exp(log_var))) || N(0, I)) over the last axis.

    References
    ----------
    Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)


def importance_log_weights(z: Tensor, mean: Tensor, log_var: Tensor, log_likelihood: Tensor) -> Tensor:
    """Give log w = log p(x | z) + log p(z) - log q(z | x) of samples z of q, with a standard normal p(z)."""
    zero = torch.zeros((), device=z.device)
    return log_likelihood + normal_log_density(z, zero, zero) - normal_log_density(z, mean, log_var)


@torch.no_grad()
def importance_weighted_nll(
    mean: Tensor,
    log_var: Tensor,
    log_likelihood: Callable[[Tensor], Tensor],
    *,
    samples: int = 5000,
    chunk: int = 500,
    generator: torch.Generator,
) -> Tensor:
    """Estimate -log p(x), in nats, by importance sampling from an approximate posterior.

    The mean of the estimate is an upper bound of the truth, and falls towards it with the number of samples.

    Parameters
    ----------
    mean, log_var : (N, Z) float tensors
        Of q(z | x), for N images.
    log_likelihood : function (k, N, Z) -> (k, N)
        log p(x | z), for k samples of each image.
    samples : int >= 1
        Per image.
    chunk : int >= 1
        How many of them at a time, to bound the memory.

    Returns
    -------
    (N,) float64 tensor

    References
    ----------
    Burda, Grosse and Salakhutdinov, "Importance Weighted Autoencoders", ICLR 2016, equation 8.
    """
    total = torch.full((len(mean),), -math.inf, dtype=torch.float64, device=mean.device)
    for start in range(0, samples, chunk):
        k = min(chunk, samples - start)
        noise = torch.randn(k, *mean.shape, generator=generator, device=generator.device).to(mean)
        z = mean + (0.5 * log_var).exp() * noise
        weights = importance_log_weights(z, mean, log_var, log_likelihood(z)).double()
        total = torch.logaddexp(total, weights.logsumexp(0))
    return math.log(samples) - total
