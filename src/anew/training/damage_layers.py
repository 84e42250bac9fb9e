"""What is laid over photographs to train a detector of scratches and dust: film overlays, drawn layers, and lookalikes.

A layer is linear in the picture beneath, y = (1 - a) x + p: a is its opacity (negative where it brightens, as on one
side of a fold) and p what it adds in white light. Any degradation that is linear is measured from two pictures, black
and white: p is what it makes of black, and a = 1 - (y_white - y_black).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image
from anew.degradations.cracks import cracks
from anew.degradations.degraded import Degraded
from anew.degradations.scratches import scratches
from anew.degradations.stains import dust
from anew.degradations.tears import folds

SIDE = 400  # of a layer, in pixels
# Film overlays and what is drawn, with the odds of each among the layers. Blots are left out: nothing tells a white
# blot from a white thing.
SOURCES = {
    "scratches": 5.0,
    "hair": 1.5,
    "hair-short": 1.0,
    "lint": 1.5,
    "dirt": 1.0,
    "spots": 1.0,
    "sprinkles": 1.0,
    "drawn scratches": 5.0,
    "drawn hairs": 1.0,
    "drawn folds": 1.0,
    "drawn cracks": 2.5,
    "drawn dust": 1.5,
}
ANCHORS = 64  # damaged pixels of a layer that crops are laid around


@dataclass(frozen=True)
class Layer:
    """One covering.

    Attributes
    ----------
    source : str
        A key of ``SOURCES``.
    opacity : (400, 400) int8 array
        a * 127.
    paint : (400, 400) uint8 array
        p * 255.
    anchors : (n, 2) int array
        Row and column of some damaged pixels.
    """

    source: str
    opacity: NDArray[np.int8]
    paint: NDArray[np.uint8]
    anchors: NDArray[np.int64]


def make_layer(source: str, opacity: Image, paint: Image, rng: np.random.Generator) -> Layer | None:
    """Pack a layer; None if there is hardly anything on it."""
    places = np.argwhere(opacity > min(0.3, 0.5 * float(opacity.max())))
    if len(places) < 8:
        return None
    chosen = places[rng.integers(len(places), size=ANCHORS)]
    return Layer(
        source,
        np.rint(opacity.clip(-1, 1) * 127).astype(np.int8),
        np.rint(paint.clip(0, 1) * 255).astype(np.uint8),
        chosen,
    )


def film_overlays(folder: Path, start: int, step: int) -> Iterator[tuple[str, Image]]:
    """Give (kind, opacity) of every ``step``-th overlay of each kind: a folder of folders of RGBA images, all white."""
    from PIL import Image as Pillow

    for kind in sorted(path for path in folder.iterdir() if path.is_dir() and path.name in SOURCES):
        for path in sorted(kind.glob("*.png"))[start::step]:
            with Pillow.open(path) as image:
                alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
            yield kind.name, np.asarray(alpha / np.float32(255), np.float32)


def film_layers(folder: Path, start: int, step: int, rng: np.random.Generator) -> list[Layer]:
    """Read film overlays as layers, cut or padded to their side."""
    layers = []
    for kind, alpha in film_overlays(folder, start, step):
        square = np.zeros((SIDE, SIDE), np.float32)
        cut = alpha[:SIDE, :SIDE]
        square[: cut.shape[0], : cut.shape[1]] = cut
        layers.append(make_layer(kind, square, square, rng))
    return [layer for layer in layers if layer is not None]


def drawn_layers(count: int, rng: np.random.Generator) -> list[Layer]:
    """Draw ``count`` layers of each of scratches, hairs, dust, folds and cracks, of varying density and width."""
    layers = []
    for source in ("drawn scratches", "drawn hairs", "drawn dust", "drawn folds", "drawn cracks"):
        for _ in range(count):
            width, density, seed = float(rng.uniform(0.7, 2.5)), float(rng.random()), int(rng.integers(2**31))
            black, white = (
                _drawn(source, np.full((SIDE, SIDE), value, np.float32), width, density, seed).image
                for value in (0.0, 1.0)
            )
            layers.append(make_layer(source, 1 - (white - black), black, rng))
    return [layer for layer in layers if layer is not None]


def _drawn(source: str, image: Image, width: float, density: float, seed: int) -> Degraded:
    """Damage an image; the same seed draws the same damage on any."""
    match source:
        case "drawn scratches":
            count, length = round(3 + 13 * density), 0.2 + 0.4 * (seed % 7) / 6
            return scratches(image, count=count, width=width, length=length, dark=0, rng=seed)
        case "drawn hairs":
            return dust(image, count=0, hairs=round(2 + 3 * density), dark=0, rng=seed)
        case "drawn dust":
            return dust(image, count=round(60 + 120 * density), hairs=0, dark=0, rng=seed)
        case "drawn cracks":
            return cracks(image, count=round(1 + 7 * density), width=width, forks=seed % 9, rng=seed)
        case _:
            return folds(image, count=1 + seed % 2, width=width, flaking=0.2 + 0.6 * density, rng=seed)


def lookalikes(count: int, rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """Draw clean pictures with thin lines and dots, in turn of each sort, as (400, 400, 3) uint8 arrays."""
    sorts = (_text, _drawing, _wires, _strands, _grid, _night, _screen, _rigging, _chart)
    return [np.ascontiguousarray(sorts[k % len(sorts)](rng)) for k in range(count)]


def _text(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Lines of letters in ink on paper, or light on dark."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    ink, paper = (rng.integers(0, 90, 3), rng.integers(190, 256, 3))[:: 1 if rng.random() < 0.75 else -1]
    canvas = Pillow.new("RGB", (SIDE, SIDE), tuple(paper.tolist()))
    pen, size = ImageDraw.Draw(canvas), int(rng.integers(9, 34))
    font = ImageFont.load_default(size)
    for y in range(int(rng.integers(4, 30)), SIDE, round(size * rng.uniform(1.2, 1.8))):
        letters = "".join(chr(int(c)) for c in rng.choice([*range(97, 123), 32, 32, 32, 44, 46, 65, 72, 84], 90))
        pen.text((10, y), letters, fill=tuple(ink.tolist()), font=font)
    return np.asarray(canvas)


def _drawing(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A line drawing: polygons, curves and hatching."""
    import cv2

    ink, paper = (rng.integers(0, 100, 3), rng.integers(180, 256, 3))[:: 1 if rng.random() < 0.7 else -1]
    canvas = np.full((SIDE, SIDE, 3), paper, np.uint8)
    for _ in range(int(rng.integers(6, 24))):
        points = np.cumsum(rng.normal(0, 45, (int(rng.integers(2, 9)), 2)), axis=0) + rng.random(2) * SIDE
        closed, thick = bool(rng.random() < 0.4), int(rng.integers(1, 4))
        cv2.polylines(canvas, [np.rint(points).astype(np.int32)], closed, ink.tolist(), thick, cv2.LINE_AA)
    for k in range(int(rng.integers(0, 30))):
        start = np.array([40 + 5 * k, 60]) + rng.integers(0, 3, 2)
        cv2.line(canvas, start.tolist(), (start + np.array([60, 90])).tolist(), ink.tolist(), 1, cv2.LINE_AA)
    return canvas


