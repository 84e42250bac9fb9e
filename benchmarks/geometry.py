"""Tilt, keystone and lens: false alarms on good pictures, and detection and residual on warped ones.

Usage: ``python -m benchmarks.geometry [SET ...]`` (default: CBSD68 LIVE1 Set14 skimage pages)

A warped picture counts as found when its finder reports it. The residual is the root mean square displacement, in
pixels at 512 pixels a side, that is left after unwarping, up to what lines cannot tell (for keystone and lens: size and
place, unless a surround tells). Photographs are seldom exactly upright, so their own tilt is part of the tilt residual.
In a constant border every picture can be straightened. With a mirrored one, only those with structure can: "structured"
are the pictures whose clean version already has lines that the finder would trust, along the axes within half a degree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anew.degradations.geometry import keystone, lens, tilt
from anew.diagnosis.keystone import find_keystone
from anew.diagnosis.lens import find_lens
from anew.diagnosis.tilt import find_tilt, is_upright
from anew.images import Picture
from anew.restoration.unwarping.keystone import keystone_mapping
from anew.restoration.unwarping.lens import lens_mapping
from anew.restoration.unwarping.tilt import tilt_mapping
from benchmarks.data import load_set
from benchmarks.pictures import text_page

FINDERS = {"tilt": find_tilt, "keystone": find_keystone, "lens": find_lens}
WARPS: list[tuple[str, str, dict[str, float]]] = [
    ("tilt", "reflect", {"angle": 5.0}),
    ("tilt", "reflect", {"angle": -3.0}),
    ("tilt", "constant", {"angle": 5.0}),
    ("tilt", "constant", {"angle": -1.0}),
    ("keystone", "reflect", {"amount": 0.1}),
    ("keystone", "constant", {"amount": 0.1}),
    ("lens", "reflect", {"k1": -0.1}),
    ("lens", "constant", {"k1": -0.1}),
    ("lens", "reflect", {"k1": 0.1}),
]
DEGRADE: dict[str, Callable] = {"tilt": tilt, "keystone": keystone, "lens": lens}
MAPPING: dict[str, Callable] = {
    "tilt": lambda shape, p: tilt_mapping(shape, p["angle"]),
    "keystone": lambda shape, p: keystone_mapping(shape, np.asarray(p["corners"], float)),
    "lens": lambda shape, p: lens_mapping(shape, p["k1"], p["k2"]),
}


def pictures_of(name: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give (name, (H, W, C) float32) of a test set, or of the samples of scikit-image, or pages of text."""
    if name == "pages":
        import skimage.data

        yield "page", skimage.data.page()[:, :, np.newaxis] / np.float32(255)
        for size in range(10, 26, 2):
            page = text_page(np.random.default_rng(size), size=size)
            yield f"text of {size} pixels", page[:, :, np.newaxis] / np.float32(255)
        return
    if name != "skimage":
        for file, image in load_set(name).items():
            yield file, np.atleast_3d(image / np.float32(255))
        return
    import skimage.data
    from PIL import Image

    for path in sorted(Path(skimage.data.__file__).parent.glob("*.[pj][np]g")):
        with Image.open(path) as image:
            yield path.name, np.atleast_3d(np.asarray(image.convert("RGB")) / np.float32(255))


def residual(kind: str, shape: tuple[int, ...], truth: dict, found: dict) -> float:
    """Give the displacement that unwarping with ``found`` leaves where ``truth`` was done, in pixels of 512."""
    x, y = (g.ravel() for g in np.meshgrid(np.linspace(0, shape[1] - 1, 25), np.linspace(0, shape[0] - 1, 25)))
    upright = np.stack(MAPPING[kind](shape, truth)(x, y))  # where the original's points lie in the damaged picture
    straight = np.stack(MAPPING[kind](shape, found)(x, y))  # and those that unwarping takes for them
    step = (
        np.stack(MAPPING[kind](shape, found)(x + 1, y)) - straight,
        np.stack(MAPPING[kind](shape, found)(x, y + 1)) - straight,
    )
    determinant = step[0][0] * step[1][1] - step[1][0] * step[0][1]
    gap = upright - straight
    error = np.stack(
        [
            (gap[0] * step[1][1] - gap[1] * step[1][0]) / determinant,
            (gap[1] * step[0][0] - gap[0] * step[0][1]) / determinant,
        ]
    )
    if kind != "tilt":
        for axis, position in enumerate((x, y)):
            design = np.stack([np.ones_like(position), position], axis=1)
            error[axis] -= design @ np.linalg.lstsq(design, error[axis], rcond=None)[0]
    return float(np.sqrt((error**2).sum(axis=0).mean()) * 512 / max(shape[:2]))


def main() -> None:
    """Print false alarms, then detection and residual."""
    for name in sys.argv[1:] or ["CBSD68", "LIVE1", "Set14", "skimage", "pages"]:
        images = list(pictures_of(name))
        for kind, find in FINDERS.items():
            start = time.process_time()
            alarms = [file for file, pixels in images if find(Picture(pixels))]
            seconds = (time.process_time() - start) / len(images)
            print(
                f"{name:8s} {kind:8s} false alarms {len(alarms)}/{len(images)}  {seconds:.3f} s CPU  {' '.join(alarms)}"
            )
        structured = {file for file, pixels in images if is_upright(pixels)}
        for kind, border, parameters in WARPS:
            left, of_structured = [], []
            for file, pixels in images:
                if min(pixels.shape[:2]) < 64:
                    continue
                damaged = DEGRADE[kind](pixels, border=border, **parameters)
                finding = FINDERS[kind](Picture(np.clip(damaged.image, 0, 1)))
                if finding:
                    left.append(residual(kind, pixels.shape, damaged.parameters, dict(finding.details)))
                    of_structured += left[-1:] if file in structured else []
            print(
                f"{name:8s} {kind:8s} {border:8s} {parameters} found {len(left)}/{len(images)} {figures(left)}; "
                f"structured {len(of_structured)}/{len(structured)} {figures(of_structured)}",
                flush=True,
            )


def figures(residuals: list[float]) -> str:
    """Say how large they are."""
    return "median {:.2f} p90 {:.2f} px".format(*np.percentile(residuals, [50, 90])) if residuals else ""


if __name__ == "__main__":
    main()
