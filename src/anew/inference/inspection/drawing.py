"""The pictures of an inspection: heat maps with what is needed to read them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, luminance
from anew.contact_sheet import Tile, draw_contact_sheet
from anew.inference.inspection.receptive_field import ReceptiveField

PANEL = 440  # pixels, width of a picture on the sheet
DECADES = 7  # of influence that the logarithmic panel shows
GAMMA = 0.4  # brightens the close panel
RIM = 3  # pixels around what the close panel shows
FRAME = (90, 220, 255)
BOX_COLOURS = {0.5: (255, 255, 255), 0.9: (190, 235, 255), 0.99: (110, 190, 255)}


def heat(values: NDArray[np.floating]) -> Image:
    """Give (H, W) values in [0, 1] as (H, W, 3) colours from black over violet and orange to light yellow."""
    import cv2

    grey = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[:, :, ::-1]
    return np.asarray(colours, np.float32) / np.float32(255)


def receptive_field_tiles(field: ReceptiveField, *, structural: tuple[int, int] | None = None) -> list[Tile]:
    """Draw the influence by offset: near the middle, and all of it on a logarithmic scale.

    Parameters
    ----------
    field : ReceptiveField
    structural : (int, int), optional
        Height and width that the wiring allows.
    """
    reach = field.influence.shape[0] // 2
    strength = field.influence / max(float(field.influence.max()), 1e-300)
    near = min(reach, int(max(field.radius.values())) + RIM)
    far = min(reach, max(field.support) // 2 + RIM)
    close = _panel(strength**GAMMA, near, field, field.radius)
    with np.errstate(divide="ignore"):
        whole = _panel(1 + np.log10(strength) / DECADES, far, field, {})
    squares = ", ".join(f"{share:.0%} in {_side(field, share)}" for share in field.radius)
    tall, wide = field.support
    least = "at least " if field.cut else ""
    allowed = f"; the wiring allows {structural[1]} x {structural[0]}" if structural else ""
    return [
        Tile("influence on a pixel, brightened", close, squares),
        Tile("the same over seven decades", whole, f"reaches {least}{wide} x {tall} pixels{allowed}"),
    ]


def saliency_tiles(
    picture: Image,
    saliency: NDArray[np.float64],
    *,
    asked: str,
    result: Image | None = None,
    region: tuple[slice, slice] | None = None,
) -> list[Tile]:
    """Draw a picture, what the network made of it, and which parts of the picture mattered.

    Parameters
    ----------
    picture : (H, W, C) float array in [0, 1]
    saliency : (H, W) float array, >= 0
    asked : str
        What was asked of the network.
    result : (h, w, C) float array, optional
    region : (rows, columns), optional
        Of the picture: where the answer was looked at.
    """
    strength = np.sqrt(saliency / max(float(saliency.max()), 1e-300)).astype(np.float32)
    factor = max(1, PANEL // picture.shape[1])
    grey = np.repeat(luminance(picture)[:, :, None], 3, axis=2).clip(0, 1)
    shown = grey * 0.35 * (1 - strength[:, :, None]) + heat(strength)
    panels = [_enlarged(x, factor) for x in (picture, shown.clip(0, 1))]
    if region is not None:
        panels = [_framed(panel, [_corners(region, factor)], [FRAME]) for panel in panels]
    tiles = [Tile("input", panels[0], f"{picture.shape[1]} x {picture.shape[0]} pixels")]
    if result is not None:
        tiles.append(Tile("output", _enlarged(result, max(1, PANEL // result.shape[1])), ""))
    return [*tiles, Tile("what matters (square root)", panels[1], asked)]


def draw_row(tiles: Sequence[Tile], title: str) -> NDArray[np.uint8]:
    """Draw tiles side by side."""
    return draw_contact_sheet(tiles, title=title, tile_width=PANEL, columns=len(tiles))


def _panel(
    strength: NDArray[np.float64], radius: int, field: ReceptiveField, squares: dict[float, float]
) -> NDArray[np.float32]:
    """Cut out the offsets up to a radius, colour and enlarge them, and draw the squares that hold each share."""
    middle = strength.shape[0] // 2
    cut = strength[middle - radius : middle + radius + 1, middle - radius : middle + radius + 1]
    nearest = np.arange(PANEL) * cut.shape[0] // PANEL
    factor, centre = PANEL / cut.shape[0], radius + (field.cell - 1) / 2
    boxes = []
    for half in squares.values():
        first, last = round((centre - half) * factor), round((centre + half + 1) * factor) - 1
        boxes.append((first, first, last, last))
    names = [f"{share:.0%}" for share in squares]
    return _framed(heat(cut)[np.ix_(nearest, nearest)], boxes, [BOX_COLOURS[share] for share in squares], names)


def _side(field: ReceptiveField, share: float) -> str:
    side = round(2 * field.radius[share]) + 1
    return f"{side} x {side}"


def _enlarged(image: Image, factor: int) -> Image:
    x = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
    return np.asarray(x.clip(0, 1), np.float32).repeat(factor, axis=0).repeat(factor, axis=1)


def _corners(region: tuple[slice, slice], factor: int) -> tuple[int, int, int, int]:
    rows, columns = region
    return columns.start * factor, rows.start * factor, columns.stop * factor - 1, rows.stop * factor - 1


def _framed(
    image: Image,
    boxes: Sequence[tuple[int, int, int, int]],
    colours: Sequence[tuple[int, int, int]],
    names: Sequence[str] = (),
) -> NDArray[np.float32]:
    """Draw frames, (left, top, right, bottom), on an (H, W, 3) picture, with a name in the corner of each."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    canvas = Pillow.fromarray(np.rint(image * 255).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for box, colour in zip(boxes, colours, strict=True):
        draw.rectangle(box, outline=colour, width=2)
    for box, colour, name in zip(boxes, colours, names, strict=False):
        draw.text((box[0] + 6, box[1] + 3), name, colour, ImageFont.load_default(14))
    return np.asarray(canvas, np.float32) / np.float32(255)
