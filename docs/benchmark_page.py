"""Write the benchmark page of the documentation from the figures under ``docs/benchmarks``.

``python -m benchmarks.publish`` puts the figures there; nothing on the page is typed by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from html import escape
from math import fsum
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from growth_plot import draw_growth

from anew.bench.contenders import INPUT
from anew.bench.plot import draw_plot
from anew.bench.summary import Row

FIGURES = Path(__file__).parent / "benchmarks"
WIDEST = 5.0  # dB that a bar of 1 rem stands for
CLOSE = 0.3  # dB; a quicker method this near to the best is named beside it
MEANS = (("psnr", "mean dB", 2), ("ssim", "SSIM", 4), ("gmsd", "GMSD", 4), ("perceptual", "perceptual", 4))
LEAD = (
    "Not sure what is wrong? `anew restore photo.jpg` finds out, and chooses by itself. Else: find your picture below."
)
MEANING = (
    "*Closer* is the mean gain in PSNR over the damaged picture on public test sets that took no part in any training: "
    "+6 dB halves the error. Time is for one megapixel; a second method is named where it comes within 0.3 dB of the "
    "best in at most half of its time. On your own pictures and your own machine: `anew bench denoise --data FOLDER`."
)
KEY = (
    "Up is better, left is faster; the larger the disc, the more memory; on the line no other method is both better "
    "and faster."
)
GROWTH = (
    "Both axes are logarithmic; what runs alongside the dashed line is proportional to the picture. A size for which a "
    "method would take over a minute is left out."
)
PUBLISHED = {  # of a task, a set and so many pictures of it: a source, dB at the levels of the protocol
    ("denoise", "BSD68", 68): ("BM3D in Zhang et al., TPAMI 44 (2022)", (31.08, 28.57, 25.60)),
    ("denoise", "CBSD68", 68): ("CBM3D in Zhang et al., TPAMI 44 (2022)", (33.52, 30.71, 27.38)),
}
ANSWER_HEAD = "<thead><tr><th>The picture is</th><th>Best method</th><th>Closer</th><th>Time</th></tr></thead>"
HEADINGS = {
    "denoise": "Noisy pictures",
    "deblock": "Compressed pictures",
    "inpaint": "Pictures with holes",
    "upscale": "Small pictures",
    "deblur": "Blurred pictures",
    "relight": "Dark and discoloured pictures",
}
PREFERRED = "CBSD68"  # of several sets of a task, the one that answers; most people's pictures have colours
ANSWERS = (  # task, levels, what people say of such a picture, more of the command
    ("denoise", (), "Noisy, grainy", ""),
    ("deblock", (), "Blocks and ringing of JPEG", ""),
    ("inpaint", ("random 50%",), "Specks, missing pixels", "--mask holes.png"),
    ("inpaint", ("strokes", "text"), "Scratches, writing over it", "--mask holes.png"),
    ("inpaint", ("rectangles",), "Whole pieces missing", "--mask holes.png"),
    ("upscale", (), "Too small", "--scale 2"),
    ("deblur", (), "Blurred, in a known way", "--psf blur.png"),
    ("relight", ("-1.5 stops", "-3 stops"), "Too dark", ""),
    ("relight", ("warm cast", "cold cast"), "Wrong colours", ""),
    ("relight", ("faded",), "Faded", ""),
)


def make_benchmark_page(folder: Path = FIGURES) -> str:
    """Give the page as Markdown with HTML in it."""
    tables = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*-*.json"))]
    tables.sort(key=lambda t: (list(HEADINGS).index(t["task"]), t["set"] != PREFERRED, t["set"], -t["pictures"]))
    speed_file = folder / "speed.json"
    speed = json.loads(speed_file.read_text(encoding="utf-8")) if speed_file.exists() else None
    first = {table["task"]: table for table in reversed(tables)}
    answers = "".join(_answer(first[task], *rest) for task, *rest in ANSWERS if task in first)
    parts = [
        "---",
        "hide: [navigation]",
        "---",
        "# Which method for which picture",
        "",
        LEAD,
        "",
        f'<table class="bench-answers">{ANSWER_HEAD}<tbody>{answers}</tbody></table>',
        "",
        MEANING,
        "",
    ]
    heading = ""
    for table in tables:
        if HEADINGS[table["task"]] != heading:
            heading = HEADINGS[table["task"]]
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


def _answer(table: dict[str, Any], levels: Sequence[str], words: str, more: str) -> str:
    """Name the best of anew's methods for one damage, and a quicker one that is nearly as good."""
    task = table["task"]
    chosen = [str(level) for level in levels or table["levels"]]
    rows = {r.name: r for r in rows_from(table) if all(level in r.psnr_at for level in chosen)}
    means = {name: fsum(row.psnr_at[level] for level in chosen) / len(chosen) for name, row in rows.items()}
    own = [name for name, row in rows.items() if row.kind == "anew" and row.complete]
    best = max(own, key=lambda name: means[name])
    near = [name for name in own if means[name] >= means[best] - CLOSE]
    quick = min(near, key=lambda name: rows[name].seconds_per_megapixel or 1e9)
    much_quicker = 2 * (rows[quick].seconds_per_megapixel or 1e9) <= (rows[best].seconds_per_megapixel or 0.0)
    also = f"<small>or {_link(task, quick)}, {_seconds(rows[quick])}</small>" if much_quicker else ""
    gain = means[best] - means[INPUT]
    command = f"anew {task} photo.jpg --method {best} {more}".strip()
    return (
        f"<tr><th>{escape(words)}</th><td><b>{_link(task, best)}</b><code>{escape(command)}</code>{also}</td>"
        f'<td><i style="width:{max(gain, 0) / WIDEST:.2f}rem"></i>{gain:+.1f} dB</td>'
        f"<td>{_seconds(rows[best])}</td></tr>"
    )


