"""The list of file formats, how to know a file by its content, and what every codec offers.

A codec is a module with the four functions of ``Codec``. Codecs raise errors of ``anew.errors`` without the path;
``anew.images`` puts it in front.
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from anew.codecs.facts import Facts, Source
from anew.codecs.raster import Kind, Raster
from anew.errors import ImageTooLarge, SeveralFrames, UnreadableImage


@dataclass(frozen=True)
class Budget:
    """How many pixels, all frames together, may be decoded, and whether there may be several frames."""

    pixels: float
    single: bool = False

    def check(self, width: int, height: int, frames: int = 1) -> None:
        """Refuse a picture that is too large, or has no pixels; called with the header's numbers before decoding."""
        if width < 1 or height < 1 or frames < 1:
            raise UnreadableImage(f"damaged: its header says {width} x {height} pixels (get an intact copy)")
        if self.single and frames > 1:
            raise SeveralFrames(f"holds {frames} frames, expected one picture (in Python, read_frames reads all)")
        if not width * height * frames <= self.pixels:  # nor is NaN a budget
            count = "" if frames == 1 else f", {frames} frames"
            raise ImageTooLarge(
                f"{width} x {height} pixels{count}, above the budget of {self.pixels / 1e6:g} megapixels "
                "(raise max_megapixels, --max-megapixels)"
            )


@dataclass(frozen=True)
class Options:
    """How to encode: JPEG, WebP or AVIF quality 1..100, the recipe to store, and the file that the frames came from.

    ``source`` is None when the frames come from another format, or from nowhere.
    """

    quality: int | None = None
    recipe: str | None = None
    source: Source | None = None


class Codec(Protocol):
    """What a codec module offers."""

    def decode(self, data: bytes, budget: Budget) -> Source:
        """Read every frame of a file."""

    def suit(self, kind: Kind) -> Kind:
        """Give the kind of samples that the format holds and that is nearest to ``kind``; CannotWrite if none is."""

    def encode(self, rasters: Sequence[Raster], facts: Sequence[Facts], options: Options) -> bytes:
        """Write frames, each of a kind that ``suit`` gave."""

    def with_recipe(self, encoded: bytes, recipe: str) -> bytes | None:
        """Give the same file with a recipe in its metadata, pixels untouched; None if only ``encode`` can."""


@dataclass(frozen=True)
class Format:
    """One format: its name, file name endings (the usual first), codec module, and whether it holds several frames."""

    name: str
    extensions: tuple[str, ...]
    module: str
    several: bool = False

    def codec(self) -> Codec:
        """Import the codec."""
        return cast(Codec, import_module(f"anew.codecs.{self.module}"))


FORMATS = (
    Format("PNG", (".png", ".apng"), "png", several=True),
    Format("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), "jpeg"),
    Format("TIFF", (".tif", ".tiff"), "tiff", several=True),
    Format("WEBP", (".webp",), "webp", several=True),
    Format("AVIF", (".avif",), "avif", several=True),
    Format("BMP", (".bmp", ".dib"), "bmp"),
    Format("GIF", (".gif",), "gif", several=True),
    Format("PNM", (".ppm", ".pgm", ".pbm", ".pnm", ".pam"), "netpbm"),
    Format("PFM", (".pfm",), "pfm"),
)


TRUTH = re.compile(r"(.+)\.(?:mask(?:-\d+)?\.png|truth\.json)")  # of a damaged picture; its frames are numbered
ENDINGS = tuple(ending for entry in FORMATS for ending in entry.extensions)
KNOWN_ENDINGS = f"known endings: {' '.join(ENDINGS)}"  # for messages


def picture_files(folder: Path) -> list[Path]:
    """Give the files of a folder and its sub-folders that are named as pictures, in order.

    The masks that ``anew degrade --truth`` writes beside its pictures are none. A folder that may not be looked into
    is given itself, so that it is missed where the files are read.
    """
    return sorted(_search(folder))


def _search(folder: Path) -> Iterator[Path]:
    if not os.access(folder, os.R_OK | os.X_OK):
        yield folder
        return
    for path in folder.iterdir():
        if path.suffix.lower() in ENDINGS and path.is_file():
            if not _is_truth(path):
                yield path
        elif path.is_dir() and not path.is_symlink():
            yield from _search(path)


def _is_truth(path: Path) -> bool:
    truth = TRUTH.fullmatch(path.name)
    return truth is not None and path.with_name(f"{truth[1]}.truth.json").exists()


def by_content(data: bytes) -> Format | None:
    """Know a file's format by its first bytes."""
    name = _name_of(data[:64])
    return None if name is None else by_name(name)


def by_name(name: str) -> Format | None:
    """Find a format by its name or a file name ending, in any case."""
    wanted = name.upper().lstrip(".")
    wanted = {"JPG": "JPEG", "TIF": "TIFF"}.get(wanted, wanted)
    for entry in FORMATS:
        if entry.name == wanted or f".{wanted.lower()}" in entry.extensions:
            return entry
    return None


def _name_of(head: bytes) -> str | None:
    starts = {
        b"\x89PNG\r\n\x1a\n": "PNG",
        b"\xff\xd8\xff": "JPEG",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"II+\0": "TIFF",
        b"MM\0+": "TIFF",
        b"GIF87a": "GIF",
        b"GIF89a": "GIF",
        b"BM": "BMP",
        b"PF": "PFM",
        b"Pf": "PFM",
    }
    for start, name in starts.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and (b"avif" in head or b"avis" in head):
        return "AVIF"
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3] in b" \t\r\n#":
        return "PNM"
    return None


@contextlib.contextmanager
def quiet_library() -> Iterator[None]:
    """Silence what libraries say of malformed files, and Pillow's own size limit: ours was checked already."""
    from PIL import Image

    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what C libraries print of malformed files off standard error (libtiff and OpenCV offer no other way)."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
