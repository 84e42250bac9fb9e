"""Pictures that no camera took, drawn as further training images: pages, windows, cartoons, charts, patterns.

Photographs hold few flat areas, hard edges and letters. A network that saw nothing else smears text and leaves what it
takes for fine grain on flat colour, where the right answer is plain. Every picture is drawn from the random state
alone, so that a recipe needs no further data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from anew.arrays import luminance
from anew.training.data import ImageSet, joined, pack

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]
LETTERS = "eeeeeeeetttttaaaaooooiiiinnnnsssshhhrrrddlluuccmmwwffggyyppbbvvkxjqz"  # about as often as in English
OTHERS = "ETAOINSHRDLUCMWF0123456789.,;:!?()-+=/%&@#'\"<>[]"
SIDE = 256  # of a picture, in pixels
SIZES = (8, 30)  # of letters, in pixels


def with_drawings(images: ImageSet, share: float, least: int, seed: int) -> ImageSet:
    """Add drawn pictures, so many that ``share`` of the crops comes from them.

    Parameters
    ----------
    images : ImageSet of 1 or 3 channels
        Of one channel, luma is added.
    share : float in [0, 1)
    least : int
        Side that a crop needs, in pixels.
    seed : int
    """
    if not share:
        return images
    side = max(SIDE, least)
    count = math.ceil(share / (1 - share) * len(images.pixels) / side**2)
    drawn = drawings(count, side, np.random.default_rng(seed))
    if images.pixels.shape[1] == 1:
        drawn = [np.rint(luminance(picture.astype(np.float32)))[:, :, None].astype(np.uint8) for picture in drawn]
    return joined(images, pack(drawn))


def drawings(count: int, side: int, rng: np.random.Generator) -> list[Pixels]:
    """Draw pictures, in turn of each sort, as (side, side, 3) uint8 arrays."""
    sorts = (_page, _window, _cartoon, _page, _chart, _cartoon, _pattern)
    return [np.ascontiguousarray(sorts[k % len(sorts)](side, rng)) for k in range(count)]


def _page(side: int, rng: np.random.Generator) -> Pixels:
    """Lines of letters, dark on light or light on dark, of one or two sizes."""
    ink, paper = _ink_and_paper(rng)
    heading, body = (_font(rng) for _ in range(2))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        y = int(rng.integers(-8, 20))
        while y < side:
            font = heading if rng.random() < 0.15 else body
            pen.text((int(rng.integers(-10, 30)), y), _words(70, rng), fill=ink, font=font, stroke_width=_stroke(rng))
            y += round(font.size * rng.uniform(1.1, 1.7))

    if rng.random() < 0.3:
        return _fringed(side, paper, draw)
    return _smooth(side, paper, draw, zoom=1)


def _window(side: int, rng: np.random.Generator) -> Pixels:
    """What a screen shows: bars, boxes, buttons, rules and labels on flat colour, no edge softened but the letters'."""
    ink, paper = _ink_and_paper(rng)
    accents = [_colour(rng) for _ in range(3)] + [paper, _between(ink, paper, 0.15), _between(ink, paper, 0.3)]

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(int(rng.integers(4, 14))):
            x, y = rng.integers(-20, side, 2).tolist()
            w, h = rng.integers(8, side // 2, 2).tolist()
            fill, outline = accents[rng.integers(len(accents))], accents[rng.integers(len(accents))]
            radius = int(rng.integers(0, 9)) if rng.random() < 0.5 else 0
            pen.rounded_rectangle((x, y, x + w, y + h // int(rng.integers(1, 5)) + 4), radius, fill, outline)
        for _ in range(int(rng.integers(6, 26))):
            x, y = rng.integers(-20, side - 20, 2).tolist()
            fill = ink if rng.random() < 0.7 else accents[rng.integers(len(accents))]
            pen.text(
                (x, y), _words(int(rng.integers(3, 40)), rng), fill=fill, font=_font(rng), stroke_width=_stroke(rng)
            )
        for _ in range(int(rng.integers(0, 6))):
            y, x, reach = rng.integers(0, side, 3).tolist()
            ends = (x, y, x + reach, y) if rng.random() < 0.6 else (x, y, x, y + reach)
            pen.line(ends, fill=accents[rng.integers(len(accents))], width=1)

    return _fringed(side, paper, draw) if rng.random() < 0.15 else _smooth(side, paper, draw, zoom=1)


def _cartoon(side: int, rng: np.random.Generator) -> Pixels:
    """Flat or shaded shapes with and without outlines, and strokes, of few colours."""
    zoom = int(rng.choice([1, 2, 3, 4]))
    outline, thick = _ink_and_paper(rng)[0], zoom * int(rng.integers(1, 5))
    palette = [_colour(rng) for _ in range(int(rng.integers(2, 8)))]
    outlined = rng.random()

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for _ in range(int(rng.integers(6, 40))):
            points = _shape(rng, zoom * side)
            if rng.random() < 0.75:
                pen.polygon(points, fill=palette[rng.integers(len(palette))])
                if rng.random() < outlined:
                    pen.line([*points, points[0]], fill=outline, width=thick, joint="curve")
            else:
                width = zoom * int(rng.integers(1, 7))
                pen.line(
                    points[: len(points) // 2], fill=palette[rng.integers(len(palette))], width=width, joint="curve"
                )

    flat = _smooth(side, palette[0], draw, zoom)
    if rng.random() < 0.3:  # lit from one side
        slope = np.add.outer(*(rng.uniform(-0.5, 0.5) * np.linspace(-1, 1, side) for _ in range(2)))
        flat = np.rint(flat * (1 + 0.5 * slope[:, :, None])).clip(0, 255).astype(np.uint8)
    return flat


def _chart(side: int, rng: np.random.Generator) -> Pixels:
    """A plot: axes, grid lines, curves, bars, points and numbers."""
    zoom = int(rng.integers(1, 4))
    ink, paper = _ink_and_paper(rng)
    grid = _between(ink, paper, rng.uniform(0.1, 0.4))
    left, bottom = int(rng.integers(10, 50)), side - int(rng.integers(10, 40))

    def draw(pen: ImageDraw.ImageDraw) -> None:
        for x in np.linspace(left, side, int(rng.integers(2, 12))).tolist():
            pen.line((zoom * x, 0, zoom * x, zoom * bottom), fill=grid, width=zoom)
        for y in np.linspace(0, bottom, int(rng.integers(2, 12))).tolist():
            pen.line((zoom * left, zoom * y, zoom * side, zoom * y), fill=grid, width=zoom)
        for _ in range(int(rng.integers(1, 5))):
            colour, count = _colour(rng), int(rng.integers(4, 40))
            x = np.linspace(left, side, count)
            y = (rng.uniform(0, bottom) + np.cumsum(rng.normal(0, side / 15, count))).clip(0, bottom)
            points = [(zoom * a, zoom * b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
            match rng.integers(3):
                case 0:
                    pen.line(points, fill=colour, width=zoom * int(rng.integers(1, 4)), joint="curve")
                case 1:
                    wide = zoom * (side - left) / count * rng.uniform(0.3, 0.9)
                    for a, b in points:
                        pen.rectangle((a, b, a + wide, zoom * bottom), fill=colour)
                case _:
                    reach = zoom * rng.uniform(1, 5)
                    for a, b in points:
                        pen.ellipse((a - reach, b - reach, a + reach, b + reach), fill=colour)
        pen.line((zoom * left, 0, zoom * left, zoom * bottom), fill=ink, width=zoom)
        pen.line((zoom * left, zoom * bottom, zoom * side, zoom * bottom), fill=ink, width=zoom)

    canvas = Image.fromarray(_smooth(side, paper, draw, zoom))
    pen, font = ImageDraw.Draw(canvas), _font(rng, largest=15)
    for y in np.linspace(0, bottom, 8).tolist():
        pen.text((2, y), f"{rng.uniform(0, 100):.1f}", fill=ink, font=font)
        pen.text((left + y, bottom + 3), f"{rng.integers(0, 100)}", fill=ink, font=font)
    return np.asarray(canvas)


def _pattern(side: int, rng: np.random.Generator) -> Pixels:
    """Stripes, checks, rings or dots of two colours over a gradient, their edges sharp or softened over a pixel."""
    y, x = np.mgrid[:side, :side].astype(np.float64)
    turn, pitch = rng.uniform(0, np.pi), rng.uniform(3, 40)
    u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
    radius = np.hypot(x - rng.uniform(0, side), y - rng.uniform(0, side))
    waves = [np.sin(2 * np.pi * w / pitch) for w in (u, v, radius)]
    wave = [waves[0], waves[0] * waves[1], waves[2], waves[0] + waves[1] - rng.uniform(-0.5, 1)][rng.integers(4)]
    steep = pitch / rng.uniform(1.5, 6)
    mask = (0.5 + steep * wave).clip(0, 1)[:, :, None]
    first, second, third = (np.array(_colour(rng), np.float64) for _ in range(3))
    ground = (
        second + (third - second) * (np.add.outer(np.linspace(0, 1, side), np.linspace(0, 1, side)) / 2)[:, :, None]
    )
    return np.rint(mask * first + (1 - mask) * ground).astype(np.uint8)


def _smooth(side: int, paper: Colour, draw: Callable[[ImageDraw.ImageDraw], None], zoom: int) -> Pixels:
    """Draw ``zoom`` times as large and average; at 1, lines and areas keep their steps, as in old programs."""
    canvas = Image.new("RGB", (zoom * side, zoom * side), paper)
    draw(ImageDraw.Draw(canvas))
    return np.asarray(canvas.resize((side, side), Image.Resampling.BOX))


def _fringed(side: int, paper: Colour, draw: Callable[[ImageDraw.ImageDraw], None]) -> Pixels:
    """Draw with the colour fringes of a screen whose red, green and blue lie side by side."""
    canvas = Image.new("RGB", (side, side), paper)
    draw(ImageDraw.Draw(canvas))
    wide = np.asarray(canvas.resize((3 * side, side), Image.Resampling.BICUBIC))
    return np.stack([np.roll(wide, 1 - c, axis=1)[:, 1::3, c] for c in range(3)], axis=2)


def _shape(rng: np.random.Generator, side: int) -> list[tuple[float, float]]:
    """Give the corners of a polygon, a box or a blob, anywhere on the picture and partly outside."""
    count = int(rng.choice([3, 4, 5, 7, 48]))
    turns = np.sort(rng.uniform(0, 2 * np.pi, count)) if count < 48 else np.linspace(0, 2 * np.pi, count)
    reach = side * rng.uniform(0.02, 0.35) * (1 + 0.3 * np.sin(int(rng.integers(0, 6)) * turns + rng.uniform(0, 6)))
    stretch, centre = rng.uniform(0.4, 1, 2), rng.uniform(0, side, 2)
    x, y = centre[0] + stretch[0] * reach * np.cos(turns), centre[1] + stretch[1] * reach * np.sin(turns)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def _words(count: int, rng: np.random.Generator) -> str:
    """Give about as many letters, in words."""
    letters = [LETTERS[k] for k in rng.integers(len(LETTERS), size=count)]
    for k in np.flatnonzero(rng.random(count) < 0.1):
        letters[k] = OTHERS[rng.integers(len(OTHERS))]
    for k in np.flatnonzero(rng.random(count) < 0.17):
        letters[k] = " "
    return "".join(letters)


def _font(rng: np.random.Generator, largest: int = SIZES[1]) -> ImageFont.FreeTypeFont:
    """Give Pillow's own typeface; small letters come more often."""
    size = SIZES[0] + (largest - SIZES[0]) * float(rng.random()) ** 2
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's package carries it
    return font


def _stroke(rng: np.random.Generator) -> float:
    """Make one line in five bold, by pixels added on either side of each stroke."""
    return float(rng.choice([0.4, 0.8])) if rng.random() < 0.2 else 0.0


def _ink_and_paper(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Give a dark and a light colour, in this order three times of four."""
    dark = (0, 0, 0) if rng.random() < 0.4 else _triple(rng.integers(0, 110, 3))
    light = (255, 255, 255) if rng.random() < 0.5 else _triple(rng.integers(170, 256, 3))
    return (dark, light) if rng.random() < 0.75 else (light, dark)


def _between(first: Colour, second: Colour, share: float) -> Colour:
    return _triple(np.array(second) + share * (np.array(first) - np.array(second)))


def _colour(rng: np.random.Generator) -> Colour:
    """Give any colour; one in four is black, white or a pure one."""
    return _triple(rng.choice([0, 255], 3) if rng.random() < 0.25 else rng.integers(0, 256, 3))


def _triple(levels: NDArray[np.integer] | NDArray[np.floating] | Sequence[float]) -> Colour:
    red, green, blue = np.rint(np.asarray(levels)).astype(int).tolist()
    return red, green, blue
