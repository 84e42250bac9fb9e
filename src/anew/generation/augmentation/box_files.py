"""Files of bounding boxes, read and written in the same form: COCO, or one list per file name.

The simple form is ``{"cats/tom.png": [[left, top, right, bottom], ...]}``; in place of a list may stand an object with
``"box"``, whose other entries, such as a label, go along. COCO's boxes are left, top, width, height; its outlines and
keypoints are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anew.errors import InvalidPlan

Entry = dict[str, Any]  # an annotation, without its box

OWN = {"id", "image_id", "bbox", "area"}  # what an annotation says of its place, written anew
LEFT_OUT = {"segmentation", "keypoints", "num_keypoints"}


@dataclass(frozen=True)
class BoxFile:
    """Boxes by file name.

    Attributes
    ----------
    coco : dict or None
        What a COCO file says beside images and annotations, or None for the simple form.
    boxes : dict of file names to lists of (left, top, right, bottom)
    entries : dict of file names to one entry per box
    sizes : dict of file names to (height, width)
        As a COCO file says them.
    left_out : frozenset of str
        What the annotations said and is not kept.
    """

    coco: Entry | None
    boxes: dict[str, list[list[float]]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()


def read_boxes(path: Path) -> BoxFile:
    """Read a file of boxes.

    Raises
    ------
    InvalidPlan
        If it is not one; the message says which box is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"expected an object, got {_short(content)}")
        return _from_coco(content) if "images" in content and "annotations" in content else _from_lists(content)
    except OSError as error:
        raise InvalidPlan(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, OverflowError, RecursionError) as error:
        forms = 'COCO, or {"name.png": [[left, top, right, bottom], ...]}'
        raise InvalidPlan(f"{path}: not a file of boxes ({forms}): {error}") from None


def as_coco(file: BoxFile) -> Entry:
    """Give the content of a COCO file."""
    images: list[Entry] = []
    annotations: list[Entry] = []
    for number, (name, (height, width)) in enumerate(file.sizes.items(), 1):
        images.append({"id": number, "file_name": name, "width": width, "height": height})
        for (left, top, right, bottom), entry in zip(file.boxes[name], file.entries[name], strict=True):
            box = [left, top, right - left, bottom - top]
            place = {"id": len(annotations) + 1, "image_id": number}
            annotations.append({**place, **entry, "bbox": box, "area": box[2] * box[3]})
    return {**(file.coco or {}), "images": images, "annotations": annotations}


def as_lists(file: BoxFile) -> Entry:
    """Give the content of a file of the simple form."""
    return {
        name: [{**entry, "box": box} if entry else box for box, entry in zip(boxes, file.entries[name], strict=True)]
        for name, boxes in file.boxes.items()
    }


def _from_coco(content: Entry) -> BoxFile:
    coco = {key: value for key, value in content.items() if key not in ("images", "annotations")}
    if isinstance(coco.get("categories"), list):
        keys = {"keypoints", "skeleton"}
        coco["categories"] = [_without(c, keys) if isinstance(c, dict) else c for c in coco["categories"]]
    file = BoxFile(coco)
    names = {}
    for index, image in enumerate(_listed(content["images"], "images")):
        if not (isinstance(image, dict) and isinstance(image.get("id"), int | str) and "file_name" in image):
            raise ValueError(f"images[{index}]: expected an object with id and file_name, got {_short(image)}")
        name = names[image["id"]] = str(image["file_name"])
        file.boxes[name], file.entries[name] = [], []
        if isinstance(image.get("height"), int) and isinstance(image.get("width"), int):
            file.sizes[name] = image["height"], image["width"]
    said: set[str] = set()
    for index, annotation in enumerate(_listed(content["annotations"], "annotations")):
        place = f"annotations[{index}]"
        image_id = annotation.get("image_id") if isinstance(annotation, dict) else None
        if not isinstance(image_id, int | str) or image_id not in names:
            raise ValueError(f"{place}: expected an object with the image_id of an image, got {_short(annotation)}")
        name = names[image_id]
        left, top, width, height = _four(annotation.get("bbox"), "left, top, width, height", f"{place} ({name})")
        file.boxes[name].append(_ordered([left, top, left + width, top + height], f"{place} ({name})"))
        file.entries[name].append(_without(annotation, OWN | LEFT_OUT))
        said |= LEFT_OUT & annotation.keys()
    return BoxFile(coco, file.boxes, file.entries, file.sizes, frozenset(said))


def _from_lists(content: Entry) -> BoxFile:
    file = BoxFile(None)
    for name, listed in content.items():
        file.boxes[name], file.entries[name] = [], []
        for index, item in enumerate(_listed(listed, name)):
            box = item.get("box") if isinstance(item, dict) else item
            numbers = _four(box, "left, top, right, bottom", f"{name}[{index}]")
            file.boxes[name].append(_ordered(numbers, f"{name}[{index}]"))
            file.entries[name].append(_without(item, {"box"}) if isinstance(item, dict) else {})
    return file


def _listed(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place}: expected a list, got {_short(value)}")
    return value


def _four(value: Any, names: str, place: str) -> list[float]:
    numbers = [float(v) for v in value if isinstance(v, int | float)] if isinstance(value, list) else []
    if len(numbers) != 4 or len(value) != 4 or not all(math.isfinite(v) for v in numbers):
        raise ValueError(f"{place}: expected the four numbers {names}, got {_short(value)}")
    return numbers


def _ordered(box: list[float], place: str) -> list[float]:
    if box[0] > box[2] or box[1] > box[3]:
        raise ValueError(f"{place}: expected left, top, right, bottom; right < left or bottom < top in {_short(box)}")
    return box


def _without(entry: Mapping[str, Any], keys: set[str]) -> Entry:
    return {key: value for key, value in entry.items() if key not in keys}


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
