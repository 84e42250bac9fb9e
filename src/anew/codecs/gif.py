"""GIF through Pillow: frames are shown whole, and written with a palette each.

A frame of at most 256 colours is written exactly; one with more is reduced to 256 (median cut, no dithering). Alpha is
on or off: from another format anything between is refused, in a changed GIF it is rounded. Durations are rounded to
hundredths of a second, as the format demands. The recipe is a comment.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options, quiet_library
from anew.codecs.raster import Kind, Raster, exact_palette, has_transparency
from anew.errors import CannotWrite, UnreadableImage

RECIPE = b"anew:recipe "
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
CONTROL, COMMENT, APPLICATION = 0xF9, 0xFE, 0xFF


@dataclass
class Structure:
    """What the blocks say: extent of the canvas, frames, comments, and where the pixels of the first frame are."""

    width: int
    height: int
    frames: int = 0
    comments: list[bytes] = field(default_factory=list)
    first_data: tuple[int, int] = (0, 0)
    first_block: int = 0


def decode(data: bytes, budget: Budget) -> Source:
    """Read a GIF, every frame as a player shows it."""
    from PIL import Image

    structure = _walk(data)
    count = structure.frames
    budget.check(structure.width, structure.height, count)
    recipe, comment = _texts(structure.comments)
    common = Facts(format="GIF", mode="P", text=comment, lossless=True, frames=count, recipe=recipe)
    rasters, facts = [], []
    with quiet_library(), Image.open(io.BytesIO(data), formats=["GIF"]) as image:
        for index in range(count):
            image.seek(index)
            raster = _indexed(image) if count == 1 else _canvas(image)
            rasters.append(raster)
            if raster.palette is not None:
                common = replace(common, palette=tuple(tuple(entry) for entry in raster.palette.tolist()))
            if count > 1:
                common = replace(
                    common,
                    frame=index,
                    duration=float(image.info.get("duration", 0)),
                    loop=image.info.get("loop"),
                    disposal=getattr(image, "disposal_method", None),
                )
            facts.append(common)
    return Source("GIF", data, tuple(rasters), tuple(facts))


def suit(kind: Kind) -> Kind:
    """Give the nearest kind: a palette as it is, else 8 bits, which ``encode`` makes a palette of."""
    return kind if kind.space == "palette" else Kind("grey" if kind.space == "grey" else "rgb", kind.alpha, 255)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a GIF, every frame whole and with its own palette."""
    height, width = rasters[0].samples.shape[:2]
    if max(height, width) > 65535:
        raise CannotWrite(f"{width} x {height} pixels are more than GIF's 65535 (write PNG)")
    if len({r.samples.shape[:2] for r in rasters}) > 1:
        raise CannotWrite("the frames of a GIF animation must be of one size (write TIFF instead)")
    if options.source is None and any(_is_half_clear(raster) for raster in rasters):
        raise CannotWrite("GIF transparency is on or off, this alpha has values between (write PNG or WebP)")
    mapped = [_mapped(raster) for raster in rasters]
    out = [b"GIF89a", struct.pack("<HHBBB", width, height, 0x70, 0, 0)]
    loop = facts[0].loop if facts[0].loop is not None or options.source is not None else 0
    if len(rasters) > 1 and loop is not None:
        out.append(_extension(APPLICATION, b"NETSCAPE2.0", b"\1" + struct.pack("<H", min(loop, 65535))))
    if "comment" in facts[0].text:
        out.append(_extension(COMMENT, b"", facts[0].text["comment"].encode("utf-8", "replace")))
    if options.recipe is not None:
        out.append(_recipe_block(options.recipe))
    clears = any(transparent is not None for _, _, transparent in mapped)
    for (indices, palette, transparent), fact in zip(mapped, facts, strict=True):
        hundredths = min(round((100 if fact.duration is None else fact.duration) / 10), 65535)
        flags = (2 if clears else 1) << 2 | (transparent is not None)
        if len(rasters) > 1 or transparent is not None:
            delay = hundredths if len(rasters) > 1 else 0
            out.append(struct.pack("<BBBBHBB", EXTENSION, CONTROL, 4, flags, delay, transparent or 0, 0))
        bits = max(1, (len(palette) - 1).bit_length())
        out.append(struct.pack("<BHHHHB", IMAGE, 0, 0, width, height, 0x80 | (bits - 1)))
        out.append(palette.tobytes().ljust(3 << bits, b"\0"))
        out.append(_compressed(indices))
    return b"".join([*out, bytes([TRAILER])])


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """Put the recipe in a comment before the first block, and leave the rest as it is."""
    place = _walk(encoded).first_block
    return b"GIF89a" + encoded[6:place] + _recipe_block(recipe) + encoded[place:]


