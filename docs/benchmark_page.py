"""Write the benchmark page of the documentation from the figures under ``docs/benchmarks``.

``python -m benchmarks.publish`` puts the figures there; nothing on the page is typed by hand.
"""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from growth_plot import draw_growth

from anew.bench.contenders import INPUT
from anew.bench.plot import draw_plot
from anew.bench.summary import Row

FIGURES = Path(__file__).parent / "benchmarks"
CLOSE = 0.3  # dB; a quicker method this near to the best is named beside it
LEAD = (
    "What is wrong with the picture, and the method that mends it best. Quality is the gain over the damaged picture "
    "on public test sets that took no part in any training; time is for one megapixel."
)
KEY = (
    "Up is better, left is faster; the larger the disc, the more memory; on the line no other method is both better "
    "and faster."
)
KINDS = {  # task -> (what people say of such a picture, the heading)
    "denoise": ("It is noisy", "Noisy pictures"),
    "deblock": ("JPEG blocks and ringing", "Compressed pictures"),
    "inpaint": ("Parts are missing", "Pictures with holes"),
    "upscale": ("It is too small", "Small pictures"),
    "deblur": ("It is blurred, and the blur is known", "Blurred pictures"),
    "relight": ("It is dark, flat or has a cast", "Dark and discoloured pictures"),
}


def make_benchmark_page(folder: Path = FIGURES) -> str:
    """Give the page as Markdown with HTML in it."""
    tables = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*-*.json"))]
    tables.sort(key=lambda t: (list(KINDS).index(t["task"]), t["set"]))
    speed_file = folder / "speed.json"
    speed = json.loads(speed_file.read_text(encoding="utf-8")) if speed_file.exists() else None
    first = {table["task"]: table for table in reversed(tables)}
    cards = "".join(_card(first[task]) for task in KINDS if task in first)
    parts = [
        "# Which method for which picture",
        "",
        LEAD,
        "",
        f'<div class="bench-cards">{cards}</div>',
        "",
        "On your own pictures and your own machine: `anew bench denoise --data FOLDER`.",
        "",
    ]
    heading = ""
    for table in tables:
        if KINDS[table["task"]][1] != heading:
            heading = KINDS[table["task"]][1]
            parts += [f"## {heading}", ""]
        parts += _section(table)
    if speed is not None:
        parts += _growth(speed)
    parts += _footer(tables, speed)
    return "\n".join(parts)


def rows_from(table: dict[str, Any]) -> list[Row]:
    """Rebuild the rows of a stored table."""
    return [
        Row(
            name=r["method"],
            kind=r["kind"],
            library=r["library"],
            summary=r["summary"],
            psnr_at={level: scores["psnr"] for level, scores in r["levels"].items()},
            means=r["mean"],
            qualities_at=r["levels"],
            seconds_per_megapixel=r["seconds_per_megapixel"],
            peak_mb=r["peak_mb"],
            parameters=r["parameters"],
            multiply_adds_per_pixel=r["multiply_adds_per_pixel"],
            measured=r["measured"],
            total=r["total"],
            note=r["note"],
            worst=[],
        )
        for r in table["rows"]
    ]


def _card(table: dict[str, Any]) -> str:
    """Name the best of anew's methods for one damage, and a quicker one that is nearly as good."""
    rows = rows_from(table)
    baseline = next(r.means["psnr"] for r in rows if r.name == INPUT)
    own = [r for r in rows if r.kind == "anew" and r.complete and "psnr" in r.means]
    best = max(own, key=lambda r: r.means["psnr"])
    near = [r for r in own if r.means["psnr"] >= best.means["psnr"] - CLOSE]
    quick = min(near, key=lambda r: r.seconds_per_megapixel or 1e9)
    task = table["task"]
    also = ""
    if quick is not best:
        also = f"<span>{_link(task, quick.name)} is nearly as good in {_seconds(quick)}</span>"
    return (
        f'<div class="bench-card"><small>{escape(KINDS[task][0])}</small><b>{_link(task, best.name)}</b>'
        f"<span>{best.means['psnr'] - baseline:+.1f} dB, {_seconds(best)}</span>{also}"
        f"<code>anew {task} photo.jpg --method {escape(best.name)}</code></div>"
    )


def _section(table: dict[str, Any]) -> list[str]:
    """Write the plot and the table of one set."""
    rows = rows_from(table)
    plot, hidden = draw_plot(rows)
    heads = table["heads"]
    lines = [
        "| method | " + " | ".join(heads) + " | mean dB | SSIM | GMSD | perceptual | s / MP | MB |",
        "|---|" + "--:|" * (len(heads) + 6),
    ]
    bests = {
        level: max(r.psnr_at[level] for r in rows if level in r.psnr_at and r.name != INPUT)
        for level in heads_of(table)
    }
    for row in rows:
        cells = [
            (f"**{row.psnr_at[level]:.2f}**" if row.psnr_at[level] == bests[level] else f"{row.psnr_at[level]:.2f}")
            if level in row.psnr_at
            else "-"
            for level in heads_of(table)
        ]
        cells += [_cell(row.means.get(q), n) for q, n in (("psnr", 2), ("ssim", 4), ("gmsd", 4), ("perceptual", 4))]
        cells += [_cell(row.seconds_per_megapixel, 3), _cell(row.peak_mb, 0)]
        name = _link(table["task"], row.name, markdown=True) if row.kind == "anew" else row.name
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    left_out = f" Far below the best and not drawn: {', '.join(hidden)}." if hidden else ""
    return [
        f"### {table['set']}, {table['pictures']} pictures",
        "",
        f"{KEY}{left_out}",
        "",
        f'<div class="bench-plot">{plot}</div>',
        "",
        *lines,
        "",
        f"*{table['protocol']}*",
        "",
    ]


def heads_of(table: dict[str, Any]) -> list[str]:
    """Give the keys of the levels, in the order of the columns."""
    return [str(level) for level in table["levels"]]


def _growth(speed: dict[str, Any]) -> list[str]:
    parts = ["## Time and memory as pictures grow", ""]
    parts += ["Both axes are logarithmic: a line of slope 1 is a method whose cost is proportional to the picture.", ""]
    for task in KINDS:
        time, memory = (
            draw_growth(speed["measurements"], task, "time"),
            draw_growth(speed["measurements"], task, "memory"),
        )
        if time:
            parts += [f"### anew {task}", "", f'<div class="bench-pair">{time}{memory}</div>', ""]
    return parts


def _footer(tables: list[dict[str, Any]], speed: dict[str, Any] | None) -> list[str]:
    """Say where and with what the figures were measured."""
    lines = ["## Where this was measured", ""]
    for document in [*tables, *([speed] if speed else [])]:
        name = f"{document['task']} on {document['set']}" if "task" in document else "time and memory over sizes"
        machine = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in document["machine"].items() if v)
        versions = ", ".join(f"{k} {v}" for k, v in document["versions"].items())
        lines.append(f"- {name}: commit {document['commit']}, {document['date'][:10]}; {machine}; {versions}")
    return [*lines, ""]


def _link(task: str, name: str, *, markdown: bool = False) -> str:
    return (
        f"[{name}](methods/{task}-{name}.md)" if markdown else f'<a href="../methods/{task}-{name}/">{escape(name)}</a>'
    )


def _seconds(row: Row) -> str:
    return "-" if row.seconds_per_megapixel is None else f"{row.seconds_per_megapixel:.2g} s"


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
