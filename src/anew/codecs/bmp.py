"""BMP through Pillow: 1, 4 and 8-bit palettes, 16, 24 and 32-bit colour. It has no place for metadata but the DPI."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options, quiet_library
from anew.codecs.raster import Kind, Raster
from anew.errors import UnreadableImage


def decode(data: bytes, budget: Budget) -> Source:
    """Read a BMP file."""
    from PIL import Image

    if len(data) < 26:
        raise UnreadableImage("truncated BMP: the file ends inside its header (get an intact copy)")
    _check_length(data)
    with quiet_library(), Image.open(io.BytesIO(data), formats=["BMP"]) as image:
        budget.check(*image.size)
        dpi = image.info.get("dpi")
        samples = np.array(image)
        mode, palette = image.mode, None
        if mode == "P":
            colours = image.getpalette() or []
            palette = np.array(colours, np.uint8).reshape(-1, 3)
            if int(samples.max()) >= len(palette):
                raise UnreadableImage(
                    "damaged BMP: it uses colours that its palette does not have (get an intact copy)"
                )
    space = {"1": "grey", "L": "grey", "P": "palette"}.get(mode, "rgb")
    kind = Kind(space, mode == "RGBA", 1 if mode == "1" else 255)
    raster = Raster(samples.astype(np.uint8).reshape(*samples.shape[:2], -1), kind, palette)
    facts = Facts(
        format="BMP",
        mode=kind.mode,
        bit_depth=kind.bits,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and all(dpi) else None,
        palette=None if palette is None else tuple(tuple(entry) for entry in palette.tolist()),
        lossless=True,
    )
    return Source("BMP", data, (raster,), (facts,))


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of BMP samples: 8 bits (or 1), grey, palette, RGB or RGBA."""
    if kind.space == "palette":
        return Kind("palette", False, 255)
    if kind.space == "grey" and not kind.alpha:
        return Kind("grey", False, 1 if kind.maximum == 1 else 255)
    return Kind("rgb", kind.alpha, 255)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a BMP file."""
    from PIL import Image

    raster = rasters[0]
    if raster.kind.alpha:
        return _with_alpha(raster.samples, facts[0].dpi)
    height, width = raster.samples.shape[:2]
    plain = raster.samples if raster.samples.shape[2] > 1 else raster.samples[:, :, 0]
    image = Image.fromarray(plain * np.uint8(255) if raster.kind.maximum == 1 else np.ascontiguousarray(plain))
    if raster.kind.maximum == 1:
        image = image.point(lambda v: v, "1")
    if raster.palette is not None:
        image = Image.frombytes("P", (width, height), np.ascontiguousarray(plain).tobytes())
        image.putpalette(raster.palette[:, :3].tobytes())
    buffer = io.BytesIO()
    with quiet_library():
        image.save(buffer, "BMP", **({"dpi": facts[0].dpi} if facts[0].dpi else {}))
    return buffer.getvalue()


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """BMP has no place for a recipe: the file stays as it is."""
    return encoded


def _with_alpha(samples: NDArray[Any], dpi: tuple[float, float] | None) -> bytes:
    """Write 32 bits per pixel with a version 4 header: only that says which bits are alpha."""
    height, width = samples.shape[:2]
    pixels = np.ascontiguousarray(samples[::-1, :, [2, 1, 0, 3]]).tobytes()
    per_metre = [round(d / 0.0254) for d in dpi or (0, 0)]
    header = struct.pack("<IiiHHIIiiII", 108, width, height, 1, 32, 3, len(pixels), *per_metre, 0, 0)
    header += struct.pack("<4I4s48x", 0xFF0000, 0xFF00, 0xFF, 0xFF000000, b"BGRs")
    return struct.pack("<2sIII", b"BM", 14 + len(header) + len(pixels), 0, 14 + len(header)) + header + pixels


def _check_length(data: bytes) -> None:
    """Refuse an uncompressed file that lacks rows: decoders fill them in silence."""
    (offset, header) = struct.unpack_from("<II", data, 10)
    if header < 40 or len(data) < 34:
        return
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    if compression in (0, 3) and len(data) < offset + (abs(width) * bits + 31) // 32 * 4 * abs(height):
        raise UnreadableImage("truncated BMP: the file ends before its last row (get an intact copy)")
