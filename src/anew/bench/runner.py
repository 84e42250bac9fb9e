"""Run a benchmark: every contender in a child process, every measurement appended to a file as it comes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from anew.bench.contenders import INPUT, Contender, contender_names, get_contender
from anew.bench.environment import machine
from anew.bench.pictures import RESULTS, CleanPicture, crop_of, load_pictures, timed_picture
from anew.bench.plan import BenchPlan, Unit, units_of
from anew.bench.worker import TIMED, WORST
from anew.errors import CannotWrite

Record = dict[str, Any]


@dataclass
class ContenderResult:
    """What is known of one contender.

    Attributes
    ----------
    contender : Contender
    scores : dict
        A record per unit that is done.
    timing : dict, optional
    failures : list of str
        Why units are missing, in the words of the method.
    total : int
        Units that there are.
    """

    contender: Contender
    total: int
    scores: dict[Unit, Record] = field(default_factory=dict)
    timing: Record | None = None
    failures: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return len(self.scores) == self.total


@dataclass
class BenchRun:
    """A benchmark as far as it came."""

    plan: BenchPlan
    folder: Path
    pictures: list[CleanPicture]
    units: list[Unit]
    results: list[ContenderResult]
    left_out: dict[str, str]
    unusable: list[str]
    stopped: bool = False


Progress = Callable[[ContenderResult, int, int], None]


def run_bench(plan: BenchPlan, folder: Path, *, progress: Progress, fresh: bool = False) -> BenchRun:
    """Measure what is not yet in ``folder``.

    Parameters
    ----------
    plan : BenchPlan
    folder : Path
        Made if it is missing. Measurements that its ``results.jsonl`` holds are not made again, unless the method's
        file, its weights or what computes them, the library's version, the protocol, the scores, the picture or (for
        times) the machine changed.
    progress : callable
        Called with the contender's result so far, its number and how many there are, after every measurement.
    fresh : bool
        Forget older measurements.

    Returns
    -------
    BenchRun
        With ``stopped`` set if Ctrl-C ended it; what was done until then is kept.
    """
    names, left_out = contender_names(plan.task, plan.methods, peers="all" if plan.peers else "named")
    unusable: list[str] = []
    pictures = load_pictures(
        plan.data,
        limit=plan.limit,
        grey=plan.grey,
        crop_megapixels=plan.crop_megapixels,
        unusable=unusable.append,
    )
    units = units_of(plan, pictures)
    if not units:
        raise ValueError("no picture suits these levels; colour damage needs colour pictures")
    store = _open_store(folder, fresh)
    run = BenchRun(plan, folder, pictures, units, [], left_out, unusable)
    shelf = tempfile.TemporaryDirectory(prefix="anew-bench-")
    try:
        _put_on(Path(shelf.name), pictures)
        for index, name in enumerate(names):
            try:
                contender = get_contender(plan.task, name)
            except Exception as error:  # whatever a method's import raises must not end the others
                left_out[name] = " ".join(str(error).split()) or type(error).__name__
                continue
            result = _recall(run, contender, store)
            run.results.append(result)
            progress(result, index + 1, len(names))
            for _ in _measure(run, result, store, shelf.name):
                progress(result, index + 1, len(names))
    except KeyboardInterrupt:
        run.stopped = True
    finally:
        store.close()
        shelf.cleanup()
    return run


def _open_store(folder: Path, fresh: bool) -> Store:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return Store(folder / RESULTS, fresh=fresh)
    except OSError as error:
        reason = error.strerror or error
        raise CannotWrite(f"{folder}: cannot keep results in this folder ({reason}); choose another -o") from None


def _put_on(shelf: Path, pictures: list[CleanPicture]) -> None:
    """Lay the pictures out for the child processes, which then need not decode files."""
    for picture in pictures:
        np.save(shelf / f"{picture.digest}.npy", picture.pixels)
    np.save(shelf / TIMED, timed_picture(pictures).pixels)


class Store:
    """The measurements of a folder: read at once, then appended to, one JSON line each."""

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.by_key: dict[str, Record] = {}
        if path.exists() and not fresh:
            for line in path.read_bytes().splitlines():
                try:
                    record = json.loads(line)
                    if record.get("crop") in (None, crop_of(record["key"])):  # files elsewhere are none of ours
                        self.by_key[record["key"]] = record
                except (ValueError, KeyError, TypeError, AttributeError):  # a line that was cut off, or is no text
                    continue
        self._file = path.open("w" if fresh else "a", encoding="utf-8")
        if self._file.tell():
            self._file.write("\n")

    def add(self, record: Record) -> None:
        """Keep a measurement; it is on the disk when this returns."""
        self.by_key[record["key"]] = record
        try:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()
        except OSError as error:
            advice = "mend that, and the same command goes on from here"
            raise CannotWrite(f"{self._file.name}: cannot be written ({error.strerror}; {advice})") from None

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(OSError):  # what a full disk does not take has been told
            self._file.close()


def _recall(run: BenchRun, contender: Contender, store: Store) -> ContenderResult:
    """Take what is stored already."""
    keys = {unit: unit.key(run.plan.task, contender.name, contender.code) for unit in run.units}
    known = {unit: store.by_key[key] for unit, key in keys.items() if key in store.by_key}
    return ContenderResult(contender, len(run.units), known, store.by_key.get(_time_key(run, contender)))


def _time_key(run: BenchRun, contender: Contender) -> str:
    """Tell this timing from those of other versions, pictures, levels or machines."""
    plan = run.plan
    timed = timed_picture(run.pictures)
    level = plan.timed_level(timed.pixels)
    return json.dumps(["time", plan.task, contender.name, contender.code, level, timed.digest, machine()])


def _measure(run: BenchRun, result: ContenderResult, store: Store, shelf: str) -> Iterator[None]:
    """Let a child process measure what is missing; pause after each measurement."""
    plan, contender = run.plan, result.contender
    missing = [unit for unit in run.units if unit not in result.scores]
    timed = result.timing is None and contender.name != INPUT
    if not missing and not timed:
        return
    inputs = next((r for r in run.results if r.contender.name == INPUT), None)
    job = {
        "plan": plan.to_json(),
        "contender": contender.name,
        "timed": timed,
        "units": [asdict(unit) for unit in missing],
        "folder": str(run.folder),
        "pictures": shelf,
        "worst_gains": sorted(r["gain"] for r in result.scores.values())[:WORST],
        "input_psnr": {u.key(plan.task, INPUT, ""): r["psnr"] for u, r in (inputs.scores if inputs else {}).items()},
    }
    by_name = {(u.level, u.digest, u.variant): u for u in missing}
    for message in _converse(job, result):
        kind = message.pop("kind")
        if kind == "time":
            result.timing = {**message, "key": _time_key(run, contender), "contender": contender.name}
            store.add(result.timing)
        elif kind == "score":
            unit = by_name[message["level"], message["digest"], message["variant"]]
            result.scores[unit] = {**message, "contender": contender.name, "code": contender.code}
            store.add(result.scores[unit])
        else:
            result.failures.append(message["reason"])
        yield


def _converse(job: Record, result: ContenderResult) -> Iterator[Record]:
    """Start the child, give it the job, and pass on what it says.

    It imports from where this process does; ``-m`` alone looks first in the current folder, which may hold anything.
    """
    command = [sys.executable, "-P", "-m", "anew.bench.worker"]
    places = os.pathsep.join(map(os.path.abspath, sys.path))
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        subprocess.Popen(
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=complaints,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": places},
        ) as child,
    ):
        assert child.stdin
        assert child.stdout
        try:
            with contextlib.suppress(BrokenPipeError), child.stdin as entry:  # it may have ended; why is told below
                entry.write(json.dumps(job))
            for line in child.stdout:
                yield json.loads(line)
            if child.wait() != 0:
                complaints.seek(0)
                last = complaints.read().strip().rpartition("\n")[2]
                result.failures.append(f"its process ended early: {last or 'killed, most likely for memory'}")
        except BaseException:
            child.kill()
            raise
