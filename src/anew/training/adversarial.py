"""Adversarial training: a discriminator learns to tell generated images from real ones, a generator to deceive it.

One objective for every loss of ``losses/adversarial.py`` and every pair of networks. The discriminator's rate and
number of updates are its own (two time-scales: Heusel et al., NeurIPS 2017); R1, R2 and the gradient penalty may be
taken at every k-th update only, k times as strong (lazy regularisation: Karras et al., "StyleGAN2", CVPR 2020, appendix
B); both players may be shown augmented images only. The average of the generator's weights is what is sampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor, nn

from anew.errors import InvalidSetting
from anew.losses.adversarial import LOSSES, class_loss, clip_weights, gradient_penalty, squared_gradient
from anew.networks import build_network
from anew.networks.style_gan import grow_images
from anew.options import Count, NotNegative, Positive
from anew.training.config import Decay, Part
from anew.training.data import LabelledImages, NoTrainingData
from anew.training.differentiable_augmentation import augment, next_chance
from anew.training.export import export_onnx
from anew.training.game_report import GameReport, describe, find_trouble
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

ADAPT_EVERY = 4  # discriminator updates between two changes of the chance of augmentation
MEMORY = 0.98  # decay of the running means over updates
SHEET_ROWS = 6
LEAST_HELD_OUT = 2  # images; of one there is no covariance, which the distance compares


@dataclass(frozen=True, kw_only=True)
class AdversarialConfig(GenerationConfig):
    """An adversarial run; ``loss`` is a name of ``losses.adversarial.LOSSES``.

    Attributes
    ----------
    network, discriminator : str
        Names of ``anew.networks``; channels, size and labels are filled in.
    discriminator_args : mapping
        Keyword arguments of the discriminator.
    discriminator_rate : float
        Its learning rate, as a multiple of the generator's.
    discriminator_updates : int
        Its updates per update of the generator.
    r1, r2 : float >= 0
        Weight gamma of gamma / 2 |grad D|^2 at real and at generated images.
    gradient_penalty : float >= 0
        Weight of (|grad D| - 1)^2 between real and generated images; 10 in WGAN-GP.
    penalty_every : int >= 1
        Updates of the discriminator from one penalty to the next.
    weight_limit : float
        Where the discriminator's weights are clipped; 0 for never. 0.01 in WGAN.
    class_weight : float
        Weight of the auxiliary classifier's loss, if the discriminator has one.
    augment : tuple of {"colour", "translation", "cutout"}
    augment_strength : float
    augment_chance : float in [0, 1]
        Probability of each operation, at the start.
    augment_target : float
        How sure of training images the discriminator should be, which moves the probability; 0 leaves it. 0.6 in ADA.
    growing : float in [0, 1]
        Part of the run over which the resolutions of a style-based generator fade in.
    conditional : bool
        Whether labels are used.
    extractor : str
        Which features distances are measured in: a name or path for ``metrics.features``. Where it is not shipped,
        or takes images of another size, thumbnails of 8 x 8 pixels are compared.
    """

    objective: str = "adversarial"
    network: str = "residual_gan"
    discriminator: str = "residual_gan_discriminator"
    discriminator_args: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "relativistic"
    optimiser: Literal["adamw", "muon", "adam", "momentum", "sgd"] = "adam"
    betas: tuple[Decay, Decay] = (0.0, 0.99)
    clip: Positive = 1e6
    warmup: Annotated[int, Ge(0)] = 0
    discriminator_rate: Positive = 1.0
    discriminator_updates: Count = 1
    r1: NotNegative = 0.0
    r2: NotNegative = 0.0
    gradient_penalty: NotNegative = 0.0
    penalty_every: Count = 1
    weight_limit: NotNegative = 0.0
    class_weight: NotNegative = 1.0
    augment: tuple[Literal["colour", "translation", "cutout"], ...] = ()
    augment_strength: NotNegative = 1.0
    augment_chance: Part = 1.0
    augment_target: Part = 0.0
    growing: Part = 0.0
    conditional: bool = True
    extractor: str = ""


class Judge(nn.Module):
    """The discriminator, and what the game remembers beside its weights.

    Attributes
    ----------
    network : module with ``forward(image, label) -> scores, logits of labels``
    updates : int64 tensor
    chance : float tensor
        Of augmentation.
    sureness, ranked_right : float tensors
        Running means: r_t of Karras et al., and the share of pairs in which the real image has the higher score.
    batch : tuple of real images, generated images with their graph, labels
        What it was shown last; the generator learns from the same, as in Radford et al.'s code, which spares making
        and drawing them again. Not kept in checkpoints: each step begins with the discriminator.
    """

    batch: tuple[Tensor, Tensor, Tensor]

    def __init__(self, network: nn.Module, chance: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.register_buffer("chance", torch.tensor(chance, dtype=torch.float64))
        self.register_buffer("sureness", torch.zeros((), dtype=torch.float64))
        self.register_buffer("ranked_right", torch.full((), 0.5, dtype=torch.float64))

    def forward(self, image: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        """(N, C, H, W), (N,) int64 -> scores (N,), and logits (N, labels) or (N, 0)."""
        return self.network(image, label)

    @torch.no_grad()
    def remember(self, real: Tensor, fake: Tensor, config: AdversarialConfig) -> None:
        """Take note of the scores of one update, and let the chance of augmentation follow."""
        ranked = (real[:, None] > fake[None]).double().mean()
        middle = 0.5 if config.loss == "least-squares" else 0.0
        relative = LOSSES[config.loss]().relative or config.loss == "wasserstein"  # its scores have no zero
        sure = (real - (fake.mean() if relative else middle)).sign().double().mean()
        self.ranked_right.lerp_(ranked, 1 - MEMORY)
        self.sureness.lerp_(sure, 1 - MEMORY)
        self.updates += 1
        if config.augment_target and int(self.updates) % ADAPT_EVERY == 0:
            images = ADAPT_EVERY * len(real)
            chance = next_chance(float(self.chance), float(self.sureness), target=config.augment_target, images=images)
            self.chance.fill_(chance)


def load_data(source: Path, config: AdversarialConfig) -> tuple[LabelledImages, LabelledImages]:
    """Read images, and hold some out, chosen by the seed: (training, validation).

    Raises
    ------
    NoTrainingData
        If fewer are held out than a distance can be measured to; or as ``load_shuffled`` says.
    """
    training, validation = load_shuffled(source, config if config.conditional else replace(config, labels=()))
    if len(validation) < LEAST_HELD_OUT:
        raise NoTrainingData(
            f"{source}: a game needs {LEAST_HELD_OUT} held-out images or more, here {len(validation)} of "
            f"{len(training) + len(validation)}; give it {2 * LEAST_HELD_OUT} images and validation={LEAST_HELD_OUT} "
            "or more"
        )
    return training, validation


def adapt(config: AdversarialConfig, data: LabelledImages) -> AdversarialConfig:
    """Fill in what the recipe leaves to the data: size and labels."""
    config = adapt_generation(config, data)
    if not config.conditional:
        config = replace(config, labels=())
    shape = _shape(config)
    return replace(
        config,
        network_args={**config.network_args, **shape},
        discriminator_args={**config.discriminator_args, **shape},
    )


def make_objective(config: AdversarialConfig) -> Objective:
    """Build both networks, and say how they learn."""
    if config.loss not in LOSSES:
        raise InvalidSetting(f"no adversarial loss {config.loss!r}; there are {', '.join(LOSSES)}")
    generator, network = build_for_size(config.patch, partial(_build_both, config))
    if config.growing and not hasattr(generator, "grown"):
        raise InvalidSetting(f"{config.network} cannot grow; style_gan can, or set growing to 0")
    judge = Judge(network, config.augment_chance)
    return Objective(
        networks={"discriminator": judge, "generator": generator},
        losses={"discriminator": discriminator_loss, "generator": generator_loss},
        product="generator",
        validate=partial(validate, judge=judge, report=GameReport(config.extractor)),
        criterion="validation_distance",
        preview=preview,
        repeats={"discriminator": config.discriminator_updates},
        rates={"discriminator": config.discriminator_rate},
        find_trouble=find_trouble,
    )


def _build_both(config: AdversarialConfig, size: int) -> tuple[nn.Module, nn.Module]:
    """Build generator and discriminator."""
    arguments = {"channels": config.channels, **_shape(config), "size": size}
    return (
        build_network(config.network, seed=config.seed, **{**config.network_args, **arguments}),
        build_network(config.discriminator, seed=config.seed + 1, **{**config.discriminator_args, **arguments}),
    )


def discriminator_loss(
    networks: Networks, data: LabelledImages, config: AdversarialConfig, generator: torch.Generator
) -> Tensor:
    """Draw real images, generate as many with the same labels, and give the discriminator's loss; remember both."""
    judge: Any = networks["discriminator"]
    if config.weight_limit:
        clip_weights(judge, config.weight_limit)
    x, label = draw_images(networks, data, config, generator)
    fake = generate(networks["generator"], label, generator)
    judge.batch = x, fake, label
    x, fake = (show(judge, images.detach(), config, generator) for images in (x, fake))
    penalised = int(judge.updates) % config.penalty_every == 0
    x.requires_grad_(penalised and config.r1 > 0)
    fake.requires_grad_(penalised and config.r2 > 0)
    real_score, real_logits = judge(x, label)
    fake_score, fake_logits = judge(fake, label)
    loss = LOSSES[config.loss]().discriminator(real_score, fake_score)
    if real_logits.shape[1]:
        loss = loss + config.class_weight * (class_loss(real_logits, label) + class_loss(fake_logits, label)) / 2
    if penalised:
        for weight, score, images in ((config.r1, real_score, x), (config.r2, fake_score, fake)):
            if weight:
                loss = loss + config.penalty_every * weight / 2 * squared_gradient(score, images)
        if config.gradient_penalty:
            part = torch.rand(len(x), generator=generator, device=generator.device).to(x)
            slope = gradient_penalty(lambda between: judge(between, label)[0], x, fake, part)
            loss = loss + config.penalty_every * config.gradient_penalty * slope
    judge.remember(real_score, fake_score, config)
    return loss


