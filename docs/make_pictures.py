"""Make the pictures of the README: ``python docs/make_pictures.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

import anew
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.degradations.catalogue import degrade_chain
from anew.images import Picture
from anew.report import write_sheet

FOLDER = Path(__file__).parent / "pictures"

DAMAGES = [
    "noise:sigma=0.15", "poisson:gain=0.03", "impulse:density=0.1", "stripes", "motion:length=21:angle=30",
    "defocus:radius=5", "jpeg:quality=8", "strokes", "lettering", "scratches", "tears", "folds", "stains", "dust",
    "fade", "cast", "exposure:stops=-1.5", "uneven", "tilt:angle=4", "keystone",
]  # fmt: skip


def photograph(name: str) -> np.ndarray:
    """Give one of scikit-image's photographs as (H, W, 3) float32."""
    return (getattr(skimage.data, name)() / 255.0).astype(np.float32)


def damage_sheet() -> None:
    """Every kind of damage that ``anew degrade`` makes."""
    photo = photograph("chelsea")
    tiles = [Tile("original", photo)]
    tiles += [Tile(chain, degrade_chain(photo, chain, rng=1)[-1].image) for chain in DAMAGES]
    save(draw_contact_sheet(tiles, tile_width=240, columns=7), "damages")


def denoising_sheet() -> None:
    """Every denoiser on one noisy crop, with its PSNR."""
    photo = photograph("astronaut")[20:240, 120:340]
    noisy = degrade_chain(photo, "noise:sigma=0.12", rng=0)[-1].image
    tiles = [Tile("original", photo), Tile("noisy", noisy, score(noisy, photo))]
    for name in anew.methods("denoise"):
        if name != "custom":
            result = anew.denoise(noisy, 0.12, method=name)
            tiles.append(Tile(name, result, score(result, photo)))
    save(draw_contact_sheet(tiles, tile_width=220, columns=6), "denoising")


def restoration_sheet() -> None:
    """What ``anew restore`` does to a damaged photograph."""
    sys.path.insert(0, str(FOLDER.parents[1] / "examples"))
    from demo import damaged_photograph

    damaged, scratches = damaged_photograph()
    restoration = anew.restore(Picture(damaged), mask=scratches)
    write_sheet(restoration, FOLDER / "restored.png")
    with Image.open(FOLDER / "restored.png") as sheet:
        sheet.convert("RGB").save(FOLDER / "restored.jpg", quality=88)
    (FOLDER / "restored.png").unlink()


def score(result: np.ndarray, photo: np.ndarray) -> str:
    """Give the PSNR in words."""
    return f"{-10 * np.log10(np.mean((result.clip(0, 1) - photo) ** 2)):.2f} dB"


def save(sheet: np.ndarray, name: str) -> None:
    """Write a sheet as JPEG."""
    Image.fromarray(sheet).save(FOLDER / f"{name}.jpg", quality=85)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    damage_sheet()
    denoising_sheet()
    restoration_sheet()
