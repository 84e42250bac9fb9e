"""A before/after sheet as one PNG: both pictures, the places that changed most enlarged, and what was done in words."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from anew.codecs import storage
from anew.report.pictures import shown
from anew.restoration.automatic import left_out

if TYPE_CHECKING:
    from anew.restoration.automatic import Restoration

WIDTH = 1600  # pixels
MARGIN = 56
GAP = 24
MAX_HEIGHT = 1100  # of the two pictures
DETAILS = 3
PAPER, INK, QUIET, RULE = (250, 249, 246), (28, 30, 33), (112, 116, 122), (222, 220, 214)
KEPT, DROPPED = (22, 128, 82), (160, 98, 20)
LABEL, TEXT, LINE = 22, 24, 36  # sizes of type, and the distance of lines


def write_sheet(restoration: Restoration, path: str | Path) -> None:
    """Write the sheet of a restoration as PNG.

    Parameters
    ----------
    restoration : Restoration
    path : str or Path
        An older file there is replaced.

    Raises
    ------
    CannotWrite
        If it cannot be written.
    """
    encoded = io.BytesIO()
    make_sheet(restoration).save(encoded, format="PNG", compress_level=6)
    storage.save(str(path), encoded.getvalue(), overwrite=True)


def make_sheet(restoration: Restoration) -> Image.Image:
    """Draw the sheet of a restoration."""
    before, after = (shown(p, 4096) for p in (restoration.original, restoration.picture))
    side = (WIDTH - 2 * MARGIN - GAP) // 2
    scale = min(side / before.shape[1], MAX_HEIGHT / before.shape[0])
    size = (max(1, round(before.shape[1] * scale)), max(1, round(before.shape[0] * scale)))
    words = _words(restoration)
    details = _details(before, after) if restoration.changed else []
    detail_side = (WIDTH - 2 * MARGIN - (DETAILS - 1) * GAP) // DETAILS // 2
    top_of_details = MARGIN + LINE + 6 + size[1] + GAP
    top_of_words = top_of_details + (detail_side + GAP if details else 0) + 12
    sheet = Image.new("RGB", (WIDTH, top_of_words + _height(words) + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    for left, label, pixels in ((MARGIN, "before", before), (MARGIN + side + GAP, "after", after)):
        draw.text((left, MARGIN - 6), label, fill=QUIET, font=_font(LABEL))
        sheet.paste(_fitted(pixels, size), (left + (side - size[0]) // 2, MARGIN + LINE))
    for number, (rows, columns) in enumerate(details):
        left = MARGIN + number * (2 * detail_side + GAP)
        for half, pixels in enumerate((before, after)):
            piece = _fitted(pixels[rows, columns], (detail_side, detail_side))
            sheet.paste(piece, (left + half * detail_side, top_of_details))
        middle = left + detail_side
        draw.line((middle, top_of_details, middle, top_of_details + detail_side - 1), fill=PAPER, width=3)
    draw.line((MARGIN, top_of_words, WIDTH - MARGIN, top_of_words), fill=RULE, width=2)
    _draw_words(draw, words, top_of_words + 26)
    return sheet


@dataclass(frozen=True)
class _Words:
    """One column of text: a heading and its lines, each with the colour of its mark."""

    heading: str
    lines: tuple[tuple[str, tuple[int, int, int] | None], ...]


def _words(restoration: Restoration) -> tuple[_Words, _Words]:
    width = (WIDTH - 2 * MARGIN - 2 * GAP) // 2 - 26
    found = [f.message for f in restoration.diagnosis.findings] or ["Nothing wrong was found."]
    done: list[tuple[str, Any]] = [
        (
            f"{s.kind}: {s.task} by {s.method}, {s.seconds:.1f} s; {s.reason}"
            if s.kept
            else f"{s.kind}: left alone; {s.reason}",
            KEPT if s.kept else DROPPED,
        )
        for s in restoration.steps
    ]
    done += [(f"{kind}: left alone; the plan leaves it out", DROPPED) for kind in left_out(restoration)]
    if not restoration.changed:
        done.append(("The picture was given back as it came.", KEPT))
    return (
        _Words("found", tuple(line for text in found for line in _wrapped(text, QUIET, width))),
        _Words("done", tuple(line for text, mark in done for line in _wrapped(text, mark, width))),
    )


def _wrapped(text: str, mark: Any, width: int) -> list[tuple[str, Any]]:
    """Break a text into lines of at most ``width`` pixels; only the first carries the mark."""
    lines, current = [], ""
    for word in text.split():
        longer = f"{current} {word}".strip()
        if current and _font(TEXT).getlength(longer) > width:
            lines.append(current)
            current = word
        else:
            current = longer
    lines.append(current)
    return [(line, mark if n == 0 else None) for n, line in enumerate(lines)]


def _height(words: tuple[_Words, ...]) -> int:
    return 26 + LINE + max(len(column.lines) for column in words) * LINE


def _draw_words(draw: ImageDraw.ImageDraw, words: tuple[_Words, ...], top: int) -> None:
    column_width = (WIDTH - 2 * MARGIN - 2 * GAP) // 2
    for number, column in enumerate(words):
        left = MARGIN + number * (column_width + 2 * GAP)
        draw.text((left, top), column.heading, fill=QUIET, font=_font(LABEL))
        for row, (line, mark) in enumerate(column.lines, 1):
            y = top + row * LINE
            if mark is not None:
                draw.ellipse((left + 2, y + 10, left + 12, y + 20), fill=mark)
            draw.text((left + 26, y), line, fill=INK, font=_font(TEXT))


def _details(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> list[tuple[slice, slice]]:
    """Find the squares that changed most, apart from each other."""
    height, width = before.shape[:2]
    side = max(16, min(height, width) // 6)
    if min(height, width) < 2 * side:
        return []
    change = np.abs(after.astype(np.float32) - before.astype(np.float32)).mean(axis=2)
    total = cv2.boxFilter(np.sqrt(change), -1, (side, side), borderType=cv2.BORDER_CONSTANT)
    total[: side // 2] = total[height - side // 2 - 1 :] = -1
    total[:, : side // 2] = total[:, width - side // 2 - 1 :] = -1
    places = []
    for _ in range(DETAILS):
        y, x = np.unravel_index(int(np.argmax(total)), total.shape)
        top, left = int(y) - side // 2, int(x) - side // 2
        places.append((slice(top, top + side), slice(left, left + side)))
        total[max(0, top - side // 2) : top + 3 * side // 2, max(0, left - side // 2) : left + 3 * side // 2] = -2
    return sorted(places, key=lambda place: place[1].start)


def _fitted(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    shrinks = pixels.shape[1] > size[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return Image.fromarray(np.ascontiguousarray(cv2.resize(pixels, size, interpolation=how)))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
