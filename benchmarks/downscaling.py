"""Compare ``downscale`` with the low-resolution inputs of Set5 and Set14, which MATLAB's imresize made.

    python benchmarks/downscaling.py

Prints, per set and factor, with and without rounding between the axes: the largest difference in grey levels and the
share of equal samples.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from anew import degrade
from data import load_set


def difference(high: NDArray[np.uint8], low: NDArray[np.uint8], factor: int, eight_bit: bool) -> NDArray[np.int16]:
    """Give |downscale(high) - low| in grey levels, with the high-resolution picture cropped to whole pixels."""
    height, width = (n // factor * factor for n in high.shape[:2])
    return np.abs(
        degrade(high[:height, :width], "downscale", factor=factor, eight_bit=eight_bit).astype(np.int16) - low
    )


def main() -> None:
    """Print the table."""
    print(f"{'set':<6} {'factor':>6} {'pictures':>8} {'rounded between axes':>20} {'largest':>8} {'equal':>9}")
    for name, factor, eight_bit in product(("Set5", "Set14"), (2, 3, 4), (False, True)):
        highs, lows = load_set(name), load_set(f"{name}_LRx{factor}")
        pairs = zip(highs.values(), lows.values(), strict=True)  # both are sorted by name
        differences = np.concatenate([difference(high, low, factor, eight_bit).ravel() for high, low in pairs])
        equal = np.mean(differences == 0)
        print(f"{name:<6} {factor:>6} {len(lows):>8} {eight_bit!s:>20} {differences.max():>8} {equal:>9.3%}")


if __name__ == "__main__":
    main()
