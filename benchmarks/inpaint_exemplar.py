"""Measure exemplar inpainting on texture holes and on film scratches, beside the other methods.

    python -m benchmarks.inpaint_exemplar holes textures Set14 LIVE1 [--images N] [--methods a,b]
    python -m benchmarks.inpaint_exemplar scratches LIVE1 [--images N]
    python -m benchmarks.inpaint_exemplar time

holes: squares of 32, 48, 64 and 96 pixels, three of each per image where they fit without touching, at random places
(seed 0) where the mean gradient of the picture is above its median. Compared in the square and 8 pixels around it:
SSIM, GMSD, and the distance of band statistics, see `band_distance`. "wins" is the share of holes on which exemplar
inpainting is better than the smooth method. Two names are no methods and show what can be reached: "real-piece" fills
a hole with another piece of the unharmed picture, of 200 the one whose surroundings fit best, and "blend-0.5" mixes so
much of exemplar inpainting with diffusion.
scratches: the film-damage overlays "scratches", their alpha above 1/8 widened by one pixel as the mask; PSNR in dB of
the missing pixels.
time: 512 x 512 with 10 % missing, second run; wall clock and the CPU time of the process.
"textures" are the brick, grass and gravel photographs of scikit-image; "bsds400" and "imagenet_small" are the photos
that constants were tuned on, the test sets were only measured.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image as Pillow

import anew
from anew.arrays import luminance
from anew.kernels.block_transforms import dct_basis
from anew.metrics.gradient import gmsd
from anew.metrics.structural import ssim
from benchmarks.data import data_folder, find_data, load_set, psnr

SMOOTH = ("telea", "navier-stokes", "biharmonic")
SIZES = (32, 48, 64, 96)
MARGIN = 8
Pixels = NDArray[np.uint8]


def pictures(name: str, count: int) -> dict[str, Pixels]:
    """Give the first images of a test set, of a folder of photos, or the texture photographs."""
    if name == "textures":
        return {texture: getattr(skimage.data, texture)() for texture in ("brick", "grass", "gravel")}
    folder = data_folder() / "photos" / name
    if folder.is_dir():
        return {p.name: np.asarray(Pillow.open(p).convert("RGB")) for p in sorted(folder.glob("*.jpg"))[:count]}
    return dict(list(load_set(name).items())[:count])


def place_holes(image: Pixels, *, seed: int = 0) -> list[tuple[int, int, int]]:
    """Choose (top, left, side) of squares on busy places that lie 16 pixels from each other and the border."""
    rng = np.random.default_rng(seed)
    grey = luminance((image / np.float32(255)).astype(np.float32))
    gradient = np.hypot(*np.gradient(cv2.GaussianBlur(grey, (0, 0), 1.0)))
    free = np.ones(grey.shape, bool)
    holes = []
    for side in (s for s in sorted(SIZES, reverse=True) for _ in range(3)):
        if min(grey.shape) < 3 * side:
            continue
        mean = cv2.boxFilter(gradient, -1, (side, side))
        for _ in range(30):
            top, left = (int(rng.integers(16, n - side - 16)) for n in grey.shape)
            box = np.s_[top - 16 : top + side + 16, left - 16 : left + side + 16]
            if free[box].all() and mean[top + side // 2, left + side // 2] > np.median(gradient):
                free[top : top + side, left : left + side] = False
                holes.append((top, left, side))
                break
        if (~free).mean() > 0.12:
            break
    return holes


def band_distance(image: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Compare the texture of two pictures wherever it lies: the distance of band statistics.

    At three scales, the variances of the 63 AC coefficients of all 8 x 8 DCT blocks; the mean absolute difference of
    their logarithms, with the variance of one grey level of 255 added to both. 0: the same spectrum at each scale.
    """
    basis = dct_basis()
    differences = []
    for _ in range(3):
        variances = []
        for x in (image, reference):
            blocks = np.lib.stride_tricks.sliding_window_view(x, (8, 8))
            coefficients = np.einsum("ui,abij,vj->abuv", basis, blocks, basis, optimize=True)
            variances.append(np.mean(coefficients.reshape(-1, 64)[:, 1:] ** 2, axis=0))
        floor = 255.0**-2
        differences.append(np.abs(np.log((variances[0] + floor) / (variances[1] + floor))).mean())
        if min(image.shape) < 32:
            break
        image, reference = (
            cv2.resize(x, (x.shape[1] // 2, x.shape[0] // 2), interpolation=cv2.INTER_AREA) for x in (image, reference)
        )
    return float(np.mean(differences))


def fill(
    name: str,
    damaged: NDArray[np.float32],
    mask: NDArray[np.bool_],
    truth: NDArray[np.float32],
    holes: list[tuple[int, int, int]],
) -> NDArray[np.float32]:
    """Fill the holes by a method, by a blend of two, or with real pieces of the picture."""
    if name == "real-piece":
        return fill_with_pieces(truth, holes)
    if name.startswith("blend-"):
        share = np.float32(name.removeprefix("blend-"))
        exemplar, smooth = (anew.inpaint(damaged, mask, method=m) for m in ("exemplar", "diffusion"))
        return smooth + share * (exemplar - smooth)
    return anew.inpaint(damaged, mask, method=name)


def fill_with_pieces(
    truth: NDArray[np.float32], holes: list[tuple[int, int, int]], *, candidates: int = 200, seed: int = 1
) -> NDArray[np.float32]:
    """Fill each square with the piece, of some at random places beside it, whose surroundings are most like its own."""
    rng = np.random.default_rng(seed)
    filled, height, width = truth.copy(), *truth.shape[:2]
    for top, left, side in holes:

        def with_rim(top: int, left: int, side: int = side) -> NDArray[np.float32]:
            return truth[top - MARGIN : top + side + MARGIN, left - MARGIN : left + side + MARGIN]

        best, chosen = np.inf, (top, left)
        for _ in range(candidates):
            y, x = (int(rng.integers(MARGIN, n - side - MARGIN)) for n in (height, width))
            if abs(y - top) < side and abs(x - left) < side:
                continue
            rim = np.abs(with_rim(y, x) - with_rim(top, left))
            rim[MARGIN:-MARGIN, MARGIN:-MARGIN] = 0
            if rim.sum() < best:
                best, chosen = float(rim.sum()), (y, x)
        y, x = chosen
        filled[top : top + side, left : left + side] = truth[y : y + side, x : x + side]
    return filled


def measure_holes(names: list[str], count: int, methods: list[str]) -> None:
    """Print one table per set."""
    for name in names:
        scores: dict[str, list[list[float]]] = {m: [] for m in methods}
        for clean in pictures(name, count).values():
            holes = place_holes(clean)
            mask = np.zeros(clean.shape[:2], bool)
            for top, left, side in holes:
                mask[top : top + side, left : left + side] = True
            truth = (clean / np.float32(255)).astype(np.float32)
            damaged = np.where(mask if truth.ndim == 2 else mask[:, :, None], 0, truth).astype(np.float32)
            for method in methods:
                filled = fill(method, damaged, mask, truth, holes)
                for top, left, side in holes:
                    box = np.s_[top - MARGIN : top + side + MARGIN, left - MARGIN : left + side + MARGIN]
                    a, b = luminance(filled[box]), luminance(truth[box])
                    inner = slice(MARGIN, -MARGIN)
                    error = np.mean((a[inner, inner] - b[inner, inner]) ** 2)
                    scores[method].append(
                        [
                            ssim(a, b, data_range=1),
                            -gmsd(a, b, data_range=1),
                            -band_distance(a, b),
                            -10 * np.log10(max(error, 1e-9)),
                        ]
                    )
        table = {m: np.array(s) for m, s in scores.items()}
        print(
            f"{name}: {len(table[methods[0]])} holes   SSIM    GMSD   bands   PSNR   "
            f"wins of {methods[0]}: SSIM GMSD bands"
        )
        for method in methods:
            mean = table[method].mean(axis=0) * [1, -1, -1, 1]
            wins = (table[methods[0]] > table[method]).mean(axis=0)[:3]
            print(
                f"  {method:16}{mean[0]:13.4f}{mean[1]:8.4f}{mean[2]:8.3f}{mean[3]:7.2f}  "
                + ("" if method == methods[0] else "".join(f"{100 * w:8.0f} %" for w in wins))
            )


def scratch_masks(kind: str = "scratches") -> list[NDArray[np.bool_]]:
    """Read the overlays as masks."""
    masks = []
    for path in sorted(find_data("film_damage", kind).glob("*.png")):
        alpha = np.asarray(Pillow.open(path))[:, :, 3]
        masks.append(cv2.dilate((alpha > 32).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    return masks


def measure_scratches(names: list[str], count: int, methods: list[str]) -> None:
    """Print one table per set."""
    masks = scratch_masks()
    for name in names:
        scores: dict[str, list[float]] = {m: [] for m in methods}
        share = []
        for i, clean in enumerate(pictures(name, count).values()):
            overlay = masks[i % len(masks)].astype(np.uint8)
            mask = cv2.resize(overlay, clean.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
            share.append(mask.mean())
            truth = (clean / np.float32(255)).astype(np.float32)
            damaged = np.where(mask if truth.ndim == 2 else mask[:, :, None], 0, truth).astype(np.float32)
            for method in methods:
                scores[method].append(psnr(anew.inpaint(damaged, mask, method=method)[mask], clean[mask]))
        print(
            f"{name}: scratches on {len(share)} pictures, {100 * np.mean(share):.1f} % missing; "
            f"PSNR of the missing, wins of {methods[0]}"
        )
        for method in methods:
            wins = np.mean(np.array(scores[methods[0]]) > np.array(scores[method]))
            print(
                f"  {method:16}{np.mean(scores[method]):8.2f} dB"
                + ("" if method == methods[0] else f"{100 * wins:6.0f} %")
            )


def measure_time(methods: list[str]) -> None:
    """Print wall clock and CPU seconds."""
    clean = (skimage.data.astronaut() / 255).astype(np.float32)
    mask = np.zeros((512, 512), bool)
    mask[200:362, 180:342] = True
    print(f"512 x 512 colour, {100 * mask.mean():.1f} % missing in one square: wall s, CPU s")
    for method in methods:
        anew.inpaint(clean[100:228, 100:228], mask[100:228, 100:228], method=method)
        wall, cpu = time.perf_counter(), time.process_time()
        anew.inpaint(np.where(mask[:, :, None], 0, clean), mask, method=method)
        print(f"  {method:16}{time.perf_counter() - wall:8.2f}{time.process_time() - cpu:8.2f}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("holes", "scratches", "time"))
    parser.add_argument("sets", nargs="*", default=[])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--methods", default=",".join(("exemplar", *SMOOTH)))
    arguments = parser.parse_args()
    methods = arguments.methods.split(",")
    if arguments.what == "time":
        measure_time(methods)
    elif arguments.what == "holes":
        measure_holes(arguments.sets or ["textures"], arguments.images, methods)
    else:
        measure_scratches(arguments.sets or ["LIVE1"], arguments.images, methods)


if __name__ == "__main__":
    main()
