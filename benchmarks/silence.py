"""Does the diagnosis keep silent on clean pictures? Run: python benchmarks/silence.py [--verbose]

Pictures: the references of Set14, LIVE1, BSD68 and CBSD68 as they are, the photographs that scikit-image carries, and
generated drawings, screenshots, text pages, night shots, shallow focus and smooth pictures; and every third reference
of LIVE1 as people keep photographs: in black and white, in film grain, sharpened, as JPEG and WebP of high quality, and
with a dithered palette of 256 colours; and collages of them, and pages that show one. Also pages, windows, cartoons,
charts and patterns as the training draws them, from a seed that no limit was chosen on, as they are and as JPEG of
quality 90. Every finding counts as a cry of wolf: a clean picture has none.
"""

from __future__ import annotations

import io
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


import anew
from anew.training.drawings import drawings
from benchmarks.data import load_set
from benchmarks.pictures import drawing, screenshot, text_page

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

TEST_SETS = ("Set14", "LIVE1", "BSD68", "CBSD68")
PHOTOGRAPHS = (
    *("astronaut", "brick", "camera", "cat", "chelsea", "coffee", "coins", "colorwheel", "grass", "gravel", "horse"),
    *("hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text"),
)
LAMPS = 8
DRAWN, DRAWN_SEED = 140, 2026
LAYOUTS = 10
GROUNDS: tuple[Colour, ...] = ((255, 255, 255), (0, 0, 0), (240, 236, 228))
PROGRAMS = frozenset({"drawn", "drawn, JPEG"})
KEPT = frozenset({"black and white", "film grain", "sharpened", "JPEG of 95", "WebP of 90", "palette"})
LAID_OUT = frozenset({"collage", "on a page"})


def main() -> None:
    """Diagnose every picture and print what was said about it."""
    verbose = "--verbose" in sys.argv
    count, silent = Counter[str](), Counter[str]()
    cries: dict[str, Counter[str]] = defaultdict(Counter)
    seconds = 0.0
    for group, name, pixels in pictures():
        start = time.perf_counter()
        diagnosis = anew.diagnose(pixels)
        seconds += time.perf_counter() - start
        count[group] += 1
        silent[group] += not diagnosis.findings
        cries[group].update(finding.kind for finding in diagnosis.findings)
        if verbose:
            for finding in diagnosis.findings:
                print(f"  {group}/{name}: {finding.kind} {finding.value:.3g} {finding.unit} ({finding.confidence:.2f})")
    print(f"{'pictures':16}{'n':>5}{'silent':>9}   cries of wolf")
    for group in count:
        said = ", ".join(f"{kind} {n}" for kind, n in cries[group].most_common())
        print(f"{group:16}{count[group]:5}{silent[group] / count[group]:9.1%}   {said}")
    others = count.keys() - KEPT - PROGRAMS - LAID_OUT
    labelled = {"as they are": others, "kept otherwise": KEPT, "by programs": PROGRAMS, "laid out": LAID_OUT}
    for label, groups in labelled.items():
        total = sum(count[group] for group in groups)
        print(f"{label:16}{total:5}{sum(silent[group] for group in groups) / total:9.1%}")
    print(f"{seconds / count.total():.2f} s each")


def pictures() -> Iterator[tuple[str, str, Pixels]]:
    """Give (group, name, uint8 image) of every clean picture."""
    for test_set in TEST_SETS:
        for name, pixels in load_set(test_set).items():
            yield test_set, name, pixels
    photographs = {name: np.asarray(getattr(skimage.data, name)()) for name in PHOTOGRAPHS}
    for name, pixels in photographs.items():
        yield "scikit-image", name, pixels if pixels.dtype == np.uint8 else (pixels * 255).astype(np.uint8)
    rng = np.random.default_rng(0)
    for k in range(12):
        yield "drawing", str(k), drawing(rng, antialiased=k % 2 == 0)
        yield "screenshot", str(k), screenshot(rng, photographs["coffee"] if k % 3 == 0 else None)
        yield "text page", str(k), text_page(rng, size=10 + 2 * k)
    for name in ("astronaut", "rocket", "coffee", "camera", "chelsea"):
        yield "night", name, night(photographs[name])
        yield "shallow focus", name, shallow_focus(photographs[name])
    for k in range(5):
        yield "smooth", str(k), smooth(rng)
    for k, pixels in enumerate(drawings(DRAWN, 400, np.random.default_rng(DRAWN_SEED))):
        yield "drawn", str(k), pixels
        yield "drawn, JPEG", str(k), stored(Image.fromarray(pixels), "JPEG", quality=90)
    for name, pixels in list(load_set("LIVE1").items())[::3]:
        for group, kept in as_people_keep_them(pixels, rng).items():
            yield group, name, kept
    live = list(load_set("LIVE1").values())
    for k in range(LAYOUTS):
        chosen = [Image.fromarray(live[(5 * k + i) % len(live)]) for i in range(4)]
        yield "collage", str(k), collage(chosen, gap=2 + 2 * k, margin=k % 3 * 8, ground=GROUNDS[k % len(GROUNDS)])
        yield "on a page", str(k), on_a_page(chosen[0], GROUNDS[k % len(GROUNDS)])


