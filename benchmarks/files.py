"""Reading and writing every format: seconds per megapixel and the size of the file, of one colour photograph.

python -m benchmarks.files
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import anew
from anew.codecs.formats import FORMATS
from benchmarks.measurement import Measurement, Say
from benchmarks.pictures import photograph


def measure(say: Say, *, megapixels: float = 4.0, repeats: int = 5) -> None:
    """Write and read it in each format, warm."""
    picture = anew.Picture.from_array(photograph(megapixels))
    count = picture.pixels.shape[0] * picture.pixels.shape[1] / 1e6
    with tempfile.TemporaryDirectory() as folder:
        for entry in FORMATS:
            path = Path(folder) / f"photo{entry.extensions[0]}"
            writing, reading = [], []
            for turn in range(repeats + 1):
                start = time.perf_counter()
                anew.write(picture, path, overwrite=True)
                middle = time.perf_counter()
                anew.read(path)
                if turn:
                    writing.append((middle - start) / count)
                    reading.append((time.perf_counter() - middle) / count)
            name = f"files/{entry.name}/{megapixels:g} MP"
            say(Measurement.of(f"{name}/write", writing, "s/MP"))
            say(Measurement.of(f"{name}/read", reading, "s/MP"))
            say(Measurement.of(f"{name}/size", [8 * path.stat().st_size / count / 1e6], "bits/pixel"))


if __name__ == "__main__":
    measure(print)
