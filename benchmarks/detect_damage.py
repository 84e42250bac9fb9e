"""How well are holes, torn corners, text and scratches found, and how silent is it otherwise?

    python -m benchmarks.detect_damage holes
    python -m benchmarks.detect_damage tears [--images 40]
    python -m benchmarks.detect_damage text
    python -m benchmarks.detect_damage scratches [--images 97] [--write]

On LIVE1 and CBSD68: how many damaged pictures were found, precision, recall, F1 and IoU of their pixels, how many clean
pictures cried wolf, and the time for 12 megapixels. Holes have one colour, black, grey or white in turn. Tears are
drawn. Scratches and hairs are film overlays that the detector was not trained on (every second one), laid over at full
strength, in white; a pixel counts as damaged if an overlay covers it by 0.12 or more and has changed it by 0.06 or
more. Drawn damage is that of ``anew degrade``, and what it has changed by 0.06 or more counts. ``--write`` puts the
figures into the card of the model.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, Mask
from anew.degradations.tears import tears
from anew.diagnosis.finding import Finding
from anew.diagnosis.holes import find_holes
from anew.diagnosis.scratches import find_scratches
from anew.diagnosis.tears import find_tears
from anew.diagnosis.text import find_text
from anew.images import Picture
from anew.inference.models import WEIGHTS
from benchmarks.data import find_data, load_set
from benchmarks.score_model import write_card

Finder = Callable[[Picture], Finding | None]

WHITE = np.float32(0.95)
COVERED, VISIBLE = 0.12, 0.06
PROTOCOL = (
    "LIVE1 and CBSD68 under film overlays that training did not see, in white, and under drawn damage; precision, "
    "recall and F1 of pixels over all pictures, share of the pictures in which damage was found; python -m "
    "benchmarks.detect_damage scratches"
)
FILM_KINDS = ("scratches", "hair", "hair-short", "lint", "dirt")
FINDERS: dict[str, Finder] = {
    "holes": find_holes,
    "tears": find_tears,
    "text": find_text,
    "scratches": find_scratches,
}
WORDS = ("SAMPLE", "12 08 '94", "Holiday in Rome", "Studio Miller", "2024-05-17 14:22", "Mum and Dad at sea")
INKS = ("white", "black", "yellow", "red", "orange", "navy", "silver")
DRAWN_KINDS = ("scratches", "folds", "cracks", "dust")
HOLE_KINDS = ("rectangles", "strokes", "pixels")
FILLS = (0.0, 0.5, 1.0)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=FINDERS)
    parser.add_argument("--images", type=int, default=97)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    clean = {**load_set("LIVE1"), **load_set("CBSD68")}
    chosen = list(clean.values())[:: max(1, len(clean) // options.images)]
    pictures = [np.atleast_3d(x / 255).astype(np.float32) for x in chosen]
    find = FINDERS[options.what]
    for kind in HOLE_KINDS if options.what == "holes" else ():
        report(f"holes of {kind}", find, list(with_holes(pictures, kind)))
    if options.what == "tears":
        torn = [(d.image, d.mask) for i, x in enumerate(pictures) if (d := tears(x, rng=i)).mask is not None]
        for sigma in (0.0, 0.06):
            report(f"torn corners, sigma {sigma}", find, torn, sigma)
    for size in (14, 20, 28, 60) if options.what == "text" else ():
        report(f"letters of {size} pixels", find, list(written(pictures, size)))
    scores = {}
    for kind in FILM_KINDS if options.what == "scratches" else ():
        scores[f"film {kind}"] = report(f"film {kind}", find, list(under_film(pictures, kind)))
    for kind in DRAWN_KINDS if options.what == "scratches" else ():
        scores[f"drawn {kind}"] = report(f"drawn {kind}", find, list(drawn(pictures, kind)))
    cries = sum(find(Picture(x)) is not None for x in pictures)
    scores["clean"] = {"found": round(cries / len(pictures), 3)}
    if options.write and options.what == "scratches":
        write_card(WEIGHTS / "scratches.onnx", {"scores": scores, "protocol": PROTOCOL})
    large = Picture(np.tile(pictures[0], (9, 9, 1))[:3000, :4000])
    started = time.perf_counter()
    find(large)
    print(f"{cries} of {len(pictures)} clean pictures; {time.perf_counter() - started:.2f} s for {large.pixels.shape}")


def under_film(pictures: list[Image], kind: str) -> Iterator[tuple[Image, Mask]]:
    """Lay an overlay over each picture, repeated where the picture is larger: (damaged, mask)."""
    from PIL import Image as Pillow

    folder: Path = find_data("film_damage", kind)
    overlays = sorted(folder.glob("*.png"))[1::2]
    for number, clean in enumerate(pictures):
        with Pillow.open(overlays[number % len(overlays)]) as image:
            alpha = np.asarray(image.convert("RGBA"))[:, :, 3] / np.float32(255)
        rows, columns = (-(-n // m) for n, m in zip(clean.shape[:2], alpha.shape, strict=True))
        cover = np.tile(alpha, (rows, columns))[: clean.shape[0], : clean.shape[1], None]
        damaged = (1 - cover) * clean + cover * WHITE
        yield _in_levels(damaged), (cover[:, :, 0] >= COVERED) & (np.abs(damaged - clean).max(axis=2) >= VISIBLE)


def with_holes(pictures: list[Image], kind: str) -> Iterator[tuple[Image, Mask]]:
    """Cut holes of one colour into each picture: (damaged, mask)."""
    from anew.degradations.catalogue import degrade_with_truth

    for number, clean in enumerate(pictures):
        damaged = degrade_with_truth(clean, kind, rng=number, fill=FILLS[number % len(FILLS)])
        if damaged.mask is not None:
            yield _in_levels(damaged.image), damaged.mask


def written(pictures: list[Image], size: int) -> Iterator[tuple[Image, Mask]]:
    """Write a line over each picture: (picture, mask)."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    for number, clean in enumerate(pictures):
        levels = np.rint(np.repeat(clean, 3 // clean.shape[2], axis=2) * 255).astype(np.uint8)
        image = Pillow.fromarray(levels)
        rng = np.random.default_rng(number)
        words, ink = rng.choice(WORDS), str(rng.choice(INKS))
        draw = ImageDraw.Draw(image)
        left, top, right, bottom = draw.textbbox((0, 0), words, font=font)
        room = (max(1.0, image.width - (right - left)), max(1.0, image.height - (bottom - top)))
        place = (rng.uniform(0, room[0]) - left, rng.uniform(0, room[1]) - top)
        draw.text(place, words, fill=ink, font=font)
        damaged = np.asarray(image)
        yield damaged / np.float32(255), np.abs(damaged.astype(int) - levels).max(axis=2) >= 10


def drawn(pictures: list[Image], kind: str) -> Iterator[tuple[Image, Mask]]:
    """Damage each picture as ``anew degrade`` does: (damaged, mask)."""
    from anew.degradations.catalogue import degrade_with_truth

    for number, clean in enumerate(pictures):
        damaged = degrade_with_truth(clean, kind, rng=number).image
        yield _in_levels(damaged), np.abs(damaged - clean).max(axis=2) >= VISIBLE


def _in_levels(image: Image) -> Image:
    return np.rint(image.clip(0, 1) * 255) / np.float32(255)


def report(name: str, find: Finder, pairs: list[tuple[Image, Mask]], sigma: float = 0.0) -> dict[str, float]:
    """Print how many pictures were found damaged, and how well their pixels, over all pictures and over those.

    Returns
    -------
    dict
        Over all: "found" (of the pictures), and "precision", "recall", "f1" of the pixels.
    """
    rng = np.random.default_rng(0)
    counts: NDArray[np.float64] = np.zeros((len(pairs), 3))
    for i, (image, truth) in enumerate(pairs):
        finding = find(Picture(image + np.float32(sigma) * rng.standard_normal(image.shape, np.float32)))
        marked = np.zeros_like(truth) if finding is None or finding.map is None else finding.map
        counts[i] = (marked & truth).sum(), marked.sum(), truth.sum()
    found = counts[:, 1] > 0
    texts, scores = [], []
    for right, marked_count, true in (counts.sum(axis=0), counts[found].sum(axis=0)):
        precision, recall = float(right / max(marked_count, 1)), float(right / max(true, 1))
        f1 = float(2 * right / max(marked_count + true, 1))
        iou = float(right / max(marked_count + true - right, 1))
        texts.append(f"P {precision:.2f} R {recall:.2f} F1 {f1:.2f} IoU {iou:.3f}")
        scores.append({"precision": round(precision, 3), "recall": round(recall, 3), "f1": round(f1, 3)})
    print(f"{name}: found in {found.mean():.0%} of {len(pairs)}; all: {texts[0]}; where found: {texts[1]}", flush=True)
    return {"found": round(float(found.mean()), 3), **scores[0]}


if __name__ == "__main__":
    main()
