"""The files of ``anew generate``: what they are called, the recipe that they carry, and how they are written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from anew.cli.targets import check_folder, check_parent, make_folder, refuse_to_replace

if TYPE_CHECKING:
    from anew.generation.generate import Images, Wanted

FRAME_TIME = 60.0  # milliseconds
SMALLEST_FRAME = 192  # pixels of the shorter side, up to which the frames of an animation are enlarged
WRITERS = 8  # files written at once, as most of the time is waiting for the disk
LIBRARIES = (  # that decide what a picture is like, by the names of all their editions
    "numpy",
    "scipy",
    "opencv-python-headless",
    "opencv-python",
    "numba",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
)


@dataclass(frozen=True)
class Order:
    """All that a call asks for; it goes into the recipe."""

    what: str
    n: int
    seed: int
    size: tuple[int, int] | None
    label: str | None
    steps: int | None
    guidance: float | None
    options: dict[str, Any]
    max_megapixels: float
    bits: int = 8


def name_targets(
    what: str, output: Path | None, n: int, each: bool, ending: str, overwrite: bool, bits: int = 8
) -> list[Path]:
    """Name the files to write, and refuse at once what exists already or no format is known for."""
    from anew.codecs.formats import by_name
    from anew.codecs.raster import Kind

    stem = Path(what).stem
    if each:
        folder = output if output is not None else Path(stem)
        if os.path.isfile(folder) or by_name(folder.suffix) is not None:
            raise typer.BadParameter(f"--each needs a folder as output, got {folder}")
        digits = max(2, len(str(n - 1)))
        targets = [folder / f"{stem}-{index:0{digits}d}{ending}" for index in range(n)]
    else:
        targets = [output if output is not None else Path(stem + ending)]
        if os.path.isdir(targets[0]):
            raise typer.BadParameter(f"{targets[0]} is a folder; name a file, or give --each")
    for target in targets:
        found = by_name(target.suffix)
        if found is None:
            raise typer.BadParameter(f"{target}: no known image format (e.g. .png, .jpg, .webp, .gif)")
        if ending == ".webp" and not found.several:
            raise typer.BadParameter(f"{target}: {found.name} holds one picture; write .webp, .gif or .png")
        most = found.codec().suit(Kind("rgb", False, (1 << bits) - 1))
        if most.maximum and most.bits < bits:  # 0 are floats
            raise typer.BadParameter(f"{target}: {found.name} holds {most.bits} bits, not {bits}; write .png or .tif")
        refuse_to_replace(target, overwrite=overwrite)
    if each:
        check_folder(targets[0].parent)
    else:
        check_parent(targets[0])
    return targets


def write_animation(frames: Images, target: Path, recipe: str, overwrite: bool, quality: int | None) -> None:
    from anew.images import Facts, Picture, write_frames

    factor = enlargement(frames.shape[1:3])
    facts = Facts(duration=FRAME_TIME, loop=0)
    pictures = [Picture(frame.repeat(factor, axis=0).repeat(factor, axis=1), None, facts) for frame in frames]
    write_frames(pictures, target, overwrite=overwrite, quality=quality, recipe=recipe)


def enlargement(size: tuple[int, ...]) -> int:
    """Give by how much the frames of an animation are enlarged, by repetition."""
    return max(1, -(-SMALLEST_FRAME // min(size)))


def write_each(
    parts: Iterator[Images],
    targets: list[Path],
    order: Order,
    wanted: Wanted,
    overwrite: bool,
    quality: int | None,
) -> tuple[int, ...]:
    """Write one file per picture, as they are made."""
    from anew.images import Facts, Picture, write

    def save(index: int, pixels: Any) -> None:
        recipe = recipe_of(order, wanted, index=index)
        picture = Picture(pixels, None, Facts(bit_depth=order.bits))
        write(picture, targets[index], overwrite=overwrite, quality=quality, recipe=recipe)

    made, shape = 0, (0,)
    for images in parts:
        if not made:
            make_folder(targets[0].parent)
        indices = range(made, made + len(images))
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(save, indices, images))
        made, shape = indices.stop, images.shape
    return (made, *shape[1:])


def write_sheet(
    parts: Iterator[Images],
    targets: list[Path],
    order: Order,
    wanted: Wanted,
    overwrite: bool,
    quality: int | None,
) -> tuple[int, ...]:
    """Write one sheet; a single picture is written as it is."""
    import numpy as np

    from anew.generation.sheet import arrange
    from anew.images import Facts, Picture, write

    made = np.concatenate(list(parts))
    sheet = made[0] if len(made) == 1 else arrange(made, period=_labels_in_turn(order, wanted))
    picture = Picture(sheet, None, Facts(bit_depth=order.bits))
    write(picture, targets[0], overwrite=overwrite, quality=quality, recipe=recipe_of(order, wanted))
    return made.shape


def _labels_in_turn(order: Order, wanted: Wanted) -> int:
    """Give after how many pictures the labels of a trained model recur; 1 if they do not take turns."""
    from anew.inference.models import read_card

    if wanted.model is None or order.label is not None:
        return 1
    return max(1, len(read_card(wanted.model).facts.get("labels", [])))


def recipe_of(order: Order, wanted: Wanted, **more: int) -> str:
    """Say how the file was made, as JSON in one line."""
    from anew import __version__

    asked: dict[str, Any] = {
        "what": Path(order.what).name if wanted.rules is not None else order.what,
        "model": wanted.model,
        "n": order.n,
        "seed": order.seed,
        "size": order.size,
        "label": order.label,
        "steps": order.steps,
        "guidance": order.guidance,
        "bits": None if order.bits == 8 else order.bits,
        "options": order.options or None,
        "rules": None if wanted.rules is None else wanted.rules.model_dump(exclude_defaults=True, mode="json"),
        **more,
    }
    recipe = {
        "anew": __version__,
        "libraries": installed(LIBRARIES),
        "generate": {key: value for key, value in asked.items() if value is not None},
    }
    return json.dumps(recipe, separators=(",", ":"), ensure_ascii=False)


@cache
def installed(names: tuple[str, ...]) -> dict[str, str]:
    """Give the versions of those distributions that are installed."""
    from importlib import metadata

    versions = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
