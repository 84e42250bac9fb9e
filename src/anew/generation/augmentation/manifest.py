"""The manifest of an augmented folder: one JSON line per output, planned before its source is touched.

Everything that is drawn is drawn here, from the seed, the place of the source in its folder and the number of the
variant; so neither the order of the work nor the other files matter, except where they are mixed in. A line is all
that ``replay`` needs to make its output again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anew.codecs import storage
from anew.errors import CannotWrite, InvalidPlan
from anew.generation.augmentation.augment import draw
from anew.generation.augmentation.catalogue import parse_operations

MANIFEST = "manifest.jsonl"
MASKS = "masks"  # the folder of moved masks within the output folder
START = '{"output": '  # of every line

Record = dict[str, Any]


def plan_records(
    source: Path,
    place: Path,
    variants: Mapping[str, str],
    *,
    seed: int,
    mask: Path | None = None,
    labelled: bool = False,
    others: Sequence[Path] = (),
) -> list[Record]:
    """Draw every output of one source.

    Parameters
    ----------
    source : path
    place : path
        Of the source, relative to its folder.
    variants : mapping of what is added to the name to its chain of operations
    seed : int >= 0
    mask : path, optional
        The mask of the source.
    labelled : bool
        Whether masks or boxes go along, of this source or of others.
    others : sequence of paths
        What may be mixed in; an image is never mixed with itself.

    Returns
    -------
    list of dict, JSON-able
    """
    chains = {chain: parse_operations(chain) for chain in set(variants.values())}
    digest = hashlib.sha256(os.fsencode(place.as_posix())).digest()  # a name may be no UTF-8
    partners = [other.as_posix() for other in others if other != source]
    records: list[Record] = []
    for number, (suffix, chain) in enumerate(variants.items()):
        output, moved = output_names(place, suffix)
        rng = np.random.default_rng([seed, number, *np.frombuffer(digest[:16], np.uint32).tolist()])
        record: Record = {
            "output": output,
            "source": source.as_posix(),
            "seed": seed,
            "variant": number,
            "with": chain,
            "operations": draw(chains[chain], rng, labelled=labelled, others=partners),
        }
        if mask is not None:
            record |= {"mask": mask.as_posix(), "mask_output": moved}
        records.append(record)
    return records


def output_names(place: Path, suffix: str) -> tuple[str, str]:
    """Give the names of an output and of its mask, in the output folder."""
    folder = "" if place.parent == Path() else f"{place.parent.as_posix()}/"
    name = f"{folder}{place.stem}-{suffix}"
    return f"{name}{place.suffix}", f"{MASKS}/{name}.png"


def read_manifest(path: Path) -> list[Record]:
    """Read a manifest; none if there is no such file."""
    if not path.exists():
        return []
    try:
        *lines, cut = path.read_text(encoding="utf-8").split("\n")  # the last is cut off if the run was killed
        records = [json.loads(line) for line in lines]
        assert all({"output", "source", "operations"} <= record.keys() for record in records)
        assert records or START.startswith(cut[: len(START)])
    except (ValueError, AttributeError, AssertionError, RecursionError):
        raise InvalidPlan(f"{path}: not a manifest of anew augment; choose another -o") from None
    return records


def write_manifest(records: Sequence[Record], path: Path) -> None:
    """Write a manifest, whole or not at all."""
    storage.save(str(path), _as_text(records).encode(), overwrite=True)


def add_to_manifest(records: Sequence[Record], path: Path) -> None:
    """Write more lines at the end of a manifest."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(_as_text(records))
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written ({storage.reason(error)}; choose another place)") from None


def keep_made(path: Path) -> None:
    """Drop the lines of a manifest whose outputs are not there, as their sources failed or the run was stopped."""
    records = read_manifest(path)
    made = [record for record in records if (path.parent / record["output"]).exists()]
    if len(made) < len(records):
        write_manifest(made, path)


def remaining(old: Sequence[Record], new: Iterable[Record], folder: Path, *, overwrite: bool) -> list[Record]:
    """Give the old records that stay: of outputs that are there, or that are to be made just so again.

    Parameters
    ----------
    old : sequence of dict
    new : iterable of dict
        What is planned, at least wherever a file is there already.
    folder : path
        The output folder.
    overwrite : bool
        Whether every planned output is made anew.

    Raises
    ------
    ValueError
        If a file that exists was made otherwise than its new record says, or by something else.
    """
    known = {record["output"]: record for record in old}
    staying = {output for output in known if (folder / output).exists()}
    for record in new:
        output = record["output"]
        if not overwrite and output in known and _resolved(known[output]) == _resolved(record):
            staying.add(output)
            continue
        staying.discard(output)
        for name in (record[key] for key in ("output", "mask_output") if key in record):
            if not overwrite and (folder / name).exists():
                other = "by other settings" if output in known else "by something else"
                raise ValueError(f"{folder / name} exists already, made {other}; use --overwrite or another -o")
    return [record for output, record in known.items() if output in staying]


def _as_text(records: Sequence[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _resolved(record: Record) -> Record:
    """Give a record in which each file has its one absolute name."""
    files: Record = {key: os.path.realpath(record[key]) for key in ("source", "mask") if key in record}
    steps = [
        {**step, "parameters": {k: os.path.realpath(v) if k == "other" else v for k, v in step["parameters"].items()}}
        for step in record["operations"]
    ]
    return {**record, **files, "operations": steps}
