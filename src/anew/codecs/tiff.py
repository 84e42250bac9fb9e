"""TIFF and BigTIFF: strips and tiles, 1 to 16 bits, 16 to 64 bits of float, several pages (TIFF 6.0).

Directories are read and written here, so that tags nobody knows survive; ``tiff_segments`` codes the samples.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs import metadata
from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options
from anew.codecs.ifd import Directory, Entry, Layout, Writer, as_block, directories, layout_of, reordered
from anew.codecs.raster import Kind, Raster, oriented
from anew.codecs.tiff_segments import Page, decoded, strips_of
from anew.errors import CannotWrite, UnreadableImage

COMPRESSIONS = {1: "none", 2: "ccitt", 3: "group3", 4: "group4", 5: "lzw", 7: "jpeg", 8: "deflate"}
COMPRESSIONS |= {32773: "packbits", 32946: "deflate", 34925: "lzma", 50000: "zstd"}
WRITTEN = {"none": 1, "lzw": 5, "deflate": 8, "packbits": 32773, "zstd": 50000}
# Tags that say how samples are stored; they are written anew. 330 points to previews, which would be out of date.
STRUCTURE = frozenset(
    {255, *range(256, 260), 262, 263, 266, 273, 274, *range(277, 282), 284, 292, 293, 317, *range(320, 326), 330}
    | {338, 339, 340, 341, 347, *range(512, 522), *range(529, 533)}
)
DESCRIPTION = frozenset({270, 271, 272, 305, 306, 315, 316, 33432, 34665, 34853})  # what EXIF holds too
XMP_TAG, ICC_TAG = 700, 34675
RESOLUTION = (282, 283, 296)
SAMPLE_FORMATS = {1: "unsigned", 2: "signed", 3: "float", 4: "untyped", 5: "complex integer", 6: "complex"}
UNSPECIFIED, PREMULTIPLIED, ALPHA = 0, 1, 2  # what an extra sample is
MINIMUM_OF_A_SEGMENT = 1 << 20


@dataclass(frozen=True)
class Pages:
    """What is kept of a TIFF beside samples: its layout and the directory of each frame."""

    layout: Layout
    directories: tuple[Directory, ...]


def decode(data: bytes, budget: Budget) -> Source:
    """Read all pages of a TIFF; reduced copies and masks beside full pages are left out."""
    layout, start = layout_of(data)
    found = list(directories(data, layout, start))
    full = [d for d in found if not (layout.integers(d.get(254)) or (0,))[0] & 5] or found
    if not full:
        raise UnreadableImage("damaged TIFF: there is no page in it (get an intact copy)")
    pages = [_page(layout, directory) for directory in full]
    if budget.single:
        budget.check(pages[0].width, pages[0].height, len(pages))
    budget.check(sum(page.width * page.height for page in pages), 1)
    rasters, facts = [], []
    for index, (page, directory) in enumerate(zip(pages, full, strict=True)):
        raster = _raster(page, layout, directory, decoded(data, page, layout, directory))
        fact = replace(_facts(page, layout, directory, raster), frame=index, frames=len(pages))
        rasters.append(replace(raster, samples=oriented(raster.samples, fact.orientation)))
        facts.append(fact)
    return Source("TIFF", data, tuple(rasters), tuple(facts), Pages(layout, tuple(full)))


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of TIFF samples."""
    if kind.space == "palette":
        return kind if kind.maximum in (15, 255) else replace(kind, maximum=15 if kind.maximum < 15 else 255)
    small = kind.space == "grey" and not kind.alpha and kind.maximum in (1, 3, 15)
    if kind.maximum == 0 or small:
        return kind
    return replace(kind, maximum=255 if kind.maximum <= 255 else 65535)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write a TIFF of one or several pages, in strips; it becomes a BigTIFF only if it must."""
    old: Pages | None = options.source.extras if options.source else None
    size = sum(r.samples.nbytes for r in rasters)
    layout = Layout(old.layout.order if old else "<", size > 4_000_000_000)
    writer = Writer(layout)
    starts = []
    places = []
    for index, (raster, fact) in enumerate(zip(rasters, facts, strict=True)):
        before = old.directories[fact.frame] if old is not None and fact.source is options.source else None
        then = options.source.facts[fact.frame] if before is not None and options.source else Facts()
        tags = _kept_tags(fact, then, before, old.layout if old else layout, layout)
        tags |= _metadata_tags(fact, raster, options.recipe if index == 0 else None, layout)
        tags |= _coded(writer, raster, fact, before, layout)
        starts.append(writer.add_directory(tags))
        places.append(len(writer.parts) - 1)
    for place, following in zip(places, starts[1:], strict=False):  # each directory ends with the offset of the next
        part = writer.parts[place]
        writer.parts[place] = part[: -layout.offset_size] + struct.pack(layout.offset, following)
    return writer.finished(starts[0])


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """Append a copy of the first directory that has the recipe in its XMP; everything before stays as it is."""
    layout, start = layout_of(encoded)
    fields, following = _raw_fields(encoded, layout, start)
    directory = next(directories(encoded, layout, start))
    xmp = directory[XMP_TAG].data if XMP_TAG in directory else None
    packet = metadata.xmp_with_recipe(xmp, recipe) or b""
    out = encoded + b"\0" * (len(encoded) % 2)
    ours = struct.pack(layout.order + ("HHQ" if layout.big else "HHI"), XMP_TAG, 1, len(packet))
    ours += struct.pack(layout.offset, len(out))
    out += packet + b"\0" * (len(packet) % 2)
    fields = [field for field in fields if field[0] != XMP_TAG] + [(XMP_TAG, ours)]
    fields.sort(key=lambda field: field[0])
    head = struct.pack(layout.order + ("Q" if layout.big else "H"), len(fields))
    table = head + b"".join(field for _, field in fields) + struct.pack(layout.offset, following)
    pointer = 8 if layout.big else 4
    if len(out) >= 1 << (8 * layout.offset_size):
        raise CannotWrite("a TIFF cannot grow above 4 GB (write PNG)")
    return out[:pointer] + struct.pack(layout.offset, len(out)) + out[pointer + layout.offset_size :] + table


def _raw_fields(data: bytes, layout: Layout, start: int) -> tuple[list[tuple[int, bytes]], int]:
    """Give the tags and fields of a directory as they stand in the file, and the offset of the next directory."""
    code, size = ("Q", 20) if layout.big else ("H", 12)
    first = start + struct.calcsize("<" + code)
    (count,) = struct.unpack_from(layout.order + code, data, start)
    places = range(first, first + count * size, size)
    fields = [(*struct.unpack_from(layout.order + "H", data, place), data[place : place + size]) for place in places]
    (following,) = struct.unpack_from(layout.offset, data, first + count * size)
    return fields, following


def _page(layout: Layout, directory: Directory) -> Page:
    """Read how a page is stored, and refuse what is not supported."""

    def value(tag: int, default: int) -> int:
        return (layout.integers(directory.get(tag)) or (default,))[0]

    width, height, count = value(256, 0), value(257, 0), value(277, 1)
    if not (0 < width < 1 << 31 and 0 < height < 1 << 31 and 0 < count < 1 << 16):
        raise UnreadableImage(f"damaged TIFF: its header says {width} x {height} pixels (get an intact copy)")
    bits = set(layout.integers(directory.get(258)) or (1,))
    formats = set(layout.integers(directory.get(339)) or (1,))
    dtype = _dtype(bits, formats)
    compression, photometric = value(259, 1), value(262, 1)
    if compression not in COMPRESSIONS:
        raise UnreadableImage(f"TIFF compression {compression} is not supported (save it with LZW or deflate)")
    tiled = 322 in directory
    rows = min(value(278, height), height) if not tiled else value(323, 0)
    columns = width if not tiled else value(322, 0)
    if rows < 1 or columns < 1 or (tiled and rows * columns > max(4 * width * height, MINIMUM_OF_A_SEGMENT)):
        raise UnreadableImage("damaged TIFF: its strips or tiles have no size (get an intact copy)")
    page = Page(
        *(width, height, count, next(iter(bits)), dtype, photometric, compression),
        *(value(317, 1), value(284, 1) == 2 and count > 1, (rows, columns), tiled),
    )
    _refuse_unsupported(page, value(266, 1))
    return page


def _dtype(bits: set[int], formats: set[int]) -> np.dtype[Any]:
    unsigned = {1: np.uint8, 2: np.uint8, 4: np.uint8, 8: np.uint8, 16: np.uint16}
    floats = {16: np.float16, 32: np.float32, 64: np.float64}
    if len(bits) == 1 and len(formats) == 1:
        table: dict[int, Any] = floats if formats == {3} else unsigned if formats <= {1, 4} else {}
        if (depth := next(iter(bits))) in table:
            return np.dtype(table[depth])
    depths = "/".join(map(str, sorted(bits)[:4]))
    kinds = "/".join(SAMPLE_FORMATS.get(value, f"kind {value}") for value in sorted(formats)[:4])
    raise UnreadableImage(
        f"TIFF samples of {depths} bits, {kinds}, are not supported (save it with unsigned 8 or 16 bits, or floats)"
    )


def _refuse_unsupported(page: Page, fill_order: int) -> None:
    colours = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4, 6: 3}.get(page.photometric)
    if colours is None or (page.photometric == 6 and page.compression != 7):
        raise UnreadableImage(f"TIFF colour space {page.photometric} is not supported (save it as RGB)")
    if page.count not in (colours, colours + 1) or (page.photometric == 3 and page.count != 1):
        raise UnreadableImage(f"a TIFF with {page.count} samples per pixel is not supported (save it as RGB)")
    if page.bits < 8 and page.count > 1:
        raise UnreadableImage(f"TIFF colours of {page.bits} bits are not supported (save it with 8 bits)")
    if page.compression == 7 and page.bits != 8:
        raise UnreadableImage("JPEG in TIFF with other than 8 bits is not supported (save it with deflate)")
    if page.compression in (2, 3, 4) and page.bits != 1:
        raise UnreadableImage("damaged TIFF: fax compression of other than 1 bit (get an intact copy)")
    if page.predictor not in (1, 2, 3) or (page.predictor == 3) != (page.predictor == 3 and page.dtype.kind == "f"):
        raise UnreadableImage("damaged TIFF: its predictor makes no sense (get an intact copy)")
    if page.predictor == 2 and page.bits < 8:
        raise UnreadableImage("a TIFF predictor for less than 8 bits is not supported (save it without)")
    if fill_order != 1 and page.compression not in (2, 3, 4):
        raise UnreadableImage("TIFF with reversed bit order is not supported (save it anew)")


def _raster(page: Page, layout: Layout, directory: Directory, samples: NDArray[Any]) -> Raster:
    """Say what samples mean."""
    space = {0: "grey", 1: "grey", 3: "palette", 5: "cmyk"}.get(page.photometric, "rgb")
    alpha = page.count == {"grey": 1, "palette": 1, "rgb": 3, "cmyk": 4}[space] + 1
    maximum = 0 if page.dtype.kind == "f" else (1 << page.bits) - 1
    if space == "palette":
        return Raster(samples, Kind(space, False, maximum), _palette(layout, directory, page.bits))
    if page.photometric == 0:
        samples = (maximum or 1) - samples
    premultiplied = alpha and layout.integers(directory.get(338))[:1] == (PREMULTIPLIED,)
    return Raster(samples, Kind(space, alpha, maximum), premultiplied=premultiplied)


def _palette(layout: Layout, directory: Directory, bits: int) -> NDArray[np.uint8]:
    values = np.array(layout.integers(directory.get(320)))
    if bits > 8 or len(values) != 3 << bits:
        raise UnreadableImage("damaged TIFF: its palette is incomplete (get an intact copy)")
    entries = values.reshape(3, -1).T
    return (entries if entries.max() < 256 else entries >> 8).astype(np.uint8)


def _facts(page: Page, layout: Layout, directory: Directory, raster: Raster) -> Facts:
    orientation = (layout.integers(directory.get(274)) or (1,))[0]
    orientation = orientation if 1 <= orientation <= 8 else 1
    described = {tag: entry for tag, entry in directory.items() if tag in DESCRIPTION}
    resolution = [layout.numbers(directory.get(tag)) for tag in RESOLUTION]
    dpi = None
    if resolution[0] and resolution[1] and (scale := {2: 1.0, 3: 2.54}.get(int((resolution[2] or (2,))[0]))):
        dpi = (float(resolution[0][0]) * scale, float(resolution[1][0]) * scale)
    xmp = directory[XMP_TAG].data if XMP_TAG in directory else None
    palette = None if raster.palette is None else tuple(tuple(entry) for entry in raster.palette.tolist())
    return Facts(
        format="TIFF",
        mode=raster.kind.mode,
        bit_depth=page.bits,
        sample_format="float" if page.dtype.kind == "f" else "uint",
        orientation=orientation,
        exif=as_block(layout, described) if described else None,
        icc=directory[ICC_TAG].data if ICC_TAG in directory else None,
        xmp=xmp,
        dpi=metadata.upright_dpi(dpi, orientation),
        palette=palette,
        compression=COMPRESSIONS[page.compression],
        lossless=page.compression != 7,
        recipe=metadata.recipe_of_xmp(xmp),
    )


def _kept_tags(facts: Facts, then: Facts, before: Directory | None, old: Layout, new: Layout) -> dict[int, Entry]:
    """Give the tags that are carried over: those of the file, or those of an EXIF block."""
    ours = STRUCTURE | {XMP_TAG, ICC_TAG}
    if before is not None:
        changed = (DESCRIPTION if facts.exif != then.exif else frozenset()) | (
            frozenset(RESOLUTION) if facts.dpi != then.dpi else frozenset()
        )
        tags = {t: reordered(e, old, new) for t, e in before.items() if t not in ours | changed}
        if then.orientation >= 5 and {282, 283} <= tags.keys():  # rows became columns
            tags[282], tags[283] = tags[283], tags[282]
        if not changed & DESCRIPTION:
            return tags
    else:
        tags = {}
    if facts.exif:
        layout, start = layout_of(facts.exif)
        for tag, entry in next(directories(facts.exif, layout, start), {}).items():
            if tag in DESCRIPTION:
                tags[tag] = reordered(entry, layout, new)
    return tags


def _metadata_tags(facts: Facts, raster: Raster, recipe: str | None, layout: Layout) -> dict[int, Entry]:
    tags = {}
    if facts.dpi is not None and not (facts.source and facts.format == "TIFF" and _same_dpi(facts)):
        for tag, dpi in zip(RESOLUTION, facts.dpi, strict=False):
            tags[tag] = Entry(5, 1, struct.pack(layout.order + "II", min(round(dpi * 1000), 2**32 - 1), 1000))
        tags[296] = _short(layout, 2)
    xmp = metadata.xmp_with_recipe(metadata.upright_xmp(facts.xmp), recipe)
    if xmp is not None:
        tags[XMP_TAG] = Entry(1, len(xmp), xmp)
    if facts.icc is not None and metadata.icc_fits(facts.icc, raster.kind.space):
        tags[ICC_TAG] = Entry(7, len(facts.icc), facts.icc)
    return tags


def _same_dpi(facts: Facts) -> bool:
    return facts.source is not None and facts.dpi == facts.source.facts[facts.frame].dpi


def _short(layout: Layout, *values: int) -> Entry:
    return Entry(3, len(values), struct.pack(f"{layout.order}{len(values)}H", *values))


def _long(layout: Layout, *values: int) -> Entry:
    kind, code = (16, "Q") if layout.big else (4, "I")
    return Entry(kind, len(values), struct.pack(f"{layout.order}{len(values)}{code}", *values))


def _coded(writer: Writer, raster: Raster, facts: Facts, before: Directory | None, layout: Layout) -> dict[int, Entry]:
    """Write the strips of a page and give the tags that describe them."""
    samples, kind = raster.samples, raster.kind
    height, width, count = samples.shape
    was = layout.integers(before.get(262)) if before else ()
    photometric = {"grey": 1, "rgb": 2, "palette": 3, "cmyk": 5}[kind.space]
    if was == (0,) and kind.space == "grey":
        photometric, samples = 0, (kind.maximum or 1) - samples
    name = facts.compression if facts.compression in WRITTEN else "deflate"
    assert name is not None
    predictor = _predictor(name, samples, kind, before, layout)
    strips, rows = strips_of(samples, kind, name, predictor, layout)
    offsets = [writer.add(strip) for strip in strips]
    bits = kind.bits if kind.maximum else samples.dtype.itemsize * 8
    tags = {
        256: _long(layout, width),
        257: _long(layout, height),
        258: _short(layout, *([bits] * count)),
        259: _short(layout, WRITTEN[name]),
        262: _short(layout, photometric),
        273: _long(layout, *offsets),
        274: _short(layout, 1),
        277: _short(layout, count),
        278: _long(layout, rows),
        279: _long(layout, *(len(strip) for strip in strips)),
        284: _short(layout, 1),
        339: _short(layout, *([1 if kind.maximum else 3] * count)),
    }
    if predictor != 1:
        tags[317] = _short(layout, predictor)
    if kind.alpha:
        unspecified = before is not None and layout.integers(before.get(338))[:1] == (UNSPECIFIED,)
        tags[338] = _short(layout, PREMULTIPLIED if raster.premultiplied else UNSPECIFIED if unspecified else ALPHA)
    if raster.palette is not None:
        tags[320] = _colour_map(raster, facts, before, layout)
    return tags


def _colour_map(raster: Raster, facts: Facts, before: Directory | None, layout: Layout) -> Entry:
    assert raster.palette is not None
    old = facts.source.rasters[facts.frame].palette if facts.source else None
    if before is not None and 320 in before and old is not None and np.array_equal(old, raster.palette):
        return before[320]
    entries = np.zeros((1 << raster.kind.bits, 3), np.uint16)
    entries[: len(raster.palette)] = raster.palette[:, :3].astype(np.uint16) * 257
    return _short(layout, *entries.T.ravel().tolist())


def _predictor(name: str, samples: NDArray[Any], kind: Kind, before: Directory | None, layout: Layout) -> int:
    """Choose the input's predictor where it applies; without an input, differences for integers."""
    if name in ("none", "packbits") or kind.space == "palette" or 0 < kind.maximum < 255:
        return 1
    if before is not None:
        was = (layout.integers(before.get(317)) or (1,))[0]
        return was if was in (1, 2) or (was == 3 and samples.dtype.kind == "f") else 1
    return 2 if kind.maximum else 1
