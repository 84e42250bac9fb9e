"""Train every network of a task on the same photographs for the same minutes, and put them into one table.

    python -m benchmarks.compare_networks denoise --minutes 20 -o runs/denoisers [--only denoise dncnn] [--every 4]
    python -m benchmarks.compare_networks upscale --minutes 20 -o runs/upscalers

Each is trained into a folder of its own, exported, and scored through ONNX Runtime as it would be shipped: PSNR in dB
on held-out training photographs and, by the field's protocols (``score_model.py``, ``score_upscale.py``), on test sets;
the last row is the classic, BM3D or Lanczos. What is done is kept: the same command goes on where an interrupted one
stopped, and a call with more names adds rows. ``table.md`` and ``table.json`` lie in the output folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import anew
from anew.codecs import storage
from anew.inference.models import read_card
from anew.recipes import RECIPES
from anew.recipes.upscale import upscale_srcnn
from anew.restoration.denoising.unet import denoise_unet
from anew.restoration.upscaling.compact import upscale_compact
from anew.training.config import TrainingConfig
from benchmarks import score_model, score_upscale
from benchmarks.data import add_noise, find_data, load_set, psnr

TIMED = 512  # pixels; side of the image that the classics are timed on
NAMES = ("denoise", *(f"denoise-{n}" for n in ("attention", "autoencoder", "dncnn", "lstm", "recurrent", "scan")))
ONE_FOR_ALL = {"scales": [2, 3, 4], "width": 48, "depth": 9}  # the shipped upscalers are one network per factor

Scores = dict[str, dict[str, float]]  # of a set, of a level


@dataclass(frozen=True)
class Comparison:
    """What is compared for one task.

    Attributes
    ----------
    configs : dict of str to TrainingConfig
        By the name of the row.
    levels : tuple of int
        Noise of 255, or factors.
    logged : str
        How the log calls the PSNR of a level.
    score : function of (method, every)
        PSNR by set and level of a model, or of the classic (None), on every n-th image.
    seconds : function of a method
        Seconds per megapixel.
    classic : str
    """

    configs: dict[str, TrainingConfig]
    levels: tuple[int, ...]
    logged: str
    score: Callable[[str | None, int], Scores]
    seconds: Callable[[str | None], float]
    classic: str


def score_denoiser(model: str | None, every: int) -> Scores:
    """Measure a network, or BM3D."""

    def denoise(y: Any, sigma: float) -> Any:
        return denoise_unet(y, sigma, model=model) if model else anew.denoise(y, sigma, method="bm3d")

    scores: Scores = {}
    for name, grey in (("CBSD68", False), ("BSD68", True)):
        images = list(load_set(name, grey=grey).values())[::every]
        scores[name] = {
            str(s): round(float(np.mean([psnr(denoise(add_noise(x, s), s / 255), x) for x in images])), 2)
            for s in score_model.SIGMAS
        }
    return scores


def seconds_of_denoiser(model: str | None) -> float:
    """Time a network, or BM3D, on colour."""
    if model:
        return score_model.seconds_per_megapixel(model)
    image = np.random.default_rng(0).random((TIMED, TIMED, 3), np.float32)
    anew.denoise(image[:64, :64], 0.1, method="bm3d")  # compiles
    start = time.perf_counter()
    anew.denoise(image, 0.1, method="bm3d")
    return (time.perf_counter() - start) / (TIMED**2 / 1e6)


def score_upscaler(model: str | None, every: int) -> Scores:
    """Measure a network, or Lanczos."""
    scores: Scores = {}
    for name in ("Set5", "Set14"):
        clean = list(load_set(name).values())[::every]
        scores[name] = {}
        for scale in (2, 3, 4):
            small = [y / np.float32(255) for y in list(load_set(f"{name}_LRx{scale}").values())[::every]]
            results = [
                upscale_compact(y, scale, model=model) if model else anew.upscale(y, scale, method="lanczos")
                for y in small
            ]
            values = [score_upscale.measure(x, truth, scale)[0] for x, truth in zip(results, clean, strict=True)]
            scores[name][str(scale)] = round(float(np.mean(values)), 2)
    return scores


def seconds_of_upscaler(model: str | None) -> float:
    """Time a network, or Lanczos, at a factor of two, per megapixel of the result."""
    if model:
        return score_upscale.seconds_per_megapixel(model, 2, back_project=True)
    image = np.random.default_rng(0).random((TIMED, TIMED, 3), np.float32)
    start = time.perf_counter()
    anew.upscale(image, 2, method="lanczos")
    return (time.perf_counter() - start) / (4 * TIMED**2 / 1e6)


COMPARISONS = {
    "denoise": Comparison(
        configs={name.removeprefix("denoise-"): RECIPES[name]() for name in NAMES},
        levels=score_model.SIGMAS,
        logged="psnr_{}",
        score=score_denoiser,
        seconds=seconds_of_denoiser,
        classic="bm3d",
    ),
    "upscale": Comparison(
        configs={
            "edge-oriented": replace(upscale_srcnn(), network="edge-oriented", network_args=ONE_FOR_ALL),
            "espcn": RECIPES["upscale-espcn"](),
            "srcnn": RECIPES["upscale-srcnn"](),
        },
        levels=(2, 3, 4),
        logged="psnr_x{}",
        score=score_upscaler,
        seconds=seconds_of_upscaler,
        classic="lanczos",
    ),
}


def row_of_network(name: str, comparison: Comparison, photos: Path, folder: Path, minutes: float, every: int) -> Any:
    """Train, or go on training, and measure one network."""
    from anew.training.run import run_recipe

    def report(entry: dict[str, Any]) -> None:
        reached = ", ".join(f"{entry[comparison.logged.format(level)]:.2f}" for level in comparison.levels)
        speed = f"{entry['images_per_s']:.0f} images/s, {entry['minutes_left']:.1f} min left"
        print(f"{name}: step {entry['step']}, {reached} dB; {speed}", file=sys.stderr, flush=True)

    model = folder / "model.onnx"
    if not model.exists():
        config = replace(comparison.configs[name], validate_every=200)
        run_recipe(config, photos, folder, minutes=minutes, report=report)
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    card = read_card(str(model))
    return {
        "name": name,
        "held out": {str(s): round(last[comparison.logged.format(s)], 2) for s in comparison.levels},
        **comparison.score(str(model), every),
        "parameters": card.parameters,
        "multiply-adds per pixel": card.multiply_adds_per_pixel,
        "seconds per megapixel": round(comparison.seconds(str(model)), 2),
        "steps": card.recipe["steps"],
    }


def once(path: Path, settings: dict[str, Any], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Measure, or read what was measured with the same settings."""
    if path.exists():
        stored = json.loads(path.read_text())
        if stored["settings"] == settings:
            return dict(stored["row"])
    row = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    storage.save(str(path), f"{json.dumps({'settings': settings, 'row': row}, indent=2)}\n".encode(), overwrite=True)
    return row


