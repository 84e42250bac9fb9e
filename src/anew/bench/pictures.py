"""The clean pictures of a benchmark: a folder of the user's own, a public test set, or a few that scikit-image has."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from anew.arrays import LUMA, are_values
from anew.bench.protocols import Pixels, as_eight_bit
from anew.codecs.formats import picture_files
from anew.errors import ImageFileError, UnreadableImage

BUILT_IN = ("astronaut", "camera", "chelsea", "coffee", "rocket")
RESULTS, CROPS = "results.jsonl", "crops"  # what a benchmark leaves in its folder beside its tables
SMALLEST = 32  # pixels; below, the scores mean little
TIMED_PIXELS = (250_000, 1_000_000)
_T = TypeVar("_T")


@dataclass(frozen=True)
class CleanPicture:
    """One clean picture.

    Attributes
    ----------
    name : str
    pixels : (H, W) or (H, W, 3) uint8 array
    """

    name: str
    pixels: Pixels

    @property
    def digest(self) -> str:
        """Tell this picture from others of the same name."""
        return hashlib.sha256(self.pixels.tobytes() + str(self.pixels.shape).encode()).hexdigest()[:12]


def load_pictures(
    data: str | None,
    *,
    limit: int | None,
    grey: bool,
    crop_megapixels: float,
    unusable: Callable[[str], None] = lambda line: None,
) -> list[CleanPicture]:
    """Read the clean pictures.

    Parameters
    ----------
    data : str, optional
        A folder (searched with its sub-folders, but not among the crops of a benchmark), or the name of a set under
        ``$ANEW_DATA/testsets``; None takes photographs that scikit-image carries.
    limit : int, optional
        So many, spread evenly over the sorted names.
    grey : bool
        Take the luma of colour pictures.
    crop_megapixels : float
        Larger pictures are cut to that many megapixels around their centre.
    unusable : callable
        Told in one line about each file that is left out: it cannot be read, holds NaN, or is too small.

    Raises
    ------
    ValueError
        If there is no usable picture.
    """
    usable = []
    for name, read in _sources(data, limit):
        try:
            pixels = read()
        except ImageFileError as error:
            unusable(str(error))
            continue
        height, width = pixels.shape[:2]
        if min(height, width) < SMALLEST:
            unusable(f"{name}: {width} x {height} pixels are too few (give {SMALLEST} x {SMALLEST} or more)")
            continue
        # cut at once: whole photographs of a large folder would not fit in memory together
        usable.append(CleanPicture(name, _cropped(_to_grey(pixels) if grey else pixels, crop_megapixels)))
    if not usable:
        raise ValueError(f"no picture of at least {SMALLEST} x {SMALLEST} pixels in {data}")
    return list({p.digest: p for p in usable}.values())  # a copy under another name would count twice


def _sources(data: str | None, limit: int | None) -> list[tuple[str, Callable[[], Pixels]]]:
    """Give the name of each picture, and how to read it."""
    if data is None:
        return [(name, partial(_built_in, name)) for name in spread(list(BUILT_IN), limit)]
    folder = find_folder(data)
    files = [file for file in picture_files(folder) if not _is_crop(file)]
    return [(str(file.relative_to(folder)), partial(_from_file, file)) for file in spread(files, limit)]


def find_folder(data: str) -> Path:
    """Give the folder that ``data`` names.

    Raises
    ------
    ValueError
        If there is none; it says where was looked.
    """
    if Path(data).is_dir():
        return Path(data)
    testsets = os.environ.get("ANEW_DATA")
    if testsets and (Path(testsets) / "testsets" / data).is_dir():
        return Path(testsets) / "testsets" / data
    where = f"nor a set in {testsets}/testsets" if testsets else "and ANEW_DATA does not name a folder of test sets"
    raise ValueError(f"{data!r} is no folder, {where}; give a folder of clean pictures")


def crop_of(key: str) -> str:
    """Name the crop that belongs to a measurement, within the folder of its benchmark."""
    return f"{CROPS}/{key}.webp"


def _is_crop(file: Path) -> bool:
    """Say whether a benchmark left this file in its folder, which may lie among the clean pictures."""
    return file.parent.name == CROPS and (file.parent.parent / RESULTS).exists()


def spread(items: list[_T], limit: int | None) -> list[_T]:
    """Choose ``limit`` items, evenly spread; all of them if there are no more."""
    if limit is None or limit >= len(items):
        return items
    return [items[i * len(items) // limit] for i in range(limit)]


def timed_picture(pictures: list[CleanPicture]) -> CleanPicture:
    """Choose the first colour picture, else the first, brought to between 0.25 and 1 megapixel by mirrors or a cut."""
    colour = [p for p in pictures if p.pixels.ndim == 3]
    chosen = (colour or pictures)[0]
    least, most = TIMED_PIXELS
    pixels = chosen.pixels
    height, width = pixels.shape[:2]
    if height * width < least:
        side = -(-int(least**0.5) // 8) * 8
        margins = [(0, max(0, side - height)), (0, max(0, side - width))] + [(0, 0)] * (pixels.ndim - 2)
        pixels = np.pad(pixels, margins, mode="symmetric")
    return CleanPicture(chosen.name, _cropped(pixels, most / 1e6))


def _built_in(name: str) -> Pixels:
    import skimage.data

    return np.asarray(getattr(skimage.data, name)(), np.uint8)


def _from_file(path: Path) -> Pixels:
    from anew.images import read_frames

    values = read_frames(path)[0].pixels
    if not are_values(values):
        raise UnreadableImage(f"{path}: holds values that are NaN or no picture's (give a picture without)")
    pixels = as_eight_bit(values)
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def _to_grey(pixels: Pixels) -> Pixels:
    if pixels.ndim == 2:
        return pixels
    grey: Pixels = np.rint(pixels @ np.array(LUMA)).astype(np.uint8)
    return grey


def _cropped(pixels: Pixels, megapixels: float) -> Pixels:
    """Cut around the centre, keeping the sides' ratio as far as none gets too short, to whole JPEG blocks."""
    height, width = pixels.shape[:2]
    shrink = (megapixels * 1e6 / (height * width)) ** 0.5
    if shrink >= 1:
        return pixels
    tall, wide = (max(SMALLEST, int(n * shrink) // 8 * 8) for n in (height, width))
    top, left = ((n - side) // 16 * 8 for n, side in ((height, tall), (width, wide)))
    return np.ascontiguousarray(pixels[top : top + tall, left : left + wide])
