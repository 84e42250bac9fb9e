"""Training images: decoded once, kept as uint8 in one flat tensor, cropped by gathering.

All images of a set stand one after the other in a (pixels, C) tensor that may live on any device, so a batch of crops
is one indexing operation there, whatever the sizes of the images.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anew.errors import AnewError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})


class NoTrainingData(AnewError):
    """A data source holds no image that can be trained on."""


@dataclass(frozen=True)
class ImageSet:
    """Images of any sizes in one tensor.

    Attributes
    ----------
    pixels : (total pixels, C) uint8 tensor
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
        """Give one image as (C, H, W) uint8."""
        start, height, width = (int(t[index]) for t in (self.offsets, self.heights, self.widths))
        flat = self.pixels[start : start + height * width]
        return flat.reshape(height, width, -1).permute(2, 0, 1)

    def crops(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """Draw random crops, each turned and mirrored at random.

        Returns
        -------
        (count, C, size, size) float32 tensor in [0, 1] on the set's device
        """
        device = self.pixels.device
        draws = torch.rand(count, 4, generator=generator, device=generator.device).to(device)
        areas = (self.heights * self.widths).double()
        index = torch.searchsorted(areas.cumsum(0) / areas.sum(), draws[:, 0].double().clamp(max=1 - 1e-9))
        height, width = self.heights[index], self.widths[index]
        top = (draws[:, 1] * (height - size + 1)).long()
        left = (draws[:, 2] * (width - size + 1)).long()
        steps = torch.arange(size, device=device)
        rows = (top[:, None] + steps)[:, :, None]  # (count, size, 1)
        columns = (left[:, None] + steps)[:, None, :]
        place = self.offsets[index][:, None, None] + rows * width[:, None, None] + columns
        crops = self.pixels[place].permute(0, 3, 1, 2).float() / 255
        return _turn(crops, (draws[:, 3] * 8).long())


def load_images(source: Path, *, channels: int, min_size: int) -> ImageSet:
    """Decode every image of a folder, a zip or a tar file.

    Parameters
    ----------
    source : path
    channels : {1, 3}
        Images are converted to grey or RGB.
    min_size : int
        Images with a shorter side are skipped, and named in ``skipped``.

    Raises
    ------
    NoTrainingData
        If nothing is left; the message says what was found.
    """
    images: list[NDArray[np.uint8]] = []
    skipped: list[str] = []
    for name, content in _files(source):
        try:
            image = _decode(content, channels)
        except (OSError, ValueError, SyntaxError) as error:
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


def pack(images: list[NDArray[np.uint8]], skipped: tuple[str, ...] = ()) -> ImageSet:
    """Put (H, W, C) uint8 images into one set."""
    counts = [image.shape[0] * image.shape[1] for image in images]
    flat = np.concatenate([image.reshape(-1, image.shape[2]) for image in images])
    offsets = np.cumsum([0, *counts[:-1]])
    heights, widths = ([image.shape[axis] for image in images] for axis in (0, 1))
    return ImageSet(
        torch.from_numpy(flat), torch.as_tensor(offsets), torch.as_tensor(heights), torch.as_tensor(widths), skipped
    )


def split(images: ImageSet, validation: int, seed: int) -> tuple[ImageSet, ImageSet]:
    """Hold out ``validation`` images, chosen by the seed, and give (training, validation)."""
    order = np.random.default_rng(seed).permutation(len(images))
    arrays = [images.image(int(i)).permute(1, 2, 0).numpy() for i in order]
    count = min(validation, len(arrays) // 2)
    return pack(arrays[count:], images.skipped), pack(arrays[:count] or arrays[:1])


def _turn(crops: Tensor, choice: Tensor) -> Tensor:
    """Apply one of the 8 symmetries of the square to each crop."""
    turned = crops.clone()
    for symmetry in range(1, 8):
        chosen = choice == symmetry
        if chosen.any():
            part = torch.rot90(crops[chosen], symmetry % 4, (2, 3))
            turned[chosen] = part.flip(3) if symmetry >= 4 else part
    return turned


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Give (name, bytes) of every image file, in sorted order."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.suffix.lower() in SUFFIXES and path.is_file():
                yield str(path.relative_to(source)), path.read_bytes()
    elif source.suffix.lower() == ".zip" and source.is_file():
        with zipfile.ZipFile(source) as archive:
            for name in sorted(archive.namelist()):
                if Path(name).suffix.lower() in SUFFIXES:
                    yield name, archive.read(name)
    elif ".tar" in source.suffixes and source.is_file():
        with tarfile.open(source) as shard:
            for member in sorted(shard.getmembers(), key=lambda m: m.name):
                file = shard.extractfile(member) if Path(member.name).suffix.lower() in SUFFIXES else None
                if file is not None:
                    yield member.name, file.read()
    else:
        raise NoTrainingData(f"{source}: not a folder, .zip or .tar file of images")


def _decode(content: bytes, channels: int) -> NDArray[np.uint8]:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        pixels = np.array(image.convert("RGB" if channels == 3 else "L"))
    return pixels.reshape(*pixels.shape[:2], channels)
