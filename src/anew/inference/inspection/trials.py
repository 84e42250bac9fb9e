"""What is varied, and what the network is told, when a restorer's robustness is measured: one small table per task.

A row of a table is the damage, as ``anew degrade --with`` takes it, and the condition that the network is told. To try
one thing more is to write one line more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anew.arrays import Image
from anew.degradations.catalogue import degrade_chain
from anew.inference.conditions import BLIND, condition_of_quality

Damage = Callable[[Image, np.random.Generator], Image]
TRUE = None  # the condition that is told: the root mean square of the damage itself


@dataclass(frozen=True)
class Trial:
    """One line of the table.

    Attributes
    ----------
    group, name : str
    damage : str or callable
        A chain for ``degrade_chain``, or (clean image, random generator) -> damaged image.
    told : float, optional
        The condition; ``TRUE`` is measured on the damaged picture, as a noise level.
    factor : float
        On the condition: what is told wrong.
    """

    group: str
    name: str
    damage: str | Damage
    told: float | None = TRUE
    factor: float = 1.0

    def apply(self, clean: Image, rng: np.random.Generator) -> Image:
        """Damage a clean picture."""
        return (
            self.damage(clean, rng) if callable(self.damage) else degrade_chain(clean, self.damage, rng=rng)[-1].image
        )

    def condition(self, clean: Image, damaged: Image) -> float:
        """Give what the network is told."""
        if self.told is not None:
            return self.factor * self.told
        return self.factor * float(np.sqrt(np.mean((damaged - clean) ** 2, dtype=np.float64)))


def _noise(grey_levels: float, more: str = "") -> str:
    return f"noise:sigma={grey_levels / 255}{more}"


def _uniform(clean: Image, rng: np.random.Generator) -> Image:
    half = np.sqrt(3) * 25 / 255
    return (clean + rng.uniform(-half, half, clean.shape)).astype(np.float32)


def _off_the_grid(clean: Image, rng: np.random.Generator) -> Image:
    """Compress the picture with three more rows and five more columns before it, then cut them off."""
    wide = np.pad(clean, ((3, 0), (5, 0), (0, 0)), mode="symmetric")
    return np.ascontiguousarray(degrade_chain(wide, "jpeg:quality=20", rng=rng)[-1].image[3:, 5:])


DENOISE = (
    *(Trial("level", f"sigma {s}", _noise(s), s / 255) for s in (2, 5, 15, 25, 50, 75, 100)),
    Trial("told", "sigma 25, told 30% too low", _noise(25), 25 / 255, 0.7),
    Trial("told", "sigma 25, told right", _noise(25), 25 / 255),
    Trial("told", "sigma 25, told 30% too high", _noise(25), 25 / 255, 1.3),
    Trial("kind", "Gaussian", _noise(25)),
    Trial("kind", "uniform", _uniform),
    Trial("kind", "Poisson", "poisson:gain=0.02:sigma=0"),
    Trial("kind", "speckle", "speckle:sigma=0.2"),
    Trial("kind", "correlated over 1 pixel", _noise(25, ":correlation=1")),
    Trial("kind", "salt and pepper, 3%", "impulse:density=0.03"),
    Trial("kind", "JPEG 70 after noise", _noise(25, ",jpeg:quality=70")),
)

_JPEG = "jpeg:quality=20"
DEBLOCK = (
    *(Trial("level", f"quality {q}", f"jpeg:quality={q}", condition_of_quality(q)) for q in (5, 10, 20, 40, 70, 90)),
    Trial("told", "quality 20, told 14", _JPEG, condition_of_quality(14)),
    Trial("told", "quality 20, told right", _JPEG, condition_of_quality(20)),
    Trial("told", "quality 20, told 26", _JPEG, condition_of_quality(26)),
    Trial("told", "quality 20, not told", _JPEG, BLIND),
    Trial("kind", "full chroma, 4:4:4", "jpeg:quality=20:subsampling=4:4:4", BLIND),
    Trial("kind", "cut off the block grid", _off_the_grid, BLIND),
    Trial("kind", "twice, 20 then 60", "double-jpeg:first_quality=20:quality=60", BLIND),
    Trial("kind", "twice, shifted by 3, 5", "double-jpeg:first_quality=20:quality=60:shift_x=3:shift_y=5", BLIND),
    Trial("kind", "noise of sigma 5 before", _noise(5, f",{_JPEG}"), BLIND),
    Trial("kind", "noise of sigma 5 after", f"{_JPEG},{_noise(5)}", BLIND),
)

UPSCALE = (
    *(Trial("level", f"x{s}", f"downscale:factor={s}", float(s)) for s in (2, 3, 4)),
    Trial("kind", "x2 of a softer picture", "blur:sigma=0.8,downscale:factor=2", 2.0),
    Trial("kind", "x2, rounded to 8 bits", "downscale:factor=2:eight_bit=true", 2.0),
    Trial("kind", "x2 after noise of sigma 5", f"downscale:factor=2,{_noise(5)}", 2.0),
    Trial("kind", "x2 after JPEG 75", "downscale:factor=2,jpeg:quality=75", 2.0),
)

_MIXED = f"blur:sigma=0.6,{_noise(6)},jpeg:quality=60"
REPAIR = tuple(
    Trial(group, name, damage, BLIND)
    for group, name, damage in (
        *(("level", f"blur of {width} pixels", f"blur:sigma={width}") for width in (0.4, 0.8, 1.2, 2.0)),
        *(("level", f"noise of sigma {s}", _noise(s)) for s in (2, 5, 10, 25)),
        *(("level", f"JPEG {quality}", f"jpeg:quality={quality}") for quality in (20, 40, 60, 90)),
        ("kind", "blur, noise, JPEG", _MIXED),
        ("kind", "JPEG, then noise", f"jpeg:quality=60,{_noise(6)}"),
        ("kind", "noise, then blur", f"{_noise(12)},blur:sigma=0.6"),
        ("kind", "motion over 5 pixels", "motion:length=5"),
        ("kind", "salt and pepper, 1%", "impulse:density=0.01"),
    )
)

TRIALS = {"denoise": DENOISE, "deblock": DEBLOCK, "repair": REPAIR, "upscale": UPSCALE}
REFERENCE = {  # the damage of the trials that vary the picture: its size, its place, its colours
    "denoise": Trial("", "sigma 25", _noise(25), 25 / 255),
    "deblock": Trial("", "quality 20", _JPEG, condition_of_quality(20)),
    "repair": Trial("", "blur, noise, JPEG", _MIXED, BLIND),
    "upscale": Trial("", "x2", "downscale:factor=2", 2.0),
}
SIZES = ((1, 1), (7, 5), (16, 16), (33, 31), (64, 100), (255, 257), (511, 509))  # (height, width)
SHIFTS = ((0, 1), (1, 0), (3, 5), (4, 4), (8, 8))  # pixels (down, right)
