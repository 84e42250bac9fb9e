"""Quality against time as a picture: small, drawn by hand as SVG that follows the page's light or dark colours."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from anew.bench.contenders import INPUT
from anew.bench.summary import Row, frontier

WIDTH, HEIGHT = 1080, 460
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 20, 52
SHOWN_BELOW_BEST = 6.0  # dB; what is further below the best would squeeze the others together
LEAST_AREA, MOST_AREA = 40.0, 620.0  # square pixels of a marker
LETTER, STRONG_LETTER = 7.6, 8.4  # pixels; mean width of a letter of a label in a wide font
LINE = 15.0


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, tall)


def draw_plot(rows: list[Row]) -> tuple[str, list[str]]:
    """Draw PSNR against seconds per megapixel, area by memory, and a line through the best trade-offs.

    Returns
    -------
    str
        An ``svg`` element; empty if nothing can be drawn.
    list of str
        Names that are left out because they are far below the best or worse than the damaged picture.
    """
    baseline = next((r.means.get("psnr", -math.inf) for r in rows if r.name == INPUT), -math.inf)
    timed = [r for r in rows if r.name != INPUT and r.complete and r.seconds_per_megapixel and "psnr" in r.means]
    least = max(baseline, max((r.means["psnr"] for r in timed), default=0.0) - SHOWN_BELOW_BEST)
    shown = [r for r in timed if r.means["psnr"] > least]
    hidden = [r.name for r in timed if r not in shown]
    if not shown:
        return "", hidden
    seconds = [r.seconds_per_megapixel or 1.0 for r in shown]
    low, high = math.log10(min(seconds)) - 0.15, math.log10(max(seconds)) + 0.25
    if high - low < 1:
        low, high = (low + high) / 2 - 0.5, (low + high) / 2 + 0.5
    values = [r.means["psnr"] for r in shown]
    if baseline >= max(values) - SHOWN_BELOW_BEST:
        values.append(baseline)
    step = _step(max(values) - min(values))
    bottom, top = math.floor(min(values) / step) * step, math.ceil((max(values) + step / 4) / step) * step

    def x(second: float) -> float:
        return LEFT + (math.log10(second) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(db: float) -> float:
        return TOP + (top - db) / (top - bottom) * (HEIGHT - TOP - BOTTOM)

    parts = [*_grid(x, y, (low, high), (bottom, top, step))]
    if baseline in values:
        at = y(baseline)
        parts.append(f'<line class="base" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(_text("damaged picture", WIDTH - RIGHT, at - 6, "end", "quiet"))
    best = frontier(shown)
    points = " ".join(f"{x(r.seconds_per_megapixel or 1):.1f},{y(r.means['psnr']):.1f}" for r in best)
    parts.append(f'<polyline class="front" points="{points}"/>')
    parts += _markers(shown, {r.name for r in best}, x, y)
    label = "Quality against time of every method"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>', hidden


def _markers(rows: list[Row], best: set[str], x: Callable[[float], float], y: Callable[[float], float]) -> list[str]:
    """Draw a disc per method, large ones first, and its name where it hides least."""
    most = max((r.peak_mb or 0.0) for r in rows) or 1.0
    discs, taken = [], []
    for row in sorted(rows, key=lambda r: -(r.peak_mb or 0.0)):
        area = LEAST_AREA + (MOST_AREA - LEAST_AREA) * (row.peak_mb or 0.0) / most
        radius = math.sqrt(area / math.pi)
        cx, cy = x(row.seconds_per_megapixel or 1.0), y(row.means["psnr"])
        taken.append(_Box(cx - radius, cy - radius, cx + radius, cy + radius))
        discs.append((row, cx, cy, radius))
    parts = []
    for row, cx, cy, radius in discs:
        kind = f"{row.kind} front" if row.name in best else row.kind
        memory = f", {row.peak_mb:.0f} MB" if row.peak_mb else ""
        title = f"{row.name}: {row.means['psnr']:.2f} dB, {row.seconds_per_megapixel:.3g} s per megapixel{memory}"
        place = f'cx="{cx:.1f}" cy="{cy:.1f}" r="{radius:.1f}"'
        parts.append(f'<circle class="{kind}" {place}><title>{escape(title)}</title></circle>')
    for row, cx, cy, radius in sorted(discs, key=lambda d: (d[0].name not in best, d[2])):
        letter = STRONG_LETTER if row.name in best else LETTER
        box, anchor = _place(letter * len(row.name), cx, cy, radius, taken)
        taken.append(box)
        at = {"start": box.left, "end": box.right, "middle": (box.left + box.right) / 2}[anchor]
        parts.append(_text(row.name, at, box.bottom - 4, anchor, "strong" if row.name in best else ""))
    return parts


def _place(wide: float, cx: float, cy: float, radius: float, taken: list[_Box]) -> tuple[_Box, str]:
    """Choose the place of a label of that width around its disc that covers least of what is there."""
    gap = radius + 5
    places: list[tuple[_Box, str]] = []
    for lift in (0.0, -LINE, LINE, -2 * LINE, 2 * LINE):
        middle = cy + lift
        places.append((_Box(cx + gap, middle - LINE / 2, cx + gap + wide, middle + LINE / 2), "start"))
        places.append((_Box(cx - gap - wide, middle - LINE / 2, cx - gap, middle + LINE / 2), "end"))
    for edge in (cy - gap - LINE, cy + gap):
        places.append((_Box(cx - wide / 2, edge, cx + wide / 2, edge + LINE), "middle"))

    def cost(place: tuple[_Box, str]) -> float:
        box = place[0]
        outside = max(0.0, LEFT - box.left) + max(0.0, box.right - WIDTH) + max(0.0, TOP - 16 - box.top)
        outside += max(0.0, box.bottom - (HEIGHT - BOTTOM))
        far = abs((box.top + box.bottom) / 2 - cy) * 0.5
        return sum(box.overlap(other) for other in taken) + 100 * outside + far

    return min(places, key=cost)


def _grid(
    x: Callable[[float], float],
    y: Callable[[float], float],
    times: tuple[float, float],
    qualities: tuple[float, float, float],
) -> list[str]:
    """Draw the lines at 1, 2 and 5 times powers of ten, and at steps of PSNR, with their figures."""
    parts = []
    marks = [m * 10.0**e for e in range(math.floor(times[0]), math.ceil(times[1]) + 1) for m in (1, 2, 5)]
    shown = [s for s in marks if times[0] <= math.log10(s) <= times[1]]
    if len(shown) > 9:
        shown = [s for s in shown if f"{s:e}"[0] == "1"]
    for second in shown:
        at = x(second)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(_text(f"{second:g} s", at, HEIGHT - BOTTOM + 20, "middle", "quiet"))
    bottom, top, step = qualities
    for i in range(round((top - bottom) / step) + 1):
        at = y(bottom + i * step)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(_text(f"{bottom + i * step:g}", LEFT - 10, at + 4, "end", "quiet"))
    parts.append(_text("seconds per megapixel", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "middle", "quiet"))
    turned = f'transform="translate(14 {HEIGHT / 2 - 10}) rotate(-90)"'
    parts.append(f'<text class="quiet" {turned} text-anchor="middle">PSNR in dB</text>')
    return parts


def _text(text: str, x: float, y: float, anchor: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _step(span: float) -> float:
    """Give a round step that divides a span into about six."""
    raw = max(span, 0.1) / 6
    power = 10.0 ** math.floor(math.log10(raw))
    return min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(math.log(s / raw)))
