"""Crops of brick, grass and gravel for training a generator of textures.

    python -m benchmarks.textures -o runs/textures.npz

The three photographs are those that scikit-image carries (CC0). Crops of 64 x 64 pixels, somewhat enlarged or reduced,
mirrored at random; training crops lie in the left two thirds of a photograph, test crops in the right third.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

# By how much the photographs of 512 x 512 pixels are reduced, so that a crop shows several bricks, yet blades of grass.
REDUCED = {"brick": 2.0, "grass": 1.0, "gravel": 1.5}
KINDS = tuple(REDUCED)
SIDE = 64
SIZES = (0.8, 1.25)  # of a crop, relative to SIDE
TRAINING_PART = 2 / 3
COUNTS = {"train": 3000, "test": 1000}  # of each kind


def texture_crops(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Cut the crops of a split, "train" or "test".

    Returns
    -------
    (N, 64, 64) uint8 array, and (N,) indices of ``KINDS``, in turn
    """
    rng = np.random.default_rng(list(COUNTS).index(split))
    photographs = [_half(split, kind) for kind in KINDS]
    crops = [_crop(photographs[index % len(KINDS)], rng) for index in range(COUNTS[split] * len(KINDS))]
    return np.stack(crops), np.arange(len(crops)) % len(KINDS)


def _half(split: str, kind: str) -> NDArray[np.uint8]:
    """Give the part of a photograph that belongs to a split."""
    photograph = getattr(skimage.data, kind)()
    small = cv2.resize(photograph, None, fx=1 / REDUCED[kind], fy=1 / REDUCED[kind], interpolation=cv2.INTER_AREA)
    border = round(TRAINING_PART * small.shape[1])
    return np.asarray(small[:, :border] if split == "train" else small[:, border:], np.uint8)


def _crop(photograph: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a square of random size and place, bring it to SIDE, and mirror it or not."""
    side = round(SIDE * rng.uniform(*SIZES))
    top, left = (int(rng.integers(length - side + 1)) for length in photograph.shape)
    square = photograph[top : top + side, left : left + side]
    crop = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC)
    return np.asarray(crop[:, ::-1] if rng.random() < 0.5 else crop, np.uint8)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    path = parser.parse_args().output
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for split in COUNTS:
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = texture_crops(split)
    np.savez_compressed(path, **arrays)
    print(f"{path}: {len(arrays['train_images'])} crops to train on, {len(arrays['test_images'])} to test on")


if __name__ == "__main__":
    main()
