"""What a benchmark is to measure, and how one measurement is told from another."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from anew.bench.pictures import CleanPicture
from anew.bench.protocols import PROTOCOLS, QUALITIES, Level, Pixels, Protocol


@dataclass(frozen=True, kw_only=True)
class BenchPlan:
    """One benchmark.

    Attributes
    ----------
    task : str
        One of ``PROTOCOLS``.
    data : str, optional
        A folder or the name of a test set; None: photographs that scikit-image carries.
    limit : int, optional
        So many pictures.
    grey : bool
        Take the luma of the pictures.
    crop_megapixels : float
        Larger pictures are cut to that size.
    levels : tuple, optional
        In place of the protocol's own.
    methods : str
        ``"all"`` or names with commas.
    peers : bool
        With the methods of other libraries.
    repeats : int
        Timed calls after the warm one.
    """

    task: str
    data: str | None = None
    limit: int | None = None
    grey: bool = False
    crop_megapixels: float = 1.0
    levels: tuple[Level, ...] | None = None
    methods: str = "all"
    peers: bool = False
    repeats: int = 5

    @property
    def protocol(self) -> Protocol:
        """The protocol of the task."""
        return PROTOCOLS[self.task]

    @property
    def chosen_levels(self) -> tuple[Level, ...]:
        """The levels that are run."""
        return self.protocol.levels if self.levels is None else self.levels

    def timed_level(self, clean: Pixels) -> Level:
        """Give the level at which calls are timed on a picture: the middle one of those that it can have."""
        levels = [level for level in self.chosen_levels if self.protocol.applies(clean, level)]
        return levels[len(levels) // 2]

    def to_json(self) -> dict[str, Any]:
        """Give it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> BenchPlan:
        """Make it of plain values."""
        levels = values.get("levels")
        return cls(**{**values, "levels": None if levels is None else tuple(levels)})


@dataclass(frozen=True)
class Unit:
    """One call of one method: a picture at one level, in one variant."""

    level: Level
    picture: str
    digest: str
    variant: str

    def key(self, task: str, contender: str, code: str) -> str:
        """Tell this measurement from every other, also from those by an older method, protocol or set of scores."""
        level = float(self.level) if isinstance(self.level, int | float) else self.level
        statement = PROTOCOLS[task].statement
        text = json.dumps([task, statement, QUALITIES, contender, code, level, self.digest, self.variant])
        return hashlib.sha256(text.encode()).hexdigest()[:20]


def units_of(plan: BenchPlan, pictures: list[CleanPicture]) -> list[Unit]:
    """List every call that one method has to make, level by level."""
    return [
        Unit(level, picture.name, picture.digest, variant)
        for level in plan.chosen_levels
        for picture in pictures
        if plan.protocol.applies(picture.pixels, level)
        for variant in plan.protocol.variants
    ]
