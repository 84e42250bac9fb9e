"""What computes a denoiser, compared: speed, and what lower precision costs at each noise level.

    python -m benchmarks.providers [--model denoise-unet] [--images 12]

PSNR in dB on training photographs (test sets are not for such choices), cut to 320 x 320, and the largest difference
from ONNX Runtime in grey levels; seconds per megapixel are the median of five runs in turns on 1024 x 1024 pixels.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from anew.errors import Unavailable
from anew.inference.models import Model, open_model
from anew.inference.providers import PROVIDERS
from benchmarks.data import find_data, psnr

SIGMAS = (1, 2, 5, 10, 15, 25, 50, 75)
SIDE, TIMED_SIDE, REPEATS = 320, 1024, 5


def available(model: str) -> dict[str, Model]:
    """Open the model with every provider that is there, and say what is not."""
    models = {}
    for provider in PROVIDERS:
        try:
            models[provider] = open_model(model, provider=provider)
        except Unavailable as error:
            print(f"{provider}: {error}")
    return models


def quality(models: dict[str, Model], photos: list[Path]) -> None:
    """Print one line per provider and level."""
    print(f"\n{'provider':<14}{'sigma':>6}{'PSNR':>10}{'difference':>12}{'largest, grey levels':>22}")
    for sigma in SIGMAS:
        scores: dict[str, list[float]] = {name: [] for name in models}
        largest = dict.fromkeys(models, 0.0)
        for path in photos:
            with Image.open(path) as image:
                clean = np.asarray(image.convert("RGB"))[:SIDE, :SIDE]
            noise = np.random.default_rng(sigma).normal(0, sigma / 255, clean.shape)
            noisy = (clean / 255 + noise).astype(np.float32)
            exact = models["cpu"](noisy, sigma / 255)
            for name, model in models.items():
                result = model(noisy, sigma / 255)
                scores[name].append(psnr(result, clean))
                largest[name] = max(largest[name], 255 * float(np.abs(result - exact).max()))
        for name in models:
            mean = float(np.mean(scores[name]))
            cost = mean - float(np.mean(scores["cpu"]))
            print(f"{name:<14}{sigma:>6}{mean:>10.3f}{cost:>+12.4f}{largest[name]:>22.2f}", flush=True)


def speed(models: dict[str, Model]) -> None:
    """Print seconds per megapixel; the providers take turns."""
    image = np.random.default_rng(0).random((TIMED_SIDE, TIMED_SIDE, 3), np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(REPEATS + 1):
        for name, model in models.items():
            start = time.perf_counter()
            model(image, 0.1)
            if turn:  # the first one warms
                seconds[name].append(time.perf_counter() - start)
    print(f"\n{'provider':<14}{'s per megapixel':>17}{'fastest':>10}")
    for name, values in seconds.items():
        megapixels = TIMED_SIDE**2 / 1e6
        print(f"{name:<14}{np.median(values) / megapixels:>17.2f}{min(values) / megapixels:>10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="denoise-unet", help="a shipped denoiser, or an .onnx file")
    parser.add_argument("--images", type=int, default=12, help="number of photographs")
    arguments = parser.parse_args()
    models = available(arguments.model)
    photos = sorted(find_data("photos", "bsds400").glob("*.jpg"))
    quality(models, photos[:: max(1, len(photos) // arguments.images)][: arguments.images])
    speed(models)


if __name__ == "__main__":
    main()
