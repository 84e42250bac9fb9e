"""Read thousands of damaged image files: each must be read or refused with one line, quickly, in bounded memory.

    python benchmarks/fuzz_files.py --files 6000

Every file is a mutation, made from a seed number, of a small intact file: flipped bits, truncation, lies in headers,
lost, doubled and swapped pieces; PNG checksums are mended in most, so that the damage gets past them.
What can be read is changed and written again. The child process that does this has a memory limit; the parent kills it
when a file takes too long. Prints how many were read, refused, failed otherwise or hung, and the peak memory.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import select
import struct
import subprocess
import sys
import tempfile
import traceback
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

SECONDS_PER_FILE = 10
MEMORY_LIMIT = 3 << 30  # address space of the child, in bytes
MEGAPIXELS = 2  # the pixel budget of the reader
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)


def intact_files() -> dict[str, bytes]:
    """Make small files of every format and most of their kinds, named like files."""
    from PIL import Image

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (21, 27, 4), dtype=np.uint8)
    smooth = (np.indices((21, 27)).sum(0)[:, :, None] * [3, 2, 4, 5] % 256).astype(np.uint8)
    rgba, rgb, grey = Image.fromarray(smooth), Image.fromarray(smooth[:, :, :3].copy()), Image.fromarray(noise[:, :, 0])
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    frames = [Image.fromarray(np.roll(smooth, 3 * i, axis=1)) for i in range(3)]
    several = {"save_all": True, "append_images": frames[1:], "duration": 70, "loop": 0}
    files = {}

    def add(name: str, image: Image.Image, format: str, **options: object) -> None:
        buffer = io.BytesIO()
        image.copy().save(buffer, format, **options)  # a copy: saving leaves traces in the image
        files[name] = buffer.getvalue()

    add("rgb.png", rgb, "PNG", exif=exif, dpi=(72, 72), icc_profile=bytes(16) + b"RGB " + bytes(200))
    add("rgba.png", rgba, "PNG")
    add("palette.png", rgb.quantize(13), "PNG")
    add("bits.png", rgb.convert("1"), "PNG")
    add("deep.png", Image.fromarray(noise[:, :, :2].copy().view(np.uint16)[:, :, 0]), "PNG")
    add("animated.png", frames[0], "PNG", **several)
    add("rgb.jpg", rgb, "JPEG", exif=exif, quality=80, comment=b"hello", dpi=(72, 72))
    add("progressive.jpg", rgb, "JPEG", progressive=True, subsampling=0)
    add("grey.jpg", grey, "JPEG")
    add("cmyk.jpg", rgb.convert("CMYK"), "JPEG")
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        add(f"{compression}.tif", rgb, "TIFF", compression=compression)
    add("fax.tif", rgb.convert("1"), "TIFF", compression="group4")
    add("palette.tif", rgb.quantize(13), "TIFF")
    add(
        "pages.tif",
        frames[0].convert("CMYK"),
        "TIFF",
        save_all=True,
        append_images=[grey, rgba],
        compression="tiff_lzw",
    )
    files["float.tif"] = _written("float.tif", noise[:, :, :3] / np.float32(255))
    files["deep.tif"] = _written("deep.tif", noise[:, :, :3] * np.uint16(257))
    add("lossy.webp", rgba, "WEBP", exif=exif)
    add("lossless.webp", rgba, "WEBP", lossless=True)
    add("animated.webp", frames[0], "WEBP", lossless=True, **several)
    add("rgb.avif", rgb, "AVIF", exif=exif)
    add(
        "animated.avif",
        frames[0].convert("RGB"),
        "AVIF",
        save_all=True,
        append_images=[f.convert("RGB") for f in frames],
    )
    files["deep.avif"] = _written("deep.avif", noise[:, :, :3] * np.uint16(257))
    add("rgb.bmp", rgb, "BMP")
    add("palette.bmp", rgb.quantize(13), "BMP")
    add("bits.bmp", rgb.convert("1"), "BMP")
    files["alpha.bmp"] = _written("alpha.bmp", smooth)
    add("still.gif", rgb.quantize(13), "GIF")
    add("animated.gif", frames[0].convert("RGB"), "GIF", **several)
    for name, mode in (("grey.pgm", "L"), ("rgb.ppm", "RGB"), ("bits.pbm", "1")):
        add(name, rgb.convert(mode), "PPM")
    files["plain.pgm"] = b"P2\n# comment\n3 2\n255\n1 2 3\n4 5 6\n"
    files["alpha.pam"] = _written("alpha.pam", smooth)
    files["float.pfm"] = _written("float.pfm", noise[:, :, 0] / np.float32(255))
    return files


def _written(name: str, samples: np.ndarray) -> bytes:
    """Give the file that our own writer makes."""
    from anew.codecs.facts import Facts
    from anew.images import Picture, write

    picture = Picture.from_array(samples)
    if samples.dtype == np.float32:
        picture = Picture(picture.pixels, None, Facts(bit_depth=32, sample_format="float"))
    with tempfile.TemporaryDirectory() as folder:
        write(picture, Path(folder, name))
        return Path(folder, name).read_bytes()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Damage a file in one to three ways."""
    out = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        if len(out) < 8:
            break
        at, other = (int(v) for v in rng.integers(0, len(out), 2))
        match rng.integers(0, 8):
            case 0:
                for place in rng.integers(0, len(out), rng.integers(1, 20)):
                    out[place] ^= 1 << int(rng.integers(0, 8))
            case 1:
                del out[at:]
            case 2 | 3:  # a lie, mostly near the start
                place = min(at, int(rng.integers(2, 200)))
                value, code = int(rng.choice(EXTREMES)), str(rng.choice(["B", "<H", ">H", "<I", ">I"]))
                field = struct.pack(code, value & ((1 << 8 * struct.calcsize(code)) - 1))
                out[place : place + len(field)] = field
            case 4:
                del out[min(at, other) : min(at, other) + int(rng.integers(1, 40))]
            case 5:
                out[at:at] = rng.bytes(int(rng.integers(1, 40)))
            case 6:
                size = int(rng.integers(1, 60))
                out[at : at + size], out[other : other + size] = out[other : other + size], out[at : at + size]
            case 7:
                out[at:at] = out[other : other + int(rng.integers(1, 200))]
    if data.startswith(b"\x89PNG") and rng.random() < 0.7:
        _mend_checksums(out)
    return bytes(out)