def table(rows: list[dict[str, Any]], levels: tuple[int, ...]) -> str:
    """Lay out the rows as Markdown."""

    def scores_of(row: dict[str, Any], key: str) -> str:
        return " / ".join(f"{row[key][str(s)]:.2f}" for s in levels) if key in row else "–"

    groups = ["held out", *(key for key, value in rows[0].items() if isinstance(value, dict) and key != "held out")]
    columns = ["", *(f"{key} {' / '.join(map(str, levels))}" for key in groups)]
    columns += ["parameters", "multiply-adds per input pixel", "s per megapixel", "steps"]
    lines = [f"| {' | '.join(columns)} |", "|---|---|---|---|---:|---:|---:|---:|"]
    for row in rows:
        scores = " | ".join(scores_of(row, key) for key in groups)
        million = f"{row['parameters'] / 1e6:.2f} M" if "parameters" in row else "–"
        work = f"{row['multiply-adds per pixel'] / 1e3:.0f} k" if "parameters" in row else "–"
        cost = f"{row['seconds per megapixel']:.2f}"
        lines.append(f"| {row['name']} | {scores} | {million} | {work} | {cost} | {row.get('steps', '–')} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=COMPARISONS)
    parser.add_argument("--minutes", type=float, required=True, help="training time of each network")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder of the runs and of the table")
    parser.add_argument("--data", type=Path, help="training photographs; default: photos/ beside the test sets")
    parser.add_argument("--only", nargs="+", help="some of the rows; default: all")
    parser.add_argument("--every", type=int, default=1, help="score only every n-th test image")
    arguments = parser.parse_args()
    os.environ["ANEW_PROVIDER"] = "cpu"  # all in the same runtime and precision
    comparison = COMPARISONS[arguments.task]
    known = [*comparison.configs, comparison.classic]
    chosen = arguments.only or known
    if unknown := set(chosen) - set(known):
        parser.error(f"--only: no row {sorted(unknown)}; known: {', '.join(known)}")
    photos, every, minutes = arguments.data or find_data("photos"), arguments.every, arguments.minutes

    def measure(name: str) -> dict[str, Any]:
        if name != comparison.classic:
            row: dict[str, Any] = row_of_network(name, comparison, photos, arguments.output / name, minutes, every)
            return row
        return {
            "name": name,
            **comparison.score(None, every),
            "seconds per megapixel": round(comparison.seconds(None), 2),
        }

    rows = []
    for name in chosen:
        settings = {"every": every} if name == comparison.classic else {"every": every, "minutes": minutes}
        rows.append(once(arguments.output / name / "row.json", settings, partial(measure, name)))
        print(f"{name}: done", file=sys.stderr, flush=True)
        (arguments.output / "table.json").write_text(json.dumps(rows, indent=2) + "\n")
        (arguments.output / "table.md").write_text(table(rows, comparison.levels) + "\n")
    scored = "all images" if every == 1 else f"every {every}th image"
    print(f"{minutes:g} minutes of training each; PSNR in dB; {scored} of the test sets\n")
    print(table(rows, comparison.levels))


if __name__ == "__main__":
    main()
