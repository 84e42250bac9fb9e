"""Files of bounding boxes, read and written in the same form: COCO, or one list per file name.

The simple form is ``{"cats/tom.png": [[left, top, right, bottom], ...]}``; in place of a list may stand an object with
``"box"``, whose other entries, such as a label, go along. COCO's boxes are left, top, width, height.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anew.errors import InvalidPlan
from anew.generation.augmentation.boxes import outlines_of

Entry = dict[str, Any]  # an annotation, without its box


@dataclass(frozen=True)
class BoxFile:
    """Boxes by file name.

    Attributes
    ----------
    coco : dict or None
        What a COCO file says beside images and annotations, or None for the simple form.
    boxes : dict of file names to lists of (left, top, right, bottom)
    entries : dict of file names to one entry per box
    """

    coco: Entry | None
    boxes: dict[str, list[list[float]]]
    entries: dict[str, list[Entry]]


def read_boxes(path: Path) -> BoxFile:
    """Read a file of boxes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        file = _from_coco(content) if "images" in content and "annotations" in content else _from_lists(content)
        for boxes in file.boxes.values():
            outlines_of(boxes, (1, 1))  # for its checks
    except OSError as error:
        raise InvalidPlan(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        forms = 'COCO, or {"name.png": [[left, top, right, bottom], ...]}'
        raise InvalidPlan(f"{path}: not a file of boxes ({forms}): {type(error).__name__} {error}") from None
    return file


def as_coco(file: BoxFile, images: Sequence[tuple[str, int, int]]) -> Entry:
    """Give the content of a COCO file for moved boxes; ``images`` are (name, height, width). Outlines are left out."""
    listed: list[Entry] = []
    annotations: list[Entry] = []
    for number, (name, height, width) in enumerate(images, 1):
        listed.append({"id": number, "file_name": name, "width": width, "height": height})
        for (left, top, right, bottom), entry in zip(file.boxes[name], file.entries[name], strict=True):
            box = [left, top, right - left, bottom - top]
            kept = {key: value for key, value in entry.items() if key not in ("segmentation", "keypoints")}
            annotations.append(
                {**kept, "id": len(annotations) + 1, "image_id": number, "bbox": box, "area": box[2] * box[3]}
            )
    return {**(file.coco or {}), "images": listed, "annotations": annotations}


def as_lists(file: BoxFile) -> Entry:
    """Give the content of a file of the simple form."""
    return {
        name: [{**entry, "box": box} if entry else box for box, entry in zip(boxes, file.entries[name], strict=True)]
        for name, boxes in file.boxes.items()
    }


def _from_coco(content: Entry) -> BoxFile:
    names = {image["id"]: str(image["file_name"]) for image in content["images"]}
    boxes: dict[str, list[list[float]]] = {name: [] for name in names.values()}
    entries: dict[str, list[Entry]] = {name: [] for name in names.values()}
    for annotation in content["annotations"]:
        left, top, width, height = (float(v) for v in annotation["bbox"])
        name = names[annotation["image_id"]]
        boxes[name].append([left, top, left + width, top + height])
        entries[name].append({key: value for key, value in annotation.items() if key != "bbox"})
    return BoxFile({k: v for k, v in content.items() if k not in ("images", "annotations")}, boxes, entries)


def _from_lists(content: Entry) -> BoxFile:
    boxes: dict[str, list[list[float]]] = {}
    entries: dict[str, list[Entry]] = {}
    for name, listed in content.items():
        boxes[name], entries[name] = [], []
        for item in listed:
            entry = dict(item) if isinstance(item, dict) else {}
            left, top, right, bottom = (float(v) for v in (entry.pop("box") if entry else item))
            boxes[name].append([left, top, right, bottom])
            entries[name].append(entry)
    return BoxFile(None, boxes, entries)
