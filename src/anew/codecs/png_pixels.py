"""PNG pixels: filtered and deflated here, inflated and unfiltered by Pillow and OpenCV from a minimal PNG.

The decoders see only the header, the palette and data whose length was verified, so ancillary chunks cannot harm.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs.formats import quiet_library, quiet_stderr
from anew.errors import UnreadableImage
from anew.threads import thread_count

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
BAND = 1 << 19  # bytes filtered and deflated at a time
LONGEST_SIDE_OF_OPENCV = 1 << 20
WINDOW = 1 << zlib.MAX_WBITS  # bytes that deflate looks back
ZLIB_HEADER = b"\x78\x9c"
END_OF_DEFLATE = b"\x03\x00"  # an empty last block
Chunk = tuple[bytes, bytes]


@dataclass(frozen=True)
class Header:
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool = False

    def packed(self) -> bytes:
        """Give the payload of the chunk."""
        return struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.colour, 0, 0, self.interlaced)

    def data_length(self) -> int:
        """Bytes of the filtered, inflated image data."""
        bits = self.depth * CHANNELS[self.colour]
        sizes = [(self.width, self.height)]
        if self.interlaced:
            steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
            sizes = [((self.width - x + dx - 1) // dx, (self.height - y + dy - 1) // dy) for x, y, dx, dy in steps]
        return sum(h * ((w * bits + 7) // 8 + 1) for w, h in sizes if w > 0 and h > 0)


def decoded(header: Header, chunks: list[Chunk], compressed: bytes) -> NDArray[Any]:
    """Decode image data to (H, W, S) samples, after checking that it is complete."""
    length = header.data_length()
    try:
        engine = zlib.decompressobj()
        complete = len(engine.decompress(compressed, length + 1)) >= length
        if engine.unconsumed_tail == b"" and not engine.eof and complete:
            engine.flush(1)
    except zlib.error:
        complete = False
    if not complete:
        raise UnreadableImage("damaged PNG: its image data is incomplete (get an intact copy)")
    channels = CHANNELS[header.colour]
    if header.depth == 16 and header.colour in (2, 6):
        if max(header.width, header.height) > LONGEST_SIDE_OF_OPENCV:
            raise UnreadableImage(
                f"a PNG of 16-bit colours and more than {LONGEST_SIDE_OF_OPENCV} pixels a side is not supported "
                "(save it as TIFF)"
            )
        return _decoded_by_opencv(_minimal(header, [], compressed))
    if header.depth == 16:  # the bytes of a 16-bit pixel are those of an 8-bit pixel with twice the channels
        doubled = replace(header, depth=8, colour={0: 4, 4: 6}[header.colour])
        samples = _decoded_by_pillow(_minimal(doubled, [], compressed))
        return samples.reshape(-1).view(">u2").astype(np.uint16).reshape(header.height, header.width, channels)
    samples = _decoded_by_pillow(_minimal(header, chunks, compressed)).astype(np.uint8)
    if header.colour == 0 and header.depth in (2, 4):  # Pillow spreads them over 0..255
        samples //= 85 if header.depth == 2 else 17
    return samples.reshape(header.height, header.width, channels)


def _decoded_by_pillow(data: bytes) -> NDArray[Any]:
    from PIL import Image

    with quiet_library(), Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.array(image)


def _decoded_by_opencv(data: bytes) -> NDArray[Any]:
    import cv2

    with quiet_stderr():
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None or samples.dtype != np.uint16:
        raise UnreadableImage("damaged PNG: its image data does not decode (get an intact copy)")
    return np.ascontiguousarray(samples[:, :, [2, 1, 0, 3][: samples.shape[2]]])


def _minimal(header: Header, chunks: list[Chunk], compressed: bytes) -> bytes:
    palette = [(n, p[: 3 * (1 << header.depth)]) for n, p in chunks if n == b"PLTE" and header.colour == 3][:1]
    parts = [(b"IHDR", header.packed()), *palette, (b"IDAT", compressed), (b"IEND", b"")]
    return SIGNATURE + b"".join(packed_chunk(*chunk) for chunk in parts)


def packed_chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def compressed(samples: NDArray[Any], depth: int) -> bytes:
    """Filter and deflate samples; each row gets the filter whose output is smallest in sum of magnitudes.

    Bands of rows are deflated side by side, each with the end of the one before as its dictionary, and stand one after
    another in one stream, as Adler's pigz does.
    """
    threads = thread_count()
    bands = _filtered_bands(samples, depth)
    checksum, before = 1, b""
    parts = [ZLIB_HEADER]
    with ThreadPoolExecutor(threads) as pool:
        while group := list(itertools.islice(bands, threads)):
            befores = [before, *(band[-WINDOW:] for band in group[:-1])]
            parts += pool.map(_deflated, group, befores)
            for band in group:
                checksum = zlib.adler32(band, checksum)
            before = group[-1][-WINDOW:]
    return b"".join([*parts, END_OF_DEFLATE, struct.pack(">I", checksum)])


def _deflated(band: bytes, before: bytes) -> bytes:
    """Deflate a band up to a whole byte, so that the next one can follow."""
    engine = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=before)
    return engine.compress(band) + engine.flush(zlib.Z_SYNC_FLUSH)


def _filtered_bands(samples: NDArray[Any], depth: int) -> Iterator[bytes]:
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    rows = max(1, BAND // max(1, width * channels * (2 if depth == 16 else 1)))
    above = None
    for top in range(0, height, rows):
        raw = _packed_rows(samples[top : top + rows], depth)
        if depth < 8:
            filtered = np.concatenate([np.zeros((len(raw), 1), np.uint8), raw], axis=1)
        else:
            filtered = _filtered(raw, np.zeros_like(raw[0]) if above is None else above, step)
        above = raw[-1]
        yield filtered.tobytes()


def _packed_rows(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """Give the (H, bytes) rows of samples, big-endian or several to a byte."""
    height = len(samples)
    if depth == 16:
        return samples.astype(">u2").view(np.uint8).reshape(height, -1)
    if depth == 8:
        return np.ascontiguousarray(samples).reshape(height, -1)
    return packed_bits(samples, depth)


def packed_bits(samples: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """Pack (H, W, 1) samples of 1, 2 or 4 bits into rows of bytes, the first sample in the highest bits."""
    height, width, _ = samples.shape
    per_byte = 8 // depth
    padded = np.zeros((height, -(-width // per_byte) * per_byte), np.uint8)
    padded[:, :width] = samples[:, :, 0]
    shifts = np.arange(per_byte - 1, -1, -1, dtype=np.uint8) * np.uint8(depth)
    return np.bitwise_or.reduce(padded.reshape(height, -1, per_byte) << shifts, axis=2).astype(np.uint8)


def _filtered(raw: NDArray[np.uint8], above: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Choose among the five filters of the specification, section 9.2, for each row; a left, b above, c both."""
    x = raw.astype(np.int16)
    b = np.concatenate([above[None], raw[:-1]]).astype(np.int16)
    a, c = np.zeros_like(x), np.zeros_like(x)
    a[:, step:], c[:, step:] = x[:, :-step], b[:, :-step]
    pa, pb = np.abs(b - c), np.abs(a - c)
    pc = np.abs(a + b - 2 * c)
    paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
    best = np.empty((len(raw), 1 + raw.shape[1]), np.uint8)
    least = np.full(len(raw), np.iinfo(np.int64).max)
    for number, predicted in enumerate((np.zeros_like(x), a, b, (a + b) >> 1, paeth)):
        residual = (x - predicted).astype(np.uint8)
        cost = np.abs(residual.view(np.int8).astype(np.int16)).sum(axis=1, dtype=np.int64)
        better = cost < least
        least[better] = cost[better]
        best[better, 0] = number
        best[better, 1:] = residual[better]
    return best