def as_people_keep_them(pixels: Pixels, rng: np.random.Generator) -> dict[str, Pixels]:
    """Give a photograph in ways that are no damage."""
    photo = Image.fromarray(pixels)
    palette = photo.quantize(palette=photo.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
    return {
        "black and white": np.asarray(photo.convert("L")),
        "film grain": grainy(pixels, rng),
        "sharpened": np.asarray(photo.filter(ImageFilter.UnsharpMask(1.5, 100, 2))),
        "JPEG of 95": stored(photo, "JPEG", quality=95, subsampling=0),
        "WebP of 90": stored(photo, "WEBP", quality=90),
        "palette": np.asarray(palette.convert("RGB")),
    }


def collage(photographs: Sequence[Image.Image], *, gap: int, margin: int, ground: Colour) -> Pixels:
    """Put one photograph beside two, and a fourth below."""
    sheet = Image.new("RGB", (480, 420), ground)
    across, down, low = (margin, 300, 480 - margin), (margin, 130, 260), 420 - margin
    places = (
        (across[0], down[0], across[1], down[2]),
        (across[1] + gap, down[0], across[2], down[1]),
        (across[1] + gap, down[1] + gap, across[2], down[2]),
        (across[0], down[2] + gap, across[2], low),
    )
    for photo, (left, top, right, bottom) in zip(photographs, places, strict=True):
        sheet.paste(ImageOps.fit(photo, (right - left, bottom - top)), (left, top))
    return np.asarray(sheet)


def on_a_page(photo: Image.Image, ground: Colour) -> Pixels:
    """Show a photograph below a bar with a title, and above a line of words."""
    page = Image.new("RGB", (photo.width + 60, photo.height + 120), ground)
    draw, ink = ImageDraw.Draw(page), tuple(255 - v for v in ground)
    draw.rectangle((0, 0, page.width, 40), fill=(59, 89, 152))
    draw.text((12, 8), "Photographs", fill=(255, 255, 255), font=ImageFont.load_default(20))
    page.paste(photo, (30, 52))
    draw.text((30, page.height - 50), "in the garden, last summer", fill=ink, font=ImageFont.load_default(16))
    return np.asarray(page)


def stored(photo: Image.Image, format: str, **options: int) -> Pixels:
    """Write a photograph and read it again."""
    file = io.BytesIO()
    photo.save(file, format, **options)
    return np.asarray(Image.open(file).convert("RGB"))


def grainy(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Add the grain of a fine film: the same in all channels, larger than a pixel, strongest in the middle tones."""
    import cv2

    grain = cv2.GaussianBlur(rng.standard_normal(pixels.shape[:2]), (0, 0), 0.8)
    tone = pixels.mean(axis=2) / 255
    strength = 4 * np.sqrt(4 * tone * (1 - tone)) / grain.std()
    return np.rint(np.clip(pixels + (strength * grain)[:, :, None], 0, 255)).astype(np.uint8)


def night(photograph: Pixels) -> Pixels:
    """A dark picture with black parts and a few lights."""
    x = np.clip(photograph / 255.0 - 0.15, 0, 1) ** 1.8
    rows, columns = np.indices(photograph.shape[:2])
    rng = np.random.default_rng(1)
    for _ in range(LAMPS):
        row, column = rng.uniform(0, photograph.shape[:2])
        distance = np.hypot(rows - row, columns - column)
        glow = 1.5 * np.exp(-distance / 4) + 0.1 * np.exp(-distance / 40)
        x += glow if x.ndim == 2 else glow[:, :, None] * (1, 0.85, 0.6)
    return np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)


def shallow_focus(photograph: Pixels) -> Pixels:
    """The centre is sharp, the rest is far out of focus."""
    import cv2

    height, width = photograph.shape[:2]
    y, x = np.mgrid[:height, :width]
    sharp = np.hypot((y - height / 2) / height, (x - width / 2) / width) < 0.25
    soft = cv2.GaussianBlur(photograph, (0, 0), 8)
    weight = cv2.GaussianBlur(sharp.astype(np.float32), (0, 0), 6)
    weight = weight if photograph.ndim == 2 else weight[:, :, None]
    return np.rint(weight * photograph + (1 - weight) * soft).astype(np.uint8)


def smooth(rng: np.random.Generator) -> Pixels:
    """Gradients: fog, a sky, a wall."""
    import cv2

    small = rng.uniform(60, 220, (4, 6, 3)).astype(np.float32)
    large = cv2.resize(small, (480, 320), interpolation=cv2.INTER_CUBIC)
    return np.rint(np.clip(large + rng.normal(0, 0.6, large.shape), 0, 255)).astype(np.uint8)


if __name__ == "__main__":
    main()
