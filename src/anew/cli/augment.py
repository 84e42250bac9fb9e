"""``anew augment``: a folder of pictures becomes a larger one, with a manifest that can make each of them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.attempt import Outcome
from anew.cli.augment_boxes import MovedBoxes, boxes_of
from anew.cli.batch import run_jobs
from anew.cli.jobs import Job, plan_jobs
from anew.cli.targets import make_folder

if TYPE_CHECKING:
    from anew.images import Picture

commands = typer.Typer()

MOST = 10_000  # of one source, as they are planned together
Draw = Callable[[Path, Path], list[dict[str, Any]]]  # what is drawn for a source, by its place in its folder


@dataclass(frozen=True)
class AugmentJob(Job):
    """One source and, when its turn comes, the lines of the manifest (as text, which is small)."""

    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class AugmentWork:
    """Make every output of one source (picklable)."""

    output: Path
    overwrite: bool
    max_megapixels: float
    save_quality: int | None
    needs_masks: bool

    def __call__(self, job: Job) -> Outcome:
        from anew.images import read, read_frames

        assert isinstance(job, AugmentJob)
        records = [json.loads(line) for line in job.lines]
        missing = [r for r in records if self.overwrite or not (self.output / r["output"]).exists()]
        facts = {
            "output": str(self.output),
            "outputs": [str(self.output / r["output"]) for r in records],
            "skipped": len(records) - len(missing),
        }
        if missing:
            frames = read_frames(job.source, max_megapixels=self.max_megapixels)
            mask = None
            if self.needs_masks:
                if "mask" not in records[0]:
                    raise ValueError("there is no mask of that name in --masks")
                mask = read(records[0]["mask"], max_megapixels=self.max_megapixels)
            others = _Files(missing, self.max_megapixels)
            for record in missing:
                self._make(record, frames, mask, others)
        skipped = f" ({facts['skipped']} there already)" if facts["skipped"] else ""
        return Outcome(job, f"{job.source} -> {len(records)} in {self.output}{skipped}", facts)

    def _make(
        self, record: dict[str, Any], frames: list[Picture], mask: Picture | None, others: Mapping[str, Any]
    ) -> None:
        from anew.generation.augmentation.augment import replay
        from anew.images import write, write_frames

        if len(frames) > 1 and mask is not None:
            raise ValueError(f"it has {len(frames)} frames; a mask is for one picture")
        target, labels = self.output / record["output"], None if mask is None else stacked(mask)
        made = []
        for frame in frames:
            result = replay(stacked(frame), record["operations"], mask=labels, others=others)
            made.append(unstacked(result.image, frame))
        target.parent.mkdir(parents=True, exist_ok=True)
        if mask is not None and result.mask is not None:
            beside = self.output / record["mask_output"]
            beside.parent.mkdir(parents=True, exist_ok=True)
            write(unstacked(result.mask, mask), beside, overwrite=True)
        write_frames(made, target, overwrite=self.overwrite, quality=self.save_quality)  # last: it marks the rest done


class _Files(Mapping[str, Any]):
    """The other pictures that some records mix in, read when they are needed."""

    def __init__(self, records: Sequence[Mapping[str, Any]], max_megapixels: float) -> None:
        steps = [step["parameters"] for record in records for step in record["operations"]]
        self._paths = dict.fromkeys(p["other"] for p in steps if "other" in p)
        self._max_megapixels = max_megapixels

    def __getitem__(self, path: str) -> Any:
        from anew.images import read_frames

        if path not in self._paths:
            raise KeyError(path)
        return read_frames(path, max_megapixels=self._max_megapixels)[0].pixels

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _print_operations(wanted: bool) -> None:
    if wanted:
        from anew.generation.augmentation.catalogue import DEFAULT, OPERATIONS

        for operation in OPERATIONS.values():
            takes = " ".join(f"{key}={option}" for key, option in operation.options.items())
            print(f"{operation.name:<16} {operation.summary}\n{'':<16} {takes} p={operation.probability:g}")
        print(f"default: {DEFAULT}")
        raise typer.Exit


@commands.command(epilog="Example:  anew augment photos/ -o more/ -n 10 --seed 0 --with flip,rotate:degrees=15,jitter")
def augment(
    inputs: o.Inputs,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the new pictures.")],
    number: Annotated[
        int | None, typer.Option("-n", min=1, max=MOST, metavar="N", help="So many of each. Default: 10.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="S", help="Same seed, same result.")] = 0,
    chain: Annotated[
        str | None,
        typer.Option("--with", metavar="NAME:KEY=VALUE,...", help="Operations, in order; see --list."),
    ] = None,
    styles: Annotated[bool, typer.Option("--styles", help="One of each in every style, instead.")] = False,
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Masks, named as the pictures; moved along to DIR/masks.")
    ] = None,
    boxes: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Boxes as JSON (COCO, or lists); moved along to DIR/boxes.json.")
    ] = None,
    min_visible: Annotated[
        float, typer.Option(min=0, max=1, metavar="S", help="Drop boxes of which a smaller share is left.")
    ] = 0.2,
    listing: Annotated[
        bool, typer.Option("--list", callback=_print_operations, is_eager=True, help="Print the operations.")
    ] = False,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    processes: o.Processes = 1,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
    save_quality: o.Quality = None,
) -> None:
    """Make many pictures from few.

    They are turned, cropped, recoloured, or in other styles. DIR/manifest.jsonl tells for each what was drawn. A run
    that was stopped goes on where it ended, and a larger N adds to what is there.
    """
    from anew.generation.augmentation import manifest

    variants = _variants(number, chain, styles)
    sources = _sources(inputs, output)
    _refuse_twice(sources, next(iter(variants)), with_masks=masks is not None)
    masked = {} if masks is None else _masks_of(sources, masks)
    lines = output / manifest.MANIFEST
    old = manifest.read_manifest(lines)
    made = {record["output"] for record in old}
    truth = None
    if boxes is not None:
        limits = {"min_visible": min_visible, "max_megapixels": max_megapixels}
        truth = boxes_of(boxes, sources, output, made, overwrite=overwrite, **limits)
    try:
        others = _others(sources, variants, max_megapixels)
        draw = _drawing(variants, masked, seed=seed, labelled=masks is not None or boxes is not None, others=others)
        again = _again(sources, variants, made, output, draw, None if overwrite else truth)
        staying = manifest.remaining(old, again, output, overwrite=overwrite)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    make_folder(output)
    manifest.write_manifest(staying, lines)
    known = {record["output"] for record in staying}

    def prepare(job: Job) -> Job:
        records = draw(job.source, job.relative)
        manifest.add_to_manifest([record for record in records if record["output"] not in known], lines)
        if truth is not None:
            truth.move(job.source, records)
        return AugmentJob(job.source, None, lines=tuple(json.dumps(record) for record in records))

    work = AugmentWork(output, overwrite, max_megapixels, save_quality, masks is not None)
    jobs: list[Job] = [AugmentJob(source, None, relative=place) for source, place in sources]
    try:
        run_jobs(jobs, work, processes=processes, as_json=as_json, verb="augment", prepare=prepare)
    finally:
        manifest.keep_made(lines)
        if truth is not None:
            truth.write()


def _drawing(
    variants: dict[str, str], masked: dict[Path, Path], *, seed: int, labelled: bool, others: list[Path]
) -> Draw:
    """Give what draws the lines of the manifest for a source at its place; refuse what no source can be made into."""
    from anew.generation.augmentation.manifest import plan_records

    draw = partial(plan_records, seed=seed, labelled=labelled, others=others)
    draw(Path("any.png"), Path("any.png"), {chain: chain for chain in variants.values()})
    return lambda source, place: draw(source, place, variants, mask=masked.get(source))


def stacked(picture: Picture) -> Any:
    """Give the pixels with alpha as their last channel, if there is one."""
    import numpy as np

    if picture.alpha is None:
        return picture.pixels
    return np.concatenate([picture.pixels, picture.alpha[:, :, None]], axis=2)


def unstacked(array: Any, picture: Picture) -> Picture:
    """Give the picture the pixels, and the alpha, of a stacked array."""
    if picture.alpha is None:
        return picture.with_pixels(array)
    return replace(picture, pixels=array[:, :, :-1], alpha=array[:, :, -1])


def _variants(number: int | None, chain: str | None, styles: bool) -> dict[str, str]:
    """Give what is added to each name, and the chain of operations behind it."""
    from anew.generation.augmentation.catalogue import DEFAULT, STYLES

    if styles and (number is not None or chain is not None):
        raise typer.BadParameter("--styles makes one of each style; it goes with neither -n nor --with")
    if styles:
        return dict(STYLES)
    return {f"{k:03d}": DEFAULT if chain is None else chain for k in range(10 if number is None else number)}


def _sources(inputs: list[str], output: Path) -> list[tuple[Path, Path]]:
    """Give the inputs with their places in their folders, without what lies in the output folder."""
    if output.exists() and not output.is_dir():
        raise typer.BadParameter(f"{output} is a file; -o names the folder for the new pictures")
    made = output.resolve()
    outside = []
    jobs, _ = plan_jobs(inputs, output, suffix="augmented", overwrite=True)
    for job in jobs:
        place = job.target.relative_to(output) if job.makes_folder and job.target else Path(job.source.name)
        if not job.source.resolve().is_relative_to(made):
            outside.append((job.source, place))
    if not outside:
        raise typer.BadParameter(f"every input lies in the output folder {output}; choose another -o")
    return outside


def _others(sources: list[tuple[Path, Path]], variants: dict[str, str], max_megapixels: float) -> list[Path]:
    """Give the pictures that may be mixed in: those that can be read, if anything is mixed at all."""
    from anew.errors import ImageFileError
    from anew.generation.augmentation.catalogue import parse_operations
    from anew.images import read_frames

    operations = [p.operation for chain in set(variants.values()) for p in parse_operations(chain)]
    mixing = next((operation.name for operation in operations if operation.takes_other), None)
    if mixing is None:
        return []
    readable = []
    for source, _ in sources:
        try:
            read_frames(source, max_megapixels=max_megapixels)
        except ImageFileError:
            continue  # it is reported when its own turn comes
        readable.append(source)
    if len(readable) < 2:
        raise typer.BadParameter(f"{mixing} takes from other pictures; give two or more that can be read")
    return readable


def _masks_of(sources: list[tuple[Path, Path]], folder: Path) -> dict[Path, Path]:
    """Find the mask of each source: the file of the same name, with any ending of an image, at the same place."""
    from anew.codecs.formats import ENDINGS

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder; give the one that holds the masks", param_hint="--masks")
    found = {}
    for source, place in sources:
        candidates = (folder / place.with_suffix(ending) for ending in ENDINGS)
        mask = next((candidate for candidate in candidates if candidate.is_file()), None)
        if mask is not None:
            found[source] = mask
    if not found:
        raise typer.BadParameter(
            f"{folder} holds no mask named as one of the pictures; name them as these, at the same places",
            param_hint="--masks",
        )
    return found


def _again(
    sources: list[tuple[Path, Path]],
    variants: dict[str, str],
    made: set[str],
    output: Path,
    draw: Draw,
    truth: MovedBoxes | None,
) -> Iterator[dict[str, Any]]:
    """Draw again what an earlier run may have made, and refuse boxes that differ from what they were then."""
    from anew.generation.augmentation.manifest import output_names

    if not output.exists():
        return
    for source, place in sources:
        names = (name for suffix in variants for name in output_names(place, suffix))
        if any(name in made or (output / name).exists() for name in names):
            records = draw(source, place)
            yield from records
            if truth is not None:
                truth.move(source, records)
                truth.refuse_changed(records)


def _refuse_twice(sources: list[tuple[Path, Path]], suffix: str, *, with_masks: bool) -> None:
    """Refuse sources with the same outputs; if one is the same, all are."""
    from anew.generation.augmentation.manifest import output_names

    owners: dict[str, Path] = {}
    for source, place in sources:
        for target in output_names(place, suffix)[: 2 if with_masks else 1]:
            if owners.setdefault(target, source) != source:
                raise typer.BadParameter(f"{owners[target]} and {source} would both become {target}; rename one")
