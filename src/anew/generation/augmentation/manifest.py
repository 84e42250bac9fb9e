"""The manifest of an augmented folder: one JSON line per output, planned before any pixel is touched.

Everything that is drawn is drawn here, from the seed, the place of the source in its folder and the number of the
variant; so neither the order of the work nor the other files matter, except where they are mixed in. A line is all
that ``replay`` needs to make its output again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anew.codecs import storage
from anew.errors import InvalidPlan
from anew.generation.augmentation.augment import draw
from anew.generation.augmentation.catalogue import parse_operations

MANIFEST = "manifest.jsonl"
MASKS = "masks"  # the folder of moved masks within the output folder

Record = dict[str, Any]


def plan_records(
    sources: Sequence[tuple[Path, Path]],
    variants: Mapping[str, str],
    *,
    seed: int,
    masks: Mapping[Path, Path] | None = None,
    boxes: bool = False,
    others: Sequence[Path] = (),
) -> list[Record]:
    """Draw every output of a folder.

    Parameters
    ----------
    sources : sequence of (path, path relative to its folder)
    variants : mapping of what is added to the name to its chain of operations
    seed : int >= 0
    masks : mapping of sources to their mask files, optional
    boxes : bool
        Whether boxes go along.
    others : sequence of paths
        What may be mixed in; an image is never mixed with itself if there is another.

    Returns
    -------
    list of dict, JSON-able
    """
    chains = {suffix: parse_operations(chain) for suffix, chain in variants.items()}
    records: list[Record] = []
    for source, relative in sources:
        place = hashlib.sha256(relative.as_posix().encode()).digest()
        mask = None if masks is None else masks.get(source)
        partners = [other.as_posix() for other in others if other != source] or [other.as_posix() for other in others]
        for number, (suffix, chain) in enumerate(chains.items()):
            name = f"{relative.stem}-{suffix}"
            rng = np.random.default_rng([seed, number, *np.frombuffer(place[:16], np.uint32).tolist()])
            record: Record = {
                "output": relative.with_name(f"{name}{relative.suffix}").as_posix(),
                "source": source.as_posix(),
                "seed": seed,
                "variant": number,
                "with": variants[suffix],
                "operations": draw(chain, rng, labelled=masks is not None or boxes, others=partners),
            }
            if mask is not None:
                moved = (MASKS / relative.with_name(f"{name}.png")).as_posix()
                record |= {"mask": mask.as_posix(), "mask_output": moved}
            records.append(record)
    return records


def read_manifest(path: Path) -> list[Record]:
    """Read a manifest; none if there is no such file."""
    if not path.exists():
        return []
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert all({"output", "source", "operations"} <= record.keys() for record in records)
    except (ValueError, AttributeError, AssertionError):
        raise InvalidPlan(f"{path}: not a manifest of anew augment; choose another -o") from None
    return records


def write_manifest(records: Sequence[Record], path: Path) -> None:
    """Write a manifest, whole or not at all."""
    text = "".join(json.dumps(record) + "\n" for record in records)
    storage.save(str(path), text.encode(), overwrite=True)


def merged(old: Sequence[Record], new: Sequence[Record], folder: Path) -> list[Record]:
    """Give the manifest that holds the new records, and the old ones whose outputs stay.

    Raises
    ------
    ValueError
        If an output that exists was made otherwise than its new record says, or by something else.
    """
    planned = {record["output"]: record for record in new}
    known = {record["output"]: record for record in old}
    for output, record in planned.items():
        if (folder / output).exists() and known.get(output) != record:
            other = "by other settings" if output in known else "by something else"
            raise ValueError(f"{folder / output} exists already, made {other}; use --overwrite or another -o")
    return [*new, *(r for r in old if r["output"] not in planned and (folder / r["output"]).exists())]
