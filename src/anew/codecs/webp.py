"""WebP: RIFF chunks are walked and carried here, pixels are coded by Pillow (libwebp).

A lossless file stays lossless. A changed lossy one is written at quality 90 unless told otherwise, because the file
does not say what quality it had.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options, quiet_library
from anew.codecs.raster import Kind, Raster, oriented
from anew.errors import CannotWrite, UnreadableImage

LOSSY_QUALITY = 90
ICC_FLAG, ALPHA_FLAG, EXIF_FLAG, XMP_FLAG, ANIMATION_FLAG = 0x20, 0x10, 0x08, 0x04, 0x02

Chunk = tuple[bytes, bytes]


def decode(data: bytes, budget: Budget) -> Source:
    """Read a WebP file, or all frames of an animation, each on the whole canvas."""
    from PIL import Image

    chunks = _chunks(data)
    named = dict(reversed(chunks))
    controls = [payload for name, payload in chunks if name == b"ANMF"]
    with quiet_library(), Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
        count = getattr(image, "n_frames", 1)
        budget.check(*image.size, count)
        exif = named.get(b"EXIF")
        exif = exif.removeprefix(b"Exif\0\0") if exif else None
        orientation = metadata.exif_orientation(exif)
        lossless = b"VP8 " not in named and not any(b"VP8 " in control[16:64] for control in controls)
        frames = []
        for index in range(count):
            image.seek(index)
            frames.append(oriented(np.array(image), orientation))
    if count > 1 and all((frame[:, :, 3:] == 255).all() for frame in frames):  # coders need alpha to show differences
        frames = [np.ascontiguousarray(frame[:, :, :3]) for frame in frames]
    kind = Kind("rgb", frames[0].shape[2] == 4, 255)
    rasters = tuple(Raster(frame, kind) for frame in frames)
    facts = tuple(_facts(named, kind, exif, orientation, lossless, index, count, controls) for index in range(count))
    return Source("WEBP", data, rasters, facts, chunks)


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of WebP samples: 8-bit RGB or RGBA."""
    return Kind("rgb", kind.alpha, 255)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a WebP file or animation."""
    from PIL import Image

    height, width = rasters[0].samples.shape[:2]
    if max(height, width) > 16383:
        raise CannotWrite(f"{width} x {height} pixels are more than WebP's 16383 (write PNG or TIFF)")
    if len({r.samples.shape[:2] for r in rasters}) > 1:
        raise CannotWrite("the frames of a WebP animation must be of one size (write TIFF instead)")
    lossy = options.source is not None and facts[0].lossless is False
    settings: dict[str, Any] = {"lossless": True, "exact": True, "quality": 50, "method": 2}
    if options.quality is not None or lossy:
        quality = LOSSY_QUALITY if options.quality is None else options.quality
        settings = {"quality": quality, "exact": True, "alpha_quality": 100, "method": 4}
    images = [Image.fromarray(np.ascontiguousarray(r.samples)) for r in rasters]
    if len(images) > 1:
        durations = [100 if f.duration is None else round(f.duration) for f in facts]
        settings |= {"save_all": True, "append_images": images[1:], "duration": durations, "loop": facts[0].loop or 0}
    buffer = io.BytesIO()
    with quiet_library():
        images[0].save(buffer, "WEBP", **settings)
    xmp = metadata.xmp_with_recipe(metadata.upright_xmp(facts[0].xmp), options.recipe)
    icc = facts[0].icc if metadata.icc_fits(facts[0].icc, "rgb") else None
    coded = _with_metadata(_chunks(buffer.getvalue()), (width, height), icc, metadata.upright_exif(facts[0].exif), xmp)
    return _riff(coded)


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """Put the recipe into the XMP chunk and leave the coded pixels as they are."""
    from PIL import Image

    chunks = _chunks(encoded)
    named = dict(reversed(chunks))
    with quiet_library(), Image.open(io.BytesIO(encoded), formats=["WEBP"]) as image:
        size = image.size
    xmp = metadata.xmp_with_recipe(named.get(b"XMP "), recipe)
    return _riff(_with_metadata(chunks, size, named.get(b"ICCP"), named.get(b"EXIF"), xmp))


def _facts(
    named: dict[bytes, bytes],
    kind: Kind,
    exif: bytes | None,
    orientation: int,
    lossless: bool,
    index: int,
    count: int,
    controls: list[bytes],
) -> Facts:
    xmp = named.get(b"XMP ")
    duration = None
    if count > 1 and index < len(controls) and len(controls[index]) >= 16:
        duration = float(int.from_bytes(controls[index][12:15], "little"))
    animation = named.get(b"ANIM", b"")
    return Facts(
        format="WEBP",
        mode=kind.mode,
        orientation=orientation,
        exif=exif,
        icc=named.get(b"ICCP"),
        xmp=xmp,
        lossless=lossless,
        frame=index,
        frames=count,
        duration=duration,
        loop=struct.unpack("<H", animation[4:6])[0] if count > 1 and len(animation) >= 6 else None,
        recipe=metadata.recipe_of_xmp(xmp),
    )


def _chunks(data: bytes) -> list[Chunk]:
    """Walk through the chunks of the RIFF container."""
    size = int.from_bytes(data[4:8], "little")
    if size + 8 > len(data):
        raise UnreadableImage("truncated WebP: the file ends too early (get an intact copy)")
    chunks, place = [], 12
    while place + 8 <= size + 8:
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        if place + 8 + length > size + 8:
            raise UnreadableImage("damaged WebP: a chunk is longer than the file (get an intact copy)")
        chunks.append((data[place : place + 4], data[place + 8 : place + 8 + length]))
        place += 8 + length + length % 2
    return chunks


def _with_metadata(
    chunks: list[Chunk], size: tuple[int, int], icc: bytes | None, exif: bytes | None, xmp: bytes | None
) -> list[Chunk]:
    """Put metadata chunks in the order of the specification, with the flags of the extended header."""
    rest = [c for c in chunks if c[0] not in (b"VP8X", b"ICCP", b"EXIF", b"XMP ")]
    header = next((payload for name, payload in chunks if name == b"VP8X"), None)
    if header is None and icc is exif is xmp is None:
        return rest
    flags = 0 if header is None else header[0] & (ALPHA_FLAG | ANIMATION_FLAG)
    first = next((c for c in rest if c[0] == b"VP8L"), None)
    if header is None and first is not None and len(first[1]) >= 5 and first[1][4] & 0x10:
        flags |= ALPHA_FLAG
    flags |= ICC_FLAG * (icc is not None) | EXIF_FLAG * (exif is not None) | XMP_FLAG * (xmp is not None)
    width, height = ((side - 1).to_bytes(3, "little") for side in size)
    out = [(b"VP8X", bytes((flags, 0, 0, 0)) + width + height)]
    out += [] if icc is None else [(b"ICCP", icc)]
    out += rest
    out += [] if exif is None else [(b"EXIF", exif)]
    return out + ([] if xmp is None else [(b"XMP ", xmp)])


def _riff(chunks: list[Chunk]) -> bytes:
    body = b"".join(n + struct.pack("<I", len(p)) + p + b"\0" * (len(p) % 2) for n, p in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