def generator_loss(
    networks: Networks, data: LabelledImages, config: AdversarialConfig, generator: torch.Generator
) -> Tensor:
    """Give the generator's loss over the images that the discriminator was shown last."""
    judge: Any = networks["discriminator"]
    if config.weight_limit:
        clip_weights(judge, config.weight_limit)
    x, fake, label = judge.batch
    fake = show(judge, fake, config, generator)
    fake_score, fake_logits = judge(fake, label)
    adversarial = LOSSES[config.loss]()
    real_score = fake_score
    if adversarial.relative:
        with torch.no_grad():
            real_score, _ = judge(show(judge, x, config, generator), label)
    loss = adversarial.generator(real_score, fake_score)
    if fake_logits.shape[1]:
        loss = loss + config.class_weight * class_loss(fake_logits, label)
    return loss


def draw_images(
    networks: Networks, data: LabelledImages, config: AdversarialConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw real images and labels; with growing, as coarse as the generator is by now."""
    x, label = draw_batch(data, config, generator)
    if not config.growing:
        return x, label
    network: Any = networks["generator"]
    judge: Any = networks["discriminator"]
    step = int(judge.updates) // config.discriminator_updates
    grown = min(1 + (network.resolutions - 1) * step / (config.growing * config.steps), float(network.resolutions))
    network.grown.fill_(grown)
    return grow_images(x, grown, network.resolutions), label


def generate(network: nn.Module, label: Tensor, generator: torch.Generator) -> Tensor:
    """Draw latent vectors, and give an image for each label."""
    latent = torch.randn(len(label), int(network.latent), generator=generator, device=generator.device)
    return network(latent.to(label.device), label).contiguous(memory_format=torch.channels_last)


def show(judge: Any, images: Tensor, config: AdversarialConfig, generator: torch.Generator) -> Tensor:
    """Give images as the discriminator sees them."""
    if not config.augment:
        return images
    chance, strength = float(judge.chance), config.augment_strength
    return augment(images, config.augment, generator, chance=chance, strength=strength)


@torch.no_grad()
def validate(
    network: nn.Module, images: LabelledImages, config: AdversarialConfig, *, judge: Judge, report: GameReport
) -> dict[str, float]:
    """Compare as many generated images as were held out with these, and say how the game stands."""
    scores = {"ranked_right": float(judge.ranked_right)}
    if config.augment_target:
        scores["augment_chance"] = float(judge.chance)
    generator = torch.Generator().manual_seed(0)
    made = []
    for start in range(0, len(images), config.batch):
        label = images.labels[start : start + config.batch]
        made.append(generate(network, label, generator))
    return scores | report.compare(images.images, torch.cat(made))


@torch.no_grad()
def preview(network: nn.Module, images: LabelledImages, config: AdversarialConfig) -> NDArray[np.uint8]:
    """Draw a sheet of samples, one column per label, from the same latent vectors every time."""
    labels = len(config.labels)
    columns = max(1, min(labels, 10)) if labels > 2 else 8
    label = torch.arange(SHEET_ROWS * columns, device=images.images.device) % max(labels, 1)
    return draw_sheet(generate(network, label, torch.Generator().manual_seed(1)), columns=columns)


def export(network: nn.Module, config: AdversarialConfig, path: Path, facts: RunFacts) -> None:
    """Write the generator with its card: inputs ``latent`` and, if there are labels, ``label``; output ``result``."""
    latent = int(network.latent)
    card = make_generator_card(
        network, config, facts, kind="gan", latent=latent, measured_in=describe(config.extractor, config.patch)
    )
    inputs = {"latent": torch.randn(2, latent)}
    if config.labels:
        inputs["label"] = torch.zeros(2, dtype=torch.int64)
    dynamic = {name: {0: "batch"} for name in (*inputs, "result")}
    export_onnx(network, card, path, inputs=inputs, dynamic=dynamic)


def _shape(config: AdversarialConfig) -> dict[str, int]:
    """Give what both networks must know of the images."""
    return {"size": config.patch, "labels": len(config.labels) if config.conditional else 0}
