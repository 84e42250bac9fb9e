"""Losses of adversarial games: a discriminator scores images, a generator wants its own to score like real ones.

A score is a number per image, (N,), without a sigmoid. Every loss is minimised; the paper that proposes it may write
the same thing as a maximum. ``LOSSES`` holds them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu, softplus

from anew.losses.shapes import check_same_shape

ScoreLoss = Callable[[Tensor, Tensor], Tensor]  # (scores of real images, scores of generated ones) -> scalar


@dataclass(frozen=True, kw_only=True)
class AdversarialLoss:
    """What the two players minimise.

    Attributes
    ----------
    discriminator, generator : function (scores of real images, scores of generated ones) -> scalar
    relative : bool
        Whether only differences of scores matter, so that the generator's loss needs real images too.
    """

    discriminator: ScoreLoss
    generator: ScoreLoss
    relative: bool = False


def minimax() -> AdversarialLoss:
    """Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, equation 1, with D = sigmoid(score).

    The best discriminator is p / (p + q); against it the generator's loss is the Jensen-Shannon divergence, up to
    constants. Where the discriminator is sure, the generator's gradient vanishes.
    """
    return AdversarialLoss(
        discriminator=lambda real, fake: softplus(-real).mean() + softplus(fake).mean(),
        generator=lambda real, fake: -softplus(fake).mean(),  # log(1 - D)
    )


def non_saturating() -> AdversarialLoss:
    """Minimax, but the generator maximises log D of its images (Goodfellow et al., section 3)."""
    return AdversarialLoss(
        discriminator=minimax().discriminator,
        generator=lambda real, fake: softplus(-fake).mean(),
    )


def least_squares() -> AdversarialLoss:
    """Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equation 9: a = 0, b = c = 1.

    The best discriminator is p / (p + q) again, as a score without a sigmoid (their equation 5).
    """
    return AdversarialLoss(
        discriminator=lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
        generator=lambda real, fake: (fake - 1).square().mean() / 2,
    )


def wasserstein() -> AdversarialLoss:
    """Arjovsky, Chintala and Bottou, "Wasserstein Generative Adversarial Networks", ICML 2017, equation 2.

    The score must be Lipschitz: clip the weights (``clip_weights``, their algorithm 1), or add ``gradient_penalty``.
    """
    return AdversarialLoss(
        discriminator=lambda real, fake: fake.mean() - real.mean(),
        generator=lambda real, fake: -fake.mean(),
    )


def hinge() -> AdversarialLoss:
    """Lim and Ye, "Geometric GAN", 2017; Miyato et al., "Spectral Normalization", ICLR 2018, equations 16 and 17."""
    return AdversarialLoss(
        discriminator=lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(),
        generator=lambda real, fake: -fake.mean(),
    )


def relativistic() -> AdversarialLoss:
    """Scores compared pair by pair: Jolicoeur-Martineau, "The Relativistic Discriminator", ICLR 2019 (RSGAN).

    Huang et al., "The GAN is dead; long live the GAN!", NeurIPS 2024, equation 2, show that this landscape has no local
    minimum in which modes are missing, and that R1 and R2 together make training converge.
    """

    def prefer(liked: Tensor, other: Tensor) -> Tensor:
        check_same_shape(liked, other)
        return softplus(other - liked).mean()

    return AdversarialLoss(
        discriminator=lambda real, fake: prefer(real, fake),
        generator=lambda real, fake: prefer(fake, real),
        relative=True,
    )


def relativistic_average() -> AdversarialLoss:
    """Each score compared with the mean of the other kind: Jolicoeur-Martineau, ICLR 2019 (RaSGAN)."""

    def prefer(liked: Tensor, other: Tensor) -> Tensor:
        return softplus(other.mean() - liked).mean() + softplus(other - liked.mean()).mean()

    return AdversarialLoss(
        discriminator=lambda real, fake: prefer(real, fake),
        generator=lambda real, fake: prefer(fake, real),
        relative=True,
    )


LOSSES: dict[str, Callable[[], AdversarialLoss]] = {
    "minimax": minimax,
    "non-saturating": non_saturating,
    "least-squares": least_squares,
    "wasserstein": wasserstein,
    "hinge": hinge,
    "relativistic": relativistic,
    "relativistic-average": relativistic_average,
}


def squared_gradient(score: Tensor, image: Tensor) -> Tensor:
    """Mean of |grad D(x)|^2: R1 where x are real images, R2 where they are generated.

    Parameters
    ----------
    score : (N,) float tensor
        Worked out from ``image``, which required a gradient then.
    image : (N, ...) float tensor

    References
    ----------
    Mescheder, Geiger and Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018, equations 9 and
    10; their factor gamma / 2 is left to the caller.
    """
    (gradient,) = torch.autograd.grad(score.sum(), image, create_graph=True)
    return gradient.flatten(1).square().sum(dim=1).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, part: Tensor) -> Tensor:
    """Mean of (|grad D(x)| - 1)^2 between real and generated images.

    Parameters
    ----------
    critic : function (N, ...) -> (N,)
    real, fake : (N, ...) float tensors
    part : (N,) float tensor in [0, 1]
        How much of the real image is in each mixture.

    References
    ----------
    Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017, equation 3; their factor lambda is left to the
    caller.
    """
    check_same_shape(real, fake)
    weight = part.reshape(-1, *[1] * (real.ndim - 1))
    x = (weight * real + (1 - weight) * fake).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@torch.no_grad()
def clip_weights(network: torch.nn.Module, limit: float) -> None:
    """Bring every weight into [-limit, limit] (Arjovsky et al., algorithm 1, with limit 0.01)."""
    for parameter in network.parameters():
        parameter.clamp_(-limit, limit)


def class_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Cross-entropy of an auxiliary classifier, for both players alike.

    References
    ----------
    Odena, Olah and Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017, equation 3.
    """
    return cross_entropy(logits.float(), label)
