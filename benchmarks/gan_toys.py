"""How many modes each adversarial loss finds on toys whose modes are known: a ring of 8 Gaussians and a grid of 25.

    python -m benchmarks.gan_toys [--steps 4000] [--seeds 5] [--only ours hinge] [-o runs/toys]

Every loss trains the same two dense networks with the same rates by the library's own loop; a point in the plane is an
image of one pixel with two channels. A sample is of high quality within three standard deviations of a mode; a mode is
found if it has at least one such sample of 2500 (Srivastava et al., "VEEGAN", NIPS 2017), and held if it has a quarter
of its fair share or more. What is done is kept in the output folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anew.training.adversarial import AdversarialConfig, Judge, discriminator_loss, generator_loss
from anew.training.loop import train
from anew.training.objective import Objective

SAMPLES = 2500
NEAR = 3.0  # standard deviations
WIDTH, LAYERS, LATENT = 128, 3, 8

BASE = AdversarialConfig(
    channels=2,
    patch=1,
    batch=256,
    learning_rate=1e-3,
    decay_from=0.3,
    betas=(0.5, 0.99),
    ema=0.99,
    conditional=False,
)
VARIANTS = {
    "minimax": {"loss": "minimax"},
    "non-saturating": {"loss": "non-saturating"},
    "least squares": {"loss": "least-squares"},
    "Wasserstein, clipped": {"loss": "wasserstein", "weight_limit": 0.1, "discriminator_updates": 5},
    "Wasserstein, gradient penalty": {"loss": "wasserstein", "gradient_penalty": 1.0, "discriminator_updates": 5},
    "hinge": {"loss": "hinge"},
    "relativistic": {"loss": "relativistic"},
    "relativistic average": {"loss": "relativistic-average"},
    "non-saturating, R1": {"loss": "non-saturating", "r1": 0.1},
    "ours": {"loss": "relativistic", "r1": 0.1, "r2": 0.1},
}


class Generator(nn.Module):
    """Put latent vectors somewhere in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.latent = LATENT
        self.layers = dense(LATENT, 2)

    def forward(self, latent: Tensor, label: Tensor | None = None) -> Tensor:
        """(N, Z) -> (N, 2, 1, 1)."""
        return self.layers(latent)[:, :, None, None]


class Discriminator(nn.Module):
    """Score points of the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = dense(2, 1)

    def forward(self, image: Tensor, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(N, 2, 1, 1) -> (N,), and no logits."""
        score = self.layers(image.flatten(1))
        return score[:, 0], score[:, :0]


def dense(inputs: int, outputs: int) -> nn.Sequential:
    """Stack linear layers and leaky rectifiers."""
    widths = [inputs, *[WIDTH] * LAYERS]
    hidden = [m for a, b in itertools.pairwise(widths) for m in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, outputs))


@dataclass(frozen=True)
class Points:
    """Gaussians of equal weight in the plane, drawn anew for every batch.

    Attributes
    ----------
    modes : (M, 2) float tensor
    sigma : float
    """

    modes: Tensor
    sigma: float

    def __len__(self) -> int:
        return SAMPLES

    def to(self, device: torch.device) -> Points:
        """Give the same on a device."""
        return replace(self, modes=self.modes.to(device))

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw points as (count, 2, 1, 1), and labels of no meaning."""
        index = torch.randint(len(self.modes), (count,), generator=generator)
        x = self.modes[index] + self.sigma * torch.randn(count, 2, generator=generator)
        return x[:, :, None, None], torch.zeros(count, dtype=torch.int64)


def ring() -> Points:
    """Give 8 Gaussians on a circle of radius 2."""
    angle = torch.arange(8) * (2 * math.pi / 8)
    return Points(2 * torch.stack([angle.cos(), angle.sin()], dim=1), 0.02)


def grid() -> Points:
    """Give 25 Gaussians on a square grid, 2 apart."""
    side = torch.linspace(-4, 4, 5)
    return Points(torch.cartesian_prod(side, side), 0.05)


TOYS = {"ring": ring, "grid": grid}


def score(samples: Tensor, points: Points) -> dict[str, float]:
    """Count the modes that samples (N, 2) find and hold, and the share of high quality."""
    distance, nearest = torch.cdist(samples, points.modes).min(dim=1)
    good = distance < NEAR * points.sigma
    counts = torch.bincount(nearest[good], minlength=len(points.modes))
    fair = len(samples) / len(points.modes)
    return {
        "found": int((counts > 0).sum()),
        "held": int((counts >= fair / 4).sum()),
        "high quality": float(good.float().mean()),
    }


def run(toy: str, variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one pair of networks, and score what the averaged generator makes."""
    points = TOYS[toy]()
    config = replace(BASE, steps=steps, validate_every=steps, seed=seed, **VARIANTS[variant])

    def validate(network: nn.Module, data: Points, config: AdversarialConfig) -> dict[str, float]:
        with torch.no_grad():
            latent = torch.randn(SAMPLES, int(network.latent), generator=torch.Generator().manual_seed(seed))
            return score(network(latent)[:, :, 0, 0], data)

    torch.manual_seed(seed)
    objective = Objective(
        networks={"discriminator": Judge(Discriminator(), 1.0), "generator": Generator()},
        losses={"discriminator": discriminator_loss, "generator": generator_loss},
        product="generator",
        validate=validate,
        repeats={"discriminator": config.discriminator_updates},
    )
    with tempfile.TemporaryDirectory() as folder:
        entry = train(objective, config, points, points, folder=Path(folder)).log[-1]
    return {key: entry[key] for key in ("found", "held", "high quality", "minutes")}


def once(path: Path, toy: str, variant: str, seed: int, steps: int) -> dict[str, float]:
    """Run, or read what was run with the same settings."""
    settings = {"toy": toy, "variant": str(VARIANTS[variant]), "seed": seed, "steps": steps}
    if path.exists() and (stored := json.loads(path.read_text()))["settings"] == settings:
        return dict(stored["result"])
    result = run(toy, variant, seed, steps)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"settings": settings, "result": result}, indent=2) + "\n")
    return result


def row(variant: str, results: dict[str, list[dict[str, float]]]) -> str:
    """Lay out one line of the table: modes of every seed, mean share of high quality."""
    cells = [variant]
    for seeds in results.values():
        for key in ("found", "held"):
            cells.append(" ".join(str(int(result[key])) for result in seeds))
        cells.append(f"{statistics.mean(result['high quality'] for result in seeds):.2f}")
    seconds = 60 * statistics.mean(result["minutes"] for seeds in results.values() for result in seeds)
    return f"| {' | '.join(cells)} | {seconds:.0f} |"


def main() -> None:
    """Train, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--output", "-o", type=Path, default=Path("runs/toys"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    head = [f"{toy} {what}" for toy in TOYS for what in ("found", "held", "high quality")]
    print(f"{arguments.steps} steps, {arguments.seeds} seeds; modes of each seed\n")
    print(f"| loss | {' | '.join(head)} | s per run |\n|{'---|' * (len(head) + 2)}", flush=True)
    for variant in arguments.only:
        results: dict[str, list[dict[str, Any]]] = {}
        for toy in TOYS:
            paths = [arguments.output / toy / f"{variant}-{seed}.json" for seed in range(arguments.seeds)]
            results[toy] = [once(p, toy, variant, seed, arguments.steps) for seed, p in enumerate(paths)]
        print(row(variant, results), flush=True)


if __name__ == "__main__":
    main()
