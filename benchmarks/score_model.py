"""Score a denoising model by the field's protocol and write the scores into its card.

``python -m benchmarks.score_model src/anew/inference/weights/denoise-unet.onnx --write``
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anew.inference.ensemble import Ensemble
from anew.inference.models import open_model
from anew.restoration.denoising.unet import denoise_unet
from anew.threads import core_count
from benchmarks.data import add_noise, load_set, psnr
from benchmarks.pictures import drawn

SIGMAS = (15, 25, 50)
DRAWN = "drawn"
SETS = {"CBSD68": False, "BSD68": True, "Set12": True, DRAWN: False}
PROTOCOL = (
    "Gaussian noise by numpy.random.seed(0) per image, neither clipped nor rounded; the true level given to the model; "
    "output clipped and rounded to 8 bits; PSNR in dB over all samples, no border cut; mean over the images; 'drawn': "
    "24 drawings, screenshots and pages of text"
)


def scores_of(model: str, every: int, ensemble: Ensemble) -> dict[str, dict[str, float]]:
    """Give {set: {sigma: mean PSNR}}."""
    scores: dict[str, dict[str, float]] = {}
    denoise = partial(denoise_unet, model=model, ensemble=ensemble)
    colour = open_model(model).card.channels == 3
    for name, grey in SETS.items():
        if not (grey or colour):
            continue
        images = images_of(name, grey)[::every]
        scores[name] = {}
        for sigma in SIGMAS:
            values = [psnr(denoise(add_noise(x, sigma), sigma / 255), x) for x in images]
            scores[name][str(sigma)] = round(float(np.mean(values)), 3)
            print(f"{name} sigma {sigma}: {scores[name][str(sigma)]:.2f} dB over {len(images)} images", flush=True)
    return scores


def images_of(name: str, grey: bool) -> list[NDArray[np.uint8]]:
    """Give a test set, or pictures that no camera took."""
    return list(drawn()) if name == DRAWN else list(load_set(name, grey=grey).values())


def seconds_per_megapixel(model: str) -> float:
    """Give the median of five warm runs on a 1024 x 1024 image, in colour if the model is for that."""
    shape = (1024, 1024, 3) if open_model(model).card.channels == 3 else (1024, 1024)
    image = np.random.default_rng(0).random(shape, np.float32)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        denoise_unet(image, 0.1, model=model)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) / (image.shape[0] * image.shape[1] / 1e6)


def write_card(path: Path, changes: dict[str, object]) -> None:
    """Replace fields of the card inside an ONNX file."""
    import onnx

    card = open_model(path).card.model_copy(update=changes)
    model = onnx.load(str(path))
    for entry in model.metadata_props:
        if entry.key == "anew:card":
            entry.value = card.model_dump_json()
    onnx.save(model, str(path))


def main() -> None:
    """Measure, print, and write the card if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every n-th image (never written)")
    parser.add_argument("--ensemble", type=int, default=1, help="mean over as many turned copies (never written)")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    scores = scores_of(str(arguments.model), arguments.every, arguments.ensemble)
    cost = seconds_per_megapixel(str(arguments.model))
    print(f"{cost:.2f} s per megapixel")
    if arguments.write and arguments.every == arguments.ensemble == 1:
        write_card(
            arguments.model,
            {"scores": scores, "protocol": PROTOCOL, "cost": f"{cost:.2f} s per megapixel, {core_count()} CPU cores"},
        )


if __name__ == "__main__":
    main()
