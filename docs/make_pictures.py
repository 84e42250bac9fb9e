"""Make the pictures of the README: ``python docs/make_pictures.py``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

import anew
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.degradations.catalogue import degrade_chain
from anew.generation.augmentation.catalogue import STYLES
from anew.generation.sample import sample
from anew.generation.sheet import arrange
from anew.images import Picture
from anew.inference.models import read_card
from anew.registry import METHODS
from anew.report import write_sheet

FOLDER = Path(__file__).parent / "pictures"

DAMAGES = [
    "noise:sigma=0.15", "impulse:density=0.1", "stripes", "motion:length=21:angle=30", "defocus:radius=5",
    "jpeg:quality=8", "strokes", "lettering", "scratches", "tears", "folds", "cracks:count=16", "stains", "dust",
    "fade", "cast", "exposure:stops=-1.5", "uneven", "tilt:angle=4", "keystone",
]  # fmt: skip

BOXED = ["flip:p=1", "rotate:degrees=20..20", "crop:area=0.4", "perspective:amount=0.15", "elastic:amount=0.03"]
RECOLOURED = [
    "shear:x=15..15", "jitter", "hue:degrees=60..60", "noise:sigma=0.1", "cutout:x=0.35:y=0.6", "mixup:alpha=50",
    "cutmix:alpha=20:x=0.9:y=0.9", "transfer",
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
        if name != "custom" and not METHODS.get("denoise", name).trains:
            result = anew.denoise(noisy, 0.12, method=name)
            tiles.append(Tile(name, result, score(result, photo)))
    save(draw_contact_sheet(tiles, tile_width=220, columns=5), "denoising")


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


def augmentation_sheet() -> None:
    """What ``anew augment`` draws from one photograph: boxes that go along, colours, mixtures, styles."""
    photo, cup = photograph("chelsea"), photograph("coffee")
    boxes = [[142, 20, 385, 270], [150, 90, 205, 150], [310, 118, 357, 172]]  # the face and its eyes
    tiles = [Tile("original", with_boxes(photo, boxes), "with boxes")]
    for chain in BOXED:
        drawn = anew.augment(photo, chain, rng=5, boxes=boxes)
        tiles.append(Tile(chain.split(":")[0], with_boxes(drawn.image, drawn.boxes), chain))
    for chain in RECOLOURED:
        tiles.append(Tile(chain.split(":")[0], anew.augment(photo, chain, rng=2, others=[cup]).image, chain))
    tiles += [Tile(name, anew.augment(photo, chain).image, "of --styles") for name, chain in STYLES.items()]
    save(draw_contact_sheet(tiles, tile_width=196, columns=6), "augmentations")


def generator_sheet() -> None:
    """Samples of every trained generator; where labels take turns, one below the other."""
    names = [f"{kind}-{subject}" for subject in ("digits", "fashion") for kind in ("gan", "flow", "vae")]
    tiles = []
    for name, count in (*((name, 70) for name in names), ("flow-faces", 24), ("gan-faces", 24), ("gan-textures", 24)):
        labels = read_card(name).facts["labels"]
        tiles.append(Tile(name, arrange(sample(name, count), period=len(labels))))
    save(draw_contact_sheet(tiles, tile_width=560, columns=3), "generators")


def with_boxes(image: np.ndarray, boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Draw boxes (left, top, right, bottom) into an image."""
    canvas = Image.fromarray(np.rint(image.clip(0, 1) * 255).astype(np.uint8))
    for left, top, right, bottom in boxes:
        ImageDraw.Draw(canvas).rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), None, "#19e3ff", 4)
    return np.asarray(canvas) / 255.0


def score(result: np.ndarray, photo: np.ndarray) -> str:
    """Give the PSNR in words."""
    return f"{-10 * np.log10(np.mean((result.clip(0, 1) - photo) ** 2)):.2f} dB"


def save(sheet: np.ndarray, name: str) -> None:
    """Write a sheet as JPEG."""
    Image.fromarray(sheet).save(FOLDER / f"{name}.jpg", quality=85, subsampling=0)  # noise in colour shows


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    damage_sheet()
    denoising_sheet()
    restoration_sheet()
    augmentation_sheet()
    generator_sheet()
