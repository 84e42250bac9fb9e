"""PNG and APNG: chunks and the encoder are ours, inflating and unfiltering is left to Pillow and OpenCV.

Every bit depth and colour type of the specification (W3C PNG, third edition) is read and written. Decoders only get
a minimal PNG (header, palette, data) whose checksums and length were verified here, so ancillary chunks cannot harm.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import same_colour
from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options
from anew.codecs.png_pixels import DEPTHS, SIGNATURE, Chunk, Header, compressed, decoded, packed_chunk
from anew.codecs.raster import Kind, Raster, has_transparency, oriented, quantised, to_pixels
from anew.errors import CannotWrite, UnreadableImage

RECIPE_KEY = "anew:recipe"
# Chunks that are written anew from facts or samples; all others are carried over as they are.
OURS = frozenset(b"IHDR PLTE IDAT IEND tRNS bKGD hIST sBIT acTL fcTL fdAT eXIf iCCP pHYs tEXt zTXt iTXt".split())
TEXT = (b"tEXt", b"zTXt", b"iTXt")


@dataclass(frozen=True)
class Frame:
    """One frame of an animation: its fcTL chunk and its compressed data."""

    width: int
    height: int
    x: int
    y: int
    milliseconds: float
    dispose: int
    blend: int
    data: bytes


def decode(data: bytes, budget: Budget) -> Source:
    """Read a PNG, or all frames of an APNG."""
    chunks = list(_chunks(data))
    header = _header(chunks)
    loop, frames = _animation(chunks, header)
    budget.check(header.width, header.height, max(1, len(frames)))
    facts = _facts(chunks, header)
    if len(frames) > 1:
        rasters = _composited(frames, header, chunks)
        many = tuple(
            replace(facts, frame=i, frames=len(frames), duration=f.milliseconds, loop=loop)
            for i, f in enumerate(frames)
        )
    else:
        pixels = b"".join(payload for name, payload in chunks if name == b"IDAT")
        rasters, many = [_raster(decoded(header, chunks, pixels), header, chunks)], (facts,)
    turned = tuple(replace(r, samples=oriented(r.samples, facts.orientation)) for r in rasters)
    return Source("PNG", data, turned, many, chunks)


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of PNG samples: 16 bits for float, RGB for CMYK."""
    if kind.space == "palette":
        return kind
    maximum = kind.maximum or 65535
    space = "rgb" if kind.space == "cmyk" else kind.space
    small = space == "grey" and not kind.alpha and maximum in (1, 3, 15)
    return Kind(space, kind.alpha, maximum if small else 255 if maximum <= 255 else 65535)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a PNG, or an APNG of several frames."""
    if len({r.samples.shape[:2] for r in rasters}) > 1:
        raise CannotWrite("the frames of a PNG animation must be of one size (write TIFF instead)")
    if len(rasters) > 1:
        rasters = _alike(rasters)
    first = rasters[0]
    height, width = first.samples.shape[:2]
    colour = 3 if first.palette is not None else {"grey": 0, "rgb": 2}[first.kind.space] + 4 * first.kind.alpha
    header = Header(width, height, first.kind.bits, colour)
    out = [(b"IHDR", header.packed()), *_metadata_chunks(facts[0], first, options)]
    if first.palette is not None:
        out.append((b"PLTE", first.palette[:, :3].tobytes()))
        if first.palette.shape[1] == 4:
            out.append((b"tRNS", first.palette[:, 3].tobytes()))
    elif first.key is not None:
        out.append((b"tRNS", struct.pack(f">{len(first.key)}H", *first.key)))
    if len(rasters) == 1:
        out.append((b"IDAT", compressed(first.samples, header.depth)))
    else:
        out += _animation_chunks(rasters, facts, header)
    return SIGNATURE + b"".join(packed_chunk(*chunk) for chunk in [*out, (b"IEND", b"")])


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """Put the recipe in front of the image data, in place of an older one."""
    kept = [c for c in _chunks(encoded) if not _is_recipe(c)]
    first = next(i for i, (name, _) in enumerate(kept) if name == b"IDAT")
    kept.insert(first, _recipe_chunk(recipe))
    return SIGNATURE + b"".join(packed_chunk(*chunk) for chunk in kept)


def _chunks(data: bytes) -> Iterator[Chunk]:
    """Walk through the chunks; damaged ancillary ones are left out, damaged critical ones refused."""
    place = len(SIGNATURE)
    while True:
        if place + 12 > len(data):
            raise UnreadableImage("truncated PNG: the file ends too early (get an intact copy)")
        length, name = struct.unpack_from(">I4s", data, place)
        payload = data[place + 8 : place + 8 + length]
        if place + 12 + length > len(data):
            raise UnreadableImage("truncated PNG: the file ends inside a chunk (get an intact copy)")
        (crc,) = struct.unpack_from(">I", data, place + 8 + length)
        intact = crc == zlib.crc32(name + payload)
        critical = not name[0] & 0x20 or name == b"fdAT"
        if critical and not intact:
            raise UnreadableImage("damaged PNG: a checksum is wrong (get an intact copy)")
        if critical and name not in (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"fdAT"):
            raise UnreadableImage("not a standard PNG: it needs an unknown extension (convert it to PNG first)")
        if intact:
            yield name, payload
        if name == b"IEND":
            return
        place += 12 + length


def _header(chunks: list[Chunk]) -> Header:
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13:
        raise UnreadableImage("damaged PNG: it does not start with a header (get an intact copy)")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", chunks[0][1])
    if depth not in DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise UnreadableImage("damaged PNG: its header makes no sense (get an intact copy)")
    return Header(width, height, depth, colour, bool(interlace))


def _raster(samples: NDArray[Any], header: Header, chunks: list[Chunk]) -> Raster:
    """Say what samples mean: palette and transparent colour."""
    named = dict(reversed(chunks))
    space = {0: "grey", 2: "rgb", 3: "palette", 4: "grey", 6: "rgb"}[header.colour]
    kind = Kind(space, header.colour >= 4, (1 << header.depth) - 1)
    transparency = named.get(b"tRNS")
    if header.colour == 3:
        colours = named.get(b"PLTE", b"")
        count = min(len(colours) // 3, 1 << header.depth)
        if count == 0 or int(samples.max()) >= count:
            raise UnreadableImage("damaged PNG: it uses colours that its palette does not have (get an intact copy)")
        palette = np.frombuffer(colours, np.uint8, 3 * count).reshape(count, 3)
        if transparency:
            opacity = np.full((count, 1), 255, np.uint8)
            opacity[: len(transparency), 0] = np.frombuffer(transparency[:count], np.uint8)
            palette = np.concatenate([palette, opacity], axis=1)
        return Raster(samples, kind, palette)
    key = None
    if transparency and not kind.alpha and len(transparency) == 2 * samples.shape[2]:
        key = struct.unpack(f">{samples.shape[2]}H", transparency)
        key = key if max(key) <= kind.maximum else None
    return Raster(samples, kind, key=key)


def _facts(chunks: list[Chunk], header: Header) -> Facts:
    named = dict(reversed(chunks))
    text = _texts(chunks)
    exif = named.get(b"eXIf", b"").removeprefix(b"Exif\0\0") or None  # some put the start of JPEG's segment in front
    xmp = text.pop("XML:com.adobe.xmp", None)
    icc = None
    if b"iCCP" in named:
        _, _, rest = named[b"iCCP"].partition(b"\0")
        icc = metadata.inflate(rest[1:], metadata.LARGEST_TEXT)
    dpi = None
    if len(named.get(b"pHYs", b"")) == 9:
        x, y, unit = struct.unpack(">IIB", named[b"pHYs"])
        dpi = (x * 0.0254, y * 0.0254) if unit == 1 else None
    recipe = text.pop(RECIPE_KEY, None)
    orientation = metadata.exif_orientation(exif)
    samples = "palette" if header.colour == 3 else "rgb" if header.colour in (2, 6) else "grey"
    palette = None
    if b"PLTE" in named and header.colour == 3:
        entries = np.frombuffer(named[b"PLTE"], np.uint8, len(named[b"PLTE"]) // 3 * 3).reshape(-1, 3)
        palette = tuple(tuple(entry) for entry in entries.tolist())
    return Facts(
        format="PNG",
        mode=Kind(samples, header.colour >= 4, (1 << header.depth) - 1).mode,
        bit_depth=header.depth,
        orientation=orientation,
        exif=exif,
        icc=icc,
        xmp=None if xmp is None else xmp.encode(),
        dpi=metadata.upright_dpi(dpi, orientation),
        text=text,
        palette=palette,
        lossless=True,
        recipe=recipe,
    )


def _texts(chunks: list[Chunk]) -> dict[str, str]:
    """Give the text chunks that can be read, all together no longer than ``metadata.LARGEST_TEXT``."""
    texts: dict[str, str] = {}
    left = metadata.LARGEST_TEXT
    for name, payload in chunks:
        key, _, rest = payload.partition(b"\0")
        value: bytes | None = None
        if name == b"tEXt":
            value = rest
        elif name == b"zTXt":
            value = metadata.inflate(rest[1:], left)
        elif name == b"iTXt" and len(rest) > 2:
            value = rest[2:].split(b"\0", 2)[2] if rest[2:].count(b"\0") >= 2 else None
            value = metadata.inflate(value, left) if value is not None and rest[0] else value
        if value is not None and len(value) <= left:
            left -= len(value)
            encoding = "utf-8" if name == b"iTXt" else "latin-1"
            texts[key.decode("latin-1")] = value.decode(encoding, "replace")
    return texts


def _metadata_chunks(facts: Facts, raster: Raster, options: Options) -> list[Chunk]:
    """Give the chunks that go before the palette: ours from facts, the others as they were."""
    out: list[Chunk] = []
    chunks: list[Chunk] = options.source.extras if options.source else []
    then = options.source.facts[0] if options.source else Facts()
    if metadata.icc_fits(facts.icc, raster.kind.space):
        assert facts.icc is not None
        out.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(facts.icc)))
    out += [chunk for chunk in chunks if chunk[0] not in OURS]
    if facts.dpi == then.dpi and any(name == b"pHYs" for name, _ in chunks):
        payload = next(payload for name, payload in chunks if name == b"pHYs")
        out.append((b"pHYs", payload if then.orientation < 5 else payload[4:8] + payload[:4] + payload[8:]))
    elif facts.dpi is not None:
        out.append((b"pHYs", struct.pack(">IIB", *(min(round(d / 0.0254), 2**31 - 1) for d in facts.dpi), 1)))
    exif, xmp = metadata.upright_exif(facts.exif), metadata.upright_xmp(facts.xmp)
    if exif is not None:
        out.append((b"eXIf", exif))
    if xmp is not None:
        out.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    if options.source and facts.text == then.text:
        ours = (RECIPE_KEY.encode(), b"XML:com.adobe.xmp")
        out += [c for c in chunks if c[0] in TEXT and c[1].partition(b"\0")[0] not in ours]
    else:
        out += [_text_chunk(key, value) for key, value in facts.text.items()]
    if options.recipe is not None:
        out.append(_recipe_chunk(options.recipe))
    return out


def _text_chunk(key: str, value: str) -> Chunk:
    keyword = (key.strip()[:79] or "Comment").encode("latin-1", "replace").replace(b"\0", b" ")
    try:
        return b"tEXt", keyword + b"\0" + value.encode("latin-1").replace(b"\0", b" ")
    except UnicodeEncodeError:
        return b"iTXt", keyword + b"\0\0\0\0\0" + value.encode()


def _recipe_chunk(recipe: str) -> Chunk:
    text = recipe.encode()
    if len(text) > 1000:
        return b"iTXt", RECIPE_KEY.encode() + b"\0\1\0\0\0" + zlib.compress(text, 9)
    return b"iTXt", RECIPE_KEY.encode() + b"\0\0\0\0\0" + text


def _is_recipe(chunk: Chunk) -> bool:
    return chunk[0] == b"iTXt" and chunk[1].startswith(RECIPE_KEY.encode() + b"\0")


def _animation(chunks: list[Chunk], header: Header) -> tuple[int, list[Frame]]:
    """Collect the frames of an APNG; none if it is a still picture."""
    named = dict(reversed(chunks))
    if len(named.get(b"acTL", b"")) != 8:
        return 0, []
    _, loop = struct.unpack(">II", named[b"acTL"])
    parts: list[tuple[bytes, list[bytes]]] = []
    for name, payload in chunks:
        if name == b"fcTL" and len(payload) == 26:
            parts.append((payload, []))
        elif name == b"IDAT" and parts:
            parts[-1][1].append(payload)
        elif name == b"fdAT" and parts:
            parts[-1][1].append(payload[4:])
    frames = []
    for control, data in parts:
        _, w, h, x, y, num, den, dispose, blend = struct.unpack(">IIIIIHHBB", control)
        if w < 1 or h < 1 or x + w > header.width or y + h > header.height or dispose > 2 or blend > 1:
            raise UnreadableImage("damaged PNG: a frame lies outside the picture (get an intact copy)")
        frames.append(Frame(w, h, x, y, 1000 * num / (den or 100), dispose, blend, b"".join(data)))
    return loop, frames


def _composited(frames: list[Frame], header: Header, chunks: list[Chunk]) -> list[Raster]:
    """Show each frame on the whole canvas, as a player would: RGBA (or grey and alpha), 8 or 16 bits."""
    space = "grey" if header.colour in (0, 4) else "rgb"
    maximum = 65535 if header.depth == 16 else 255
    kind = Kind(space, True, maximum)
    canvas = np.zeros(
        (header.height, header.width, 2 if space == "grey" else 4), np.uint8 if maximum == 255 else np.uint16
    )
    rasters = []
    for index, frame in enumerate(frames):
        part_header = replace(header, width=frame.width, height=frame.height)
        part = _with_alpha(_raster(decoded(part_header, chunks, frame.data), part_header, chunks), kind)
        area = (slice(frame.y, frame.y + frame.height), slice(frame.x, frame.x + frame.width))
        before = canvas.copy()
        canvas[area] = part if frame.blend == 0 else _over(part, canvas[area], maximum)
        rasters.append(Raster(canvas.copy(), kind))
        if frame.dispose == 1 or (frame.dispose == 2 and index == 0):
            canvas[area] = 0
        elif frame.dispose == 2:
            canvas = before
    if all((r.samples[:, :, -1] == maximum).all() for r in rasters):
        opaque = Kind(space, False, maximum)
        rasters = [Raster(np.ascontiguousarray(r.samples[:, :, :-1]), opaque) for r in rasters]
    return rasters


def _with_alpha(raster: Raster, kind: Kind) -> NDArray[Any]:
    if raster.kind == kind:
        return raster.samples
    return quantised(*to_pixels(raster), kind).samples


def _over(front: NDArray[Any], back: NDArray[Any], maximum: int) -> NDArray[Any]:
    """Porter and Duff's "over" of straight alpha."""
    f, b = front / maximum, back / maximum
    fa, ba = f[:, :, -1:], b[:, :, -1:]
    alpha = fa + ba * (1 - fa)
    colour = np.where(alpha > 0, (f[:, :, :-1] * fa + b[:, :, :-1] * ba * (1 - fa)) / np.maximum(alpha, 1e-12), 0)
    return np.rint(np.concatenate([colour, alpha], axis=2) * maximum).astype(front.dtype)


