"""PBM, PGM, PPM, PAM and PFM: netpbm's formats and the float map of Debevec, read and written here.

Any maximum value up to 65535 is kept, and the scale of a PFM, which says what its values are multiples of. PFM rows run
from bottom to top, which is undone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.codecs.facts import Facts, Source
from anew.codecs.formats import Budget, Options
from anew.codecs.raster import Kind, Raster, as_floats
from anew.errors import UnreadableImage

LONGEST_HEADER = 1 << 16
WORDS = 1 << 18  # of plain text that are read at a time
_TOKEN = re.compile(rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])*([^ \t\r\n\v\f#]+)")
_NEXT = re.compile(rb"\s*P[1-7]\s")  # the start of another picture
_COMMENT = re.compile(rb"#[ ]?([^\r\n]*)")


def decode(data: bytes, budget: Budget) -> Source:
    """Read one netpbm or PFM picture."""
    magic = data[:2]
    if magic in (b"PF", b"Pf"):
        raster, head = _decoded_pfm(data, budget)
        name = "PFM"
    else:
        raster, head = _decoded_pam(data, budget) if magic == b"P7" else _decoded_pnm(data, budget)
        name = "PNM"
    comment = b"\n".join(_COMMENT.findall(head)).decode("utf-8", "replace")
    facts = Facts(
        format=name,
        mode=raster.kind.mode,
        bit_depth=32 if raster.kind.maximum == 0 else raster.kind.bits,
        sample_format="float" if raster.kind.maximum == 0 else "uint",
        text={"comment": comment} if comment else {},
        lossless=True,
    )
    return Source(name, data, (raster,), (facts,), data[:2])


def suit(kind: Kind) -> Kind:
    """Give the nearest kind of netpbm samples: integers of up to 16 bits."""
    maximum = 255 if kind.space == "palette" else kind.maximum or 65535
    return Kind("grey" if kind.space == "grey" else "rgb", kind.alpha, maximum)


def encode(rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
    """Write PBM (1 bit), PGM, PPM, PAM (alpha) or PFM (float); plain text files become binary ones."""
    raster = rasters[0]
    samples, kind = raster.samples, raster.kind
    height, width, count = samples.shape
    comment = "".join(f"# {line}\n" for line in facts[0].text.get("comment", "").splitlines())
    note = comment.encode("utf-8", "replace")
    if kind.maximum == 0:
        scale = _scale_of(options.source.encoded) if options.source else 1.0
        head = b"%s\n%d %d\n-%r\n" % (b"Pf" if count == 1 else b"PF", width, height, scale)
        return head + as_floats(samples[::-1], "<f4").tobytes()
    wire = samples.astype(">u2" if kind.maximum > 255 else np.uint8)
    if kind.alpha:
        name = b"GRAYSCALE_ALPHA" if count == 2 else b"RGB_ALPHA"
        head = b"P7\n%sWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\n" % (note, width, height, count, kind.maximum)
        return head + b"TUPLTYPE %s\nENDHDR\n" % name + wire.tobytes()
    if kind.maximum == 1 and count == 1:
        bits = np.packbits(samples[:, :, 0] == 0, axis=1)  # PBM: 1 is black
        return b"P4\n%s%d %d\n" % (note, width, height) + bits.tobytes()
    magic = b"P5" if count == 1 else b"P6"
    return b"%s\n%s%d %d\n%d\n" % (magic, note, width, height, kind.maximum) + wire.tobytes()


def with_recipe(encoded: bytes, recipe: str) -> bytes:
    """These formats have no place for a recipe: the file stays as it is."""
    return encoded


def _tokens(data: bytes, count: int) -> tuple[list[bytes], int]:
    """Read header words; give them and the place after them."""
    words, place = [], 0
    for _ in range(count):
        found = _TOKEN.match(data, place, LONGEST_HEADER)
        if found is None:
            raise UnreadableImage("damaged PNM: its header is incomplete (get an intact copy)")
        words.append(found[1])
        place = found.end()
    return words, place


def _number(word: bytes) -> int:
    if not word.isdigit() or len(word) > 9:
        raise UnreadableImage("damaged PNM: a number in its header is none (get an intact copy)")
    return int(word)


def _decoded_pnm(data: bytes, budget: Budget) -> tuple[Raster, bytes]:
    number = int(data[1:2])
    bitmap, plain = number in (1, 4), number <= 3
    words, place = _tokens(data, 3 if bitmap else 4)
    width, height = _number(words[1]), _number(words[2])
    maximum = 1 if bitmap else _number(words[3])
    if not 0 < maximum < 65536:
        raise UnreadableImage(f"damaged PNM: its maximum value is {maximum} (get an intact copy)")
    count = 3 if number in (3, 6) else 1
    budget.check(width, height)
    kind = Kind("rgb" if count == 3 else "grey", False, maximum)
    if plain:
        samples = _plain(data[place:], width * height * count, bitmap)
    elif bitmap:
        row = (width + 7) // 8
        packed = _exactly(data[place + 1 :], row * height, np.dtype(np.uint8)).reshape(height, row)
        samples = np.unpackbits(packed, axis=1)[:, :width]
    else:
        samples = _exactly(data[place + 1 :], width * height * count, _wire(maximum))
    return _checked(1 - samples if bitmap else samples, (height, width, count), kind), data[:place]


def _decoded_pam(data: bytes, budget: Budget) -> tuple[Raster, bytes]:
    end = data.find(b"ENDHDR\n", 0, LONGEST_HEADER)
    if end < 0:
        raise UnreadableImage("damaged PAM: its header has no end (get an intact copy)")
    lines = [line.split() for line in data[2:end].split(b"\n") if line and not line.startswith(b"#")]
    fields = {line[0]: line[1] for line in lines if len(line) == 2}
    width, height, count, maximum = (
        _number(fields.get(name, b"")) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
    )
    if not 0 < maximum < 65536 or not 1 <= count <= 4:
        raise UnreadableImage("damaged PAM: its header makes no sense (get an intact copy)")
    budget.check(width, height)
    samples = _exactly(data[end + 7 :], width * height * count, _wire(maximum))
    kind = Kind("grey" if count <= 2 else "rgb", count in (2, 4), maximum)
    return _checked(samples, (height, width, count), kind), data[:end]


def _decoded_pfm(data: bytes, budget: Budget) -> tuple[Raster, bytes]:
    words, place = _tokens(data, 4)
    width, height = _number(words[1]), _number(words[2])
    try:
        scale = float(words[3])
    except ValueError:
        raise UnreadableImage("damaged PFM: its scale is not a number (get an intact copy)") from None
    count = 3 if words[0] == b"PF" else 1
    budget.check(width, height)
    wire = np.dtype("<f4" if scale < 0 else ">f4")
    samples = _exactly(data[place + 1 :], width * height * count, wire).astype(np.float32)
    upright = np.ascontiguousarray(samples.reshape(height, width, count)[::-1])
    return Raster(upright, Kind("rgb" if count == 3 else "grey", False, 0)), data[:place]


def _scale_of(data: bytes) -> float:
    """Give the magnitude of the scale of a PFM, or 1 where that makes no sense."""
    scale = abs(float(_tokens(data, 4)[0][3]))
    return scale if 0 < scale < math.inf else 1.0


def _wire(maximum: int) -> np.dtype[Any]:
    return np.dtype(np.uint8 if maximum < 256 else ">u2")


def _exactly(data: bytes, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    size = count * dtype.itemsize
    if len(data) < size:
        raise UnreadableImage("truncated: the file ends before its last pixel (get an intact copy)")
    if _NEXT.match(data, size):
        raise UnreadableImage("a PNM file of several pictures is not supported (split it, as pnmsplit does)")
    return np.frombuffer(data, dtype, count)


def _plain(text: bytes, count: int, bitmap: bool) -> NDArray[Any]:
    """Read samples written as decimal numbers; those of bitmaps may stand without spaces."""
    text = re.sub(rb"#[^\r\n]*", b"", text)
    if bitmap:
        digits = np.frombuffer(text, np.uint8)
        values = digits[(digits == 48) | (digits == 49)][:count] - 48
        return _complete(values, count)
    parts = [np.empty(0, np.int32)]
    for words in _words(text, count):
        if not all(word.isdigit() and len(word) <= 5 for word in words):
            raise UnreadableImage("damaged PNM: a sample is not a number (get an intact copy)")
        parts.append(np.array([int(word) for word in words], np.int32))
    return _complete(np.concatenate(parts), count)


def _words(text: bytes, count: int) -> Iterator[list[bytes]]:
    """Give the first words of a text, some at a time: as objects they take ten times the memory."""
    while count > 0 and text:
        words = text.split(maxsplit=WORDS)
        text = words.pop() if len(words) > WORDS else b""
        yield words[:count]
        count -= len(words)


def _complete(values: NDArray[Any], count: int) -> NDArray[Any]:
    if len(values) < count:
        raise UnreadableImage("truncated: the file ends before its last pixel (get an intact copy)")
    return values


def _checked(samples: NDArray[Any], shape: tuple[int, int, int], kind: Kind) -> Raster:
    if int(samples.max()) > kind.maximum:
        raise UnreadableImage(f"damaged PNM: a sample is above its maximum {kind.maximum} (get an intact copy)")
    dtype = np.uint8 if kind.maximum < 256 else np.uint16
    return Raster(samples.reshape(shape).astype(dtype), kind)
