"""One method on one file: what the commands of the tasks, ``--try`` and ``anew compare`` run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anew.cli.attempt import Outcome
from anew.cli.bars import fraction_bar
from anew.cli.frames import frame_marks
from anew.cli.jobs import Job
from anew.cli.masks import find_mask, read_mask

if TYPE_CHECKING:
    from anew.arrays import Image
    from anew.cli.chosen import Chosen
    from anew.images import Picture

RESHAPES = ("upscale", "unwarp")  # these move pixels, so the alpha channel goes the same way


@dataclass(frozen=True)
class TaskWork:
    """Apply one method to one file (picklable, so that several processes can)."""

    task: str
    method: str
    inputs: dict[str, Any]
    settings: dict[str, Any]
    overwrite: bool
    max_megapixels: float
    save_quality: int | None
    mask: Path | None = None
    watched: bool = False

    def __call__(self, job: Job) -> Outcome:
        from anew.images import check_writable, read_frames, write_frames

        assert job.target is not None
        frames = read_frames(job.source, max_megapixels=self.max_megapixels)
        check_writable(job.target, frames, overwrite=self.overwrite)
        if self.task == "upscale":
            self._check_size(job, frames)
        chosen = [self._choose(frame) for frame in frames]
        results = [self._apply(frame, how) for frame, how in zip(frames, chosen, strict=True)]
        write_frames(results, job.target, overwrite=self.overwrite, quality=self.save_quality)
        told = [how.told(self.task, *pair) for how, *pair in zip(chosen, frames, results, strict=True)]
        facts: list[dict[str, Any]] = [{"method": how.method, **how.facts} for how in chosen]
        if len(frames) == 1:
            return Outcome(job, f"{job.source} -> {job.target}  ({told[0]})", {"task": self.task, **facts[0]})
        lines = [f"  {frame}{words}" for frame, words in zip(frame_marks(len(told), "frame {}: "), told, strict=True)]
        return Outcome(job, "\n".join([f"{job.source} -> {job.target}", *lines]), {"task": self.task, "frames": facts})

    def _check_size(self, job: Job, frames: list[Picture]) -> None:
        """Refuse to make a picture larger than may be read."""
        from anew.errors import ImageTooLarge

        scale = float(self.inputs["scale"])
        megapixels = sum(f.pixels.shape[0] * f.pixels.shape[1] for f in frames) * scale**2 / 1e6
        if scale > 1 and megapixels > self.max_megapixels:
            raise ImageTooLarge(
                f"{job.source}: {scale:g} times as large it has {megapixels:.4g} megapixels, above the budget of "
                f"{self.max_megapixels:g} (take a smaller --scale, or raise --max-megapixels)"
            )

    def _choose(self, frame: Picture) -> Chosen:
        """Choose the method, and measure what was not given."""
        from anew.cli.chosen import choose

        inputs = self.inputs_for(frame) if self.task == "inpaint" else self.inputs
        return choose(self.task, self.method, inputs, self.settings, frame)

    def _apply(self, frame: Picture, how: Chosen) -> Picture:
        """Apply the method; with a bar if somebody watches and it tells its progress."""
        from anew.registry import METHODS

        inputs, settings = dict(how.inputs), self.settings
        if not self.watched or "progress" not in METHODS.get(self.task, how.method).parameters:
            return apply_task(frame, self.task, how.method, inputs, settings)
        with fraction_bar(self.task) as progress:
            return apply_task(frame, self.task, how.method, inputs, {**settings, "progress": progress})

    def inputs_for(self, frame: Picture) -> dict[str, Any]:
        """Give what the method takes beside this frame."""
        if self.task == "deblock" and self.inputs["quality"] is None:
            from anew.cli.chosen import quality_from_tables

            return {"quality": quality_from_tables(frame)}
        if self.task != "inpaint":
            return self.inputs
        return {"mask": read_mask(self.mask, like=frame) if self.mask else find_mask(frame)}


def apply_task(picture: Picture, task: str, method: str, inputs: dict[str, Any], settings: dict[str, Any]) -> Picture:
    """Apply a task to a picture's pixels; the alpha channel stays, or moves along with the pixels."""
    from anew.restoration import tasks

    function: Callable[..., Any] = getattr(tasks, task)
    if picture.alpha is not None and task in RESHAPES:
        geometry = _measured_geometry(method, settings, picture.pixels) if task == "unwarp" else {}
        return _moved(picture, partial(function, method=method, **inputs, **{**settings, **geometry}))
    pixels = function(picture.pixels, method=method, **inputs, **settings)
    alpha = picture.alpha
    if task == "inpaint" and alpha is not None:
        alpha = alpha.copy()
        alpha[inputs["mask"]] = 1  # what was a transparent hole is a picture now
    return replace(picture, pixels=pixels, alpha=alpha)


def _measured_geometry(method: str, settings: Mapping[str, Any], pixels: Image) -> dict[str, Any]:
    """Measure how pixels lie where nobody says so, as the method would: their alpha must move as they do."""
    from anew.registry import METHODS
    from anew.restoration.repairs import GEOMETRY

    name, measure = GEOMETRY[METHODS.get("unwarp", method).name]
    return {name: measure(pixels)} if settings.get(name) is None else {}


def _moved(picture: Picture, move: Callable[[Image], Image]) -> Picture:
    """Move pixels and alpha alike; the colours of clear pixels, which nobody sees, rim nothing."""
    import numpy as np

    from anew.transparency import spread_colours

    assert picture.alpha is not None
    colours = spread_colours(picture.pixels, picture.alpha)
    pixels, alpha = move(colours), move(picture.alpha).clip(0, 1)
    if np.array_equal(pixels, colours) and np.array_equal(alpha, picture.alpha):
        return picture
    return replace(picture, pixels=pixels, alpha=alpha)