def _alike(rasters: Sequence[Raster]) -> list[Raster]:
    """Give all frames the kind that holds every one of them: an APNG has a single header."""
    kinds = {r.kind for r in rasters}
    if len(kinds) == 1 and rasters[0].palette is None and all(r.key is None for r in rasters):
        return list(rasters)
    alpha = any(has_transparency(r) for r in rasters)
    space = "grey" if all(k.space == "grey" for k in kinds) else "rgb"
    kind = Kind(space, alpha, max(255, *(k.maximum for k in kinds)))
    return [quantised(*to_pixels(r), kind) for r in rasters]


def _animation_chunks(rasters: Sequence[Raster], facts: Sequence[Facts], header: Header) -> list[Chunk]:
    """Write each frame as the rectangle that differs from the frame before, replacing what is there."""
    out = [(b"acTL", struct.pack(">II", len(rasters), facts[0].loop or 0))]
    number = 0
    for index, (raster, fact) in enumerate(zip(rasters, facts, strict=True)):
        part, x, y = raster.samples, 0, 0
        if index:
            rows, columns = np.nonzero(~same_colour(part, rasters[index - 1].samples))
            y, x = (int(rows.min()), int(columns.min())) if len(rows) else (0, 0)
            bottom, right = (int(rows.max()), int(columns.max())) if len(rows) else (0, 0)
            part = part[y : bottom + 1, x : right + 1]
        milliseconds = 100.0 if fact.duration is None else fact.duration
        delay = (round(milliseconds), 1000) if milliseconds < 65536 else (min(round(milliseconds / 1000), 65535), 1)
        control = (number, part.shape[1], part.shape[0], x, y, *delay, 0, 0)
        out.append((b"fcTL", struct.pack(">IIIIIHHBB", *control)))
        number += 1
        data = compressed(part, header.depth)
        out.append((b"IDAT", data) if index == 0 else (b"fdAT", struct.pack(">I", number) + data))
        number += index > 0
    return out
