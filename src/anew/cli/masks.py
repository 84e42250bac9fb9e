"""What is missing in a picture: marked in a file by a person, or found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from anew.images import Picture


def read_mask(path: Path, *, like: Picture | None = None) -> Any:
    """Read a mask file: what is white, or bright in any colour, is missing; of a transparent layer, what is opaque.

    Raises
    ------
    ValueError
        If it marks nothing, or everything, or has another size than the picture that it is for.
    """
    from anew.images import read

    picture = read(path)
    layer = picture.alpha is not None and picture.alpha.min() < 0.5
    mask = picture.alpha >= 0.5 if layer and picture.alpha is not None else picture.pixels.max(axis=2) >= 0.5
    if not mask.any():
        raise ValueError(f"{path}: marks nothing; paint white, or on a transparent layer, what is missing")
    if mask.all():
        raise ValueError(f"{path}: marks the whole picture; leave black, or transparent, what is not missing")
    if like is not None and mask.shape != like.pixels.shape[:2]:
        sizes = [f"{width} x {height}" for height, width in (mask.shape, like.pixels.shape[:2])]
        raise ValueError(f"{path} has {sizes[0]} pixels, the picture {sizes[1]}; give a mask of its size")
    return mask


def check_mask_file(path: Path) -> None:
    """Refuse a mask that cannot be read, before a picture is touched."""
    from anew.errors import ImageFileError

    try:
        read_mask(path)
    except (ImageFileError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint="--mask") from None


def find_mask(picture: Picture) -> Any:
    """Find what is missing: the holes that the diagnosis sees."""
    from anew.diagnosis.diagnose import diagnose

    mask = diagnose(picture).hole_mask
    if mask is None:
        raise ValueError("no hole was found; give a mask with --mask FILE (white = missing)")
    return mask
