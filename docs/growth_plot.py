"""Time or memory of the methods of one task over the size of the picture, as SVG with logarithmic axes."""

from __future__ import annotations

import math
from html import escape
from typing import Any

WIDTH, HEIGHT = 560, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 134, 22, 44
LINE = 14.0  # pixels between labels
HUES = 12


def draw_growth(measurements: list[dict[str, Any]], task: str, what: str) -> str:
    """Draw one line per method, and a dashed one for what grows in proportion.

    Parameters
    ----------
    measurements : list of dict
        As ``make bench`` stores them; those named ``methods/TASK/METHOD/N MP/time`` or ``/memory`` are used.
    task : str
    what : {"time", "memory"}

    Returns
    -------
    str
        An ``svg`` element; empty if there are no figures.
    """
    lines = _lines(measurements, task, what)
    if not lines:
        return ""
    sizes = [size for points in lines.values() for size, _ in points]
    values = [value for points in lines.values() for _, value in points]
    x0, x1 = math.log10(min(sizes)), math.log10(max(sizes))
    y0, y1 = math.log10(min(values)) - 0.1, math.log10(max(values)) + 0.1
    if x1 - x0 < 0.1:
        x0, x1 = x0 - 0.5, x1 + 0.5

    def x(size: float) -> float:
        return LEFT + (math.log10(size) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (y1 - math.log10(value)) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    unit = "s" if what == "time" else "MB"
    parts = [f'<text class="quiet" x="{LEFT}" y="14">{"seconds" if what == "time" else "peak memory, MB"}</text>']
    for size in sorted(set(sizes)):
        parts.append(f'<line x1="{x(size):.1f}" x2="{x(size):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(_text(f"{size:g}", x(size), HEIGHT - BOTTOM + 18, "middle", "quiet"))
    parts.append(_text("megapixels", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "middle", "quiet"))
    for power in range(math.floor(y0), math.ceil(y1) + 1):
        if y0 <= power <= y1:
            at = y(10.0**power)
            parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            parts.append(_text(f"{10.0**power:g}", LEFT - 8, at + 4, "end", "quiet"))
    rise = min(x1 - x0, y1 - y0)
    across, up = x(10.0 ** (x0 + rise)), y(10.0 ** (y0 + rise))
    parts.append(f'<line class="base" x1="{LEFT}" x2="{across:.1f}" y1="{HEIGHT - BOTTOM}" y2="{up:.1f}"/>')
    hues = {name: f"hue-{index % HUES}" for index, name in enumerate(lines)}
    ends = sorted(lines, key=lambda name: y(lines[name][-1][1]))
    places = _spread([y(lines[name][-1][1]) for name in ends])
    for name, place in zip(ends, places, strict=True):
        points = lines[name]
        path = " ".join(f"{x(size):.1f},{y(value):.1f}" for size, value in points)
        title = "; ".join(f"{size:g} MP {value:.3g} {unit}" for size, value in points)
        hue = hues[name]
        parts.append(f'<polyline class="{hue}" points="{path}"><title>{escape(name)}: {title}</title></polyline>')
        size, value = points[-1]
        parts.append(
            f'<polyline class="lead {hue}" points="{x(size):.1f},{y(value):.1f} {WIDTH - RIGHT + 12},{place:.1f}"/>'
        )
        parts.append(_text(name, WIDTH - RIGHT + 15, place + 4, "start", hue))
    label = f"{what} of {task} over the size of the picture"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _lines(measurements: list[dict[str, Any]], task: str, what: str) -> dict[str, list[tuple[float, float]]]:
    """Collect {method: [(megapixels, seconds or MB)]}, small pictures first."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for m in measurements:
        kind, *rest = m["name"].split("/")
        if kind == "methods" and len(rest) == 4 and rest[0] == task and rest[3] == what:
            size = float(rest[2].removesuffix(" MP"))
            lines.setdefault(rest[1], []).append((size, m["value"] * (size if what == "time" else 1.0)))
    return {name: sorted(points) for name, points in lines.items()}


def _spread(wanted: list[float]) -> list[float]:
    """Move labels apart, from top to bottom, and back up where they run out of the picture."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + LINE) if places else place)
    limit = HEIGHT - BOTTOM + 6.0
    for i in range(len(places) - 1, -1, -1):
        places[i] = min(places[i], limit)
        limit = places[i] - LINE
    return places


def _text(text: str, x: float, y: float, anchor: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
