"""What a run says of itself while it goes on: its log, its pictures and the figures for TensorBoard."""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from tensorboardX import SummaryWriter

from anew.training.log_summary import draw_log, read_log, whole_lines
from anew.training.whole_files import whole_file

WARM_UP = 4  # steps that do not count as typical


class Journal:
    """The log of a run in its folder, and what is drawn from it.

    Parameters
    ----------
    folder : path
        Takes ``log.jsonl``, ``summary.png``, ``preview.png`` and, for TensorBoard, ``events.out.tfevents.*``.
    step : int
        Steps done before; later entries of an earlier log do not count.
    over : bool
        No step will be done any more.
    """

    def __init__(self, folder: Path, step: int, *, over: bool) -> None:
        self.folder = folder
        _mend(folder / "log.jsonl")
        self.earlier = [entry for entry in read_log(folder / "log.jsonl") if entry["step"] <= step]
        self.entries: list[dict[str, Any]] = []
        self._board = SummaryWriter(str(folder), purge_step=step + 1, write_to_disk=not over)

    def write(self, entry: dict[str, Any], preview: NDArray[Any] | None) -> None:
        """Add an entry, and draw everything anew."""
        self.entries.append(entry)
        with (self.folder / "log.jsonl").open("a") as lines:
            lines.write(json.dumps(entry) + "\n")
        _write_picture(self.folder / "summary.png", draw_log(read_log(self.folder / "log.jsonl")))
        for key, value in entry.items():
            if isinstance(value, float):
                self._board.add_scalar(key, value, entry["step"])
        if preview is not None:
            _write_picture(self.folder / "preview.png", preview)
            self._board.add_image("preview", preview, entry["step"], dataformats="HWC")
        self._board.flush()

    def last(self) -> dict[str, Any]:
        """Give the last entry of all, empty if there is none."""
        return ([*self.earlier, *self.entries] or [{}])[-1]

    def close(self) -> None:
        """Write what TensorBoard still waits for."""
        self._board.close()


@dataclass
class Watch:
    """The time that a run takes, and running sums between two entries of its log."""

    losses: dict[str, list[torch.Tensor]] = field(default_factory=lambda: defaultdict(list))
    norms: dict[str, list[torch.Tensor]] = field(default_factory=lambda: defaultdict(list))
    durations: list[float] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def minutes(self) -> float:
        """Give the time since this was made."""
        return (time.monotonic() - self.started) / 60

    @contextmanager
    def step(self) -> Iterator[None]:
        """Take the time of what is done within."""
        begun = time.monotonic()
        yield
        self.durations.append(time.monotonic() - begun)

    def see(self, name: str, loss: torch.Tensor, norm: torch.Tensor) -> None:
        """Take note of one update."""
        self.losses[name].append(loss)
        self.norms[name].append(norm)

    def seconds_per_step(self) -> float:
        """Give the mean, which counts what happens only at every few steps; the first steps warm up."""
        return statistics.fmean(self.durations[WARM_UP:] or self.durations or [0.0])

    def means(self) -> dict[str, float]:
        """Give the mean loss and gradient norm of each network, and start again; a lone network goes without name."""
        means = {}
        for kind, seen in (("loss", self.losses), ("gradient", self.norms)):
            for name, values in seen.items():
                means[kind if len(seen) == 1 else f"{kind}_{name}"] = float(torch.stack(values).mean())
            seen.clear()
        return means


def _mend(log: Path) -> None:
    """Drop what is no entry, such as a last line that was not written to its end, and end the one before."""
    text = "".join(f"{line}\n" for line in whole_lines(log))
    if log.exists() and log.read_text(errors="replace") != text:
        with whole_file(log) as part:
            Path(part).write_text(text)


def _write_picture(path: Path, pixels: Any) -> None:
    """Write a picture whole or not at all."""
    from PIL import Image

    with whole_file(path) as part:
        Image.fromarray(pixels).save(part, format="PNG")
