"""How robust a restorer is: what it gains where the damage is not what it was trained for.

Every figure is the PSNR of squared errors pooled over the pictures, of values clipped to [0, 1], and its gain over the
damaged picture (over bicubic enlargement if it upscales). The pictures are photographs that scikit-image carries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from anew.arrays import Image, luminance
from anew.degradations.downscale import resize_bicubic
from anew.inference.card import ModelCard
from anew.inference.inspection.subject import Subject
from anew.inference.inspection.trials import REFERENCE, SHIFTS, SIZES, TRIALS, Trial
from anew.inference.models import Model

COLOUR, GREY = ("astronaut", "chelsea", "coffee", "rocket"), ("camera",)
SIDE = 192  # of the crops, in pixels
LARGE = "astronaut"  # 512 x 512: the sizes are cut from it
CROPS_PIXELS = 40_000  # small sizes are averaged over crops of as many pixels together
MOST_CROPS = 64
CAP = 120.0  # dB; what agrees better is called equal

Restore = Callable[[Image, float], Image]


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    group, name : str
    told : float
        The condition, the mean over the pictures.
    before, after : float, optional
        PSNR in dB.
    equivariance : float, optional
        PSNR in dB between the result of the shifted picture and the shifted result, at most ``CAP``.
    pictures : int
    """

    group: str
    name: str
    told: float
    before: float | None = None
    after: float | None = None
    equivariance: float | None = None
    pictures: int = 1

    @property
    def gain(self) -> float | None:
        """What the network adds, in dB."""
        return None if self.after is None or self.before is None else self.after - self.before


def measure_robustness(subject: Subject, *, rng: int = 0) -> list[Row]:
    """Try a restorer on everything in its task's table.

    Parameters
    ----------
    subject : Subject
        Of a task in ``TRIALS``.
    rng : int

    Returns
    -------
    list of Row

    Raises
    ------
    ValueError
        If there is no table for its task.
    """
    if subject.card is None or subject.task not in TRIALS:
        raise ValueError(
            f"there are tables for {', '.join(TRIALS)}; the task of {subject.name} is {subject.task or 'not known'}"
        )
    restore = restorer(subject, subject.card)
    reference = REFERENCE[subject.task]
    colour, grey = ([_middle(_photograph(name, subject.channels)) for name in names] for names in (COLOUR, GREY))
    trials = [t for t in TRIALS[subject.task] if subject.task != "upscale" or t.told in subject.card.facts["scales"]]
    rows = [_try(trial, restore, [*colour, *grey], rng) for trial in trials]
    if subject.channels == 3:
        rows.append(_try(_named(reference, "colours", "colour"), restore, colour, rng))
        rows.append(_try(_named(reference, "colours", "grey as three channels"), restore, grey, rng, equal=True))
    large = _photograph(LARGE, subject.channels)
    for height, width in SIZES:
        trial = _named(reference, "size", f"{width} x {height}")
        rows.append(_try(trial, restore, _crops(large, height, width), rng))
    return rows + [_shifted(shift, reference, restore, large, subject.card, rng) for shift in SHIFTS]


def restorer(subject: Subject, card: ModelCard) -> Restore:
    """Give the model as a function of an (H, W, C) image of any size and a condition."""
    if subject.task != "upscale":
        return Model(card, subject.session)

    def enlarge(image: Image, scale: float) -> Image:
        batch = np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)
        return np.ascontiguousarray(subject.told(scale)(batch)[0].transpose(1, 2, 0))

    return enlarge


def decibels(squared_error: float) -> float:
    """Give the PSNR of a mean squared error, at most ``CAP``."""
    return CAP if squared_error <= 10 ** (-CAP / 10) else -10 * math.log10(squared_error)


