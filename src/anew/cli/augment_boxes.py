"""The boxes of ``anew augment``: moved to every output, and added to those that an earlier run wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from anew.cli.one_line import say

if TYPE_CHECKING:
    from anew.generation.augmentation.box_files import BoxFile

BOXES = "boxes.json"


def boxes_of(
    path: Path, sources: list[tuple[Path, Path]], output: Path, made: set[str], *, overwrite: bool, **limits: float
) -> MovedBoxes:
    """Read the boxes of the sources, and those that an earlier run wrote."""
    from anew.generation.augmentation.box_files import BoxFile, read_boxes

    target = output / BOXES
    if path.resolve() == target.resolve():
        raise typer.BadParameter(f"{path} is where the moved boxes go; copy it elsewhere, or choose another -o")
    file = read_boxes(path)
    named = _named(sources, file, path)
    if not named:
        raise typer.BadParameter(
            f"{path} names none of the pictures; it needs their names, or their places in their folder",
            param_hint="--boxes",
        )
    old = _earlier_boxes(target, file, made)
    if old is None and target.exists() and not overwrite:
        raise typer.BadParameter(
            f"{target} exists already and is nothing that these boxes can be added to; use --overwrite or another -o"
        )
    if file.left_out:
        say(f"{path}: {', '.join(sorted(file.left_out))} left out; only the boxes go along")
    return MovedBoxes(path, file, named, output, old or BoxFile(file.coco), BoxFile(file.coco), **limits)


def _named(sources: list[tuple[Path, Path]], file: BoxFile, path: Path) -> dict[Path, str]:
    """Give the name under which each source stands in a file: its place in its folder, or else its bare name."""
    places = {place.as_posix(): source for source, place in sources if place.as_posix() in file.boxes}
    bare: dict[str, Path] = {}
    for source, place in sources:
        if place.as_posix() in places or place.name in places or place.name not in file.boxes:
            continue
        if bare.setdefault(place.name, source) != source:
            raise typer.BadParameter(
                f"{path} says {place.name}, which may be {bare[place.name]} or {source}; give the names their folders",
                param_hint="--boxes",
            )
    return {source: name for name, source in (places | bare).items()}


def _earlier_boxes(path: Path, like: BoxFile, made: set[str]) -> BoxFile | None:
    """Read what an earlier run wrote; None if that is something else, or in another form or with other categories."""
    from anew.errors import InvalidPlan
    from anew.generation.augmentation.box_files import read_boxes

    try:
        old = read_boxes(path)
    except InvalidPlan:
        return None
    forms = [None if file.coco is None else {"categories": file.coco.get("categories")} for file in (old, like)]
    return old if forms[0] == forms[1] and old.boxes.keys() <= made else None


@dataclass(frozen=True, eq=False)
class MovedBoxes:
    """The boxes of the sources, those that an earlier run wrote, and those that this one has moved."""

    path: Path
    file: BoxFile
    named: Mapping[Path, str]  # the name under which each source stands in the file
    output: Path
    old: BoxFile
    moved: BoxFile
    min_visible: float
    max_megapixels: float

    def move(self, source: Path, records: Sequence[Mapping[str, Any]]) -> None:
        """Move the boxes of a source to each of its outputs, once."""
        from anew.errors import ImageFileError
        from anew.generation.augmentation.augment import replay_boxes
        from anew.generation.augmentation.boxes import outlines_of
        from anew.images import read_frames

        name = self.named.get(source)
        if name is None or records[0]["output"] in self.moved.boxes:
            return
        try:
            shape = read_frames(source, max_megapixels=self.max_megapixels)[0].pixels.shape
        except ImageFileError:
            return  # it is reported when its own turn comes
        given = self.file.boxes[name]
        for index, outline in enumerate(outlines_of(given, shape)):
            if not len(outline.polygon):
                where = f"{given[index]} lies outside of the picture, {shape[1]} x {shape[0]}, and is left out"
                say(f"{self.path}: box {index} (from 0) of {name}: {where}")
        for record in records:
            boxes, kept, (height, width) = replay_boxes(
                given, shape, record["operations"], min_visible=self.min_visible
            )
            target = record["output"]
            self.moved.boxes[target] = [[round(float(v), 3) for v in box] for box in boxes]
            self.moved.entries[target] = [self.file.entries[name][i] for i in kept]
            self.moved.sizes[target] = height, width

    def refuse_changed(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Refuse to go on where other boxes stand for an output that is there."""
        import numpy as np

        for target in (record["output"] for record in records):
            if target in self.old.boxes and target in self.moved.boxes and (self.output / target).exists():
                old, new = self.old.boxes[target], self.moved.boxes[target]
                same = len(old) == len(new) and np.allclose(old, new, rtol=0, atol=2e-3)  # they are rounded
                if not same or self.old.entries[target] != self.moved.entries[target]:
                    raise typer.BadParameter(
                        f"{self.output / BOXES} holds other boxes of {target}, by another --boxes or --min-visible; "
                        "use --overwrite or another -o"
                    )

    def write(self) -> None:
        """Write the boxes of every output that is there."""
        from anew.codecs import storage
        from anew.generation.augmentation.box_files import BoxFile, as_coco, as_lists

        names = [n for n in {**self.old.boxes, **self.moved.boxes} if (self.output / n).exists()]
        files = [(name, self.moved if name in self.moved.boxes else self.old) for name in names]
        whole = BoxFile(
            self.file.coco,
            {name: file.boxes[name] for name, file in files},
            {name: file.entries[name] for name, file in files},
            {name: file.sizes[name] for name, file in files if name in file.sizes},
        )
        content = as_lists(whole) if whole.coco is None else as_coco(whole)
        storage.save(str(self.output / BOXES), json.dumps(content, indent=1).encode(), overwrite=True)
