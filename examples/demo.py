"""Damage a photograph, restore it, and say what was found and done: what ``make demo`` runs.

The photograph is one that scikit-image carries. Everything is written to the folder ``demo``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data

import anew
from anew.degradations.catalogue import degrade_chain, parse_chain
from anew.images import Picture
from anew.report import write_report, write_sheet
from anew.restoration.automatic import explain

PHOTO = "astronaut"
DAMAGE = "tears:where=top-left,tilt:angle=-4:border=constant:fill=0.97,noise:sigma=0.04"
SEED = 4


def damaged_photograph() -> np.ndarray:
    """Give the damaged photograph, (H, W, 3) float32 with the steps of 8 bits: a torn, noisy print, laid down askew."""
    photo = (getattr(skimage.data, PHOTO)() / 255.0).astype(np.float32)
    damaged = degrade_chain(photo, parse_chain(DAMAGE), rng=np.random.default_rng(SEED))[-1].image
    return np.rint(damaged.clip(0, 1) * 255).astype(np.float32) / 255


def main() -> None:
    """Make the damaged picture, restore it and write the sheet."""
    folder = Path("demo")
    folder.mkdir(exist_ok=True)
    anew.write(Picture(damaged_photograph()), folder / "damaged.png", overwrite=True)

    restoration = anew.restore(anew.read(folder / "damaged.png"))
    anew.write(restoration.picture, folder / "restored.png", recipe=restoration.recipe, overwrite=True)
    write_sheet(restoration, folder / "sheet.png")
    write_report(restoration, folder / "report.html")

    print("A torn, noisy print of a photograph, laid askew on the scanner, was made and restored.\n")
    print(explain(restoration))
    print(f"\nLook at it:  {folder / 'sheet.png'}")
    print(f"The report:  {folder / 'report.html'}")
    print(f"Do it again: {Path('.venv/bin/anew')} restore {folder / 'damaged.png'} -o {folder / 'again.png'}")


if __name__ == "__main__":
    main()
