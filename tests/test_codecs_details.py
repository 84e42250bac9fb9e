"""The less usual corners of the formats, against bytes made by hand, Pillow, or tifffile with imagecodecs."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from anew.codecs.png_pixels import BAND, compressed
from anew.errors import CannotWrite, UnreadableImage
from anew.images import Picture, read, read_frames, write, write_frames

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
RNG = np.random.default_rng(0)


def chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png(
    size: tuple[int, int],
    depth: int,
    colour: int,
    raw: bytes,
    extra: bytes = b"",
    interlaced: bool = False,
    stream: bytes | None = None,
) -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced)
    data = zlib.compress(raw) if stream is None else stream
    parts = [chunk(b"IHDR", header), extra, chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(("depth", "colour"), [(1, 0), (4, 0), (8, 0), (16, 0), (16, 2), (8, 6), (16, 6), (16, 4)])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (13, 9)])
def test_interlaced_png(depth: int, colour: int, size: tuple[int, int]) -> None:
    count = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    samples = RNG.integers(0, 1 << depth, (size[1], size[0], count))
    raw = b""
    for x, y, dx, dy in ADAM7:
        for row in samples[y::dy, x::dx]:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.ravel())
            bits += "0" * (-len(bits) % 8)
            raw += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""
    picture = read(png(size, depth, colour, raw, interlaced=True))
    got = picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])
    assert np.array_equal(got, (samples / np.float32((1 << depth) - 1)).astype(np.float32))
    with pytest.raises(UnreadableImage, match="incomplete"):
        read(png(size, depth, colour, raw[:-1], interlaced=True))


@pytest.mark.parametrize("depth", [8, 16])
def test_bands_of_a_png_are_one_stream(depth: int) -> None:
    """zlib checks the sum at its end; Pillow and our reader find the samples in it."""
    top = (1 << depth) - 1
    noise = RNG.random((4, 1000, 3))  # repeated within what deflate looks back, also over the end of a band
    samples = np.rint(top * np.tile(noise, (150, 1, 1))).astype(np.uint8 if depth == 8 else np.uint16)
    stream = compressed(samples, depth)
    raw = zlib.decompress(stream)
    assert len(raw) == 600 * (1 + 3000 * depth // 8) > 3 * BAND
    assert len(stream) < 1.03 * len(zlib.compress(raw, 6))
    file = png((1000, 600), depth, 2, raw, stream=stream)
    np.testing.assert_array_equal(np.rint(read(file).pixels * top), samples)
    if depth == 8:
        with Image.open(io.BytesIO(file)) as image:
            np.testing.assert_array_equal(np.asarray(image), samples)


def test_a_transparent_colour_is_alpha_and_stays_one_while_it_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png((3, 1), 8, 0, b"\0\x07\x08\x09", chunk(b"tRNS", b"\0\x08")))
    picture = read(path)
    assert picture.alpha is not None
    assert picture.alpha.tolist() == [[1, 0, 1]]
    write(picture, tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == path.read_bytes()
    pixels = picture.pixels.copy()
    pixels[0, 0] = 1
    write(picture.with_pixels(pixels), path, overwrite=True)
    assert b"tRNS" in path.read_bytes()
    pixels[0, 0] = 8 / 255  # opaque, but of the colour that means transparent
    write(picture.with_pixels(pixels), path, overwrite=True)
    again = read(path)
    assert again.facts.mode == "LA"
    assert again.alpha is not None
    assert again.alpha.tolist() == [[1, 0, 1]]


def test_small_depths_grow_only_as_far_as_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png((4, 1), 1, 0, b"\0\xa0"))
    picture = read(path)
    assert picture.pixels[0, :, 0].tolist() == [1, 0, 1, 0]
    for level, depth in ((1.0, 1), (1 / 3, 2), (1 / 15, 4), (0.5, 8)):
        pixels = picture.pixels.copy()
        pixels[0, 1] = level
        write(picture.with_pixels(pixels), path, overwrite=True)
        again = read(path)
        assert again.facts.bit_depth == depth
        np.testing.assert_allclose(again.pixels, pixels, atol=0.502 / 255)


def test_png_keeps_chunks_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    extra = (
        chunk(b"gAMA", b"\0\0\xb1\x8f")
        + chunk(b"prVt", b"private")
        + chunk(b"zTXt", b"Title\0\0" + zlib.compress(b"t"))
    )
    path.write_bytes(png((1, 1), 8, 0, b"\0\x07", extra + chunk(b"pHYs", struct.pack(">IIB", 5, 7, 0))))
    picture = read(path)
    assert picture.facts.text == {"Title": "t"}
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    data = path.read_bytes()
    assert all(
        part in data for part in (b"gAMA\0\0\xb1\x8f", b"prVtprivate", b"zTXtTitle", b"pHYs\0\0\0\x05\0\0\0\x07\0")
    )
    facts = replace(picture.facts, text={"Title": "new", "Ünicode": "日本"})
    write(replace(picture, facts=facts), path, overwrite=True)
    assert read(path).facts.text == {"Title": "new", "Ünicode": "日本"}


def test_bombs_in_metadata_do_not_go_off() -> None:
    bomb = zlib.compress(bytes(1 << 26), 9)
    extra = chunk(b"zTXt", b"Bomb\0\0" + bomb) + chunk(b"iCCP", b"bomb\0\0" + bomb)
    picture = read(png((1, 1), 8, 0, b"\0\x07", extra))
    assert picture.facts.text == {}
    assert picture.facts.icc is None
    assert read(png((1, 1), 8, 0, b"\0\x07" + bytes(1 << 24))).pixels.shape == (1, 1, 1)


def test_animations_are_shown_as_pillow_shows_them(tmp_path: Path) -> None:
    images = [Image.fromarray(RNG.integers(0, 2, (9, 11, 4), dtype=np.uint8) * np.uint8(255)) for _ in range(4)]
    for dispose in (0, 1, 2):
        for blend in (0, 1):
            path = tmp_path / "a.png"
            images[0].save(path, save_all=True, append_images=images[1:], disposal=dispose, blend=blend, duration=40)
            with Image.open(path) as shown:
                for index, picture in enumerate(read_frames(path)):
                    shown.seek(index)
                    alone = (dispose, blend) == (2, 1)  # the specification; Pillow restores the frame before instead
                    expected = np.asarray(images[index] if alone else shown.convert("RGBA")) / np.float32(255)
                    assert picture.alpha is not None
                    assert np.array_equal(picture.alpha, expected[:, :, 3])
                    assert np.array_equal(picture.pixels[picture.alpha > 0], expected[expected[:, :, 3] > 0][:, :3])


def test_gif_alpha_and_many_colours(tmp_path: Path) -> None:
    rgba = np.full((30, 40, 4), 255, np.uint8)
    rgba[:, :, :3] = RNG.integers(0, 6, (30, 40, 3)) * 51
    rgba[5:9, 5:9, 3] = 0
    frames = [Picture.from_array(rgba), Picture.from_array(np.roll(rgba, 5, axis=1))]
    path = tmp_path / "a.gif"
    write_frames(frames, path)
    again = read_frames(path)
    for frame, read_back in zip(frames, again, strict=True):
        assert read_back.alpha is not None
        assert np.array_equal(read_back.alpha, frame.alpha)
        assert np.array_equal(read_back.pixels[frame.alpha == 1], frame.pixels[frame.alpha == 1])
    smooth = np.indices((64, 64)).transpose(1, 2, 0)[:, :, [0, 1, 0]] * np.uint8(4)
    for alpha in (None, (np.indices((64, 64))[0] > 9).astype(np.float32)):
        write(replace(Picture.from_array(smooth.astype(np.uint8)), alpha=alpha), path, overwrite=True)
        read_back = read(path)
        assert np.abs(read_back.pixels - smooth / 255)[10:].max() < 0.08
        assert alpha is None or np.array_equal(read_back.alpha, alpha)
    half = replace(Picture.from_array(smooth.astype(np.uint8)), alpha=np.full((64, 64), 0.5, np.float32))
    with pytest.raises(CannotWrite, match="on or off"):
        write(half, path, overwrite=True)
    write(replace(read_back, alpha=half.alpha), path, overwrite=True)  # a changed GIF


def test_black_ink_stays_where_the_colour_allows(tmp_path: Path) -> None:
    inks = np.full((2, 2, 4), 100, np.uint8)
    path = tmp_path / "a.tif"
    Image.frombytes("CMYK", (2, 2), inks.tobytes()).save(path)
    picture = read(path)
    pixels = picture.pixels.copy()
    pixels[0, 0] = (0.1, 0.2, 0.3)
    pixels[1, 1] = (0.9, 0.9, 0.9)
    write(picture.with_pixels(pixels), path, overwrite=True)
    with Image.open(path) as image:
        new = np.asarray(image)
    assert new[0, 0, 3] == 100
    assert new[1, 1].tolist() == [0, 0, 0, 26]
    assert np.array_equal(new[0, 1], inks[0, 1])


def test_exif_goes_from_format_to_format(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "maker", 8
    exif.get_ifd(0x8769)[0x829A] = 0.008
    Image.new("RGB", (8, 6), "teal").save(tmp_path / "a.jpg", exif=exif)
    source = tmp_path / "a.jpg"
    for target in ("b.tif", "c.png", "d.tif", "e.webp", "f.avif", "g.jpg"):
        write(read(source), tmp_path / target)
        source = tmp_path / target
        with Image.open(source) as image:
            found = image.getexif()
            assert (found[0x010F], found.get(0x0112, 1)) == ("maker", 1), target
            assert float(found.get_ifd(0x8769)[0x829A]) == 0.008


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_thumbnail_in_exif_does_not_outlive_the_picture(tmp_path: Path, order: str) -> None:
    small = b"\xff\xd8a thumbnail of the damaged picture\xff\xd9"
    first = struct.pack(order + "HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 26)
    second = struct.pack(order + "HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(small), 0)
    exif = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8) + first + second + small + b"note"
    for ending in (".jpg", ".png", ".webp"):
        path = tmp_path / f"a{ending}"
        Image.new("RGB", (8, 6), "teal").save(path, exif=b"Exif\0\0" + exif)
        with Image.open(path) as image:
            assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(small)
        picture = read(path)
        write(picture, path, overwrite=True)
        assert small in path.read_bytes()
        write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
        assert small[2:-2] not in path.read_bytes()
        with Image.open(path) as image:
            assert dict(image.getexif()) == {0x0112: 1}
            assert not image.getexif().get_ifd(ExifTags.IFD.IFD1)
            assert image.info["exif"].endswith(b"note")


def test_png_with_the_start_of_a_jpeg_segment_before_its_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    assert block.startswith(b"Exif\0\0")
    data = png((3, 2), 8, 0, bytes([0, 1, 2, 3, 0, 4, 5, 6]), chunk(b"eXIf", block))
    picture = read(data)
    assert picture.facts.orientation == 6
    assert np.array_equal(np.rint(255 * picture.pixels[:, :, 0]), [[4, 1], [5, 2], [6, 3]])
    write(picture, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        assert dict(image.getexif()) == {0x0112: 1}


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_keeps_the_shape_of_its_pixels(tmp_path: Path, orientation: int) -> None:
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.new("RGB", (24, 16), "red").save(path, exif=exif)
    data = bytearray(path.read_bytes())
    place = data.index(b"JFIF\0") + 7
    data[place : place + 5] = struct.pack(">BHH", 0, 2, 1)  # no unit: pixels half as wide as high
    path.write_bytes(data)
    picture = read(path)
    assert picture.facts.dpi is None
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    with Image.open(path) as image:
        assert (image.info["jfif_unit"], image.info["jfif_density"]) == (0, (2, 1) if orientation == 1 else (1, 2))


@pytest.mark.parametrize(
    ("dtype", "samples"),
    [(np.int8, "8 bits, signed"), (np.int16, "16 bits, signed"), (np.uint32, "32 bits, unsigned"),
     (np.complex64, "64 bits, complex")],
)  # fmt: skip
def test_samples_of_tiff_that_are_refused_are_named(tmp_path: Path, dtype: type, samples: str) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", np.ones((8, 9), dtype))
    with pytest.raises(UnreadableImage, match=f"TIFF samples of {samples}, are not supported"):
        read(tmp_path / "a.tif")


def test_unusual_tiffs_agree_with_tifffile(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    grey = RNG.integers(0, 256, (19, 23), dtype=np.uint8)
    rgb = np.kron(RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8), np.ones((16, 16, 1), np.uint8))
    rgba = RNG.integers(0, 256, (19, 23, 4), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, grey, photometric="miniswhite")
    picture = read(path)
    assert np.array_equal(picture.pixels[:, :, 0], 1 - grey / np.float32(255)) or np.allclose(
        picture.pixels[:, :, 0], 1 - grey / 255, atol=1e-6
    )
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    with tifffile.TiffFile(path) as tiff:
        assert tiff.pages[0].photometric.name == "MINISWHITE"
        assert np.array_equal(tiff.pages[0].asarray(), 255 - grey)
    tifffile.imwrite(path, rgb, bigtiff=True, photometric="rgb", planarconfig="contig")
    assert np.array_equal(read(path).pixels, rgb / np.float32(255))
    write(read(path), path, recipe="{}", overwrite=True)
    assert read(path).facts.recipe == "{}"
    assert np.array_equal(tifffile.imread(path), rgb)
    tifffile.imwrite(path, np.moveaxis(rgb, 2, 0), planarconfig="separate", photometric="rgb", rowsperstrip=7)
    assert np.array_equal(read(path).pixels, rgb / np.float32(255))
    for tile in (None, (32, 48)):
        tifffile.imwrite(path, rgb, photometric="ycbcr", compression="jpeg", tile=tile)
        np.testing.assert_allclose(read(path).pixels, tifffile.imread(path) / 255, atol=0.02)
    tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["assocalpha"])
    picture = read(path)
    pixels = picture.pixels.copy()
    pixels[3, 4] = 0.5
    write(picture.with_pixels(pixels), path, overwrite=True)
    with tifffile.TiffFile(path) as tiff:
        assert (tiff.pages[0].asarray() != rgba).any(axis=2).sum() == 1
        assert tiff.pages[0].extrasamples[0].name == "ASSOCALPHA"
    tifffile.imwrite(path, rgba, photometric="rgb", extrasamples=["unspecified"])  # such as near infrared
    picture = read(path)
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    with tifffile.TiffFile(path) as tiff:
        assert np.array_equal(tiff.pages[0].asarray()[:, :, 3], rgba[:, :, 3])
        assert tiff.pages[0].extrasamples[0].name == "UNSPECIFIED"
    for compression in ("group3", "group4", "tiff_ccitt"):
        bits = Image.fromarray(grey > 100)
        bits.save(path, compression=compression)
        assert np.array_equal(read(path).pixels[:, :, 0] > 0.5, grey > 100)


@pytest.mark.parametrize("options", [{"dtype": "int16"}, {"dtype": "uint32"}, {"compression": "lerc"}, {"count": 5}])
def test_unsupported_tiffs_are_named(tmp_path: Path, options: dict[str, object]) -> None:
    tifffile = pytest.importorskip("tifffile")
    samples = np.zeros((5, 6) if "count" not in options else (5, 6, 5), str(options.get("dtype", "uint8")))
    tifffile.imwrite(
        tmp_path / "a.tif",
        samples,
        compression=options.get("compression"),
        photometric="minisblack",
        planarconfig="contig" if "count" in options else None,
    )
    with pytest.raises(UnreadableImage, match=r"not supported \("):
        read(tmp_path / "a.tif")


def test_plain_and_odd_netpbm(tmp_path: Path) -> None:
    assert read(b"P2\n# a comment\n3 1\n100\n0 50\n100").pixels[0, :, 0].tolist() == [0, 0.5, 1]
    assert read(b"P1 2 2 01\n10").pixels[:, :, 0].tolist() == [[1, 0], [0, 1]]
    assert read(b"P3 1 1 255 255 0 51").pixels[0, 0].tolist() == [1, 0, np.float32(0.2)]
    deep = read(b"P5 2 1 1000\n\x00\x0a\x03\xe8")
    assert deep.pixels[0, :, 0].tolist() == [np.float32(0.01), 1]
    write(deep.with_pixels(1 - deep.pixels), tmp_path / "a.pgm")
    assert (tmp_path / "a.pgm").read_bytes() == b"P5\n2 1\n1000\n\x03\xde\0\0"
    assert read(b"P5 1 1 255\nP\n").pixels.item() == np.float32(80 / 255)
    with pytest.raises(UnreadableImage, match="several pictures"):
        read(b"P5 1 1 255\nP\nP5 1 1 255\nP")
    for scale, kept in ((b"2.5", b"-2.5"), (b"-0.003922", b"-0.003922"), (b"0", b"-1.0"), (b"nan", b"-1.0")):
        path = tmp_path / "a.pfm"
        path.write_bytes(b"Pf\n1 1\n" + scale + b"\n" + struct.pack("<f" if scale[:1] == b"-" else ">f", 0.5))
        write(read(path).with_pixels(np.full((1, 1, 1), 0.25, np.float32)), path, overwrite=True)
        assert path.read_bytes() == b"Pf\n1 1\n" + kept + b"\n" + struct.pack("<f", 0.25)
    for bad in (b"P2 2 1 9 3 x", b"P5 2 1 99999 ab", b"P2 1 1 9 10", b"P7\nWIDTH 2\nENDHDR\n", b"PF 1 1 x abc"):
        with pytest.raises(UnreadableImage):
            read(bad)


def test_plain_netpbm_is_read_in_little_memory() -> None:
    samples = RNG.integers(0, 1000, (700, 900), dtype=np.uint16)
    data = b"P2 900 700 1000\n" + b"\n".join(b"%d" % value for value in samples.ravel().tolist()) + b" trailing words"
    tracemalloc.start()
    picture = read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(np.rint(picture.pixels[:, :, 0] * 1000), samples)
    assert peak < 50 * samples.size
    with pytest.raises(UnreadableImage, match="not a number"):
        read(data.replace(b"\n", b"\nx", 500_000))
    with pytest.raises(UnreadableImage, match="before its last pixel"):
        read(data[: len(data) // 2])


def test_rgb_coded_and_odd_jpegs(tmp_path: Path, colour_photo: np.ndarray) -> None:
    image = Image.fromarray((colour_photo * 255).astype(np.uint8))
    path = tmp_path / "a.jpg"
    image.save(path, keep_rgb=True, quality=90)
    picture = read(path)
    np.testing.assert_allclose(picture.pixels, colour_photo, atol=0.15)
    write(picture.with_pixels(picture.pixels[:, ::-1].copy()), path, overwrite=True)
    with Image.open(path) as again:
        assert again.info.get("adobe_transform") == 0
        np.testing.assert_allclose(np.asarray(again) / 255, picture.pixels[:, ::-1], atol=0.1)
    image.save(path, exif=b"", comment=b"words", dpi=(100, 100))
    path.write_bytes(path.read_bytes() + b"a film")
    picture = read(path)
    assert picture.facts.text == {"comment": "words"}
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True, quality=50)
    assert read(path).facts.text == {"comment": "words"}


def test_coarse_jpeg_tables_are_kept_without_a_word(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(RNG.integers(0, 256, (64, 64), dtype=np.uint8)).save(path, qtables=[[300] * 64])
    capfd.readouterr()
    picture = read(path)
    pixels = picture.pixels.copy()
    pixels[:4, :4] = 0
    write(picture.with_pixels(pixels), path, overwrite=True)
    assert capfd.readouterr() == ("", "")
    assert read(path).facts.jpeg_quantisation == ((300,) * 64,)


@pytest.mark.parametrize(("shape", "told"), [((16, 16), None), ((16, 16, 3), False)])
def test_of_grey_avif_nobody_knows_whether_it_lost_anything(
    tmp_path: Path, shape: tuple[int, ...], told: bool | None
) -> None:
    write(RNG.integers(0, 256, shape, dtype=np.uint8), tmp_path / "a.avif", quality=30)
    assert read(tmp_path / "a.avif").facts.lossless is told


def test_deep_avif_and_alpha_bmp(tmp_path: Path) -> None:
    deep = Picture.from_array(RNG.integers(0, 65536, (9, 7, 3), dtype=np.uint16))
    write(deep, tmp_path / "a.avif")
    picture = read(tmp_path / "a.avif")
    assert picture.facts.bit_depth == 12
    assert np.abs(picture.pixels - deep.pixels).max() <= 0.501 / 4095
    write(picture.with_pixels(picture.pixels[::-1].copy()), tmp_path / "b.avif")
    assert np.array_equal(read(tmp_path / "b.avif").pixels, picture.pixels[::-1])
    clear = Picture.from_array(RNG.integers(0, 256, (9, 7, 4), dtype=np.uint8))
    write(clear, tmp_path / "a.bmp")
    with Image.open(tmp_path / "a.bmp") as image:
        assert image.mode == "RGBA"
        assert np.array_equal(np.asarray(image)[:, :, :3], np.rint(clear.pixels * 255))
