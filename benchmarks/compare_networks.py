"""Train every denoising network on the same photographs for the same minutes, and put them into one table beside BM3D.

    python -m benchmarks.compare_networks --minutes 20 -o runs/networks [--only denoise denoise-dncnn] [--every 4]

Each recipe is trained into a folder of its own, exported, and scored through ONNX Runtime as it would be shipped: PSNR
in dB at sigma 15 / 25 / 50 on held-out training photographs and, by the field's protocol (``score_model.py``), on
CBSD68 and BSD68. What is done is kept: the same command goes on where an interrupted one stopped, and a call with more
recipes adds rows. ``table.md`` and ``table.json`` lie in the output folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import anew
from anew.inference.models import read_card
from anew.restoration.denoising.unet import denoise_unet
from benchmarks.data import add_noise, data_folder, load_set, psnr
from benchmarks.score_model import SIGMAS, seconds_per_megapixel

SETS = {"CBSD68": False, "BSD68": True}  # name -> whether grey
TIMED = 512  # pixels; side of the image that BM3D is timed on
RECIPES = (
    "denoise",
    "denoise-attention",
    "denoise-autoencoder",
    "denoise-dncnn",
    "denoise-lstm",
    "denoise-recurrent",
    "denoise-scan",
)


def train(recipe: str, photos: Path, folder: Path, minutes: float) -> tuple[Path, dict[str, float]]:
    """Train, or go on training, and give the exported file and the scores on the held-out photographs."""
    from anew.recipes import RECIPES as ALL
    from anew.training.run import run_recipe

    config = replace(ALL[recipe](), validate_every=200)
    model = folder / "model.onnx"
    if not model.exists():
        run_recipe(config, photos, folder, minutes=minutes, report=lambda entry: report(recipe, entry))
    last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
    return model, {str(s): round(last[f"psnr_{s}"], 2) for s in SIGMAS}


def report(recipe: str, entry: dict[str, Any]) -> None:
    """Print one line of progress."""
    rest = f"{entry['images_per_s']:.0f} images/s, {entry['minutes_left']:.1f} min left"
    print(f"{recipe}: step {entry['step']}, {entry['psnr_25']:.2f} dB at 25, {rest}", file=sys.stderr, flush=True)


def score(denoise: Callable[[Any, float], Any], every: int) -> dict[str, dict[str, float]]:
    """Give {set: {sigma: mean PSNR}} of a denoiser on every n-th image."""
    scores: dict[str, dict[str, float]] = {}
    for name, grey in SETS.items():
        images = list(load_set(name, grey=grey).values())[::every]
        scores[name] = {
            str(s): round(float(np.mean([psnr(denoise(add_noise(x, s), s / 255), x) for x in images])), 2)
            for s in SIGMAS
        }
    return scores


def row_of_network(recipe: str, photos: Path, folder: Path, minutes: float, every: int) -> dict[str, Any]:
    """Train and measure one network."""
    model, held_out = train(recipe, photos, folder, minutes)
    card = read_card(str(model))
    return {
        "name": recipe,
        "held out": held_out,
        **score(lambda y, sigma: denoise_unet(y, sigma, model=str(model)), every),
        "parameters": card.parameters,
        "multiply-adds per pixel": card.multiply_adds_per_pixel,
        "seconds per megapixel": round(seconds_per_megapixel(str(model)), 2),
        "steps": card.recipe["steps"],
    }


def row_of_bm3d(every: int) -> dict[str, Any]:
    """Measure the classic."""

    def denoise(y: Any, sigma: float) -> Any:
        return anew.denoise(y, sigma, method="bm3d")

    image = np.random.default_rng(0).random((TIMED, TIMED, 3), np.float32)
    denoise(image[:64, :64], 0.1)  # compiles
    start = time.perf_counter()
    denoise(image, 0.1)
    seconds = (time.perf_counter() - start) / (TIMED**2 / 1e6)
    return {"name": "bm3d", **score(denoise, every), "seconds per megapixel": round(seconds, 2)}


def once(path: Path, settings: dict[str, Any], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Measure, or read what was measured with the same settings."""
    if path.exists():
        stored = json.loads(path.read_text())
        if stored["settings"] == settings:
            return dict(stored["row"])
    row = measure()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"settings": settings, "row": row}, indent=2) + "\n")
    os.replace(part, path)
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Lay out the rows as Markdown."""

    def levels(row: dict[str, Any], key: str) -> str:
        return " / ".join(f"{row[key][str(s)]:.2f}" for s in SIGMAS) if key in row else "–"

    columns = ["", *(f"{key} 15 / 25 / 50" for key in ("held out", *SETS))]
    columns += ["parameters", "multiply-adds per pixel", "s per megapixel", "steps"]
    lines = [f"| {' | '.join(columns)} |", "|---|---|---|---|---:|---:|---:|---:|"]
    for row in rows:
        scores = " | ".join(levels(row, key) for key in ("held out", *SETS))
        million = f"{row['parameters'] / 1e6:.2f} M" if "parameters" in row else "–"
        work = f"{row['multiply-adds per pixel'] / 1e3:.0f} k" if "parameters" in row else "–"
        cost = f"{row['seconds per megapixel']:.2f}"
        lines.append(f"| {row['name']} | {scores} | {million} | {work} | {cost} | {row.get('steps', '–')} |")
    return "\n".join(lines)


def main() -> None:
    """Train, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True, help="training time of each network")
    parser.add_argument("--output", "-o", type=Path, required=True, help="folder of the runs and of the table")
    parser.add_argument("--data", type=Path, help="training photographs; default: photos/ beside the test sets")
    parser.add_argument("--only", nargs="+", choices=[*RECIPES, "bm3d"], default=[*RECIPES, "bm3d"])
    parser.add_argument("--every", type=int, default=1, help="score only every n-th test image")
    arguments = parser.parse_args()
    os.environ["ANEW_PROVIDER"] = "cpu"  # all in the same runtime and precision
    photos, every, minutes = arguments.data or data_folder() / "photos", arguments.every, arguments.minutes
    rows = []
    for name in arguments.only:
        folder = arguments.output / name
        if name == "bm3d":
            row = once(folder / "row.json", {"every": every}, lambda: row_of_bm3d(every))
        else:
            settings = {"every": every, "minutes": minutes}
            measure = lambda name=name, folder=folder: row_of_network(name, photos, folder, minutes, every)  # noqa: E731
            row = once(folder / "row.json", settings, measure)
        rows.append(row)
        print(f"{name}: done", file=sys.stderr, flush=True)
        (arguments.output / "table.json").write_text(json.dumps(rows, indent=2) + "\n")
        (arguments.output / "table.md").write_text(table(rows) + "\n")
    scored = "all images" if every == 1 else f"every {every}th image"
    print(f"{minutes:g} minutes of training each; PSNR in dB; {scored} of the test sets\n\n{table(rows)}")


if __name__ == "__main__":
    main()