def _try(trial: Trial, restore: Restore, pictures: Sequence[Image], seed: int, *, equal: bool = False) -> Row:
    """Damage, restore, and pool the squared errors; ``equal``: the same damage in all channels."""
    rng = np.random.default_rng(seed)
    told, errors, samples = [], np.zeros(2), 0
    for clean in pictures:
        damaged = trial.apply(clean[:, :, :1] if equal else clean, rng)
        damaged = np.repeat(damaged, clean.shape[2], axis=2) if equal else damaged
        condition = trial.condition(clean, damaged) if damaged.shape == clean.shape else trial.told or 0.0
        x_hat = restore(damaged, condition)
        clean_part, start, x_hat = _aligned(clean, damaged, x_hat)
        told.append(condition)
        errors += [float(((y.clip(0, 1) - clean_part) ** 2).sum(dtype=np.float64)) for y in (start, x_hat)]
        samples += clean_part.size
    before, after = (decibels(error / samples) for error in errors)
    return Row(trial.group, trial.name, float(np.mean(told)), before, after, pictures=len(pictures))


def _aligned(clean: Image, damaged: Image, x_hat: Image) -> tuple[Image, Image, Image]:
    """Give clean picture, starting point and result in one size: that of the clean one, or what both cover."""
    if damaged.shape == clean.shape:
        return clean, damaged, x_hat
    start = resize_bicubic(damaged, shape=(x_hat.shape[0], x_hat.shape[1]))
    height, width = clean.shape[:2]
    return clean, start[:height, :width], x_hat[:height, :width]


def _shifted(
    shift: tuple[int, int], reference: Trial, restore: Restore, large: Image, card: ModelCard, seed: int
) -> Row:
    """Compare the result of a shifted window with the shifted result, away from the borders."""
    down, right = shift
    damaged = reference.apply(large, np.random.default_rng(seed))
    window = SIDE // card.size_multiple * card.size_multiple
    top = left = 128 if damaged.shape == large.shape else 32
    condition = reference.told or 0.0
    here = restore(np.ascontiguousarray(damaged[top:, left:][:window, :window]), condition)
    there = restore(np.ascontiguousarray(damaged[top + down :, left + right :][:window, :window]), condition)
    scale = here.shape[0] // window
    margin = min(card.halo, window // 4) * scale + scale * max(shift)
    inside = slice(margin, window * scale - margin)
    moved = slice(margin - down * scale, window * scale - margin - down * scale)
    moved_across = slice(margin - right * scale, window * scale - margin - right * scale)
    error = float(np.mean((here[inside, inside].clip(0, 1) - there[moved, moved_across].clip(0, 1)) ** 2))
    return Row("shift", f"{down} down, {right} right", condition, equivariance=decibels(error))


def _named(trial: Trial, group: str, name: str) -> Trial:
    return Trial(group, name, trial.damage, trial.told, trial.factor)


def _middle(photo: Image) -> Image:
    """Cut a square around the centre, from a corner of the grid of JPEG blocks."""
    top, left = ((side - SIDE) // 16 * 8 for side in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + SIDE, left : left + SIDE])


def _photograph(name: str, channels: int) -> Image:
    """Give one of scikit-image's photographs as (H, W, channels) float32 in [0, 1]."""
    import skimage.data

    photo = (getattr(skimage.data, name)() / 255).astype(np.float32)
    if channels == 1:
        return luminance(photo)[:, :, None]
    return photo if photo.ndim == 3 else np.repeat(photo[:, :, None], channels, axis=2)


def _crops(photo: Image, height: int, width: int) -> list[Image]:
    """Cut crops of one size, spread evenly, as many as make the figure steady."""
    count = max(1, min(MOST_CROPS, CROPS_PIXELS // (height * width)))
    side = math.ceil(math.sqrt(count))
    tops = np.linspace(0, photo.shape[0] - height, side + 2).astype(int)[1:-1]
    lefts = np.linspace(0, photo.shape[1] - width, side + 2).astype(int)[1:-1]
    places = [(y, x) for y in tops for x in lefts][:count]
    return [np.ascontiguousarray(photo[y : y + height, x : x + width]) for y, x in places]
