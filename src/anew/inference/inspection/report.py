"""One inspection from open model to files: what can be asked of this model is asked, what cannot is said in a line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anew.arrays import Image, as_image
from anew.codecs import storage
from anew.contact_sheet import Tile
from anew.errors import AnewError, CannotWrite, Unavailable
from anew.images import Picture, write
from anew.inference.inspection import drawing, tables
from anew.inference.inspection.cost import Cost, measure_cost
from anew.inference.inspection.features import draw_feature_maps, feature_maps
from anew.inference.inspection.graph import at_tensor, last_map, with_positive_weights
from anew.inference.inspection.occlusion import measure_saliency
from anew.inference.inspection.receptive_field import ReceptiveField, measure_receptive_field, measure_support
from anew.inference.inspection.robustness import Row, measure_robustness
from anew.inference.inspection.subject import Batch, Subject
from anew.inference.inspection.trials import REFERENCE, TRIALS

FILES = (
    "receptive-field.png", "saliency.png", "features.png", "robustness.md", "robustness.json", "inspection.json",
)  # fmt: skip
FIELD_SIDE = 256  # of the picture in which pixels are changed
FEATURES_SIDE = 192  # of the picture whose feature maps are shown
PICTURE_SIDE = 96  # of the picture whose blocks are covered
LEAST_PHASES = 4
REGION = 12  # side of the output region that is asked about
BLOCKS = 19  # along a side of the picture
EYE = (107, 100)  # of the astronaut in the default picture, (x, y)

Say = Callable[[str], None]


@dataclass
class Inspection:
    """What was found.

    Attributes
    ----------
    name : str
    cost : Cost, optional
    receptive_field : ReceptiveField, optional
    structural : (height, width), optional
        The receptive field that the wiring allows.
    robustness : list of Row
    files : list of Path
    notes : list of str
        What could not be done, one line each.
    """

    name: str
    cost: Cost | None = None
    receptive_field: ReceptiveField | None = None
    structural: tuple[int, int] | None = None
    robustness: list[Row] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give everything but the pictures as plain JSON values."""
        found = self.receptive_field
        return {
            "model": self.name,
            "cost": None if self.cost is None else self.cost.as_json(),
            "receptive_field": None if found is None else tables.field_as_json(found, self.structural),
            "robustness": [tables.row_as_json(row) for row in self.robustness],
            "files": [str(path) for path in self.files],
            "notes": self.notes,
        }

    def lines(self) -> list[str]:
        """Give cost and receptive field, a line each."""
        lines = [] if self.cost is None else [tables.cost_in_words(self.cost)]
        if self.receptive_field is not None:
            lines.append(tables.field_in_words(self.receptive_field, self.structural))
        return lines


def inspect_model(
    subject: Subject,
    folder: Path,
    *,
    picture: Image | None = None,
    at: tuple[int, int] | None = None,
    overwrite: bool = False,
    say: Say = lambda line: None,
) -> Inspection:
    """Ask a model everything that can be asked of it, and write what it answers.

    Parameters
    ----------
    subject : Subject
    folder : path
        Made if it is not there.
    picture : (H, W) or (H, W, C) float32 array in [0, 1], optional
        What the network is given while it is watched, as it is. By default restorers get a damaged photograph.
    at : (x, y), optional
        Pixel of the picture around which the network is watched; by default its middle, or an eye of the photograph.
        What takes images of one size gets the whole picture.
    overwrite : bool
        Replace files of an earlier inspection.
    say : callable
        Told what is being done.

    Raises
    ------
    CannotWrite
        If a file is there already and ``overwrite`` is not set, or the folder cannot be written.
    ValueError
        If the picture holds NaN, or ``at`` is outside it.
    """
    default = _default_picture(subject) if picture is None else as_image(picture)
    if default is not None and at is not None:
        height, width = default.shape[:2]
        if not (0 <= at[0] < width and 0 <= at[1] < height):
            raise ValueError(f"{at[0]}, {at[1]} is outside the picture of {width} x {height}")
    _check_folder(folder, overwrite)
    task = _Task(subject, folder, overwrite, default, EYE if picture is None and at is None else at)
    found = Inspection(subject.name)
    for name, step in STEPS.items():
        say(name)
        try:
            step(found, task)
        except CannotWrite:
            raise
        except (AnewError, ValueError) as error:
            found.notes.append(f"{name}: {error}")
    return found


