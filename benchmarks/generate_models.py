"""How good and how fast the shipped flows and autoencoders are; other generators of ours are scored alike.

    python -m benchmarks.generate_models scores flow-fashion [--n 10000] [--write]
    python -m benchmarks.generate_models steps flow-fashion [--n 2500] [--steps 1 4 16 64] [--samplers euler dpmpp_2m]
    python -m benchmarks.generate_models guidance flow-fashion [--n 2500] [--split train]
    python -m benchmarks.generate_models nll vae-digits [--images 1000] [--samples 5000] [--write]
    python -m benchmarks.generate_models speed

Real images are the test split (of the faces, the 1000 that training held out; of textures, a part of the photographs
that training did not see); labels take turns, so that all are asked
for equally often. ``recognised`` is the share whose asked-for label an independent judge sees.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.generation.sample import SAMPLERS, choose_labels, generator_names, sample
from anew.inference.models import WEIGHTS, read_card
from anew.metrics.distribution import density_coverage, frechet_distance, kernel_distance, memorisation
from anew.metrics.features import classify, extract
from benchmarks.data import find_data
from benchmarks.score_model import write_card
from benchmarks.textures import texture_crops

FILES = {"digits": "mnist.npz", "fashion": "fashion_mnist.npz", "faces": "faces64.zip", "textures": "textures"}
FEATURES = {domain: "photos" if domain == "textures" else domain for domain in FILES}
JUDGED = ("digits", "fashion")
STEPS = (1, 2, 4, 8, 16, 32, 64)
GUIDANCES = (1.0, 1.25, 1.5, 2.0, 3.0)
NEIGHBOURS = 5


def domain_of(name: str) -> str:
    """Give the kind of images that a model makes, the last part of its name."""
    domain = Path(name).stem.rsplit("-", 1)[-1]
    if domain not in FILES:
        sys.exit(f"{name}: its name should end in one of {', '.join(FILES)}")
    return domain


def real_images(domain: str, split: str) -> NDArray[np.uint8]:
    """Read the real images, (N, H, W), that were trained on ("train") or not ("test"), in an order without meaning."""
    if domain == "textures":
        return texture_crops(split)[0]
    path = find_data("small", FILES[domain])
    if path.suffix == ".npz":
        with np.load(path) as file:
            images = np.asarray(file[f"{split}_images"])
        return images[np.random.default_rng(0).permutation(len(images))]  # the files are sorted by label
    from anew.recipes.flow import flow_faces
    from anew.training.flow_matching import load_data

    training, held_out = load_data(path, flow_faces())
    return (training if split == "train" else held_out).images[:, 0].numpy()


def scores_of(name: str, n: int, *, split: str = "test", **options: Any) -> dict[str, float]:
    """Give what n samples score against the test images, or against 10,000 that were trained on."""
    card, domain = read_card(name), domain_of(name)
    features = FEATURES[domain]
    start = time.perf_counter()
    images = sample(name, n, rng=0, **options)
    seconds = time.perf_counter() - start
    real, made = extract(real_images(domain, split)[:10_000], features), extract(images, features)
    spread = density_coverage(real, made, k=NEIGHBOURS)
    scores = {
        "distance": frechet_distance(real, made),
        "kernel distance": kernel_distance(real[:2500], made[:2500]).value,
        "coverage": spread.coverage,
        "density": spread.density,
    }
    if card.facts.get("labels") and domain in JUDGED:
        asked = choose_labels(card, None, n)
        scores["recognised"] = float((classify(images, f"judge-{domain}").argmax(axis=1) == asked).mean())
    return {key: round(value, 4) for key, value in scores.items()} | {"ms per image": round(1000 * seconds / n, 2)}


def real_scores(domain: str) -> dict[str, float]:
    """Give what as many training images score against the test images: what a perfect generator would."""
    real, train = real_images(domain, "test"), real_images(domain, "train")[: len(real_images(domain, "test"))]
    x, y = extract(real, FEATURES[domain]), extract(train, FEATURES[domain])
    spread = density_coverage(x, y, k=NEIGHBOURS)
    return {
        "distance": round(frechet_distance(x, y), 4),
        "kernel distance": round(kernel_distance(x[:2500], y[:2500]).value, 4),
        "coverage": round(spread.coverage, 4),
        "density": round(spread.density, 4),
    }


def report_scores(arguments: argparse.Namespace) -> None:
    """Print the scores of the defaults, and a check for copies; write them into the card if asked to."""
    name, domain = arguments.model, domain_of(arguments.model)
    scores = scores_of(name, arguments.n)
    print(f"{name}, {arguments.n} samples: {scores}")
    print(f"as many training images: {real_scores(domain)}")
    parts = [
        extract(x, FEATURES[domain])
        for x in (real_images(domain, "train"), sample(name, 1000), real_images(domain, "test"))
    ]
    copied = memorisation(*parts)
    print(f"nearer to the training images than test images are: {copied.nearer_than_test:.3f}; copies {copied.copies}")
    if arguments.write:
        scores |= {"nearer than test": round(copied.nearer_than_test, 4), "copies": copied.copies}
        cost = scores.pop("ms per image")
        judged = f"; recognised: by judge-{domain}" if domain in JUDGED else ""
        protocol = (
            f"{arguments.n} samples, seed 0, labels in turn, against the test images ({len(parts[2])}) in the features "
            f"of features-{FEATURES[domain]}; squared Frechet distance; kernel distance of the first 2500 of each; "
            f"coverage and density with k = {NEIGHBOURS}; nearer than test and copies: 1000 samples{judged}"
        )
        changes = {
            "scores": {**read_card(name).scores, f"test images of {FILES[domain]}": scores},
            "protocol": protocol,
            "cost": f"{cost} ms per image in batches of 64",
        }
        write_card(_path(name), changes)


def report_table(arguments: argparse.Namespace) -> None:
    """Print a table of the scores by steps and sampler, or by guidance."""
    name = arguments.model
    if arguments.what == "guidance":
        rows: Iterator[tuple[str, dict[str, Any]]] = ((f"guidance {g}", {"guidance": g}) for g in arguments.guidances)
    else:
        budget = [(kind, steps) for steps in arguments.steps for kind in arguments.samplers]
        rows = (
            (f"{kind} {steps} evaluations", {"sampler": kind, "steps": steps // 2 if kind == "heun" else steps})
            for kind, steps in budget
            if not (kind == "heun" and steps == 1)
        )
    for index, (title, options) in enumerate(rows):
        scores = scores_of(name, arguments.n, split=arguments.split, **options)
        if index == 0:
            print(f"| {name}, {arguments.n} samples | " + " | ".join(scores) + " |\n|" + "---|" * (len(scores) + 1))
        print(f"| {title} | " + " | ".join(str(value) for value in scores.values()) + " |", flush=True)


def report_nll(arguments: argparse.Namespace) -> None:
    """Print the importance-weighted negative log-likelihood of binarised test images; needs torch."""
    import torch

    from anew.networks import build_network
    from anew.training.export import load_weights
    from anew.training.variational import negative_log_likelihood

    card = read_card(arguments.model)
    network = build_network("vae", channels=card.channels, size=card.facts["size"][0], **card.network_args).eval()
    load_weights(network, _path(arguments.model))
    network = network.to(memory_format=torch.channels_last)
    grey = torch.from_numpy(real_images(domain_of(arguments.model), "test"))[:, None].float() / 255
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(grey.shape, generator=generator) < grey).float()[: arguments.images]
    parts, start = [], time.perf_counter()
    for first in range(0, len(x), 20):
        part = x[first : first + 20]
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
            parts.append(
                negative_log_likelihood(network, part, samples=arguments.samples, chunk=50, generator=generator)
            )
        if first % 200 == 180:
            print(
                f"{first + 20} images: {torch.cat(parts).mean():.3f} nats, {time.perf_counter() - start:.0f} s",
                flush=True,
            )
    nll = torch.cat(parts)
    error = float(nll.std() / len(nll) ** 0.5)
    print(f"{arguments.model}: {nll.mean():.2f} +- {error:.2f} nats ({len(x)} images, {arguments.samples} samples)")
    if arguments.write:
        name = f"{len(x)} test images, each pixel drawn once"
        value = {f"nats, {arguments.samples} samples": round(float(nll.mean()), 2), "standard error": round(error, 2)}
        write_card(_path(arguments.model), {"scores": {**card.scores, name: value}})


def report_speed(arguments: argparse.Namespace) -> None:
    """Print how long a fresh process takes for 64 images of each generator, start and imports included."""
    for name in generator_names():
        code = f"from anew.generation.sample import sample; sample({name!r}, 64)"
        print(f"{name}: {_median(lambda code=code: subprocess.run([sys.executable, '-c', code], check=True)):.2f} s")


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _path(name: str) -> Path:
    return Path(name) if name.endswith(".onnx") else WEIGHTS / f"{name}.onnx"


def main() -> None:
    """Parse and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reports = {
        "scores": report_scores,
        "steps": report_table,
        "guidance": report_table,
        "nll": report_nll,
        "speed": report_speed,
    }
    parser.add_argument("what", choices=reports)
    parser.add_argument("model", nargs="?", default="")
    parser.add_argument("--n", type=int, default=10_000, help="samples")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS, help="evaluations of the network")
    parser.add_argument("--samplers", nargs="+", choices=SAMPLERS, default=SAMPLERS)
    parser.add_argument("--guidances", type=float, nargs="+", default=GUIDANCES)
    parser.add_argument("--split", choices=("test", "train"), default="test", help="to choose settings by, take train")
    parser.add_argument("--images", type=int, default=1000, help="test images of the likelihood")
    parser.add_argument("--samples", type=int, default=5000, help="importance samples of each")
    parser.add_argument("--bfloat16", action="store_true", help="decode in bfloat16: faster, and slightly worse")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    reports[arguments.what](arguments)


if __name__ == "__main__":
    main()
