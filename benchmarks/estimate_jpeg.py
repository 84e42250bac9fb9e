"""Is the JPEG quality told from pixels alone? Run: python benchmarks/estimate_jpeg.py

LIVE1, and drawings, screenshots and pages of text, black on white and white on black; OpenCV's encoder. Printed per
quality, for the whole decoded picture and for one cropped off the grid: share within 4, share with the right grid, and
how many uncompressed pictures of the test sets were said to be compressed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from anew.diagnosis.jpeg import estimate_jpeg_traces
from benchmarks.data import load_set
from benchmarks.pictures import drawn


def main() -> None:
    """Measure every quality and print a table."""
    for name, images in {"LIVE1": list(load_set("LIVE1").values()), "drawn": list(drawn())}.items():
        measure(name, images)
    for name in ("LIVE1", "Set14", "classic5", "BSD68"):
        found = [estimate_jpeg_traces((x / 255).astype(np.float32)) for x in load_set(name).values()]
        qualities = sorted({traces.quality for traces in found if traces})
        print(f"{name} as it is: traces in {sum(t is not None for t in found)} of {len(found)}, qualities {qualities}")


def measure(name: str, images: list[NDArray[np.uint8]]) -> None:
    """Print a row for every quality and crop."""
    print(f"{name:7}: quality {'crop':8}{'within 4':>9}{'exact':>8}{'grid':>8}{'seconds':>9}")
    for quality in (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95):
        for top, left in ((0, 0), (3, 6)):
            start = time.perf_counter()
            results = []
            for clean in images:
                coded = cv2.imencode(".jpg", clean[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
                decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)[top:, left:, ::-1]
                traces = estimate_jpeg_traces((decoded / 255).astype(np.float32))
                error = abs(traces.quality - quality) if traces else 100
                results.append((error <= 4, error == 0, bool(traces) and traces.offset == (-top % 8, -left % 8)))
            within, exact, grid = np.mean(results, axis=0)
            seconds = (time.perf_counter() - start) / len(images)
            print(f"{quality:16} {f'{top},{left}':8}{within:9.1%}{exact:8.1%}{grid:8.1%}{seconds:9.3f}")


if __name__ == "__main__":
    main()