def _wires(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Dark, sagging wires, poles and branches before a sky."""
    import cv2

    canvas = _sky(rng)
    dark = rng.integers(0, 90, 3).tolist()
    x = np.arange(-20, SIDE + 20)
    slope, height = rng.normal(0, 0.15), rng.uniform(40, 300)
    for k in range(int(rng.integers(1, 7))):
        y = height + 9 * k + slope * x + rng.uniform(0, 30) * ((x - SIDE / 2) / SIDE) ** 2 * 4
        cv2.polylines(canvas, [np.rint(np.stack([x, y], 1)).astype(np.int32)], False, dark, 1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        _branch(canvas, rng, rng.random(2) * SIDE, rng.uniform(0, 2 * np.pi), int(rng.integers(40, 140)), dark)
    return canvas


def _rigging(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Masts, and the ropes between them, light or dark, before a sky."""

    canvas = _sky(rng)
    tops = []
    for x in rng.uniform(0.05, 0.95, int(rng.integers(1, 5))) * SIDE:
        top, lean = rng.uniform(-40, 0.5 * SIDE), rng.normal(0, 12)
        colour, thick = (rng.uniform(0, 255) * rng.uniform(0.85, 1, 3)).tolist(), int(rng.integers(2, 8))
        _stroke(canvas, (x, SIDE + 5), (x + lean, top), colour, thick)
        tops.append((x + lean, top))
    for _ in range(int(rng.integers(3, 14))):
        start = tops[int(rng.integers(len(tops)))]
        end = tops[int(rng.integers(len(tops)))] if rng.random() < 0.3 else (rng.uniform(-0.3, 1.3) * SIDE, SIDE)
        colour = (rng.uniform(0, 255) * rng.uniform(0.85, 1, 3)).tolist()
        _stroke(canvas, start, (end[0], end[1] + rng.uniform(-80, 80)), colour, 1 + int(rng.random() < 0.3))
    return canvas


def _strands(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Hair, grass or straw: very many fine lines that run nearly alike, light and dark."""
    import cv2

    canvas = np.full((SIDE, SIDE, 3), rng.integers(20, 200, 3), np.uint8)
    tint, heading = rng.uniform(0.5, 1, 3), rng.uniform(0, np.pi)
    for _ in range(int(rng.integers(250, 900))):
        start, turn = rng.random(2) * SIDE, heading + rng.normal(0, 0.15)
        steps = np.arange(0, rng.uniform(40, 200), 6)
        bend = turn + rng.normal(0, 0.004) * steps
        points = start + np.cumsum(6 * np.stack([np.cos(bend), np.sin(bend)], 1), axis=0)
        colour = (rng.uniform(20, 255) * tint).tolist()
        cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, colour, 1, cv2.LINE_AA)
    return canvas


def _grid(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A fence, a window, ruled or squared paper before a soft background."""
    import cv2

    canvas = _sky(rng)
    colour = rng.integers(0, 256, 3).tolist()
    pitch, slant, thick = int(rng.integers(8, 50)), rng.uniform(-0.6, 0.6), int(rng.integers(1, 3))
    for k in range(-SIDE, 2 * SIDE, pitch):
        cv2.line(canvas, (k, 0), (round(k + slant * SIDE), SIDE), colour, thick, cv2.LINE_AA)
        if pitch % 2:
            cv2.line(canvas, (0, k), (SIDE, round(k - slant * SIDE)), colour, thick, cv2.LINE_AA)
    return canvas


def _night(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Stars, street lamps and their trails."""
    import cv2

    canvas = (_sky(rng) * rng.uniform(0.05, 0.25)).astype(np.uint8)
    for x, y in rng.integers(0, SIDE, (int(rng.integers(20, 200)), 2)).tolist():
        light = (rng.uniform(90, 255) * rng.uniform(0.8, 1, 3)).tolist()
        cv2.circle(canvas, (x, y), int(rng.random() < 0.15), light, -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.5, 1.2)))
    return np.asarray(cv2.add(canvas, soft), np.uint8)


def _screen(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A window with bars, boxes, thin rules and a curve."""
    import cv2

    canvas = np.full((SIDE, SIDE, 3), rng.integers(225, 256), np.uint8)
    for _ in range(int(rng.integers(3, 10))):
        corner, colour = rng.integers(0, SIDE - 60, 2), rng.integers(0, 256, 3).tolist()
        end = corner + rng.integers(20, 160, 2)
        cv2.rectangle(canvas, corner.tolist(), end.tolist(), colour, -1 if rng.random() < 0.5 else 1)
    x = np.arange(0, SIDE, 4)
    y = SIDE / 2 + np.cumsum(rng.normal(0, 6, len(x)))
    colour = rng.integers(0, 200, 3).tolist()
    cv2.polylines(canvas, [np.rint(np.stack([x, y], 1)).astype(np.int32)], False, colour, 1, cv2.LINE_AA)
    return canvas


def _chart(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A plot or a table of a document or a slide: a field with light or dark grid lines, curves or bars, labels."""
    import cv2
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    canvas = np.full((SIDE, SIDE, 3), rng.integers(200, 256, 3) if rng.random() < 0.6 else rng.integers(0, 256, 3))
    left, top = rng.integers(10, 70, 2).tolist()
    right, bottom = (SIDE - rng.integers(5, 70, 2)).tolist()
    canvas[top:bottom, left:right] = _sky(rng)[top:bottom, left:right] * rng.uniform(0.2, 1)
    canvas = np.ascontiguousarray(canvas, np.uint8)
    ink = (rng.integers(200, 256, 3) if rng.random() < 0.6 else rng.integers(0, 256, 3)).tolist()
    thick, columns, rows = int(rng.random() < 0.25) + 1, int(rng.integers(0, 12)), int(rng.integers(2, 14))
    dash = int(rng.integers(2, 9)) if rng.random() < 0.25 else None
    before = canvas.copy()
    for x in np.linspace(left, right, columns + 1)[:columns].round().astype(int).tolist():
        cv2.line(canvas, (x, top), (x, bottom), ink, thick)
    for y in np.linspace(top, bottom, rows + 1).round().astype(int).tolist():
        cv2.line(canvas, (left, y), (right, y), ink, thick)
    if dash is not None:
        gaps = np.add.outer(np.arange(SIDE), np.arange(SIDE)) // dash % 2 == 0
        canvas[gaps] = before[gaps]
    x = np.linspace(left, right, int(rng.integers(4, 40)))
    for _ in range(int(rng.integers(0, 4))):
        y = rng.uniform(top, bottom) + np.cumsum(rng.normal(0, 12, len(x)))
        points, colour = np.stack([x, y.clip(top, bottom)], 1), rng.integers(0, 256, 3).tolist()
        if rng.random() < 0.3:
            for place, height in np.rint(points).astype(int).tolist():
                cv2.rectangle(canvas, (place, height), (place + max(2, 150 // len(x)), bottom), colour, -1)
        else:
            cv2.polylines(
                canvas, [np.rint(points).astype(np.int32)], False, colour, int(rng.integers(1, 3)), cv2.LINE_AA
            )
    labelled = Pillow.fromarray(canvas)
    pen, font = ImageDraw.Draw(labelled), ImageFont.load_default(int(rng.integers(8, 15)))
    for y in np.linspace(top, bottom, rows + 1).tolist():
        pen.text((4, y - 6), f"{rng.uniform(0, 100):.1f}", fill=tuple(rng.integers(0, 120, 3).tolist()), font=font)
    return np.asarray(labelled)


def _stroke(
    canvas: NDArray[np.uint8], start: tuple[float, float], end: tuple[float, float], ink: list[float], thick: int
) -> None:
    """Draw a straight line between points in fractions of a pixel."""
    import cv2

    ends = np.rint(16 * np.array([start, end])).astype(int).tolist()
    cv2.line(canvas, ends[0], ends[1], ink, thick, cv2.LINE_AA, shift=4)


def _sky(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A smooth gradient."""
    import cv2

    small = rng.uniform(60, 255, 3) + rng.uniform(-50, 50, (3, 3, 1)) + rng.uniform(-15, 15, (3, 3, 3))
    large = cv2.resize(small.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large.clip(0, 255), np.uint8)


def _branch(
    canvas: NDArray[np.uint8],
    rng: np.random.Generator,
    start: NDArray[np.float64],
    turn: float,
    reach: int,
    ink: list[int],
) -> None:
    """Draw a twig that forks while it is long."""
    import cv2

    end = start + reach * np.array([np.cos(turn), np.sin(turn)])
    thick = max(1, reach // 40)
    cv2.line(canvas, np.rint(start).astype(int).tolist(), np.rint(end).astype(int).tolist(), ink, thick, cv2.LINE_AA)
    if reach > 12:
        for side in (-1, 1):
            _branch(canvas, rng, end, turn + side * rng.uniform(0.2, 0.7), int(reach * rng.uniform(0.5, 0.75)), ink)
