"""The values of a picture, for measures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_values(path: Path, max_megapixels: float) -> NDArray[Any]:
    """Give the pixels of a picture, clipped to [0, 1]; UnreadableImage if some are none, which clipping would hide."""
    from anew.arrays import as_image
    from anew.errors import UnreadableImage
    from anew.images import read

    try:
        return as_image(read(path, max_megapixels=max_megapixels).pixels).clip(0, 1)
    except ValueError as error:
        raise UnreadableImage(f"{path}: {error}") from None
