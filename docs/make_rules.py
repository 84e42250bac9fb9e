"""Make the picture of everything that rules draw: ``python docs/make_rules.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import anew

TARGET = Path(__file__).parent / "pictures" / "rules.jpg"
TILE, GAP, COLUMNS = 152, 6, 8
DRAWN = 304  # pixels of a picture, before it is halved
PAPER = 250

PICTURES: list[tuple[str, int, dict[str, object]]] = [
    ("mesh-gradient", 4, {}),
    ("voronoi", 2, {"cells": 6}),
    ("wood", 3, {"palette": "walnut"}),
    ("julia", 0, {"seed": "dragon", "width": 2.4}),
    ("truchet", 1, {"cells": 6}),
    ("marble", 1, {"palette": "verde", "veins": 2}),
    ("flow-lines", 5, {"count": 700, "line": 4}),
    ("terrain", 4, {}),
    ("hexagons", 3, {"cells": 6}),
    ("lava", 1, {"cells": 4}),
    ("curves", 0, {"figure": "epitrochoid", "a": 2, "b": 7, "count": 16, "line": 3}),
    ("clouds", 6, {"palette": "sunset"}),
    ("mandelbrot", 0, {"place": "elephants"}),
    ("brick", 2, {"courses": 7}),
    ("l-system", 0, {"system": "plant"}),
    ("contour-lines", 2, {"palette": "dusk", "levels": 9}),
    ("reaction-diffusion", 1, {"regime": "coral", "waves": 12}),
    ("scales", 1, {"cells": 5}),
    ("polygons", 8, {"count": 40}),
    ("water", 2, {"cells": 4}),
    ("l-system", 0, {"system": "dragon", "depth": 11}),
    ("triangles", 5, {"palette": "rose", "cells": 6}),
    ("granite", 1, {"palette": "porphyry", "cells": 22}),
    ("curves", 0, {"figure": "rose", "a": 4, "count": 18, "palette": "ink", "line": 2.5}),
]


def main() -> None:
    """Draw every picture twice as large as it is shown, and lay them on one sheet."""
    rows = -(-len(PICTURES) // COLUMNS)
    size = (rows * (TILE + GAP) - GAP, COLUMNS * (TILE + GAP) - GAP)
    sheet = np.full((*size, 3), PAPER, np.uint8)
    for index, (name, seed, options) in enumerate(PICTURES):
        row, column = divmod(index, COLUMNS)
        pixels = np.rint(anew.generate(name, rng=seed, size=DRAWN, **options)[0] * 255).astype(np.uint8)
        small = Image.fromarray(pixels).resize((TILE, TILE), Image.Resampling.LANCZOS)
        top, left = row * (TILE + GAP), column * (TILE + GAP)
        sheet[top : top + TILE, left : left + TILE] = np.asarray(small)
    Image.fromarray(sheet).save(TARGET, quality=85)
    print(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
