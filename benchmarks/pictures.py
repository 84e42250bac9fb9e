"""Pictures made for measuring: a photograph of any size, and drawings, screenshots and pages of text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
WORDS = (
    "The quick brown fox jumps over the lazy dog while seventeen wizards box with 42 quiet lynxes; nothing is wrong. "
)


def photograph(megapixels: float) -> Pixels:
    """Give a square (H, W, 3) uint8 photograph: one that scikit-image carries, repeated in mirror images."""
    photo = skimage.data.coffee()
    side = round((megapixels * 1e6) ** 0.5)
    tall, wide = (-(-side // n) for n in photo.shape[:2])
    margins = ((0, (tall - 1) * photo.shape[0]), (0, (wide - 1) * photo.shape[1]), (0, 0))
    return np.ascontiguousarray(np.pad(photo, margins, "symmetric")[:side, :side])


def drawn() -> Iterator[Pixels]:
    """Give 24 pictures that no camera took: drawings, screenshots and pages, (H, W, 3) uint8 arrays."""
    rng = np.random.default_rng(0)
    for k in range(6):
        yield drawing(rng, antialiased=k % 2 == 0)
        yield screenshot(rng, None)
        page = np.repeat(text_page(rng, size=10 + 2 * k)[:, :, None], 3, axis=2)
        yield page
        yield 255 - page


def drawing(rng: np.random.Generator, *, antialiased: bool) -> Pixels:
    """Filled shapes and lines of few colours."""
    zoom = 3 if antialiased else 1
    canvas = Image.new("RGB", (480 * zoom, 360 * zoom), tuple(int(v) for v in rng.integers(150, 256, 3)))
    draw = ImageDraw.Draw(canvas)
    for _ in range(14):
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        x, y = rng.integers(0, 400 * zoom, 2).tolist()
        w, h = rng.integers(20 * zoom, 160 * zoom, 2).tolist()
        kind = rng.integers(3)
        if kind == 0:
            draw.ellipse((x, y, x + w, y + h), fill=colour, outline="black", width=2 * zoom)
        elif kind == 1:
            draw.rectangle((x, y, x + w, y + h), fill=colour)
        else:
            draw.line((x, y, x + w, y + h), fill=colour, width=int(rng.integers(1, 6)) * zoom)
    return np.asarray(canvas.resize((480, 360), Image.Resampling.BOX))


def screenshot(rng: np.random.Generator, photograph: Pixels | None) -> Pixels:
    """A window with a bar, buttons, lines of text and, perhaps, a photograph in it."""
    canvas = Image.new("RGB", (640, 480), (240, 240, 244))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, 640, 28), fill=tuple(int(v) for v in rng.integers(30, 120, 3)))
    draw.rectangle((0, 28, 150, 480), fill=(225, 228, 233))
    font = ImageFont.load_default(12)
    for row in range(16):
        shift = int(rng.integers(len(WORDS)))
        draw.text((12, 40 + 27 * row), (WORDS * 2)[shift : shift + 18], fill=(60, 60, 70), font=font)
        draw.text((165, 40 + 27 * row), (WORDS * 2)[shift : shift + 70], fill=(20, 20, 20), font=font)
    for _ in range(3):
        x, y = int(rng.integers(160, 540)), int(rng.integers(60, 440))
        draw.rounded_rectangle((x, y, x + 90, y + 26), 6, fill=(0, 110, 220))
        draw.text((x + 20, y + 6), "Button", fill="white", font=font)
    if photograph is not None:
        canvas.paste(Image.fromarray(photograph).resize((300, 200)), (300, 220))
    return np.asarray(canvas)


def text_page(rng: np.random.Generator, *, size: int) -> Pixels:
    """Black letters on white, or a scan of them on slightly uneven paper."""
    canvas = Image.new("L", (600, 800), 255)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(size)
    for y in range(40, 760, round(size * 1.4)):
        shift = int(rng.integers(len(WORDS)))
        draw.text((40, y), (WORDS * 4)[shift : shift + 1000 // size], fill=10, font=font)
    page = np.asarray(canvas)
    if size % 4 == 0:
        paper = 0.9 + 0.05 * np.linspace(0, 1, 600) + rng.normal(0, 0.004, page.shape)
        page = np.clip(page * paper, 0, 255).astype(np.uint8)
    return page
