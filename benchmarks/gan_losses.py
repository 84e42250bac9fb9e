"""Every adversarial loss on Fashion-MNIST with the same networks, steps and rates, in one table beside the yardsticks.

    python -m benchmarks.gan_losses --steps 1000 -o runs/losses [--only ours relativistic] [--n 5000]
    python -m benchmarks.gan_losses --steps 3000 -o runs/little --images 1000 --only ours relativistic \
        [--augment always|adaptive]

The networks are those of the recipe ``gan-fashion``; the two plain recipes are trained as the tutorials do, with their
own networks. Scores are those of ``generate_models.py``: n samples of the exported model, labels in turn, against the
test images in the features of ``features-fashion``; recall with k = 3. A step is one update of the generator; all three
Wasserstein rows take five of the critic, as in their papers. Minutes are of the processor, for training alone. With
``--images`` only so many training images are seen, with ``--augment`` shifted and with a square cut out: always, or as
often as it takes to keep the discriminator unsure of them. What is done is kept: the same command goes on where an
interrupted one stopped. ``table.md`` lies in the output.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from anew.generation.sample import sample
from anew.metrics.distribution import precision_recall
from anew.metrics.features import extract
from anew.recipes.gan import dcgan_plain, gan_fashion, wgan_gp_plain
from anew.training.adversarial import AdversarialConfig
from anew.training.run import run_recipe
from benchmarks.data import find_data
from benchmarks.generate_models import real_images, scores_of

NO_PENALTY = {"r1": 0.0, "r2": 0.0}
AUGMENTED: dict[str, tuple[str, dict[str, Any]]] = {  # by choice: words for the table, changes of the recipe
    "always": ("augmented", {"augment": ("translation", "cutout")}),
    "adaptive": (
        "augmented adaptively",
        {"augment": ("translation", "cutout"), "augment_chance": 0.0, "augment_target": 0.6},
    ),
}
COLUMNS = ("distance", "coverage", "recall", "recognised", "minutes")


def variants() -> dict[str, AdversarialConfig]:
    """Give the configurations by name."""
    ours = gan_fashion()
    spectral = {**ours.discriminator_args, "spectral": True}
    wasserstein = replace(ours, loss="wasserstein", discriminator_updates=5, **NO_PENALTY)
    return {
        "minimax": replace(ours, loss="minimax", **NO_PENALTY),
        "non-saturating": replace(ours, loss="non-saturating", **NO_PENALTY),
        "non-saturating, R1": replace(ours, loss="non-saturating", r2=0.0),
        "least squares": replace(ours, loss="least-squares", **NO_PENALTY),
        "Wasserstein, clipped": replace(wasserstein, weight_limit=0.05),
        "Wasserstein, gradient penalty": replace(wasserstein, gradient_penalty=10.0, penalty_every=1),
        "hinge, spectral": replace(ours, loss="hinge", discriminator_args=spectral, **NO_PENALTY),
        "relativistic": replace(ours, **NO_PENALTY),
        "relativistic average": replace(ours, loss="relativistic-average", **NO_PENALTY),
        "ours": ours,
        "plain DCGAN": dcgan_plain(),
        "plain WGAN-GP": wgan_gp_plain(),
    }


def train(name: str, config: AdversarialConfig, folder: Path, data: Path) -> dict[str, float]:
    """Train, or go on training, and give the minutes of the processor; they are added up over interruptions."""
    spent, start = folder / "minutes.json", time.process_time()
    folder.mkdir(parents=True, exist_ok=True)
    before = json.loads(spent.read_text())["minutes"] if spent.exists() else 0.0

    def report(entry: dict[str, Any]) -> None:
        minutes = before + (time.process_time() - start) / 60
        spent.write_text(json.dumps({"minutes": minutes}) + "\n")
        told = f"distance {entry.get('validation_distance', float('nan')):.2f}, {minutes:.1f} min"
        print(f"{name}: step {entry['step']}, {told}  {entry.get('trouble', '')}", file=sys.stderr, flush=True)

    if not (folder / "model.onnx").exists():
        run_recipe(config, data, folder, report=report)
    return dict(json.loads(spent.read_text()))


def part_of(data: Path, images: int, folder: Path) -> Path:
    """Write a file with fewer training images, drawn at random, and give its path."""
    path = folder / f"{data.stem}-{images}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with np.load(data) as file:
            kept = np.random.default_rng(0).permutation(len(file["train_images"]))[:images]
            np.savez(path, **{key: file[key][kept] for key in ("train_images", "train_labels")})
    return path


def measure(folder: Path, n: int, minutes: float) -> dict[str, float]:
    """Score an exported model."""
    model = str(shutil.copy(folder / "model.onnx", folder / "model-fashion.onnx"))  # the name tells the domain
    scores = scores_of(model, n)
    real = extract(real_images("fashion", "test")[:n], "fashion")
    scores["recall"] = round(precision_recall(real, extract(sample(model, n), "fashion"), k=3).recall, 4)
    return scores | {"minutes": round(minutes, 1)}


def table(rows: dict[str, dict[str, float]]) -> str:
    """Lay out the rows, best distance first."""
    lines = [f"| loss | {' | '.join(COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 1)}"]
    for name, row in sorted(rows.items(), key=lambda item: item[1]["distance"]):
        lines.append(f"| {name} | {' | '.join(str(row.get(column, '–')) for column in COLUMNS)} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print and write."""
    everything = variants()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, required=True, help="generator updates of each run")
    parser.add_argument("--output", "-o", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=everything, default=list(everything))
    parser.add_argument("--images", type=int, help="training images, of 59,000; 1,000 more are held out")
    parser.add_argument("--augment", choices=AUGMENTED, help="show the discriminator changed images")
    parser.add_argument("--n", type=int, default=5000, help="samples")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data, rows = find_data("small", "fashion_mnist.npz"), {}
    if arguments.images:
        data = part_of(data, arguments.images + everything["ours"].validation, arguments.output)
    for name in arguments.only:
        config = everything[name]
        if arguments.augment:
            words, changes = AUGMENTED[arguments.augment]
            config, name = replace(config, **changes), f"{name}, {words}"
        folder = arguments.output / name.replace(", ", "-").replace(" ", "-")
        config = replace(config, steps=arguments.steps, validate_every=max(arguments.steps // 6, 1))
        stored = folder / f"scores-{arguments.n}.json"
        if not stored.exists():
            spent = train(name, config, folder, data)
            stored.write_text(json.dumps(measure(folder, arguments.n, spent["minutes"]), indent=2) + "\n")
        rows[name] = json.loads(stored.read_text())
        (arguments.output / "table.md").write_text(table(rows) + "\n")
    print(f"{arguments.steps} steps each, {arguments.n} samples\n\n{table(rows)}")


if __name__ == "__main__":
    main()
