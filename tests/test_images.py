"""The door for files: what it refuses and how, what it keeps, and that nothing is left half done."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew
from anew.errors import CannotWrite, ImageFileError, ImageTooLarge, SeveralFrames, UnreadableImage
from anew.images import Facts, Picture, read, read_frames, write, write_frames
from full_disk import full_disk

ENDINGS = [".png", ".jpg", ".tif", ".webp", ".avif", ".bmp", ".gif", ".ppm", ".pfm"]


@pytest.fixture
def photo() -> Picture:
    """A smooth (24, 31, 3) picture of 8 bits, with at most 100 colours so that a GIF holds it."""
    y, x = np.indices((24, 31))
    levels = np.stack([x // 4 * 25, y // 3 * 30, 0 * x + 40], axis=2)
    return Picture.from_array(levels.astype(np.uint8))


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    """Save through Pillow: an implementation that is not ours."""
    image.save(path, **options)
    return path


def one_line(error: pytest.ExceptionInfo[ImageFileError], path: Path) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(str(path))
    return text


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read(tmp_path: Path, photo: Picture, ending: str) -> None:
    write(photo, tmp_path / f"a{ending}")
    again = read(tmp_path / f"a{ending}")
    tolerance = 0.04 if ending == ".jpg" else 1e-7
    np.testing.assert_allclose(again.pixels, photo.pixels, atol=tolerance)
    assert os.listdir(tmp_path) == [f"a{ending}"]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_arrays_are_written_as_pictures(tmp_path: Path, dtype: str) -> None:
    full = 1 if dtype == "float32" else np.iinfo(dtype).max
    array = (np.arange(24).reshape(4, 6) * (full / 23)).astype(dtype)
    write(array, tmp_path / "a.png")
    again = read(tmp_path / "a.png")
    assert again.facts.bit_depth == (16 if dtype == "uint16" else 8)
    assert np.abs(again.pixels[:, :, 0] * full - array).max() <= full / 255 / 2


def test_pixels_of_another_dtype_are_refused(photo: Picture) -> None:
    levels = (photo.pixels * 255).astype(np.uint8)
    with pytest.raises(TypeError, match="expected pixels of float32, got uint8; "):
        photo.with_pixels(levels)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected alpha of float32, got float64"):
        Picture(photo.pixels, np.ones((24, 31)))  # type: ignore[arg-type]


def test_one_picture_is_no_sequence_of_frames(tmp_path: Path, photo: Picture) -> None:
    for one in (photo, photo.pixels):
        with pytest.raises(TypeError, match=r"got one (Picture|ndarray); anew.write writes one"):
            write_frames(one, tmp_path / "a.gif")  # type: ignore[arg-type]


def test_files_are_named_by_bytes_and_opened_for_bytes(tmp_path: Path, photo: Picture) -> None:
    write(photo, os.fsencode(tmp_path / "a.png"))  # type: ignore[arg-type]
    with open(tmp_path / "a.png", encoding="latin-1") as file, pytest.raises(TypeError, match="reading bytes, with"):
        read(file)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", ENDINGS)
def test_unchanged_pictures_come_back_byte_for_byte(tmp_path: Path, photo: Picture, ending: str) -> None:
    first, second = tmp_path / f"a{ending}", tmp_path / f"b{ending}"
    write(photo, first, recipe='{"made": "first"}')
    picture = read(first)
    write(picture.with_pixels(picture.pixels.copy()), second)
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp", ".avif", ".gif"])
@pytest.mark.parametrize("recipe", ['{"a": "<&\'\\"\\n> ü"}', '{"long": "' + "0123456789abcdef" * 9000 + '"}'])
def test_recipes_travel_in_the_metadata(tmp_path: Path, photo: Picture, ending: str, recipe: str) -> None:
    path = tmp_path / f"a{ending}"
    write(photo, path)
    before = read(path)
    write(before, path, recipe=recipe, overwrite=True)  # pixels as they were
    again = read(path)
    assert again.facts.recipe == recipe
    assert np.array_equal(again.pixels, before.pixels)
    write(again.with_pixels(1 - again.pixels), path, recipe='{"b": 2}', overwrite=True)
    assert read(path).facts.recipe == '{"b": 2}'
    write(again.with_pixels(1 - again.pixels), path, overwrite=True)
    assert read(path).facts.recipe is None


def test_a_recipe_joins_what_xmp_there_is(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    xmp += b'<rdf:Description rdf:about="" tiff:Orientation="6" dc:title="kept"/></rdf:RDF></x:xmpmeta>'
    path = saved(Image.new("RGB", (9, 8), "red"), tmp_path / "a.jpg", xmp=xmp)
    picture = read(path)
    write(picture.with_pixels(1 - picture.pixels), path, recipe="{}", overwrite=True)
    with Image.open(path) as image:
        kept = image.info["xmp"]
    assert b'dc:title="kept"' in kept
    assert b'tiff:Orientation="1"' in kept
    assert b'anew:recipe="{}"' in kept


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_orientation_is_applied_and_reset(tmp_path: Path, orientation: int, ending: str) -> None:
    y, x = np.indices((16, 24))
    levels = np.stack([8 * x, 12 * y, 0 * x], axis=2).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "the maker"
    options = {".webp": {"lossless": True}, ".jpg": {"quality": 98, "subsampling": 0}, ".avif": {"quality": 100}}
    path = saved(Image.fromarray(levels), tmp_path / f"a{ending}", exif=exif, **options.get(ending, {}))
    turns = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a),
    }  # fmt: skip
    picture = read(path)
    lossy = ending in (".jpg", ".avif")
    np.testing.assert_allclose(picture.pixels, turns[orientation](levels) / 255, atol=0.03 if lossy else 1e-7)
    assert picture.facts.orientation == orientation
    out = tmp_path / f"b{ending}"
    write(picture, out)
    assert out.read_bytes() == path.read_bytes()
    write(picture.with_pixels(picture.pixels * np.float32(0.5)), out, overwrite=True)
    with Image.open(out) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert image.getexif()[0x010F] == "the maker"
        assert image.size == picture.pixels.shape[1::-1]
    np.testing.assert_allclose(read(out).pixels, picture.pixels * 0.5, atol=0.03 if lossy else 0.002)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp", ".avif"])
def test_profile_and_resolution_are_kept(tmp_path: Path, ending: str) -> None:
    from PIL import ImageCms

    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.fromarray(np.full((8, 9, 3), 77, np.uint8))
    path = saved(image, tmp_path / f"a{ending}", icc_profile=icc, dpi=(300, 150))
    picture = read(path)
    assert picture.facts.icc == icc
    for target in (tmp_path / f"b{ending}", tmp_path / "c.png", tmp_path / "d.tif", tmp_path / "e.jpg"):
        write(picture.with_pixels(1 - picture.pixels), target)
        with Image.open(target) as again:
            assert again.info["icc_profile"] == icc
            if ending in (".png", ".jpg", ".tif"):
                np.testing.assert_allclose(np.array(again.info["dpi"], float), (300, 150), atol=0.02)


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 7, 8])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".tif", ".webp"])
def test_resolutions_change_places_where_rows_become_columns(tmp_path: Path, orientation: int, ending: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x011B], exif[0x0128] = orientation, 300.0, 150.0, 2
    path = saved(Image.new("RGB", (24, 16), "red"), tmp_path / f"a{ending}", exif=exif, dpi=(300, 150))
    upright = (300, 150) if orientation < 5 else (150, 300)
    picture = read(path)
    if ending != ".webp":
        np.testing.assert_allclose(picture.facts.dpi, upright, atol=0.02)
    for target in (ending, ".tif") if ending == ".png" else (ending, ".png"):
        out = tmp_path / f"b{target}"
        write(picture.with_pixels(1 - picture.pixels), out)
        with Image.open(out) as image:
            if ending != ".webp":
                np.testing.assert_allclose(np.array(image.info["dpi"], float), upright, atol=0.02)
            if target != ".tif" and ending != ".tif":  # TIFF has no block for them beside its own tags
                assert (image.getexif()[0x011A], image.getexif()[0x011B]) == upright


def test_the_shape_of_pixels_is_turned_with_them(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(Image.new("RGB", (24, 16), "red"), tmp_path / "a.png", exif=exif, dpi=(300, 150))
    data = path.read_bytes()
    place = data.index(b"pHYs")
    payload = struct.pack(">IIB", 2, 1, 0)  # unit 0: twice as many across as down, of no stated length
    checksum = struct.pack(">I", zlib.crc32(b"pHYs" + payload))
    path.write_bytes(data[: place + 4] + payload + checksum + data[place + 17 :])
    picture = read(path)
    write(picture.with_pixels(1 - picture.pixels), path, overwrite=True)
    data = path.read_bytes()
    place = data.index(b"pHYs")
    assert struct.unpack(">IIB", data[place + 4 : place + 13]) == (1, 2, 0)


def test_jpegs_keep_tables_and_subsampling(tmp_path: Path, colour_photo: np.ndarray) -> None:
    image = Image.fromarray((colour_photo * 255).astype(np.uint8))
    for number, options in enumerate(({"quality": 37}, {"quality": 81, "subsampling": 0}, {"progressive": True})):
        path = saved(image, tmp_path / f"{number}.jpg", **options)
        picture, out = read(path), tmp_path / f"{number}-out.jpg"
        pixels = picture.pixels.copy()
        pixels[40:60, 40:60] = 0.5
        write(picture.with_pixels(pixels), out)
        with Image.open(path) as before, Image.open(out) as after:
            assert after.quantization == before.quantization
            assert after.layer == before.layer
            assert after.info.get("progressive") == before.info.get("progressive")
            assert tuple(before.quantization[0]) == picture.facts.jpeg_quantisation[0]
        away = np.abs(read(out).pixels - picture.pixels)[:24]
        assert away.mean() < 0.004  # blocks that did not change are quantised to what they were
    write(picture, out, quality=20, overwrite=True)
    assert out.stat().st_size < path.stat().st_size


@pytest.mark.parametrize("options", [{"quality": 40}, {"quality": 85}, {"quality": 75, "progressive": True}])
def test_a_jpeg_that_was_repaired_all_over_is_not_coarsened_again(
    tmp_path: Path, colour_photo: np.ndarray, options: dict[str, object]
) -> None:
    clean = np.float32(np.rint(colour_photo * 255) / 255)
    picture = read(saved(Image.fromarray(np.uint8(np.rint(clean * 255))), tmp_path / "a.jpg", **options))
    write(picture.with_pixels(clean), tmp_path / "b.jpg")
    again = read(tmp_path / "b.jpg")
    errors = [np.mean((x.pixels - clean) ** 2) for x in (picture, again)]
    assert errors[1] < 0.4 * errors[0]
    assert again.facts.jpeg_progressive == bool(options.get("progressive"))
    fine = read(saved(Image.fromarray(np.uint8(clean * 255)), tmp_path / "c.jpg", quality=98))
    write(fine.with_pixels(clean), tmp_path / "d.jpg")
    assert read(tmp_path / "d.jpg").facts.jpeg_quantisation == fine.facts.jpeg_quantisation


def test_animations_keep_their_timing(tmp_path: Path) -> None:
    y, x = np.indices((12, 15))
    frames = [
        Image.fromarray(np.stack([x * 15, y * 20 // 40 * 40, 0 * x + 60 * i], 2).astype(np.uint8)) for i in range(3)
    ]
    for ending, options in ((".gif", {}), (".png", {}), (".webp", {"lossless": True}), (".avif", {"quality": 100})):
        path = tmp_path / f"a{ending}"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=[70, 110, 250], loop=3, **options)
        with pytest.raises(SeveralFrames, match="read_frames"):
            read(path)
        pictures = read_frames(path)
        assert [p.facts.duration for p in pictures] == [70, 110, 250]
        if ending != ".avif":
            for picture, frame in zip(pictures, frames, strict=True):
                assert np.array_equal(picture.pixels, np.asarray(frame) / np.float32(255))
            assert pictures[0].facts.loop == 3
        write_frames(pictures, path, overwrite=True)
        changed = [p.with_pixels(p.pixels[:, ::-1]) for p in pictures]
        write_frames(changed, path, overwrite=True, recipe="{}")
        again = read_frames(path)
        assert [p.facts.duration for p in again] == [70, 110, 250]
        assert again[0].facts.recipe == "{}"
        for a, b in zip(again, changed, strict=True):
            np.testing.assert_allclose(a.pixels, b.pixels, atol=0.03 if ending == ".avif" else 1e-7)
    with pytest.raises(CannotWrite, match="one picture"):
        write_frames(pictures, tmp_path / "a.jpg")


@pytest.mark.parametrize("ending", [".gif", ".png", ".webp", ".avif"])
def test_animations_without_transparency_are_read_without_alpha(tmp_path: Path, ending: str) -> None:
    frames = [np.zeros((12, 15, 3), np.uint8) for _ in range(3)]
    for i, frame in enumerate(frames):
        frame[4 * i, 5 * i] = 255
    write_frames(frames, tmp_path / f"a{ending}")
    for picture, frame in zip(read_frames(tmp_path / f"a{ending}"), frames, strict=True):
        assert picture.alpha is None
        np.testing.assert_allclose(picture.pixels, frame / 255, atol=0.03 if ending == ".avif" else 1e-7)


def test_pages_are_all_read_and_written(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    pages = [np.full((5, 6), 100, np.uint8), np.full((7, 4, 3), 30000, np.uint16), np.full((3, 3), np.nan, np.float32)]
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for page in pages:
            writer.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    frames = read_frames(path)
    changed = [frames[0].with_pixels(1 - frames[0].pixels), *frames[1:]]
    write_frames(changed, path, overwrite=True)
    with tifffile.TiffFile(path) as tiff:
        assert [page.asarray().dtype for page in tiff.pages] == [page.dtype for page in pages]
        assert (tiff.pages[0].asarray() == 155).all()
        assert np.array_equal(tiff.pages[1].asarray(), pages[1])
        assert np.isnan(tiff.pages[2].asarray()).all()


def test_changed_inks_and_indices_change_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    inks = rng.integers(0, 256, (9, 8, 4), dtype=np.uint8)
    path = saved(Image.frombytes("CMYK", (8, 9), inks.tobytes()), tmp_path / "a.tif")
    picture = read(path)
    pixels = picture.pixels.copy()
    pixels[2, 3] = (0.2, 0.5, 0.1)
    write(picture.with_pixels(pixels), path, overwrite=True)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
        differs = (np.asarray(image) != inks).any(axis=2)
    assert differs.sum() == 1
    np.testing.assert_allclose(read(path).pixels, pixels, atol=0.004)

    indexed = Image.fromarray(rng.integers(0, 5, (9, 8), dtype=np.uint8))
    indexed = Image.frombytes("P", (8, 9), indexed.tobytes())
    indexed.putpalette([0, 0, 0, 255, 0, 0, 255, 0, 0, 9, 9, 9, 0, 0, 255])  # red twice
    path = saved(indexed, tmp_path / "a.png")
    picture = read(path)
    pixels = picture.pixels.copy()
    pixels[4, 4] = (0.2, 0.4, 0.6)
    write(picture.with_pixels(pixels), path, overwrite=True)
    with Image.open(path) as image:
        assert image.mode == "P"
        assert (np.asarray(image) != np.asarray(indexed)).sum() <= 1
    many = rng.random((40, 40, 3)).astype(np.float32)
    write(replace(picture, pixels=many), path, overwrite=True)
    assert read(path).facts.mode == "RGB"
    np.testing.assert_allclose(read(path).pixels, many, atol=0.002)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "empty"),
        (b"hello, this is no image", "not an image"),
        (b"\x89PNG\r\n\x1a\n", "truncated"),
        (b"\xff\xd8\xff", "truncated"),
        (b"GIF89a", "truncated"),
        (b"II*\0\x08\0\0\0", "truncated"),
        (b"P5 10 10 255 abc", "truncated"),
        (b"BM" + bytes(60), "damaged"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "truncated"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(30), r"damaged \(cannot identify image file\)"),
    ],
)
def test_bad_files_get_one_line(tmp_path: Path, content: bytes, match: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=match) as error:
        read(path)
    one_line(error, path)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_truncated_files_are_refused(tmp_path: Path, photo: Picture, ending: str, part: float) -> None:
    path = tmp_path / f"a{ending}"
    write(photo, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(UnreadableImage) as error:
        read(path)
    one_line(error, path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for path, match in ((tmp_path, "folder"), (tmp_path / "none.png", "no such file"), (Path("/dev/null"), "regular")):
        with pytest.raises(UnreadableImage, match=match) as error:
            read(path)
        one_line(error, path)
    with pytest.raises(UnreadableImage):
        read("a\0b.png")


def test_content_decides_and_not_the_name(tmp_path: Path, photo: Picture) -> None:
    write(photo, tmp_path / "a.png")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.png").read_bytes())
    picture = read(tmp_path / "a.jpg")
    assert picture.facts.format == "PNG"
    data = (tmp_path / "a.png").read_bytes()
    assert np.array_equal(read(data).pixels, picture.pixels)
    assert np.array_equal(read(io.BytesIO(data)).pixels, picture.pixels)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_budget_is_checked_before_decoding(tmp_path: Path, photo: Picture, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    write(photo, path)
    with pytest.raises(ImageTooLarge, match="max_megapixels") as error:
        read(path, max_megapixels=0.0005)
    one_line(error, path)


def test_what_cannot_be_written_is_refused(tmp_path: Path, photo: Picture) -> None:
    write(photo, tmp_path / "a.png")
    (tmp_path / "folder.png").mkdir()
    clear = replace(photo, alpha=np.full(photo.pixels.shape[:2], 0.5, np.float32))
    for picture, name, match in (
        (photo, "a.png", "exists already"),
        (photo, "a.xyz", r"known endings: \.png"),
        (photo, "a", "known endings"),
        (photo, "folder.png", "folder"),
        (photo, "none/a.png", "no folder"),
        (clear, "a.jpg", "transparency"),
        (clear, "a.pfm", "transparency"),
    ):
        with pytest.raises(CannotWrite, match=match) as error:
            write(picture, tmp_path / name)
        one_line(error, tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["a.png", "folder.png"]
    for quality in (0, 101, 1.5):
        with pytest.raises(ValueError, match="quality"):
            write(photo, tmp_path / "b.jpg", quality=quality)


@pytest.mark.parametrize(("ending", "longest"), [("jpg", 65500), ("webp", 16383), ("avif", 32768), ("gif", 65535)])
def test_sides_too_long_for_a_format_are_refused(tmp_path: Path, ending: str, longest: int) -> None:
    write(np.zeros((1, longest, 3), np.uint8), tmp_path / f"a.{ending}")
    assert read(tmp_path / f"a.{ending}").pixels.shape == (1, longest, 3)
    with pytest.raises(CannotWrite, match=f"{longest + 1} pixels are more than .*'s {longest} "):
        write(np.zeros((longest + 1, 1, 3), np.uint8), tmp_path / f"b.{ending}")


def test_a_png_beyond_the_decoder_is_not_called_damaged(tmp_path: Path) -> None:
    write(np.zeros(((1 << 20) + 1, 1, 3), np.uint16), tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match="more than 1048576 pixels a side is not supported"):
        read(tmp_path / "a.png")


def test_replacing_keeps_permissions_and_links(tmp_path: Path, photo: Picture) -> None:
    path, link = tmp_path / "a.png", tmp_path / "link.png"
    write(photo, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    path.chmod(0o640)
    link.symlink_to(path)
    write(photo.with_pixels(1 - photo.pixels), link, overwrite=True)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    np.testing.assert_allclose(read(path).pixels, 1 - photo.pixels, atol=1e-6)
    path.chmod(0o444)
    if os.geteuid():
        with pytest.raises(CannotWrite, match="read-only"):
            write(photo, path, overwrite=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    picture = Picture(np.random.default_rng(0).random((100, 100, 3), np.float32))
    write(Picture(np.zeros((2, 2, 1), np.float32)), tmp_path / "old.png")
    before = (tmp_path / "old.png").read_bytes()
    with full_disk(1000), pytest.raises(CannotWrite, match="cannot be written"):
        write(picture, tmp_path / "old.png", overwrite=True)
    assert os.listdir(tmp_path) == ["old.png"]
    assert (tmp_path / "old.png").read_bytes() == before


def test_ctrl_c_leaves_nothing(tmp_path: Path, photo: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(photo, tmp_path / "a.png")
    assert os.listdir(tmp_path) == []


def test_pictures_check_their_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        Picture(np.zeros((3, 3), np.float32))
    with pytest.raises(ValueError, match="alpha"):
        Picture(np.zeros((3, 3, 1), np.float32), np.zeros((2, 3), np.float32))
    picture = Picture.from_array(np.full((3, 4, 4), 128, np.uint8))
    assert picture.alpha is not None
    assert picture.pixels.shape == (3, 4, 3)
    assert Picture.from_array(np.zeros((3, 4), np.uint16)).facts.bit_depth == 16
    assert Picture(np.zeros((1, 1, 1), np.float32)).facts == Facts()


def test_importing_loads_no_library() -> None:
    code = "import sys, anew.images; print([m for m in ('cv2', 'PIL', 'tifffile', 'scipy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_number_is_no_budget() -> None:
    array = np.zeros((4, 4), np.uint8)
    code = io.BytesIO()
    Image.fromarray(array).save(code, "png")
    with pytest.raises(ImageTooLarge, match="budget of nan"):
        read(code.getvalue(), max_megapixels=float("nan"))


def test_sixteen_bits_in_either_order_of_bytes() -> None:
    values = np.array([[0, 1000], [30000, 65535]], np.uint16)
    swapped = values.astype(values.dtype.newbyteorder())
    result = anew.denoise(swapped, 0.0, method="mean", size=1)
    assert result.dtype == swapped.dtype
    np.testing.assert_array_equal(result, values)
