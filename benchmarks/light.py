"""Light and colour: false alarms on good pictures, detection and gain in PSNR on damaged ones.

Usage: ``python -m benchmarks.light [SET ...]`` (default: CBSD68 LIVE1 Set14)

Every damaged picture is rounded to 8 bits. A finding counts if it is of the right kind; the gain is that of the repair
with the parameters of the finding.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anew.degradations import light
from anew.diagnosis.colour import find_cast, find_fading
from anew.diagnosis.light import find_contrast, find_exposure, find_uneven_light
from anew.images import Picture
from anew.registry import METHODS
from benchmarks.data import load_set, psnr

FINDERS = {
    "exposure": (find_exposure, "curve"),
    "contrast": (find_contrast, "curve"),
    "cast": (find_cast, "white-balance"),
    "fading": (find_fading, "fading"),
    "uneven-light": (find_uneven_light, "retinex"),
}
Damage = Callable[[NDArray[np.float32]], NDArray[np.float32]]
DAMAGES: list[tuple[str, str, Damage]] = [
    ("exposure", "-1.5 stops", lambda x: light.exposure(x, stops=-1.5).image),
    ("exposure", "-3 stops", lambda x: light.exposure(x, stops=-3).image),
    ("exposure", "low light", lambda x: light.low_light(x, rng=0).image),
    ("exposure", "+1.5 stops", lambda x: light.exposure(x, stops=1.5).image),
    ("contrast", "0.3 to 0.65", lambda x: 0.3 + 0.35 * x),
    ("cast", "warm", lambda x: light.cast(x).image),
    ("cast", "cold", lambda x: light.cast(x, red=0.8, green=1.0, blue=1.1).image),
    ("fading", "amount 0.5", lambda x: light.fade(x, amount=0.5).image),
    ("fading", "amount 0.8", lambda x: light.fade(x, amount=0.8).image),
]


def eight_bits(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round as an 8-bit file does."""
    return np.rint(np.clip(x, 0, 1) * 255).astype(np.float32) / np.float32(255)


def main() -> None:
    """Print false alarms, then detection and gain."""
    for name in sys.argv[1:] or ["CBSD68", "LIVE1", "Set14"]:
        images = {k: np.atleast_3d(v) for k, v in load_set(name).items()}
        for kind, (find, _) in FINDERS.items():
            start = time.perf_counter()
            alarms = [file for file, x in images.items() if find(Picture(x / np.float32(255)))]
            seconds = (time.perf_counter() - start) / len(images)
            print(f"{name:7s} {kind:12s} false alarms {len(alarms)}/{len(images)}  {seconds:.3f} s  {' '.join(alarms)}")
        colour = [x for x in images.values() if x.shape[2] == 3]
        for kind, label, damage in DAMAGES:
            find, method = FINDERS[kind]
            gains = []
            for x in colour:
                damaged = eight_bits(damage(x / np.float32(255)))
                finding = find(Picture(damaged))
                if finding:
                    repaired = METHODS.get("relight", method).function(damaged, **finding.details)
                    gains.append(psnr(repaired, x) - psnr(damaged, x))
            figures = "median {1:+.1f} worst {0:+.1f} dB".format(*np.percentile(gains, [0, 50])) if gains else ""
            print(f"{name:7s} {kind:12s} {label:12s} found {len(gains)}/{len(colour)}  gain {figures}")


if __name__ == "__main__":
    main()
