"""JPEG: segments are walked and carried here, the coding of pixels is left to Pillow (libjpeg-turbo).

A picture that changed in places is written with the quantisation tables, the subsampling and the colour transform that
its file had, so an untouched block is coded as it was. One that changed all over, or has no such history: quality 95,
no subsampling.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options, quiet_library, quiet_stderr
from anew.codecs.raster import Kind, Raster, oriented
from anew.errors import CannotWrite, UnreadableImage
from anew.jpeg_tables import quantisation_table

DEFAULT_QUALITY = 95
CHANGED_ALL_OVER = 0.1  # share of the pixels
EXIF, XMP, ICC = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
MULTI_PICTURE = b"MPF\0"
COMMENT_RECIPE = b"anew:recipe "  # long recipes go into comments, in parts
LARGEST_SEGMENT = 65533
APP0, APP1, APP2, APP14, COM, DQT, SOS, EOI = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDB, 0xDA, 0xD9
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # within coded data: not stuffing, not a restart
# First component's sampling over the others', horizontally and vertically.
SUBSAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1"}
# What Pillow can write that loses no more colour than the input did.
WRITTEN_AS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2, "4:4:0": 0, "4:1:1": 1, None: 0}
# Zigzag position -> natural position, ITU-T T.81 figure A.6.
ZIGZAG = [r * 8 + c for r, c in sorted(np.ndindex(8, 8), key=lambda p: (sum(p), p[1 - sum(p) % 2]))]

Segment = tuple[int, bytes]


@dataclass(frozen=True)
class Structure:
    """What the segments say: the header, the tables, and where the picture ends."""

    segments: tuple[Segment, ...]
    width: int
    height: int
    components: tuple[tuple[int, int, int, int], ...]  # identifier, horizontal, vertical sampling, table
    progressive: bool
    tables: tuple[tuple[int, ...], ...]
    rgb_coded: bool
    end: int


def decode(data: bytes, budget: Budget) -> Source:
    """Read a JPEG file."""
    structure = parse(data)
    budget.check(structure.width, structure.height)
    facts = _facts(structure)
    samples = _samples(data[: structure.end], structure)
    space = {1: "grey", 3: "rgb", 4: "cmyk"}[len(structure.components)]
    raster = Raster(oriented(samples, facts.orientation), Kind(space, False, 255))
    return Source("JPEG", data, (raster,), (facts,), structure)


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of JPEG samples: 8 bits, no alpha."""
    if kind.alpha:
        raise CannotWrite("JPEG holds no transparency (remove the alpha channel, or write PNG, WebP or TIFF)")
    return Kind("rgb" if kind.space == "palette" else kind.space, False, 255)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a JPEG file."""
    from PIL import Image

    raster, fact = rasters[0], facts[0]
    height, width = raster.samples.shape[:2]
    if max(height, width) > 65500:
        raise CannotWrite(f"{width} x {height} pixels are more than JPEG's 65500 (write PNG or TIFF)")
    samples = raster.samples[:, :, 0] if raster.kind.space == "grey" else raster.samples
    mode = {"grey": "L", "rgb": "RGB", "cmyk": "CMYK"}[raster.kind.space]
    image = Image.frombytes(mode, (width, height), np.ascontiguousarray(samples).tobytes())
    buffer = io.BytesIO()
    with quiet_library(), quiet_stderr():
        image.save(buffer, "JPEG", **_coding(raster, fact, options))
    coded = buffer.getvalue()
    made = parse(coded)
    head = _metadata_segments(fact, raster, options)
    head += [s for s in made.segments if s[0] == APP14]
    body = coded[_body_start(coded) :]
    return b"\xff\xd8" + b"".join(_packed(*segment) for segment in head) + body


def with_recipe(encoded: bytes, recipe: str) -> bytes | None:
    """Put the recipe into the XMP segment, or into comments if it is long, and leave the coded data as it is."""
    structure = parse(encoded)
    xmp = _joined(structure.segments, APP1, XMP)
    head = [s for s in structure.segments if not _is_xmp(s) and not _is_recipe_comment(s)]
    place = sum(1 for marker, payload in head if marker == APP0 or payload.startswith(EXIF))
    head[place:place] = _recipe_segments(xmp, recipe)
    return b"\xff\xd8" + b"".join(_packed(*s) for s in head) + encoded[_body_start(encoded) :]


def parse(data: bytes) -> Structure:
    """Walk through the segments up to the end of the picture."""
    segments: list[Segment] = []
    tables: dict[int, tuple[int, ...]] = {}
    frame: tuple[int, bytes] | None = None
    place = 2
    while True:
        marker, payload, place = _segment(data, place)
        if marker == EOI:
            break
        if marker == DQT:
            _read_tables(payload, tables)
        elif marker in FRAMES:
            if frame is not None:
                raise UnreadableImage("not a plain JPEG: it is hierarchical (convert it first)")
            frame = (marker, payload)
        elif APP0 <= marker <= 0xEF or marker == COM:
            segments.append((marker, payload))
        elif marker == SOS:
            if frame is None:
                raise UnreadableImage("damaged JPEG: pixels come before the header (get an intact copy)")
            found = _MARKER.search(data, place)
            if found is None:
                raise UnreadableImage("truncated JPEG: the file ends too early (get an intact copy)")
            place = found.start()
    if frame is None:
        raise UnreadableImage("damaged JPEG: there is no picture in it (get an intact copy)")
    return _structure(frame, segments, tables, place)


def _segment(data: bytes, place: int) -> tuple[int, bytes, int]:
    """Read the segment at a place; give its marker, payload and what comes after."""
    while data[place : place + 2] == b"\xff\xff":
        place += 1
    if place + 2 > len(data):
        raise UnreadableImage("truncated JPEG: the file ends too early (get an intact copy)")
    if data[place] != 0xFF:
        raise UnreadableImage("damaged JPEG: something else stands where a segment should (get an intact copy)")
    marker = data[place + 1]
    if marker == EOI or marker == 0x01 or 0xD0 <= marker <= 0xD8:
        return marker, b"", place + 2
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    if length < 2 or place + 2 + length > len(data):
        raise UnreadableImage("truncated JPEG: the file ends inside a segment (get an intact copy)")
    return marker, data[place + 4 : place + 2 + length], place + 2 + length


def _read_tables(payload: bytes, tables: dict[int, tuple[int, ...]]) -> None:
    """Read quantisation tables into natural order."""
    place = 0
    while place < len(payload):
        wide, slot = payload[place] >> 4, payload[place] & 15
        size = 128 if wide else 64
        if place + 1 + size > len(payload):
            raise UnreadableImage("damaged JPEG: a quantisation table is too short (get an intact copy)")
        values = struct.unpack_from(">64H" if wide else ">64B", payload, place + 1)
        natural = [0] * 64
        for position, value in zip(ZIGZAG, values, strict=True):
            natural[position] = value
        tables[slot] = tuple(natural)
        place += 1 + size


def _structure(
    frame: tuple[int, bytes], segments: list[Segment], tables: dict[int, tuple[int, ...]], end: int
) -> Structure:
    marker, payload = frame
    if len(payload) < 6 or len(payload) < 6 + 3 * payload[5]:
        raise UnreadableImage("damaged JPEG: its header is too short (get an intact copy)")
    precision, height, width, count = struct.unpack_from(">BHHB", payload)
    if marker not in (0xC0, 0xC1, 0xC2) or precision != 8:
        raise UnreadableImage(
            "this JPEG is arithmetic-coded, lossless or not of 8 bits, which is not supported (convert it first)"
        )
    if count not in (1, 3, 4):
        raise UnreadableImage(f"damaged JPEG: it has {count} colour components (get an intact copy)")
    parts = [payload[6 + 3 * i : 9 + 3 * i] for i in range(count)]
    components = tuple((p[0], p[1] >> 4, p[1] & 15, p[2]) for p in parts)
    if any(slot not in tables for *_, slot in components) or any(not (h and v) for _, h, v, _ in components):
        raise UnreadableImage("damaged JPEG: a quantisation table is missing (get an intact copy)")
    used = [tables[slot] for *_, slot in components]
    while len(used) > 1 and used[-1] == used[-2]:
        used.pop()
    adobe = next((p for m, p in segments if m == APP14 and p.startswith(b"Adobe") and len(p) >= 12), None)
    jfif = any(m == APP0 and p.startswith(b"JFIF\0") for m, p in segments)
    names = bytes(c[0] for c in components)
    rgb = count == 3 and not jfif and (adobe[11] == 0 if adobe else names == b"RGB")
    return Structure(tuple(segments), width, height, components, marker == 0xC2, tuple(used), rgb, end)


def _samples(data: bytes, structure: Structure) -> NDArray[np.uint8]:
    from PIL import Image

    with quiet_library(), Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
        expected = {1: "L", 3: "RGB", 4: "CMYK"}[len(structure.components)]
        if image.size != (structure.width, structure.height) or image.mode != expected:
            raise UnreadableImage("damaged JPEG: its headers contradict each other (get an intact copy)")
        return np.asarray(image).reshape(structure.height, structure.width, -1)


def _facts(structure: Structure) -> Facts:
    segments = structure.segments
    exif, xmp = _joined(segments, APP1, EXIF), _joined(segments, APP1, XMP)
    dpi = None
    for marker, payload in segments:
        if marker == APP0 and payload.startswith(b"JFIF\0") and len(payload) >= 12:
            unit, x, y = struct.unpack_from(">BHH", payload, 7)
            scale = {1: 1.0, 2: 2.54}.get(unit)
            dpi = (x * scale, y * scale) if scale and x and y else None
    comment = next((p for m, p in segments if m == COM and not p.startswith(COMMENT_RECIPE)), None)
    subsampling = None
    if len(structure.components) == 3:
        (_, h0, v0, _), (_, h1, v1, _), _ = structure.components
        subsampling = SUBSAMPLINGS.get((h0 // h1, v0 // v1)) if h0 % h1 == v0 % v1 == 0 else None
    orientation = metadata.exif_orientation(exif)
    return Facts(
        format="JPEG",
        mode={1: "L", 3: "RGB", 4: "CMYK"}[len(structure.components)],
        orientation=orientation,
        exif=exif,
        icc=_icc(segments),
        xmp=xmp,
        dpi=metadata.upright_dpi(dpi, orientation),
        text={} if comment is None else {"comment": comment.decode("utf-8", "replace")},
        jpeg_quantisation=structure.tables,
        jpeg_subsampling=subsampling,
        jpeg_progressive=structure.progressive,
        compression="jpeg",
        lossless=False,
        recipe=metadata.recipe_of_xmp(xmp) or _recipe_of_comments(segments),
    )


def _joined(segments: Sequence[Segment], marker: int, start: bytes) -> bytes | None:
    """Give the payload of the first segment with this marker and start, without the start."""
    return next((p[len(start) :] for m, p in segments if m == marker and p.startswith(start)), None)


def _icc(segments: Sequence[Segment]) -> bytes | None:
    """Join the parts of an ICC profile (ICC.1, annex B.4); None if parts are missing."""
    parts = {p[12]: p[14:] for m, p in segments if m == APP2 and p.startswith(ICC) and len(p) > 14}
    if not parts or sorted(parts) != list(range(1, len(parts) + 1)):
        return None
    return b"".join(parts[i] for i in sorted(parts))


def _coding(raster: Raster, facts: Facts, options: Options) -> dict[str, Any]:
    """Choose tables, subsampling and so on: those of the input, or those of a quality."""
    tables = facts.jpeg_quantisation
    if options.quality is not None or tables is None:
        quality = DEFAULT_QUALITY if options.quality is None else options.quality
        return {"quality": quality, "subsampling": 0 if quality >= 90 else 2, "optimize": True}
    coding: dict[str, Any] = {"progressive": facts.jpeg_progressive, "optimize": True}
    structure = options.source.extras if options.source else None
    if raster.kind.space == "rgb":
        coding["keep_rgb"] = structure is not None and structure.rgb_coded
    if _is_new(raster, tables, options):
        return {**coding, "quality": DEFAULT_QUALITY, "subsampling": 0}
    subsampling = facts.jpeg_subsampling
    if facts.orientation >= 5:  # rows became columns
        tables = tuple(tuple(np.reshape(t, (8, 8)).T.ravel().tolist()) for t in tables)
        subsampling = {"4:2:2": "4:4:0", "4:4:0": "4:2:2", "4:1:1": None}.get(subsampling or "", subsampling)
    coding["qtables"] = [list(t) for t in tables]
    if raster.kind.space == "grey":
        coding["qtables"] = coding["qtables"][:1]
    elif raster.kind.space == "rgb":
        coding["qtables"] = coding["qtables"][:3]
        coding["subsampling"] = WRITTEN_AS[subsampling]
    return coding


def _is_new(raster: Raster, tables: Sequence[Sequence[int]], options: Options) -> bool:
    """Tell whether a picture changed so much that the coarse tables of its file would only harm it.

    A picture that changed in places keeps the tables, and so the blocks elsewhere. One that was repaired all over
    would lose by them most of what it has won.
    """
    if options.source is None or np.sum(tables[0]) <= quantisation_table(DEFAULT_QUALITY).sum():
        return False
    before, after = options.source.rasters[0].samples, raster.samples
    if before.shape != after.shape:
        return True
    return float(np.mean((before != after).any(axis=2))) > CHANGED_ALL_OVER


def _metadata_segments(facts: Facts, raster: Raster, options: Options) -> list[Segment]:
    """Give the segments before the tables: ours from facts, the others as they were."""
    old: Sequence[Segment] = options.source.extras.segments if options.source else ()
    out: list[Segment] = []
    if raster.kind.space != "cmyk" and not (options.source and options.source.extras.rgb_coded):
        x, y = (min(max(round(d), 1), 65535) for d in facts.dpi or _shape_of_pixels(old, facts.orientation))
        out.append((APP0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, int(facts.dpi is not None), x, y, 0, 0)))
    exif = metadata.upright_exif(facts.exif)
    if exif is not None and len(exif) + len(EXIF) <= LARGEST_SEGMENT:
        out.append((APP1, EXIF + exif))
    out += _recipe_segments(metadata.upright_xmp(facts.xmp), options.recipe)
    if facts.icc is not None and metadata.icc_fits(facts.icc, raster.kind.space):
        size = LARGEST_SEGMENT - len(ICC) - 2
        parts = [facts.icc[i : i + size] for i in range(0, len(facts.icc), size)][:255]
        out += [(APP2, ICC + bytes([i, len(parts)]) + part) for i, part in enumerate(parts, 1)]
    same_text = options.source is not None and facts.text == options.source.facts[0].text
    for marker, payload in old:
        ours = marker in (APP0, APP14) or payload.startswith((EXIF, XMP, ICC, MULTI_PICTURE))
        if not ours and not _is_recipe_comment((marker, payload)) and (marker != COM or same_text):
            out.append((marker, payload))
    if not same_text and "comment" in facts.text:
        out.append((COM, facts.text["comment"].encode()[:LARGEST_SEGMENT]))
    return out


def _shape_of_pixels(segments: Sequence[Segment], orientation: int) -> tuple[float, float]:
    """Give the densities without a unit that a JFIF segment states: only their ratio means something."""
    jfif = _joined(segments, APP0, b"JFIF\0")
    if jfif is None or len(jfif) < 7 or jfif[2] != 0 or 0 in (shape := struct.unpack_from(">HH", jfif, 3)):
        return 1, 1
    x, y = metadata.upright_dpi(shape, orientation) or shape
    return x, y


def _recipe_segments(xmp: bytes | None, recipe: str | None) -> list[Segment]:
    """Give the XMP segment with the recipe in it; a recipe that does not fit goes into comments, in parts."""
    limit = LARGEST_SEGMENT - len(XMP)
    packet = metadata.xmp_with_recipe(xmp, recipe, limit)
    if packet is not None or recipe is None:
        return [] if packet is None else [(APP1, XMP + packet)]
    plain = metadata.xmp_with_recipe(xmp, None)
    out: list[Segment] = [] if plain is None else [(APP1, XMP + plain)]
    text = metadata.packed_recipe(recipe).encode()
    size = LARGEST_SEGMENT - len(COMMENT_RECIPE)
    return out + [(COM, COMMENT_RECIPE + text[i : i + size]) for i in range(0, len(text), size)]


def _recipe_of_comments(segments: Sequence[Segment]) -> str | None:
    parts = [s[1][len(COMMENT_RECIPE) :] for s in segments if _is_recipe_comment(s)]
    return metadata.unpacked_recipe(b"".join(parts).decode("ascii", "replace")) if parts else None


def _is_recipe_comment(segment: Segment) -> bool:
    return segment[0] == COM and segment[1].startswith(COMMENT_RECIPE)


def _is_xmp(segment: Segment) -> bool:
    return segment[0] == APP1 and segment[1].startswith(XMP)


def _body_start(data: bytes) -> int:
    """Find where the leading application segments and comments end."""
    place = 2
    while True:
        marker, _, after = _segment(data, place)
        if not (APP0 <= marker <= 0xEF or marker == COM):
            return place
        place = after


def _packed(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload
