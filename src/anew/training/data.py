"""Training images: decoded once, kept as uint8 in one flat tensor, cropped by gathering.

All images of a set stand one after the other in a (pixels, C) tensor that may live on any device, so a batch of crops
is one indexing operation there, whatever the sizes of the images.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anew.arrays import LUMA, luminance
from anew.codecs.formats import ENDINGS, by_content, picture_files
from anew.degradations.downscale import resize_bicubic
from anew.errors import AnewError, ImageFileError, InvalidSetting
from anew.images import read_frames

MOST_LABELS = 10_000
LISTED = 10  # labels that a message names
DAMAGE = (  # what reading a damaged file raises
    OSError, EOFError, ValueError, SyntaxError, RuntimeError, struct.error, tarfile.TarError, zipfile.BadZipFile,
    zlib.error,
)  # fmt: skip


class NoTrainingData(AnewError):
    """A data source holds no image that can be trained on."""


@dataclass(frozen=True)
class ImageSet:
    """Images of any sizes in one tensor.

    Attributes
    ----------
    pixels : (total pixels, C) uint8 tensor, or float32 in [0, 255]
    offsets, heights, widths : (N,) int64 tensors
        Where each image starts, and its size.
    skipped : tuple of str
        What was left out, and why, one line each.
    """

    pixels: Tensor
    offsets: Tensor
    heights: Tensor
    widths: Tensor
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.offsets)

    def to(self, device: torch.device) -> ImageSet:
        """Give the same set with its tensors on a device."""
        names = ("pixels", "offsets", "heights", "widths")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def image(self, index: int) -> Tensor:
        """Give one image as (C, H, W), in levels."""
        start, height, width = (int(t[index]) for t in (self.offsets, self.heights, self.widths))
        flat = self.pixels[start : start + height * width]
        return flat.reshape(height, width, -1).permute(2, 0, 1)

    def crops(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """Draw random crops, each turned and mirrored at random.

        Returns
        -------
        (count, C, size, size) float32 tensor in [0, 1] on the set's device
        """
        return self.crops_at(self.places(count, size, generator), size)

    def places(self, count: int, size: int, generator: torch.Generator) -> Places:
        """Draw where crops lie: every place in every image is as likely as any other."""
        device = self.pixels.device
        draws = torch.rand(count, 4, generator=generator, device=generator.device).to(device)
        areas = (self.heights * self.widths).double()
        index = torch.searchsorted(areas.cumsum(0) / areas.sum(), draws[:, 0].double().clamp(max=1 - 1e-9))
        top = (draws[:, 1] * (self.heights[index] - size + 1)).long()
        left = (draws[:, 2] * (self.widths[index] - size + 1)).long()
        return Places(index, top, left, (draws[:, 3] * 8).long())

    def crops_at(self, places: Places, size: int) -> Tensor:
        """Cut crops out: (count, C, size, size) float32 in [0, 1]."""
        steps = torch.arange(size, device=self.pixels.device)
        rows = (places.top[:, None] + steps)[:, :, None]  # (count, size, 1)
        columns = (places.left[:, None] + steps)[:, None, :]
        starts, widths = (t[places.index][:, None, None] for t in (self.offsets, self.widths))
        pixels = turn(starts + rows * widths + columns, places.symmetry)
        return self.pixels[pixels].permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class Places:
    """Where crops lie: (N,) int64 tensors each; the symmetry is one of the square's 8."""

    index: Tensor
    top: Tensor
    left: Tensor
    symmetry: Tensor


def load_images(source: Path, *, channels: int, min_size: int) -> ImageSet:
    """Decode every image of a folder, a zip or a tar file.

    Parameters
    ----------
    source : path
    channels : {1, 3}
        Images are converted to grey or RGB of 8 bits, upright; opacity is dropped, as are all frames but the first.
    min_size : int
        Images with a shorter side are skipped, and named in ``skipped``.

    Raises
    ------
    NoTrainingData
        If nothing is left; the message says what was found.
    """
    images: list[NDArray[np.uint8]] = []
    skipped: list[str] = []
    for name, read in _files(source):
        try:
            image = _decode(read(), channels)
        except DAMAGE as error:
            skipped.append(f"{name}: cannot be decoded ({error})")
            continue
        if min(image.shape[:2]) < min_size:
            skipped.append(f"{name}: {image.shape[1]} x {image.shape[0]} is smaller than the patch of {min_size}")
        else:
            images.append(image)
    if not images:
        reason = f"; the first of {len(skipped)} skipped: {skipped[0]}" if skipped else ""
        raise NoTrainingData(f"{source}: no image to train on (folder, .zip or .tar of images expected){reason}")
    return pack(images, tuple(skipped))


def pack(images: Sequence[NDArray[np.uint8] | NDArray[np.float32]], skipped: tuple[str, ...] = ()) -> ImageSet:
    """Put (H, W, C) images, uint8 or float32 levels, into one set; there may be none."""
    counts = [image.shape[0] * image.shape[1] for image in images]
    flat = [image.reshape(-1, image.shape[2]) for image in images] or [np.empty((0, 3), np.uint8)]
    offsets = np.cumsum([0, *counts])[:-1]
    heights, widths = (torch.tensor([image.shape[axis] for image in images], dtype=torch.int64) for axis in (0, 1))
    return ImageSet(torch.from_numpy(np.concatenate(flat)), torch.as_tensor(offsets), heights, widths, skipped)


def joined(first: ImageSet, second: ImageSet) -> ImageSet:
    """Put two sets of as many channels into one."""
    offsets = torch.cat([first.offsets, second.offsets + len(first.pixels)])
    pixels, heights, widths = (
        torch.cat([getattr(images, name) for images in (first, second)]) for name in ("pixels", "heights", "widths")
    )
    return ImageSet(pixels, offsets, heights, widths, first.skipped + second.skipped)


@dataclass(frozen=True)
class LabelledImages:
    """Images of one size, each with a label.

    Attributes
    ----------
    images : (N, C, H, W) uint8 tensor
    labels : (N,) int64 tensor
    names : tuple of str
        Of the labels.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> LabelledImages:
        """Give the same set with its tensors on a device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw images with replacement: (count, C, H, W) float32 in [-1, 1], and (count,) labels."""
        index = torch.randint(len(self), (count,), generator=generator, device=generator.device).to(self.images.device)
        return self.images[index].float() / 127.5 - 1, self.labels[index]

    def part(self, start: int, stop: int) -> LabelledImages:
        """Give the images from ``start`` up to ``stop``."""
        return replace(self, images=self.images[start:stop], labels=self.labels[start:stop])

    def named(self, names: Sequence[str]) -> LabelledImages:
        """Give the same images with their labels in this order; where they are only numbered, these are their names.

        Raises
        ------
        InvalidSetting
            If the labels have other names.
        """
        numbers = [str(index) for index in range(len(names))]
        own = names if sorted(names) == sorted(self.names) else numbers
        if sorted(own) != sorted(self.names):
            raise InvalidSetting(
                f"the labels {_listed(names)} are expected, the data has {_listed(self.names)}; name its folders like "
                "the labels, or take the data's own by --set labels="
            )
        place = {name: index for index, name in enumerate(own)}
        order = torch.tensor([place[name] for name in self.names])
        return replace(self, labels=order[self.labels], names=tuple(names))


def load_labelled(source: Path, *, channels: int = 1, split: str = "train") -> LabelledImages:
    """Read images of one size with labels.

    Parameters
    ----------
    source : path
        An ``.npz`` with ``{split}_images`` (N, H, W) or (N, H, W, C) uint8 and ``{split}_labels`` (N,); or a folder,
        .zip or .tar in which every label is a folder of images. Images that lie in no folder are one class.
    channels : {1, 3}
        Images are converted as by ``load_images``.
    split : str
        Of an ``.npz``.

    Raises
    ------
    NoTrainingData
        If there is no image, or the images differ in size; the message says which.
    """
    if source.suffix.lower() == ".npz":
        return _load_npz(source, channels, split)
    pictures: list[NDArray[np.uint8]] = []
    labels: list[str] = []
    for name, read in _files(source):
        try:
            picture = _decode(read(), channels)
        except DAMAGE as error:
            raise NoTrainingData(f"{source}: {name} cannot be decoded ({error}); repair or remove it") from None
        if pictures and picture.shape != pictures[0].shape:
            was, now = (" x ".join(map(str, p.shape[1::-1])) for p in (pictures[0], picture))
            raise NoTrainingData(f"{source}: images of one size expected; the first is {was}, {name} is {now}")
        pictures.append(picture)
        labels.append(Path(name).parent.name)
    if not pictures:
        raise NoTrainingData(f"{source}: no image to train on (a folder per label, or .npz, expected)")
    names = tuple(sorted(set(labels)))
    place = {label: index for index, label in enumerate(names)}
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    return LabelledImages(stacked, torch.tensor([place[label] for label in labels]), names)


def _load_npz(source: Path, channels: int, split: str) -> LabelledImages:
    """Read ``{split}_images`` and ``{split}_labels``."""
    try:
        with np.load(source, allow_pickle=False) as file:
            pixels, labels = file[f"{split}_images"], file[f"{split}_labels"]
    except (*DAMAGE, KeyError, TypeError, MemoryError) as error:  # a TypeError if it is one array, not several
        raise NoTrainingData(f"{source}: {split}_images and {split}_labels expected ({error})") from None
    shaped = pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[3] in (1, 3, 4))
    if pixels.dtype != np.uint8 or not shaped or labels.shape != pixels.shape[:1] or not pixels.size:
        raise NoTrainingData(
            f"{source}: {split}_images must be (N, H, W) or (N, H, W, C) uint8 of 1, 3 or 4 channels, with N labels; "
            f"it is {pixels.shape} {pixels.dtype} with labels {labels.shape}"
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= MOST_LABELS:
        found = f"{labels.min()} to {labels.max()} ({labels.dtype})" if labels.dtype.kind in "iuf" else labels.dtype
        raise NoTrainingData(f"{source}: {split}_labels must be integers from 0 to {MOST_LABELS - 1}, not {found}")
    images = torch.from_numpy(pixels.reshape(*pixels.shape[:3], -1)).permute(0, 3, 1, 2)[:, :3]
    if images.shape[1] != channels:
        images = images[:, :1].expand(-1, channels, -1, -1) if images.shape[1] == 1 else _grey(images)
    count = int(labels.max()) + 1
    return LabelledImages(images.contiguous(), torch.from_numpy(labels.astype(np.int64)), tuple(map(str, range(count))))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return (", ".join(names[:LISTED]) or "none") + more


def _grey(images: Tensor) -> Tensor:
    """Give (N, 1, H, W) luma (BT.601) of (N, 3, H, W) uint8."""
    weights = torch.tensor(LUMA).reshape(1, 3, 1, 1)
    return (images[:, :3].float() * weights).sum(dim=1, keepdim=True).round().byte()


def split(images: ImageSet, validation: int, seed: int) -> tuple[ImageSet, ImageSet]:
    """Hold out ``validation`` images, chosen by the seed, half of all at most: (training, validation).

    Of a single image, and if none shall be held out, the second is empty, and nothing is validated.
    """
    order = np.random.default_rng(seed).permutation(len(images))
    arrays = [images.image(int(i)).permute(1, 2, 0).numpy() for i in order]
    count = min(validation, len(arrays) // 2)
    return pack(arrays[count:], images.skipped), pack(arrays[:count])


def resized(images: ImageSet, sizes: tuple[float, ...], least: int) -> ImageSet:
    """Give images at several sizes, each an image of its own; those with a side below ``least`` are left out."""
    if not sizes or not all(0 < size <= 1 for size in sizes):
        raise InvalidSetting(f"sizes must be one or more numbers above 0 and up to 1, not {list(sizes)}")
    copies = []
    for size in sizes:
        for index in range(len(images)):
            pixels = images.image(index).permute(1, 2, 0).numpy()
            if size < 1:
                small = resize_bicubic(pixels.astype(np.float32) / np.float32(255), scale=size, eight_bit=True)
                pixels = np.rint(255 * small).astype(np.uint8)
            if min(pixels.shape[:2]) >= least:
                copies.append(pixels)
    if not copies:
        raise NoTrainingData(f"at sizes of {list(sizes)} no image has sides of {least} pixels, which a crop needs")
    return pack(copies, images.skipped)


def turn(squares: Tensor, symmetry: Tensor) -> Tensor:
    """Apply one of the 8 symmetries of the square to each of (N, size, size): three choices, no waiting for a GPU."""
    choice = symmetry[:, None, None]
    squares = torch.where(choice % 2 == 1, squares.flip(1), squares)
    squares = torch.where(choice // 2 % 2 == 1, squares.flip(2), squares)
    return torch.where(choice >= 4, squares.transpose(1, 2), squares)


def identify(source: Path) -> str:
    """Say in a line which data this is: its name, and a digest of names and sizes of its images, or of the file."""
    paths = picture_files(source)
    listed = "".join(f"{path.relative_to(source).as_posix()} {path.stat().st_size}\n" for path in paths)
    digest, count = hashlib.sha256(listed.encode("utf-8", "surrogateescape")), f", {len(paths)} images"
    if source.is_file():
        with source.open("rb") as file:
            digest, count = hashlib.file_digest(file, "sha256"), ""
    return f"{source.absolute().name}{count} ({digest.hexdigest()[:8]})"


def _files(source: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Give the name of every image file, in sorted order, and what reads it."""
    if source.is_dir():
        for path in picture_files(source):
            yield str(path.relative_to(source)), path.read_bytes
    elif source.is_file() and not _is_archive(source):
        raise NoTrainingData(f"{source}: not a folder, nor a whole .zip or .tar file of images")
    elif source.suffix.lower() == ".zip" and source.is_file():
        with zipfile.ZipFile(source) as archive:
            for name in filter(_is_picture, sorted(archive.namelist())):
                yield name, partial(archive.read, name)
    elif ".tar" in source.suffixes and source.is_file():
        with tarfile.open(source) as shard:
            try:
                members = sorted(shard.getmembers(), key=lambda m: m.name)
            except DAMAGE as error:
                raise NoTrainingData(f"{source}: the archive is damaged ({error}); repair or replace it") from None
            for member in members:
                if _is_picture(member.name):
                    yield member.name, partial(_extract, shard, member)
    else:
        raise NoTrainingData(f"{source}: not a folder, .zip or .tar file of images")


def _is_picture(name: str) -> bool:
    return Path(name).suffix.lower() in ENDINGS


def _extract(shard: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Read a file of a tar file, or what a link there leads to."""
    try:
        file = shard.extractfile(member)
    except KeyError:  # a link to what is not there
        file = None
    if file is None:
        raise ValueError("neither a file nor a link to one")
    return file.read()


def _is_archive(source: Path) -> bool:
    return zipfile.is_zipfile(source) if source.suffix.lower() == ".zip" else tarfile.is_tarfile(source)


def _decode(content: bytes, channels: int) -> NDArray[np.uint8]:
    """Decode the first frame of a file to (H, W, channels): upright, inks and palettes as RGB, without opacity."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode.startswith(("I", "F")):  # more than 8 bits, which Pillow would clip
                return _decode_deep(content, channels)
            with contextlib.suppress(*DAMAGE):  # of what is told beside the pixels
                ImageOps.exif_transpose(image, in_place=True)
            pixels = np.array(image.convert("RGB" if channels == 3 else "L"))
    except UnidentifiedImageError:
        if by_content(content) is None:
            raise ValueError("not an image") from None
        return _decode_deep(content, channels)
    except Image.DecompressionBombError as error:
        raise ValueError(str(error)) from None
    return pixels.reshape(*pixels.shape[:2], channels)


def _decode_deep(content: bytes, channels: int) -> NDArray[np.uint8]:
    """Decode 16 bits or floats in [0, 1], scaled to 8 bits."""
    try:
        x = read_frames(content)[0].pixels
    except ImageFileError as error:
        raise ValueError(str(error).removeprefix("<bytes>: ")) from None
    if not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"floats from 0 to 1 expected, these go from {x.min():g} to {x.max():g}")
    if x.shape[2] > channels:
        x = luminance(x)[:, :, None]
    return np.rint(255 * x).astype(np.uint8).repeat(channels // x.shape[2], axis=2)