def _walk(data: bytes) -> Structure:
    """Walk through all blocks up to the trailer."""
    if len(data) < 14:
        raise UnreadableImage("truncated GIF: the file ends inside its header (get an intact copy)")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    found = Structure(width, height)
    place = 13 + ((6 << (flags & 7)) if flags & 0x80 else 0)
    found.first_block = place
    while place < len(data):
        kind = data[place]
        if kind == TRAILER:
            if not found.frames:
                raise UnreadableImage("damaged GIF: there is no picture in it (get an intact copy)")
            return found
        if kind == EXTENSION and place + 2 < len(data):
            label = data[place + 1]
            start, place = place + 2, _after_blocks(data, place + 2)
            if label == COMMENT:
                found.comments.append(_joined(data[start:place]))
        elif kind == IMAGE and place + 10 < len(data):
            left, top, w, h, local = struct.unpack_from("<HHHHB", data, place + 1)
            found.width, found.height = max(found.width, left + w), max(found.height, top + h)
            start = place + 10 + ((6 << (local & 7)) if local & 0x80 else 0)
            place = _after_blocks(data, start + 1)
            found.frames += 1
            if found.frames == 1:
                found.first_data = (start, place)
        else:
            raise UnreadableImage("damaged GIF: something else stands where a block should (get an intact copy)")
    raise UnreadableImage("truncated GIF: the file ends too early (get an intact copy)")


def _after_blocks(data: bytes, place: int) -> int:
    while place < len(data) and data[place]:
        place += 1 + data[place]
    if place >= len(data):
        raise UnreadableImage("truncated GIF: the file ends inside a block (get an intact copy)")
    return place + 1


def _joined(blocks: bytes) -> bytes:
    """Join the parts of a sequence of sub-blocks."""
    parts, place = [], 0
    while blocks[place]:
        parts.append(blocks[place + 1 : place + 1 + blocks[place]])
        place += 1 + blocks[place]
    return b"".join(parts)


def _extension(label: int, head: bytes, payload: bytes) -> bytes:
    parts = ([head] if head else []) + [payload[i : i + 255] for i in range(0, len(payload), 255)]
    return bytes((EXTENSION, label)) + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def _recipe_block(recipe: str) -> bytes:
    return _extension(COMMENT, b"", RECIPE + metadata.packed_recipe(recipe).encode())


def _texts(comments: list[bytes]) -> tuple[str | None, dict[str, str]]:
    """Tell the recipe (the newest is in front) from the other comments."""
    recipes = [c for c in comments if c.startswith(RECIPE)]
    others = [c.decode("utf-8", "replace") for c in comments if not c.startswith(RECIPE)]
    recipe = metadata.unpacked_recipe(recipes[0][len(RECIPE) :].decode("ascii", "replace")) if recipes else None
    return recipe, {"comment": "\n".join(others)} if others else {}


