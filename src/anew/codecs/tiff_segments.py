"""Strips and tiles of TIFF: how samples become coded bytes and back.

Deflate comes with Python. LZW, PackBits, Zstd, LZMA and fax segments are handed to the libtiff in Pillow as if they
were rows of bytes, which it can decode whatever the samples are; JPEG segments go to libjpeg.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs import jpeg
from anew.codecs.formats import quiet_library, quiet_stderr
from anew.codecs.ifd import Directory, Entry, Layout, Writer, directories, layout_of
from anew.codecs.png_pixels import packed_bits
from anew.codecs.raster import Kind
from anew.errors import UnreadableImage

PILLOW_NAMES = {"lzw": "tiff_lzw", "packbits": "packbits", "zstd": "zstd"}
STRIP = 1 << 18  # bytes of samples in one strip


@dataclass(frozen=True)
class Page:
    """How the samples of one page are stored."""

    width: int
    height: int
    count: int
    bits: int
    dtype: np.dtype[Any]
    photometric: int
    compression: int
    predictor: int
    planar: bool
    segment: tuple[int, int]  # height and width of a strip or tile
    tiled: bool

    @property
    def channels(self) -> int:
        """Samples per pixel within one segment."""
        return 1 if self.planar else self.count


def decoded(data: bytes, page: Page, layout: Layout, directory: Directory) -> NDArray[Any]:
    """Decode the segments of a page into (H, W, S) samples."""
    offsets = layout.integers(directory.get(324 if page.tiled else 273))
    sizes = layout.integers(directory.get(325 if page.tiled else 279))
    rows, columns = page.segment
    down, across = -(-page.height // rows), -(-page.width // columns)
    planes = page.count if page.planar else 1
    if not sizes and len(offsets) == 1 and page.compression == 1:
        sizes = (len(data) - offsets[0],)
    if len(offsets) < down * across * planes or len(sizes) < down * across * planes:
        raise UnreadableImage("damaged TIFF: strips or tiles are missing (get an intact copy)")
    out = np.empty((page.height, page.width, page.count), page.dtype)
    for number in range(down * across * planes):
        plane, place = divmod(number, down * across)
        top, left = place // across * rows, place % across * columns
        height = rows if page.tiled else min(rows, page.height - top)
        if offsets[number] + sizes[number] > len(data):
            raise UnreadableImage("truncated TIFF: pixels lie beyond the end of the file (get an intact copy)")
        coded = data[offsets[number] : offsets[number] + sizes[number]]
        segment = _segment(coded, page, layout, directory, height, columns)
        area = out[top : top + rows, left : left + columns]
        part = segment[: area.shape[0], : area.shape[1]]
        if page.planar:
            area[:, :, plane] = part[:, :, 0]
        else:
            area[:] = part
    return out


def _segment(coded: bytes, page: Page, layout: Layout, directory: Directory, height: int, width: int) -> NDArray[Any]:
    """Decode one strip or tile into (h, w, S) samples."""
    if page.compression == 7:
        return _jpeg_segment(coded, page, directory, height, width)
    row = (width * page.channels * page.bits + 7) // 8
    raw = _decompressed(coded, page.compression, row, height, directory, layout)
    if len(raw) < row * height:
        raise UnreadableImage("damaged TIFF: a strip or tile is incomplete (get an intact copy)")
    lines = np.frombuffer(raw, np.uint8, row * height).reshape(height, row)
    if page.bits < 8:
        shifts = np.arange(8 - page.bits, -1, -page.bits, dtype=np.uint8)
        spread = lines[:, :, None] >> shifts & np.uint8((1 << page.bits) - 1)
        return spread.reshape(height, -1)[:, :width, None]
    shape = (height, width, page.channels)
    if page.predictor == 3:
        return _undo_float_predictor(lines, page, shape)
    samples = lines.reshape(-1).view(layout.order + page.dtype.str[1:]).astype(page.dtype).reshape(shape)
    if page.predictor == 2:
        words = samples.view(f"u{page.dtype.itemsize}")
        return np.add.accumulate(words, axis=1, dtype=words.dtype).view(page.dtype)
    return samples


def _decompressed(coded: bytes, compression: int, row: int, height: int, directory: Directory, layout: Layout) -> bytes:
    if compression == 1:
        return coded
    if compression in (8, 32946):
        try:
            return zlib.decompressobj().decompress(coded, row * height)
        except zlib.error:
            raise UnreadableImage("damaged TIFF: compressed data is broken (get an intact copy)") from None
    from PIL import Image

    bits = 1 if compression in (2, 3, 4) else 8
    width = row if bits == 8 else layout.integers(directory[256])[0]
    if compression in (2, 3, 4) and 322 in directory:
        width = layout.integers(directory[322])[0]
    short, long = Layout(), 4
    tags = {256: width, 257: height, 258: bits, 259: compression, 262: 1, 273: 8, 277: 1, 278: height, 279: len(coded)}
    for tag in (266, 292, 293):
        if bits == 1 and (values := layout.integers(directory.get(tag))):
            tags[tag] = values[0]
    writer = Writer(short)
    writer.add(coded)
    entries = {tag: Entry(long, 1, struct.pack("<I", value)) for tag, value in tags.items()}
    made = writer.finished(writer.add_directory(entries))
    with quiet_library(), quiet_stderr(), Image.open(io.BytesIO(made), formats=["TIFF"]) as image:
        if image.size != (width, height):
            raise UnreadableImage("damaged TIFF: a strip or tile does not decode (get an intact copy)")
        return image.tobytes()


def _jpeg_segment(coded: bytes, page: Page, directory: Directory, height: int, width: int) -> NDArray[Any]:
    """Decode a strip or tile of JPEG (TIFF technical note 2): the tables are in a tag of their own."""
    from PIL import Image

    tables = directory[347].data if 347 in directory else b""
    adobe = b""
    if page.channels == 3:  # say whether it is YCbCr, where libjpeg would guess
        adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([page.photometric == 6])
    stream = b"\xff\xd8" + adobe + (tables[2:-2] if len(tables) > 4 else b"") + coded[2:]
    structure = jpeg.parse(stream)
    if structure.width < width or not 0 < structure.height <= height or len(structure.components) != page.channels:
        raise UnreadableImage("damaged TIFF: a JPEG strip has another size than it should (get an intact copy)")
    if structure.width > 4 * width + 64:
        raise UnreadableImage("damaged TIFF: a JPEG strip has another size than it should (get an intact copy)")
    with quiet_library(), Image.open(io.BytesIO(stream), formats=["JPEG"]) as image:
        decoded = np.asarray(image).reshape(structure.height, structure.width, -1)
    samples = np.zeros((height, width, page.channels), np.uint8)
    samples[: structure.height] = decoded[:, :width]
    return samples


def _undo_float_predictor(lines: NDArray[np.uint8], page: Page, shape: tuple[int, int, int]) -> NDArray[Any]:
    """Undo TIFF technical note 3: byte planes, most significant first, as differences with the stride of a pixel."""
    height, width, channels = shape
    size = page.dtype.itemsize
    steps = lines.reshape(height, -1, channels)
    planes = np.add.accumulate(steps, axis=1, dtype=np.uint8).reshape(height, size, width * channels)
    joined = np.ascontiguousarray(planes.swapaxes(1, 2)).reshape(-1)
    return joined.view(page.dtype.newbyteorder(">")).astype(page.dtype).reshape(shape)


def strips_of(samples: NDArray[Any], kind: Kind, name: str, predictor: int, layout: Layout) -> tuple[list[bytes], int]:
    """Give the coded strips and how many rows each has."""
    from PIL import Image

    height, width, count = samples.shape
    bits = kind.bits if kind.maximum else samples.dtype.itemsize * 8
    row = (width * count * bits + 7) // 8
    rows = min(height, max(1, STRIP // max(row, 1)))
    strips = []
    for top in range(0, height, rows):
        raw = _packed_rows(samples[top : top + rows], bits, predictor, layout)
        if name == "none":
            strips.append(raw.tobytes())
        elif name == "deflate":
            strips.append(zlib.compress(raw.tobytes(), 6))
        else:
            buffer = io.BytesIO()
            with quiet_library():
                image = Image.frombytes("L", (row, len(raw)), raw.tobytes())
                image.save(buffer, "TIFF", compression=PILLOW_NAMES[name], strip_size=1 << 30)
            strips.append(_only_strip(buffer.getvalue()))
    return strips, rows


def _only_strip(made: bytes) -> bytes:
    layout, start = layout_of(made)
    directory = next(directories(made, layout, start))
    (offset,), (size,) = layout.integers(directory[273]), layout.integers(directory[279])
    return made[offset : offset + size]


def _packed_rows(samples: NDArray[Any], bits: int, predictor: int, layout: Layout) -> NDArray[np.uint8]:
    """Give (h, bytes) rows in the file's byte order, after the predictor."""
    height, width, count = samples.shape
    if bits < 8:
        return packed_bits(samples, bits)
    if predictor == 3:
        size = samples.dtype.itemsize
        big = np.ascontiguousarray(samples.astype(samples.dtype.newbyteorder(">"))).view(np.uint8)
        planes = big.reshape(height, width * count, size).swapaxes(1, 2).reshape(height, -1, count)
        steps = planes.copy()
        steps[:, 1:] -= planes[:, :-1]
        return steps.reshape(height, -1)
    if predictor == 2:
        words = np.ascontiguousarray(samples).view(f"u{samples.dtype.itemsize}")
        steps = words.copy()
        steps[:, 1:] -= words[:, :-1]
        samples = steps
    ordered = samples.astype(layout.order + samples.dtype.str[1:])
    return np.ascontiguousarray(ordered).view(np.uint8).reshape(height, -1)
