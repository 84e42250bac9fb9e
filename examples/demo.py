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

DAMAGE = "tears,scratches,tilt:angle=2.5,noise:sigma=0.06"


def main() -> None:
    """Make the damaged picture, restore it and write the sheet."""
    folder = Path("demo")
    folder.mkdir(exist_ok=True)
    photo = (skimage.data.coffee() / 255.0).astype(np.float32)
    damaged = degrade_chain(photo, parse_chain(DAMAGE), rng=np.random.default_rng(4))[-1].image
    anew.write(Picture(photo), folder / "photo.png", overwrite=True)
    anew.write(Picture(damaged.clip(0, 1)), folder / "damaged.png", overwrite=True)

    restoration = anew.restore(anew.read(folder / "damaged.png"))
    anew.write(restoration.picture, folder / "restored.png", recipe=restoration.recipe, overwrite=True)
    write_sheet(restoration, folder / "sheet.png")
    write_report(restoration, folder / "report.html")

    print("A damaged photograph was made (torn corner, scratches, tilt, noise) and restored.\n")
    print(explain(restoration))
    print(f"\nLook at it:  {folder / 'sheet.png'}")
    print(f"The report:  {folder / 'report.html'}")
    print(f"Do it again: {Path('.venv/bin/anew')} restore {folder / 'damaged.png'} -o {folder / 'again.png'}")


if __name__ == "__main__":
    main()