def _section(table: dict[str, Any]) -> list[str]:
    """Write the plot and the table of one set."""
    rows = rows_from(table)
    plot, hidden = draw_plot(rows)
    heads = table["heads"]
    left_out = f" Far below the best and not drawn: {', '.join(hidden)}." if hidden else ""
    drawing = [f"{KEY}{left_out}", "", f'<div class="bench-plot" tabindex="0">{plot}</div>', ""] if plot else []
    means = [mean for mean in MEANS if any(mean[0] in row.means for row in rows)]
    columns = [*heads, *(head for _, head, _ in means), "s / MP", "MB"]
    lines = ["| method | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
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
        cells += [_cell(row.means.get(q), n) for q, _, n in means]
        cells += [_cell(row.seconds_per_megapixel, 3), _cell(row.peak_mb, 0)]
        name = _link(table["task"], row.name, markdown=True) if row.kind == "anew" else row.name
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    published = PUBLISHED.get((table["task"], table["set"], table["pictures"]))
    if published:
        source, values = published
        cells = [f"{value:.2f}" for value in (*values, fsum(values) / len(values))]
        lines.append(f"| *{source}* | " + " | ".join([*cells, *["-"] * (len(columns) - len(cells))]) + " |")
    chosen = " These are not all pictures of the set, but evenly chosen." if table.get("limit") else ""
    return [
        f"### {table['set']}, {table['pictures']} pictures",
        "",
        *drawing,
        *lines,
        "",
        f"*{table['protocol']}{chosen}*",
        "",
    ]


def heads_of(table: dict[str, Any]) -> list[str]:
    """Give the keys of the levels, in the order of the columns."""
    return [str(level) for level in table["levels"]]


def _growth(speed: dict[str, Any]) -> list[str]:
    parts = ["## Time and memory as pictures grow", ""]
    parts += [GROWTH, ""]
    for task in HEADINGS:
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
        runs = [_run(document), *(f"{', '.join(part['methods'])}: {_run(part)}" for part in document.get("later", []))]
        lines.append(f"- {name}: {'; '.join(runs)}; {machine}; {versions}")
    return [*lines, ""]


def _run(document: dict[str, Any]) -> str:
    """Say of which commit and day the figures are, and the times if they are of another."""
    run = f"commit {document['commit']}, {document['date'][:10]}"
    if "timed" not in document:
        return run
    timed = document["timed"]
    when = f"{timed['commit']}, {timed['date'][:10]}" if timed else "not measured, the machine was busy"
    return f"{run}; times: {when}"


def _link(task: str, name: str, *, markdown: bool = False) -> str:
    return (
        f"[{name}](methods/{task}-{name}.md)" if markdown else f'<a href="../methods/{task}-{name}/">{escape(name)}</a>'
    )


def _seconds(row: Row) -> str:
    return "-" if row.seconds_per_megapixel is None else f"{row.seconds_per_megapixel:.2g} s"


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
