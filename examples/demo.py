"""Damage a photograph, restore it, say what was found and done, and make new pictures: what ``make demo`` runs.

The photograph is one that scikit-image carries. Everything is written to the folder ``demo``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data

import anew
from anew.degradations.catalogue import DEGRADATIONS, degrade_chain, parse_chain
from anew.generation.sheet import arrange
from anew.images import Picture
from anew.report import write_report, write_sheet
from anew.restoration.automatic import explain

PHOTO = "astronaut"
DAMAGE = "scratches,tears:where=top-left,tilt:angle=-4:border=constant:fill=0.97,noise:sigma=0.04"
SEED = 10
RULES = ("marble", "voronoi", "terrain", "julia", "wood", "truchet", "clouds", "brick")


def damaged_photograph() -> tuple[np.ndarray, np.ndarray]:
    """Make a scratched, torn, noisy print of a photograph, laid askew on the scanner.

    Returns
    -------
    damaged : (H, W, 3) float32 array with the steps of 8 bits
    scratches : (H, W) bool array
        Where the scratches are, as a person would mark them: anew finds few as fine as these by itself.
    """
    photo = (getattr(skimage.data, PHOTO)() / 255.0).astype(np.float32)
    scratched, _, tilted, noisy = degrade_chain(photo, parse_chain(DAMAGE), rng=np.random.default_rng(SEED))
    assert scratched.mask is not None
    parameters = {**tilted.parameters, "border": "constant", "fill": 0.0}
    marked = DEGRADATIONS["tilt"].function(scratched.mask.astype(np.float32), **parameters).image > 0.2
    return np.rint(noisy.image.clip(0, 1) * 255).astype(np.float32) / 255, marked


def generated_sheet() -> np.ndarray:
    """Draw eight pictures by rules and sixteen digits by a trained model: (H, W, 3) float32."""
    drawn = np.concatenate([anew.generate(name, size=(112, 112), rng=SEED) for name in RULES])
    digits = anew.generate("digits", 16, rng=SEED).repeat(4, axis=1).repeat(4, axis=2)
    return arrange(np.concatenate([drawn, digits.repeat(3, axis=3)]), columns=8)


def main() -> None:
    """Make the damaged picture, restore it and write the sheet; then make pictures out of nothing."""
    folder = Path("demo")
    folder.mkdir(exist_ok=True)
    damaged, scratches = damaged_photograph()
    anew.write(Picture(damaged), folder / "damaged.png", overwrite=True)
    anew.write(Picture.from_array(scratches), folder / "scratches.png", overwrite=True)

    restoration = anew.restore(anew.read(folder / "damaged.png"), mask=scratches)
    anew.write(restoration.picture, folder / "restored.png", recipe=restoration.recipe, overwrite=True)
    write_sheet(restoration, folder / "sheet.png")
    write_report(restoration, folder / "report.html")

    print("A scratched, torn, noisy print of a photograph, laid askew on the scanner, was made and restored.")
    print("The scratches were marked, as you would with a brush; everything else was found.\n")
    print(explain(restoration))
    anew.write(Picture(generated_sheet()), folder / "generated.png", overwrite=True)
    print(f"\nLook at it:  {folder / 'sheet.png'}")
    print(f"The report:  {folder / 'report.html'}")
    again = f"restore {folder}/damaged.png --mask {folder}/scratches.png -o {folder}/again.png"
    print(f"Do it again: .venv/bin/anew {again}")
    print(f"\nNew pictures, by rules and by a trained model:  {folder / 'generated.png'}")


if __name__ == "__main__":
    main()
