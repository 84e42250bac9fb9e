"""``anew diagnose``: say what is wrong with pictures, and write nothing but maps that are asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.attempt import Outcome
from anew.cli.batch import run_jobs
from anew.cli.frames import frame_marks
from anew.cli.jobs import Job, look_jobs, name_in
from anew.cli.targets import check_folder, make_folder

if TYPE_CHECKING:
    from anew.diagnosis.finding import Diagnosis, Finding

commands = typer.Typer()


@dataclass(frozen=True)
class DiagnoseWork:
    """Diagnose one file (picklable)."""

    maps: Mapping[Job, Path]
    max_megapixels: float
    overwrite: bool = False

    def __call__(self, job: Job) -> Outcome:
        from anew.diagnosis.diagnose import diagnose
        from anew.images import read_frames

        diagnoses = [diagnose(frame) for frame in read_frames(job.source, max_megapixels=self.max_megapixels)]
        maps = write_maps(diagnoses, self.maps[job], overwrite=self.overwrite) if self.maps else []
        marks = frame_marks(len(diagnoses), "frame {}: ")
        text = "\n".join([f"{job.source}:", *map(_in_words, diagnoses, marks)])
        if self.maps and not maps:
            text += "\n  No map is written: nothing that was found has a place."
        frames = [[finding_as_json(f) for f in d.findings] for d in diagnoses]
        facts: dict[str, Any] = {"findings": frames[0] if len(frames) == 1 else frames}
        return Outcome(job, text, {**facts, "maps": [str(m) for m in maps]} if self.maps else facts)


@commands.command(epilog="Example:  anew diagnose old.jpg --maps maps/")
def diagnose(
    inputs: o.Inputs,
    maps: Annotated[Path | None, typer.Option(metavar="DIR", help="Write where each damage is, as PNG.")] = None,
    overwrite: o.Overwrite = False,
    as_json: o.AsJson = False,
    processes: o.Processes = 1,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Say what is wrong with pictures. Nothing is changed."""
    jobs = look_jobs(inputs)
    if maps is not None:
        if os.path.isfile(maps):
            raise typer.BadParameter(f"{maps} is a file; give a folder", param_hint="--maps")
        check_folder(maps)
    places = {} if maps is None else {job: path.with_suffix("") for job, path in name_in(jobs, maps, ".png").items()}
    work = DiagnoseWork(places, max_megapixels, overwrite)
    run_jobs(jobs, work, processes=processes, as_json=as_json)


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """Give a finding as plain JSON values; of a map only how much of the picture it covers."""
    covered = None if finding.map is None else round(float((finding.map > 0).mean()), 6)
    return {
        "kind": finding.kind,
        "value": finding.value,
        "unit": finding.unit,
        "confidence": finding.confidence,
        "message": finding.message,
        "details": dict(finding.details),
        "covers": covered,
    }


def write_maps(diagnoses: list[Diagnosis], place: Path, *, overwrite: bool = False) -> list[Path]:
    """Write each finding's map as ``PLACE-KIND.png``, white where the damage is."""
    import numpy as np

    from anew.images import Picture, write

    written = []
    for frame, found in zip(frame_marks(len(diagnoses), "-frame{}"), diagnoses, strict=True):
        for finding in found.findings:
            if finding.map is None:
                continue
            field = np.asarray(finding.map, np.float32)
            field = field / max(float(field.max()), 1e-12)
            path = place.with_name(f"{place.name}{frame}-{finding.kind}.png")
            make_folder(path.parent)
            write(Picture(field[:, :, None].clip(0, 1)), path, overwrite=overwrite)
            written.append(path)
    return written


def _in_words(diagnosis: Diagnosis, frame: str) -> str:
    return "\n".join(f"  {frame}{line}" for line in str(diagnosis).splitlines())