def _indexed(image: Any) -> Raster:
    """Give the one picture of a file as it is stored: palette and indices."""
    samples = np.array(image)[:, :, None]
    if samples.ndim != 3 or samples.dtype != np.uint8 or image.mode not in ("P", "L"):
        return _canvas(image)
    if image.mode == "L":
        colours = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        colours = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
    count = max(len(colours), int(samples.max()) + 1, 1)
    palette = np.zeros((count, 3), np.uint8)
    palette[: len(colours)] = colours
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        if transparent >= count:
            palette = np.concatenate([palette, np.zeros((transparent + 1 - count, 3), np.uint8)])
        opacity = np.full((len(palette), 1), 255, np.uint8)
        opacity[transparent] = 0
        palette = np.concatenate([palette, opacity], axis=1)
    bits = next(b for b in (1, 2, 4, 8) if len(palette) <= 1 << b)
    return Raster(samples, Kind("palette", False, (1 << bits) - 1), palette)


def _canvas(image: Any) -> Raster:
    """Give the whole canvas as it is shown; without alpha if all of it is opaque."""
    samples = np.array(image.convert("RGBA"))
    if (samples[:, :, 3] == 255).all():
        return Raster(np.ascontiguousarray(samples[:, :, :3]), Kind("rgb", False, 255))
    return Raster(samples, Kind("rgb", True, 255))


def _mapped(raster: Raster) -> tuple[NDArray[np.uint8], NDArray[np.uint8], int | None]:
    """Give (H, W) indices, (N, 3) palette, and the index that is transparent, if any."""
    if raster.palette is None:
        raster = exact_palette(_hard_alpha(raster)) or _reduced(raster)
    assert raster.palette is not None
    indices, palette = raster.samples[:, :, 0], raster.palette
    if palette.shape[1] == 3:
        return indices, palette, None
    hidden = np.flatnonzero(palette[:, 3] < 128)
    if not len(hidden):
        return indices, np.ascontiguousarray(palette[:, :3]), None
    if len(hidden) > 1:
        indices = np.where(np.isin(indices, hidden), np.uint8(hidden[0]), indices)
    return indices, np.ascontiguousarray(palette[:, :3]), int(hidden[0])


def _is_half_clear(raster: Raster) -> bool:
    if not has_transparency(raster):
        return False
    alpha = raster.samples[:, :, -1] if raster.palette is None else raster.palette[:, 3]
    return bool(((alpha > 0) & (alpha < 255)).any())


def _hard_alpha(raster: Raster) -> Raster:
    """Make alpha on or off, and all that is off one colour."""
    if not raster.kind.alpha:
        return raster
    samples = raster.samples.copy()
    off = samples[:, :, -1] < 128
    samples[off] = 0
    samples[~off, -1] = 255
    return replace(raster, samples=samples)


def _reduced(raster: Raster) -> Raster:
    """Reduce an RGB(A) raster to 256 colours, one of them for "transparent" if there is alpha."""
    from PIL import Image

    alpha = raster.kind.alpha
    colours = raster.samples[:, :, :-1] if alpha else raster.samples
    colours = np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours
    with quiet_library():
        reduced = Image.fromarray(np.ascontiguousarray(colours)).quantize(
            255 if alpha else 256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        palette = np.array(reduced.getpalette() or [], np.uint8).reshape(-1, 3)[:256]
    indices = np.array(reduced)
    if alpha:
        palette = np.concatenate([palette[:255], np.zeros((1, 3), np.uint8)])
        opacity = np.full((len(palette), 1), 255, np.uint8)
        opacity[-1] = 0
        palette = np.concatenate([palette, opacity], axis=1)
        indices[raster.samples[:, :, -1] < 128] = len(palette) - 1
    return Raster(indices[:, :, None], Kind("palette", False, 255), palette)


def _compressed(indices: NDArray[np.uint8]) -> bytes:
    """Give the LZW data of a frame, minimum code size first, coded by Pillow."""
    from PIL import Image

    height, width = indices.shape
    image = Image.frombytes("P", (width, height), np.ascontiguousarray(indices).tobytes())
    image.putpalette(bytes(768))
    buffer = io.BytesIO()
    with quiet_library():
        image.save(buffer, "GIF", optimize=False, interlace=0)
    made = buffer.getvalue()
    start, end = _walk(made).first_data
    return made[start:end]
