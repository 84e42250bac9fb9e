"""The log of a run as one picture: losses, norms of the gradients, and every score over the minutes it took."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 330, 190  # of a panel, in pixels
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 36, 24
COLUMNS = 3
INKS = ((31, 95, 160), (200, 80, 30), (60, 140, 70), (130, 80, 160))
GREY, PALE = (110, 110, 110), (225, 225, 225)
NO_FIGURES = frozenset({"step", "rate", "images_per_s", "minutes", "minutes_left", "trouble"})
TOGETHER = ("loss", "gradient")  # what is drawn in one panel for all networks

Points = list[tuple[float, float]]


def whole_lines(path: Path) -> list[str]:
    """Give the lines of a log that are entries; one that was not written to its end is none."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return [line for line in lines if _is_entry(line)]


def _is_entry(line: str) -> bool:
    try:
        entry = json.loads(line)
    except ValueError:
        return False
    return isinstance(entry, dict) and {"step", "minutes"} <= entry.keys()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the entries of a log, without those that an interruption undid."""
    entries: list[dict[str, Any]] = []
    for line in whole_lines(path):
        entry = json.loads(line)
        entries = [kept for kept in entries if kept["step"] < entry["step"]] + [entry]
    return entries


def draw_log(entries: list[dict[str, Any]]) -> NDArray[np.uint8]:
    """Draw one panel per kind of figure.

    Parameters
    ----------
    entries : list of dict
        As ``read_log`` gives them.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    from PIL import Image, ImageDraw

    panels = _panels(entries)
    rows = math.ceil(max(len(panels), 1) / COLUMNS)
    picture = Image.new("RGB", (WIDTH * min(COLUMNS, max(len(panels), 1)), HEIGHT * rows), "white")
    draw = ImageDraw.Draw(picture)
    for index, (title, lines) in enumerate(panels.items()):
        corner = (index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT)
        _draw_panel(draw, corner, title, lines, logarithmic=title == "gradient")
    return np.asarray(picture)


def _panels(entries: list[dict[str, Any]]) -> dict[str, dict[str, Points]]:
    """Sort the figures: {title: {name of the line: points}}."""
    panels: dict[str, dict[str, Points]] = {}
    for entry in entries:
        for key, value in entry.items():
            if key in NO_FIGURES or not isinstance(value, int | float) or not math.isfinite(value):
                continue
            kind = key.split("_")[0]
            title, name = (kind, key[len(kind) + 1 :]) if kind in TOGETHER else (key.removeprefix("validation_"), "")
            panels.setdefault(title.replace("_", " "), {}).setdefault(name, []).append((entry["minutes"], value))
    return panels


def _draw_panel(draw: Any, corner: tuple[int, int], title: str, lines: dict[str, Points], *, logarithmic: bool) -> None:
    """Draw axes, lines and the last value of each line."""

    def scaled(value: float) -> float:
        return math.log10(max(value, 1e-12)) if logarithmic else value

    minutes = [point[0] for points in lines.values() for point in points]
    values = [scaled(point[1]) for points in lines.values() for point in points]
    last, low, high = max(*minutes, 1e-9), min(values), max(values)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    left, right = corner[0] + LEFT, corner[0] + WIDTH - RIGHT
    top, bottom = corner[1] + TOP, corner[1] + HEIGHT - BOTTOM
    for part in (0.0, 0.5, 1.0):
        y, x = bottom - part * (bottom - top), left + part * (right - left)
        value = low + part * (high - low)
        draw.line([(left, y), (right, y)], fill=PALE)
        draw.text((left - 5, y), f"{10**value if logarithmic else value:.3g}", fill=GREY, anchor="rm")
        draw.text((x, bottom + 5), f"{part * last:.3g}{' min' if part == 1 else ''}", fill=GREY, anchor="rt")
    draw.text((left, corner[1] + 6), title, fill=(0, 0, 0))
    legend = right
    for ink, (name, points) in zip(INKS * len(lines), lines.items(), strict=False):
        places = [
            (left + m / last * (right - left), bottom - (scaled(v) - low) / (high - low) * (bottom - top))
            for m, v in points
        ]
        draw.line(places, fill=ink, width=2)
        draw.ellipse([(places[-1][0] - 2, places[-1][1] - 2), (places[-1][0] + 2, places[-1][1] + 2)], fill=ink)
        words = f"{name} {points[-1][1]:.4g}".strip()
        draw.text((legend, corner[1] + 6 if len(lines) == 1 else corner[1] + 20), words, fill=ink, anchor="ra")
        legend -= draw.textlength(words) + 12
