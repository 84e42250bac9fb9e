"""Score a JPEG repairer by the field's protocol and write the scores into its card.

``python -m benchmarks.score_deblock src/anew/inference/weights/deblock-unet.onnx --write``
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.bench.protocols import luma
from anew.degradations.jpeg import compress
from anew.metrics.structural import ssim
from anew.restoration.deblocking.unet import deblock_unet
from anew.threads import core_count
from benchmarks.data import load_set, psnr
from benchmarks.pictures import drawn
from benchmarks.score_model import write_card

Repair = Callable[..., Image]
QUALITIES = (10, 20, 30, 40)
PROTOCOL = (
    "grey (classic5) or studio-range BT.601 Y rounded to 8 bits (LIVE1) through cv2.imencode; blind: the quality is "
    "not told; output clipped and rounded; PSNR in dB, no border cut, mean over the images. "
    "'LIVE1 colour' and 'drawn', 24 drawings, screenshots and pages of text: RGB at 4:2:0 through Pillow, PSNR over "
    "RGB. 'double': quality 75 on quality Q, 4 pixels off"
)


def grey_scores(name: str, repair: Repair, every: int) -> dict[str, dict[str, float]]:
    """Give {row: {quality: mean PSNR}} of a grey or luma set; SSIM and the least gain are printed."""
    rows = ("JPEG", "blind", "quality told", "double, JPEG", "double, blind")
    table: dict[str, dict[str, float]] = {f"{name} {row}": {} for row in rows}
    for quality in QUALITIES:
        values, similar, least = [], [], []
        for image in list(load_set(name).values())[::every]:
            clean = luma(image)
            y = _encoded(clean, quality)
            blind = repair(y)
            told = repair(y, quality)
            double = _twice(clean, quality)
            again = repair(double)
            values.append([psnr(x, clean) for x in (y, blind, told, double, again)])
            least.append(values[-1][1] - values[-1][0])
            similar.append(ssim(np.rint(np.clip(blind, 0, 1) * 255), clean.astype(np.float64), data_range=255))
        means = np.mean(values, axis=0)
        for row, mean in zip(rows, means, strict=True):
            table[f"{name} {row}"][str(quality)] = round(float(mean), 3)
        shown = ", ".join(f"{row} {mean:.2f}" for row, mean in zip(rows, means, strict=True))
        print(f"{name} {quality}: {shown}; SSIM {np.mean(similar):.4f}; least gain {min(least):+.2f} dB", flush=True)
    return table


def colour_scores(name: str, images: Sequence[NDArray[np.uint8]], repair: Repair) -> dict[str, dict[str, float]]:
    """Give the same for colour images at 4:2:0."""
    table: dict[str, dict[str, float]] = {f"{name} JPEG": {}, f"{name} blind": {}}
    for quality in QUALITIES:
        values = []
        for clean in images:
            y = compress(clean.astype(np.float32) / np.float32(255), quality)
            values.append([psnr(x, clean) for x in (y, repair(y))])
        for row, mean in zip(table, np.mean(values, axis=0), strict=True):
            table[row][str(quality)] = round(float(mean), 3)
            print(f"{row} {quality}: {mean:.2f} dB", flush=True)
    return table


def seconds_per_megapixel(model: str) -> float:
    """Give the median of five warm runs on a 1024 x 1024 colour image."""
    image = np.random.default_rng(0).random((1024, 1024, 3), np.float32)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        deblock_unet(image, model=model)
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:])) / (image.shape[0] * image.shape[1] / 1e6)


def _encoded(clean: NDArray[np.uint8], quality: int) -> NDArray[np.float32]:
    _, data = cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded: NDArray[np.float32] = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    return decoded


def _twice(clean: NDArray[np.uint8], quality: int) -> NDArray[np.float32]:
    """Compress with a grid that starts 4 pixels off, then at quality 75 with the grid at the corner."""
    margin = np.pad(clean, 4, mode="symmetric")
    first = np.rint(_encoded(margin, quality)[4:-4, 4:-4] * 255).astype(np.uint8)
    return _encoded(first, 75)


def main() -> None:
    """Measure, print, and write the card if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--every", type=int, default=1, help="only every n-th image (never written)")
    parser.add_argument("--ensemble", type=int, default=1, help="mean over as many turned copies (never written)")
    parser.add_argument("--write", action="store_true", help="write the scores into the card")
    arguments = parser.parse_args()
    model, every = str(arguments.model), arguments.every
    repair = partial(deblock_unet, model=model, ensemble=arguments.ensemble)
    scores = grey_scores("classic5", repair, every) | grey_scores("LIVE1", repair, every)
    scores |= colour_scores("LIVE1 colour", list(load_set("LIVE1").values())[::every], repair)
    scores |= colour_scores("drawn", list(drawn())[::every], repair)
    cost = seconds_per_megapixel(model)
    print(f"{cost:.2f} s per megapixel")
    if arguments.write and every == arguments.ensemble == 1:
        measured_on = f"{cost:.2f} s per megapixel of colour, {core_count()} CPU cores"
        write_card(arguments.model, {"scores": scores, "protocol": PROTOCOL, "cost": measured_on})


if __name__ == "__main__":
    main()
