"""Noisy photographs that were saved as JPEG with halved chroma, as cameras do: what ``restore`` makes of them.

``python -m benchmarks.denoise_jpeg --images 20``

Gaussian noise on CBSD68 by the field's protocol, clipped, saved by Pillow at 4:2:0; PSNR in dB over RGB, mean over the
images. The U-Net is told the level that is measured in the file. Written: what ``restore`` made, as the JPEG file that
``write`` makes of it.
"""

from __future__ import annotations

import argparse
import io
import tempfile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import anew
from anew.diagnosis.noise import estimate_noise_sigma
from anew.images import Picture
from benchmarks.data import add_noise, load_set, psnr

CASES = tuple((sigma, quality) for sigma in (10, 25) for quality in (98, 92, 85))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=68)
    count = parser.parse_args().images
    print("sigma quality   file  U-Net  restore  written  least gain  promised, less what came")
    for sigma, quality in CASES:
        rows, promises = [], []
        for clean in list(load_set("CBSD68").values())[:count]:
            picture = saved(clean, sigma, quality)
            restored = anew.restore(picture)
            by_net = anew.denoise(picture.pixels, estimate_noise_sigma(picture.pixels), method="unet")
            row = [psnr(x, clean) for x in (picture.pixels, by_net, restored.picture.pixels, written(restored.picture))]
            rows.append(row)
            steps = [step for step in restored.steps if step.kept]
            if len(steps) == 1 and "predicted_gain_db" in steps[0].check:
                promises.append(steps[0].check["predicted_gain_db"] - (row[2] - row[0]))
        file, by_net_mean, mean, kept = np.mean(rows, axis=0)
        least = min(row[2] - row[0] for row in rows)
        promised = f"{np.median(promises):+.1f} in the median of {len(promises)}" if promises else "none"
        figures = f"{file:.2f}  {by_net_mean:.2f}    {mean:.2f}    {kept:.2f}       {least:+.2f}"
        print(f"{sigma:5} {quality:7}  {figures}  {promised}", flush=True)


def written(picture: Picture) -> NDArray[np.float32]:
    """Write a picture that came from a JPEG file as another, and read it."""
    with tempfile.TemporaryDirectory() as folder:
        anew.write(picture, f"{folder}/a.jpg")
        return anew.read(f"{folder}/a.jpg").pixels


def saved(clean: NDArray[np.uint8], sigma: int, quality: int) -> Picture:
    """Add noise, save as JPEG with halved chroma, and read it."""
    noisy = np.rint((add_noise(clean, sigma) * 255).clip(0, 255)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "jpeg", quality=quality, subsampling="4:2:0")
    return anew.read(buffer.getvalue())


if __name__ == "__main__":
    main()
