"""Images per second in training: ours beside the same networks trained as the common tutorials do.

    python -m benchmarks.training_speed [--steps 40] [--threads 2] [--only gan-fashion]

The tutorial keeps torch's defaults: float32, channels first, every image converted on its own in a ``DataLoader``. It
takes R1 and R2 at every update, as the paper has them, where the recipe takes them at every fourth, four times as
strong; and it makes each fake once for both players, as DCGAN tutorials do. Noise stands in for the pictures;
the first steps do not count. The rest of the machine should be idle.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss, softplus
from torch.utils.data import DataLoader, Dataset

from anew.networks import build_network
from anew.recipes import RECIPES
from anew.training.data import LabelledImages
from anew.training.devices import computes_bfloat16
from anew.training.journal import WARM_UP
from anew.training.loop import train

IMAGES = 6_000
LABELS = 10


class PlainImages(Dataset[tuple[Tensor, int]]):
    """Pictures that are converted one at a time, when asked for."""

    def __init__(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Give a (1, H, W) image in [-1, 1] and its label."""
        picture = Image.fromarray(self.images[index])
        x = torch.from_numpy(np.array(picture))[None].float() / 255
        return (x - 0.5) / 0.5, int(self.labels[index])


def plain_gan(config: Any, images: Iterator[Any]) -> Callable[[], None]:
    """Give one step of a tutorial: a batch, both players, a fake that serves both."""
    penalty = max(config.r1, config.r2)
    shape = {"channels": 1, "size": config.patch, "labels": LABELS if config.conditional else 0}
    generator = build_network(config.network, **{**config.network_args, **shape})
    judge = build_network(config.discriminator, **{**config.discriminator_args, **shape})
    optimisers = [
        torch.optim.Adam(n.parameters(), config.learning_rate, betas=config.betas) for n in (generator, judge)
    ]

    def step() -> None:
        x, label = next(images)
        given = label if config.conditional else None
        x.requires_grad_(penalty > 0)
        optimisers[1].zero_grad()
        fake = generator(torch.randn(len(x), generator.latent), given)
        shown = fake.detach().requires_grad_(penalty > 0)
        real_score, fake_score = judge(x, given)[0], judge(shown, given)[0]
        if penalty:
            loss = softplus(fake_score - real_score).mean()
            for score, image in ((real_score, x), (fake_score, shown)):
                (slope,) = torch.autograd.grad(score.sum(), image, create_graph=True)
                loss = loss + penalty / 2 * slope.square().sum((1, 2, 3)).mean()
        else:
            loss = binary_cross_entropy_with_logits(real_score, torch.ones(len(x)))
            loss = loss + binary_cross_entropy_with_logits(fake_score, torch.zeros(len(x)))
        loss.backward()
        optimisers[1].step()

        optimisers[0].zero_grad()
        fake_score = judge(fake, given)[0]
        if penalty:
            loss = softplus(judge(x, given)[0] - fake_score).mean()
        else:
            loss = binary_cross_entropy_with_logits(fake_score, torch.ones(len(x)))
        loss.backward()
        optimisers[0].step()

    return step


def plain_flow(config: Any, images: Iterator[Any]) -> Callable[[], None]:
    """Give one step of a rectified flow."""
    network = build_network(config.network, channels=1, **config.network_args)
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate)

    def step() -> None:
        x, label = next(images)
        noise, t = torch.randn_like(x), torch.rand(len(x))
        t_ = t[:, None, None, None]
        optimiser.zero_grad()
        mse_loss(network((1 - t_) * x + t_ * noise, t, label), noise - x).backward()
        optimiser.step()

    return step


def plain_vae(config: Any, images: Iterator[Any]) -> Callable[[], None]:
    """Give one step of an autoencoder with Bernoulli pixels."""
    network = build_network(config.network, channels=1, size=config.patch, **config.network_args)
    optimiser = torch.optim.Adam(network.parameters(), config.learning_rate)

    def step() -> None:
        x = (next(images)[0] > 0).float()
        optimiser.zero_grad()
        mean, log_var = network.encode(x)
        decoded = network.decode(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
        divergence = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum()
        (binary_cross_entropy_with_logits(decoded, x, reduction="sum") + divergence).backward()
        optimiser.step()

    return step


PLAIN = {"dcgan-plain": plain_gan, "gan-fashion": plain_gan, "flow-fashion": plain_flow, "vae-digits": plain_vae}


def seconds_of_plain(recipe: str, data: PlainImages, steps: int) -> float:
    """Time a step of the tutorial's loop."""
    config: Any = RECIPES[recipe]()
    loader = DataLoader(data, config.batch, shuffle=True, drop_last=True)
    step = PLAIN[recipe](config, chain.from_iterable(repeat(loader)))
    for _ in range(WARM_UP):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def seconds_of_ours(recipe: str, data: PlainImages, steps: int) -> float:
    """Time a step of our loop."""
    config: Any = replace(RECIPES[recipe](), steps=WARM_UP + steps)
    images = LabelledImages(torch.from_numpy(data.images)[:, None], torch.from_numpy(data.labels), config.labels)
    task = import_module(f"anew.training.{config.objective}")
    config = task.adapt(config, images)
    objective = replace(task.make_objective(config), validate=lambda *_: {}, preview=None)
    with tempfile.TemporaryDirectory() as folder:
        return train(objective, config, images, images, folder=Path(folder)).seconds_per_step


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PLAIN, default=list(PLAIN))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rng = np.random.default_rng(0)
    data = PlainImages(rng.integers(0, 256, (IMAGES, 28, 28), np.uint8), rng.integers(0, LABELS, IMAGES))
    precision = "bfloat16" if computes_bfloat16(torch.device("cpu")) else "float32"
    print(f"{arguments.threads} threads, ours in {precision}\n")
    print("| images/s | tutorial | ours | ratio |\n|---|---:|---:|---:|")
    for recipe in arguments.only:
        batch = RECIPES[recipe]().batch
        plain, ours = (f(recipe, data, arguments.steps) for f in (seconds_of_plain, seconds_of_ours))
        print(f"| {recipe} | {batch / plain:.0f} | {batch / ours:.0f} | {plain / ours:.2f} |", flush=True)


if __name__ == "__main__":
    main()
