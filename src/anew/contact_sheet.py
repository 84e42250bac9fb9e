"""A contact sheet: many pictures side by side, each with its name and one line about it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image

if TYPE_CHECKING:
    from PIL import ImageDraw

PAPER, INK, FAINT = (250, 249, 246), (28, 28, 30), (120, 118, 112)
MARGIN, GAP = 28, 18
NAME_SIZE, NOTE_SIZE, TITLE_SIZE = 17, 13, 24


@dataclass(frozen=True)
class Tile:
    """One picture of a sheet.

    Attributes
    ----------
    name : str
        Printed under the picture.
    image : (H, W) or (H, W, C) float array in [0, 1]; of more than 3 channels the first 3 are shown
    note : str
        A second, fainter line, e.g. the time it took.
    """

    name: str
    image: Image
    note: str = ""


def draw_contact_sheet(
    tiles: Sequence[Tile], *, title: str = "", tile_width: int = 360, columns: int | None = None
) -> NDArray[np.uint8]:
    """Draw the tiles on a grid.

    Parameters
    ----------
    tiles : sequence of Tile, at least one
    title : str
    tile_width : int >= 1
        Width of a picture on the sheet, in pixels. Larger pictures are shrunk, smaller ones enlarged by whole
        factors with visible pixels.
    columns : int >= 1, optional
        By default about as many as make the sheet square, at most 5.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    if not tiles:
        raise ValueError("a contact sheet needs at least one tile")
    if tile_width < 1 or (columns is not None and columns < 1):
        raise ValueError(f"tile_width and columns must be at least 1, got {tile_width} and {columns}")
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    shown = [_fit(tile.image, tile_width) for tile in tiles]
    columns = min(columns or min(5, math.ceil(math.sqrt(len(tiles)))), len(tiles))
    starts = range(0, len(tiles), columns)
    heights = [max(picture.shape[0] for picture in shown[i : i + columns]) for i in starts]  # of the rows
    caption = NAME_SIZE + NOTE_SIZE + 18
    top = MARGIN + (TITLE_SIZE + GAP if title else 0)
    width = 2 * MARGIN + columns * tile_width + (columns - 1) * GAP
    height = top + sum(heights) + len(heights) * caption + (len(heights) - 1) * GAP + MARGIN // 2
    sheet = PillowImage.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    if title:
        _write(draw, (MARGIN, MARGIN - 6), title, INK, TITLE_SIZE, width - 2 * MARGIN)
    for index, (tile, picture) in enumerate(zip(tiles, shown, strict=True)):
        row, column = divmod(index, columns)
        x = MARGIN + column * (tile_width + GAP)
        y = top + sum(heights[:row]) + row * (caption + GAP)
        sheet.paste(PillowImage.fromarray(picture), (x + (tile_width - picture.shape[1]) // 2, y))
        _write(draw, (x, y + heights[row] + 8), tile.name, INK, NAME_SIZE, tile_width)
        _write(draw, (x, y + heights[row] + 12 + NAME_SIZE), tile.note, FAINT, NOTE_SIZE, tile_width)
    return np.asarray(sheet)


def _fit(image: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Give the image as (h, w, 3) uint8 with w <= width and h <= 1.5 width."""
    import cv2

    x = image[:, :, None] if image.ndim == 2 else image
    x = np.repeat(x[:, :, :1], 3, axis=2) if x.shape[2] < 3 else x[:, :, :3]
    x = np.clip(np.nan_to_num(x), 0, 1).astype(np.float32)
    factor = min(width / x.shape[1], 1.5 * width / x.shape[0])
    if factor < 1:
        size = (max(1, round(x.shape[1] * factor)), max(1, round(x.shape[0] * factor)))
        x = np.asarray(cv2.resize(x, size, interpolation=cv2.INTER_AREA)).reshape(size[1], size[0], 3)
    elif factor >= 2:
        x = np.repeat(np.repeat(x, int(factor), axis=0), int(factor), axis=1)
    return np.rint(x * 255).astype(np.uint8)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _written(text: str, font: Any) -> str:
    """Give a text with the letters that the font has: others lose their accents, or become question marks."""
    box = bytes(font.getmask("\uffff"))  # what it draws for a letter that it lacks

    def nearest(letter: str) -> str:
        for candidate in (letter, unicodedata.normalize("NFKD", letter)[0]):
            if bytes(font.getmask(candidate)) != box:
                return candidate
        return "x" if letter == "×" else "?"

    return "".join(nearest(letter) for letter in unicodedata.normalize("NFC", text))


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, colour: tuple[int, int, int], size: int, width: int
) -> None:
    """Write one line, cut with an ellipsis where it would pass the width."""
    font = _font(size)
    text = _written(text, font)
    if draw.textlength(text, font) > width:
        while text and draw.textlength(text + "...", font) > width:
            text = text[:-1]
        text += "..."
    draw.text(at, text, colour, font)