def _check_folder(folder: Path, overwrite: bool) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot make this folder ({error.strerror}); choose another") from None
    there = [name for name in FILES if (folder / name).exists()]
    if there and not overwrite:
        raise CannotWrite(f"{folder / there[0]}: exists already; choose another folder, or --overwrite")


def _default_picture(subject: Subject) -> Image | None:
    """Give a photograph with the damage that the model is for; None where no photograph would fit."""
    import skimage.data

    if subject.task in ("classify", "generate") or subject.entry is None:
        return None
    photo = (skimage.data.astronaut()[:FIELD_SIDE, 96 : 96 + FIELD_SIDE] / 255).astype(np.float32)
    damage = REFERENCE.get(subject.task)
    return photo if damage is None else damage.apply(photo, np.random.default_rng(0))


@dataclass(frozen=True)
class _Task:
    """What every step is given."""

    subject: Subject
    folder: Path
    overwrite: bool
    picture: Image | None
    at: tuple[int, int] | None

    def shown(self, side: int, *, or_noise: bool = False) -> Batch:
        """Give the model its picture; where it takes any size, at most so large, around the chosen pixel."""
        subject, picture = self.subject, self.picture
        if subject.entry is None:
            raise ValueError("this model takes no image")
        if picture is None and not or_noise:
            raise ValueError("give a picture like those that it was trained on with --input")
        if picture is None:
            rng, size = np.random.default_rng(0), subject.size or (side, side)
            draw = rng.standard_normal if subject.task == "generate" else rng.random  # what a generator starts from
            return draw((1, subject.channels, *size), np.float32)
        if subject.size is None:
            height, width = picture.shape[:2]
            x, y = self.at or (width // 2, height // 2)
            top, left = (min(max(0, c - side // 2), max(0, n - side)) for c, n in ((y, height), (x, width)))
            picture = picture[top : top + side, left : left + side]
        return subject.as_batch(picture)

    def save_picture(self, found: Inspection, sheet: NDArray[np.uint8], name: str) -> None:
        """Write a picture and note it."""
        write(Picture.from_array(sheet), self.folder / name, overwrite=self.overwrite)
        found.files.append(self.folder / name)

    def save_text(self, found: Inspection, text: str, name: str) -> None:
        """Write a text and note it."""
        storage.save(str(self.folder / name), text.encode(), overwrite=self.overwrite)
        found.files.append(self.folder / name)


def _add_cost(found: Inspection, task: _Task) -> None:
    subject = task.subject
    if subject.entry is None:
        found.cost = None if subject.card is None else Cost(subject.card.parameters, None)
        return
    found.cost = measure_cost(subject, task.shown(FIELD_SIDE, or_noise=True))
    if found.cost.note:
        found.notes.append(found.cost.note)


def _add_receptive_field(found: Inspection, task: _Task) -> None:
    subject = task.subject
    image = task.shown(FIELD_SIDE, or_noise=True)[0]
    watched, what = subject, ""
    if subject(image[None]).ndim != 4:
        name = last_map(subject.path)
        if name is None:
            raise ValueError("no layer of this model is a map over the image")
        watched, what = at_tensor(subject, name), ", last layer that is a map"
    phases = -(-LEAST_PHASES // subject.multiple) * subject.multiple
    measured = measure_receptive_field(watched, image, phases=phases)
    try:
        wired = with_positive_weights(watched)
        widest = measure_support(wired, np.zeros_like(image), phases=phases)
        found.structural = None if widest.cut else widest.support
    except Unavailable as error:
        found.notes.append(f"what the wiring allows: {error}")
    found.receptive_field = measured
    tiles = drawing.receptive_field_tiles(measured, structural=found.structural)
    sheet = drawing.draw_row(tiles, f"{subject.name}: receptive field{what}")
    task.save_picture(found, sheet, "receptive-field.png")


def _add_saliency(found: Inspection, task: _Task) -> None:
    subject, image = task.subject, task.shown(PICTURE_SIDE)[0]
    result = np.asarray(subject(image[None]))[0]
    title, tiles = (
        region_saliency(subject, image, result) if result.ndim == 3 else score_saliency(subject, image, result)
    )
    task.save_picture(found, drawing.draw_row(tiles, title), "saliency.png")


def region_saliency(
    subject: Subject, image: NDArray[np.float32], result: NDArray[np.float32]
) -> tuple[str, list[Tile]]:
    """Ask what the middle of a (C, h, w) result depends on; give a title, and the pictures that answer."""
    rows, columns = _middle(result.shape[1:])
    block = max(1, min(image.shape[1:]) // BLOCKS)
    saliency = measure_saliency(lambda x: np.asarray(subject(x)[:, :, rows, columns]), image, block=block)
    tiles = drawing.saliency_tiles(
        image.transpose(1, 2, 0),
        saliency,
        asked=f"change of the frame when {block} x {block} pixels are covered",
        result=result.transpose(1, 2, 0) if result.shape[0] in (1, 3) else None,
        region=_middle(image.shape[1:]),
    )
    return f"{subject.name}: what the framed region of its output depends on", tiles


def score_saliency(subject: Subject, image: NDArray[np.float32], scores: NDArray[np.float32]) -> tuple[str, list[Tile]]:
    """Ask what the highest score depends on; give a title, and the pictures that answer."""
    index = int(scores.reshape(-1).argmax())
    name = f"{subject.labels[index]!r}" if index < len(subject.labels) else f"number {index}"
    block = max(2, min(image.shape[1:]) // BLOCKS)
    saliency = measure_saliency(
        lambda x: np.asarray(subject(x).reshape(len(x), -1)[:, index]), image, block=block, stride=1
    )
    asked = f"change of the score when {block} x {block} pixels are covered"
    tiles = drawing.saliency_tiles(image.transpose(1, 2, 0), saliency, asked=asked)
    return f"{subject.name}: what the score of {name} depends on", tiles


def _add_features(found: Inspection, task: _Task) -> None:
    subject = task.subject
    if subject.entry is None:
        batch = np.zeros((1, 1, 1, 1), np.float32)  # it is not read: the latent vector is what goes in
    else:
        batch = task.shown(FEATURES_SIDE, or_noise=subject.task == "generate")
    sheet = draw_feature_maps(feature_maps(subject, batch), title=f"{subject.name}: most energetic feature maps")
    task.save_picture(found, sheet, "features.png")


def _add_robustness(found: Inspection, task: _Task) -> None:
    subject = task.subject
    found.robustness = measure_robustness(subject)
    text = tables.rows_as_markdown(
        found.robustness,
        title=f"How robust {subject.name} is",
        reference=REFERENCE[subject.task].name,
        notes=[*found.lines(), *_protocol(subject)],
    )
    task.save_text(found, text, "robustness.md")
    document = {"model": subject.name, "rows": [tables.row_as_json(row) for row in found.robustness]}
    task.save_text(found, _as_text(document), "robustness.json")


def _add_all_figures(found: Inspection, task: _Task) -> None:
    task.save_text(
        found, _as_text({**found.as_json(), "files": [path.name for path in found.files]}), "inspection.json"
    )


STEPS: dict[str, Callable[[Inspection, _Task], None]] = {
    "cost": _add_cost,
    "receptive field": _add_receptive_field,
    "saliency": _add_saliency,
    "feature maps": _add_features,
    "robustness": _add_robustness,
    "figures": _add_all_figures,
}


def _protocol(subject: Subject) -> list[str]:
    assert subject.task in TRIALS
    start = "bicubic enlargement" if subject.task == "upscale" else "the damaged picture"
    return [
        "photographs of scikit-image, 192 x 192 pixels from the middle of each; PSNR of the pooled, clipped errors",
        f"before: {start}; told: the condition that the network was given",
    ]


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Give a square region in the middle of (H, W), scaled with an upscaler's output."""
    half = [max(1, min(REGION, side // 4)) for side in shape]
    starts = [(side - size) // 2 for side, size in zip(shape, half, strict=True)]
    rows, columns = (slice(start, start + size) for start, size in zip(starts, half, strict=True))
    return rows, columns


def _as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