def _mend_checksums(png: bytearray) -> None:
    place = 8
    while place + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, place)
        end = place + 8 + length
        if end + 4 > len(png):
            return
        struct.pack_into(">I", png, end, zlib.crc32(png[place + 4 : end]))
        place = end + 4


def outcome(name: str, data: bytes, folder: Path) -> str:
    """Read one file, and write it changed if that works: "read", "refused", or the traceback of a failure.

    ``folder`` is empty before and must be empty after.
    """
    from dataclasses import replace

    from anew.errors import CannotWrite, ImageFileError
    from anew.images import read_frames, write_frames

    source = folder / name
    source.write_bytes(data)
    result = "read"
    try:
        frames = read_frames(source, max_megapixels=MEGAPIXELS)
        changed = [replace(frame, pixels=1 - frame.pixels) for frame in frames]
        target = folder / f"again{source.suffix}"
        try:
            write_frames(changed, target, recipe="{}")
            target.unlink()
        except CannotWrite:
            result = "read, not written"
    except ImageFileError as error:
        text = str(error)
        one_line = "\n" not in text and text.startswith(str(source)) and len(text) < 400 + len(str(source))
        result = "refused" if one_line else f"bad message: {text}"
    except Exception:
        result = traceback.format_exc()
    source.unlink()
    left = os.listdir(folder)
    return f"left behind: {left}" if left else result


def _child(first: int, last: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    files = list(intact_files().items())
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            name, data = files[number % len(files)]
            result = outcome(name, mutated(data, np.random.default_rng(number)), Path(folder))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps([number, name, result, peak]), flush=True)


def main() -> None:
    """Run the children, watch them, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=6000)
    parser.add_argument("--start", type=int, default=0, help="number of the first file")
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(*arguments.child)
        return
    counts: Counter[str] = Counter()
    number, last, peak = arguments.start, arguments.start + arguments.files, 0.0
    while number < last:
        command = [sys.executable, __file__, "--child", str(number), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None
            while number < last:
                ready, _, _ = select.select([child.stdout], [], [], SECONDS_PER_FILE + (20 if not counts else 0))
                line = child.stdout.readline() if ready else ""
                if not line:
                    child.kill()
                    kind = "hang" if not ready else "crash"
                    counts[kind] += 1
                    print(f"{kind}: file {number}")
                    number += 1
                    break
                number, name, result, megabytes = json.loads(line)
                number += 1
                peak = max(peak, megabytes)
                known = result in ("read", "refused", "read, not written")
                counts[result if known else "failure"] += 1
                if not known:
                    print(f"file {number - 1} ({name}): {result}")
    print(", ".join(f"{count} {kind}" for kind, count in counts.most_common()), f"- peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
