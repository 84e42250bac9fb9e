"""Every kind of picture through every format, orientation and profile: exact, or as docs/formats.md says.

The inputs are made by tifffile with imagecodecs and by Pillow, or byte by byte here: none of our code writes them.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from anew.errors import CannotWrite
from anew.images import Picture, read, write

tifffile = pytest.importorskip("tifffile")

DOCS = Path(__file__).parents[1] / "docs" / "formats.md"
FORMATS = {"PNG": "png", "TIFF": "tif", "JPEG": "jpg", "WebP": "webp", "AVIF": "avif", "BMP": "bmp", "GIF": "gif"}
FORMATS |= {"PNM": "ppm", "PFM": "pfm"}
KINDS = ("1", "L8", "L16", "L float", "LA8", "LA16", "LA float", "RGB8", "RGB16", "RGB float", "RGBA8", "RGBA16")
KINDS += ("RGBA float", "P8", "CMYK8", "CMYK16")
CHANNELS = {"1": 1, "L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 1, "CMYK": 4}
HEIGHT, WIDTH = 6, 10


def split(kind: str) -> tuple[str, str]:
    mode = kind.rstrip("0123456789").removesuffix(" float")
    return ("1", "1") if kind == "1" else (mode, kind[len(mode) :].strip())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where the system has one: thousands of files are flushed to the disk here."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def made(path: Path, kind: str, orientation: int, icc: bytes | None) -> NDArray[np.float32]:
    """Write a file of a kind and give the upright (H, W, C) values that it must be read as, alpha last."""
    rng = np.random.default_rng(len(kind) + ord(kind[-1]))
    mode, depth = split(kind)
    shape = (HEIGHT, WIDTH, CHANNELS[mode])
    top = {"1": 1, "8": 255, "16": 65535, "float": 1}[depth]
    if depth == "float":
        samples = rng.random(shape, np.float32)
    else:
        samples = rng.integers(0, top + 1, shape).astype(np.uint16 if depth == "16" else np.uint8)
    options = {"extratags": [(274, "H", 1, orientation, True)], "iccprofile": icc, "metadata": None}
    if mode == "P":
        colours = np.arange(768, dtype=np.uint16).reshape(3, 256) * 80 // 257 * 257
        tifffile.imwrite(path, samples[:, :, 0], photometric="palette", colormap=colours, **options)
        values = (colours.T[samples[:, :, 0]] >> 8) / np.float32(255)
    else:
        photometric = {3: "rgb", 4: "separated" if mode == "CMYK" else "rgb"}.get(shape[2], "minisblack")
        extra = {"extrasamples": ["unassalpha"]} if mode in ("LA", "RGBA") else {}
        data = samples[:, :, 0].astype(bool) if depth == "1" else samples[:, :, 0] if shape[2] == 1 else samples
        tifffile.imwrite(path, data, photometric=photometric, **extra, **options)
        values = samples.astype(np.float32) / np.float32(top)
        if mode == "CMYK":
            values = (1 - values[:, :, :3]) * (1 - values[:, :, 3:])
    turned = {
        1: values, 2: values[:, ::-1], 3: values[::-1, ::-1], 4: values[::-1], 5: values.swapaxes(0, 1),
        6: np.rot90(values, -1), 7: np.rot90(values, 2).swapaxes(0, 1), 8: np.rot90(values),
    }  # fmt: skip
    return turned[orientation].astype(np.float32)


def values_of(picture: Picture) -> NDArray[np.float32]:
    return picture.pixels if picture.alpha is None else np.concatenate([picture.pixels, picture.alpha[:, :, None]], 2)


def outcome(picture: Picture, kind: str, values: NDArray[np.float32], target: Path) -> str:
    """Write and read again; say in a word or two what became of the samples."""
    try:
        write(replace(picture, facts=replace(picture.facts, dpi=(96.0, 96.0))), target)  # else TIFF would be copied
    except CannotWrite as error:
        return "refused" if len(str(error).splitlines()) == 1 else "refused in several lines"
    again = read(target)
    mode, depth = split(kind)
    got, facts = values_of(again), again.facts
    now = "float" if facts.sample_format == "float" else str(facts.bit_depth)
    if (got.shape[2] == 3 and values.shape[2] == 1) or (got.shape[2] == 4 and values.shape[2] == 2):
        values = np.concatenate([np.repeat(values[:, :, :1], 3, axis=2), values[:, :, 1:]], axis=2)
    as_kind = facts.mode + {"float": " float", "1": "" if facts.mode == "1" else "1"}.get(now, now)
    if np.array_equal(got, values):
        return "exact" if (facts.mode, now) == (mode, depth) else f"exact, as {as_kind}"
    assert got.shape == values.shape
    step = {"8": 255, "12": 4095, "16": 65535, "float": 1e9}[now]
    return f"nearest, as {as_kind}" if np.abs(got - values).max() <= 0.501 / step + 1e-7 else f"lossy, as {as_kind}"


def icc_profile(kind: str) -> bytes:
    space = {"L": b"GRAY", "1": b"GRAY", "C": b"CMYK"}.get(kind[0] if kind[:2] != "LA" else "L", b"RGB ")
    return struct.pack(">I", 132) + bytes(12) + space + bytes(112)


def test_every_cell_is_exact_or_as_documented(folder: Path) -> None:
    rows = []
    for kind in KINDS:
        cells = []
        for ending in FORMATS.values():
            found = set()
            for orientation in range(1, 9):
                for icc in (None, icc_profile(kind)):
                    if ending == "avif" and (orientation not in (1, 6) or (icc is None and orientation == 6)):
                        continue  # the encoder is slow; tests/test_images.py has all orientations of AVIF
                    path = folder / "in.tif"
                    values = made(path, kind, orientation, icc)
                    picture = read(path)
                    assert np.array_equal(values_of(picture), values), kind
                    assert (picture.facts.icc, picture.facts.orientation) == (icc, orientation)
                    target = folder / f"out.{ending}"
                    target.unlink(missing_ok=True)
                    found.add(outcome(picture, kind, values, target))
                    fits = icc and found != {"refused"} and ending in ("png", "tif", "jpg", "webp", "avif")
                    if fits and (icc[16:20] == b"RGB ") == (read(target).pixels.shape[2] == 3) and kind[0] != "C":
                        assert read(target).facts.icc == icc
            assert len(found) == 1, (kind, ending, found)
            cells.append(found.pop())
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    table = "\n".join([f"| | {' | '.join(FORMATS)} |", "|---" * (len(FORMATS) + 1) + "|", *rows])
    assert table in DOCS.read_text(), f"docs/formats.md should hold this table:\n{table}"


def png_bytes(samples: NDArray[np.integer], depth: int, colour: int, extra: bytes = b"") -> bytes:
    """Make a PNG by hand: (H, W, S) samples, filter 0, no library."""

    def chunk(name: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))

    lines = []
    for row in samples:
        bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
        bits += "0" * (-len(bits) % 8)
        lines.append(b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big"))
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(b"".join(lines))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize(
    ("colour", "depth"),
    [
        *((0, depth) for depth in (1, 2, 4, 8, 16)),
        *((3, depth) for depth in (1, 2, 4, 8)),
        *((colour, depth) for colour in (2, 4, 6) for depth in (8, 16)),
    ],
)
def test_every_kind_of_png(tmp_path: Path, colour: int, depth: int) -> None:
    count = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    rng = np.random.default_rng(colour * 16 + depth)
    samples = rng.integers(0, 1 << depth, (7, 11, count))
    palette = rng.integers(0, 256, (1 << min(depth, 8), 3), dtype=np.uint8)
    chunk = b"PLTE" + palette.tobytes()
    extra = struct.pack(">I", palette.size) + chunk + struct.pack(">I", zlib.crc32(chunk)) if colour == 3 else b""
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(samples, depth, colour, extra))
    picture = read(path)
    expected = palette[samples[:, :, 0]] / np.float32(255) if colour == 3 else samples / np.float32((1 << depth) - 1)
    assert np.array_equal(values_of(picture), expected.astype(np.float32))
    assert picture.facts.bit_depth == depth
    flipped = picture.with_pixels(np.ascontiguousarray(picture.pixels[:, ::-1]))
    write(flipped, path, overwrite=True)
    again = read(path)
    assert (again.facts.mode, again.facts.bit_depth) == (picture.facts.mode, depth)
    assert np.array_equal(again.pixels, flipped.pixels)
    if depth <= 8:  # Pillow reads these exactly
        with Image.open(path) as image:
            assert image.size == (11, 7)
            shown = np.asarray(image.convert("RGBA"))[:, :, :3] / np.float32(255)
        assert np.array_equal(np.broadcast_to(flipped.pixels, shown.shape), shown)


def test_interlaced_and_sixteen_bits_agree_with_an_independent_decoder(tmp_path: Path) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    samples = np.random.default_rng(0).integers(0, 65536, (9, 13, 4), dtype=np.uint16)
    for part in (samples, samples[:, :, :3], samples[:, :, :2], samples[:, :, :1]):
        path = tmp_path / "a.png"
        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(part.squeeze())))
        picture = read(path)
        assert np.array_equal(values_of(picture), part / np.float32(65535))
        write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
        decoded = imagecodecs.png_decode(path.read_bytes()).reshape(part.shape)
        colours = part.shape[2] - (part.shape[2] in (2, 4))
        assert np.array_equal(decoded[:, :, :colours], 65535 - part[:, :, :colours])
        assert np.array_equal(decoded[:, :, colours:], part[:, :, colours:])


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_every_kind_of_tiff(tmp_path: Path, compression: str | None, dtype: str) -> None:
    rng = np.random.default_rng(0)
    path, out = tmp_path / "a.tif", tmp_path / "b.tif"
    top = {"uint8": 255, "uint16": 65535}.get(dtype, 1)
    samples = (rng.random((37, 29, 3)) * top).astype(dtype)
    predictors = (False, True) if compression in ("lzw", "deflate", "zstd") and dtype != "float16" else (False,)
    for number, predictor in enumerate(predictors):
        for tile in (None, (16, 32)):
            tifffile.imwrite(
                path, samples, photometric="rgb", compression=compression, predictor=predictor, tile=tile,
                byteorder="<>"[number],
            )  # fmt: skip
            picture = read(path)
            assert np.array_equal(picture.pixels, samples.astype(np.float32) / np.float32(top))
            pixels = picture.pixels.copy()
            pixels[3:9, 4:8] = 0.5
            expected = samples.copy()
            expected[3:9, 4:8] = np.rint(0.5 * top) if top > 1 else 0.5
            write(picture.with_pixels(pixels), out, overwrite=True)
            with tifffile.TiffFile(out) as tiff:
                assert np.array_equal(tiff.pages[0].asarray(), expected)
                if compression not in (None, "lzma"):
                    assert tiff.pages[0].compression.name.lower().endswith(compression)


def test_tags_nobody_knows_survive_in_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = [(65000, "s", 0, "private", True), (65001, "d", 3, (1.5, 2.5, -3.0), True), (270, "s", 0, "words", True)]
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8), extratags=tags, byteorder=">", metadata=None)
    picture = read(path)
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True, recipe="{}")
    with tifffile.TiffFile(path) as tiff:
        found = {tag.code: tag.value for tag in tiff.pages[0].tags}
        assert tiff.byteorder == ">"
    assert (found[65000], found[65001], found[270]) == ("private", (1.5, 2.5, -3.0), "words")


def test_floats_too_large_for_our_pixels_stay_in_their_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.array([[1e300, 0.5, 0.5]]))
    picture = read(path)
    assert picture.pixels[0, 0, 0] == np.inf
    pixels = picture.pixels.copy()
    pixels[0, 1] = 0.25
    write(picture.with_pixels(pixels), path, overwrite=True)
    assert np.array_equal(tifffile.imread(path), [[1e300, 0.25, 0.5]])
    write(picture, tmp_path / "a.pfm")
    assert np.array_equal(read(tmp_path / "a.pfm").pixels, picture.pixels)


def test_of_two_descriptions_the_first_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8), description="words")  # and a second one, of the shape
    picture = read(path)
    write(picture, path, overwrite=True, recipe="{}")
    with tifffile.TiffFile(path) as tiff:
        assert [tag.value for tag in tiff.pages[0].tags.values() if tag.code == 270] == ["words", '{"shape": [4, 5]}']
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].description == "words"


def test_quantisation_round_trip_is_exact_for_every_level() -> None:
    from anew.codecs.raster import Kind, Raster, quantised, to_pixels

    for maximum in (1, 3, 15, 100, 255, 1023, 4095, 65535):
        levels = np.arange(maximum + 1, dtype=np.uint8 if maximum < 256 else np.uint16).reshape(1, -1, 1)
        kind = Kind("grey", False, maximum)
        assert np.array_equal(quantised(*to_pixels(Raster(levels, kind)), kind).samples, levels)
