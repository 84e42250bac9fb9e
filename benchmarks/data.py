"""Where the public test sets lie: the folder named by ``ANEW_DATA``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def data_folder() -> Path:
    """Give the folder of the test sets, or stop with one line that says how to set it."""
    beside_the_checkout = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ANEW_DATA", beside_the_checkout))
    if not (folder / "testsets").is_dir():
        sys.exit(f"no test sets in {folder}: set ANEW_DATA to a folder that holds testsets/BSD68 and so on")
    return folder


def find_data(*names: str) -> Path:
    """Give a file or folder of the data, such as ``photos/bsds400``, or stop with a line that says what is missing."""
    path = data_folder().joinpath(*names)
    if not path.exists():
        sys.exit(f"no {'/'.join(names)} in {data_folder()}, the folder that ANEW_DATA names")
    return path


def load_set(name: str, *, grey: bool = False) -> dict[str, NDArray[np.uint8]]:
    """Read a test set, e.g. ``"BSD68"``, as {file name: (H, W) or (H, W, 3) uint8 array}, sorted by name."""
    from PIL import Image

    folder, images = find_data("testsets", name), {}
    for path in sorted(folder.glob("*.*")):
        with Image.open(path) as image:
            images[path.name] = np.asarray(image.convert("L" if grey or image.mode == "L" else "RGB"))
    if not images:
        sys.exit(f"no pictures in {folder}")
    return images


def add_noise(clean: NDArray[np.uint8], sigma: float, *, seed: int = 0) -> NDArray[np.float32]:
    """Add Gaussian noise by the field's protocol: seed 0 per image, not clipped, not rounded.

    Parameters
    ----------
    clean : uint8 array
    sigma : float
        Standard deviation in grey levels of 255.
    """
    rng = np.random.RandomState(seed)  # the generator of the published protocol
    return (clean / 255.0 + rng.normal(0, sigma / 255.0, clean.shape)).astype(np.float32)


def psnr(result: NDArray[np.floating], clean: NDArray[np.uint8]) -> float:
    """Give the PSNR in dB of a float result in [0, 1] after clipping and rounding to uint8, over all samples."""
    rounded = np.rint(np.clip(result, 0, 1) * 255)
    error = np.mean((rounded - clean.astype(np.float64)) ** 2)
    return float(10 * np.log10(255.0**2 / error)) if error > 0 else float("inf")
