"""``anew diagnose``: say what is wrong with pictures, and write nothing but maps that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anew.cli import options as o
from anew.cli.batch import Job, Outcome, look_jobs, run_jobs

if TYPE_CHECKING:
    from anew.diagnosis.finding import Diagnosis, Finding

commands = typer.Typer()


@dataclass(frozen=True)
class DiagnoseWork:
    """Diagnose one file (picklable)."""

    maps: Path | None
    max_megapixels: float

    def __call__(self, job: Job) -> Outcome:
        from anew.diagnosis.diagnose import diagnose
        from anew.images import read_frames

        diagnoses = [diagnose(frame) for frame in read_frames(job.source, max_megapixels=self.max_megapixels)]
        maps = [] if self.maps is None else write_maps(diagnoses, self.maps, job.source.stem)
        text = "\n".join([f"{job.source}:", *(_in_words(d, i, len(diagnoses)) for i, d in enumerate(diagnoses))])
        frames = [[finding_as_json(f) for f in d.findings] for d in diagnoses]
        facts: dict[str, Any] = {"findings": frames[0] if len(frames) == 1 else frames}
        return Outcome(job, text, {**facts, "maps": [str(m) for m in maps]} if self.maps else facts)


@commands.command(epilog="Example:  anew diagnose old.jpg --maps maps/")
def diagnose(
    inputs: o.Inputs,
    maps: Annotated[Path | None, typer.Option(metavar="DIR", help="Write where each damage is, as PNG.")] = None,
    as_json: o.AsJson = False,
    processes: o.Processes = 1,
    max_megapixels: o.MaxMegapixels = o.MEGAPIXELS,
) -> None:
    """Say what is wrong with pictures. Nothing is changed."""
    run_jobs(look_jobs(inputs), DiagnoseWork(maps, max_megapixels), processes=processes, as_json=as_json)


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


def write_maps(diagnoses: list[Diagnosis], folder: Path, stem: str) -> list[Path]:
    """Write each finding's map as ``FOLDER/STEM-KIND.png``, white where the damage is."""
    import numpy as np

    from anew.errors import CannotWrite
    from anew.images import Picture, write

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot make this folder ({error.strerror}); choose another") from None
    written = []
    for index, found in enumerate(diagnoses):
        frame = f"-frame{index}" if len(diagnoses) > 1 else ""
        for finding in found.findings:
            if finding.map is None:
                continue
            field = np.asarray(finding.map, np.float32)
            field = field / max(float(field.max()), 1e-12)
            path = folder / f"{stem}{frame}-{finding.kind}.png"
            write(Picture(field[:, :, None].clip(0, 1)), path, overwrite=True)
            written.append(path)
    return written


def _in_words(diagnosis: Diagnosis, index: int, count: int) -> str:
    where = f"  frame {index + 1}: " if count > 1 else "  "
    return "\n".join(where + line for line in str(diagnosis).splitlines())
