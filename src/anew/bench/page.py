"""A benchmark as one self-contained HTML page: who is best, the trade-off, the table, where each method is worst."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from string import Template

from anew.bench.contenders import INPUT
from anew.bench.environment import machine, versions
from anew.bench.plot import draw_plot
from anew.bench.protocols import QUALITIES
from anew.bench.runner import BenchRun
from anew.bench.summary import Row, best_of, value_of
from anew.bench.template import PAGE
from anew.registry import METHODS

CLOSE = 0.3  # dB; methods this near to the best are as good for most eyes
MUCH_QUICKER = 5  # times
GIVEN = {"mask": "--mask holes.png", "psf": "--psf blur.png"}  # what a method takes, on the command line
DIGITS = {"psnr": 2, "ssim": 4, "gmsd": 4, "epi": 3, "perceptual": 4, "seconds_per_megapixel": 3, "peak_mb": 0}
MEANS = (
    ("psnr", "mean dB", "Mean PSNR over the columns to the left; higher is better."),
    ("ssim", "SSIM", "Structural similarity, 1 is best."),
    ("gmsd", "GMSD", "Gradient magnitude similarity deviation, 0 is best."),
    ("epi", "edges", "Edge preservation: correlation of the high-pass filtered pictures, 1 is best."),
    ("perceptual", "perceptual", "Distance in the features of our network features-photos, 0 is best."),
    (
        "seconds_per_megapixel",
        "s / MP",
        "Seconds per megapixel, median of warm calls; the one call if it takes over a minute.",
    ),
    ("peak_mb", "MB", "Peak resident memory of its process, Python and libraries included."),
)


def make_page(run: BenchRun, rows: list[Row]) -> str:
    """Give the page as text."""
    plot, hidden = draw_plot(rows)
    also = f" Not drawn, because far below the best: {escape(', '.join(hidden))}." if hidden else ""
    return Template(PAGE).substitute(
        task=escape(run.plan.task),
        lead=escape(_pictures(run)),
        state=_gaps(run, rows),
        cards=_cards(run, rows),
        winners=_winners(run, rows),
        plot=plot or "<p>No method was better than the damaged picture.</p>",
        hidden=also,
        head=_head(run),
        body="".join(_table_row(run, row, rows) for row in rows),
        notes=_notes(run, rows),
        worst="".join(_worst(run, row) for row in rows if row.worst),
        protocol=escape(run.plan.protocol.statement),
        machine=escape(", ".join(f"{k.replace('_', ' ')} {v}" for k, v in machine().items() if v)),
        versions=escape(", ".join(f"{k} {v}" for k, v in versions().items())),
    )


def _pictures(run: BenchRun) -> str:
    count = len(run.pictures)
    many = f"{count} {'picture' if count == 1 else 'pictures'}"
    return f"{many} of {Path(run.plan.data).resolve().name}" if run.plan.data else f"{many} from scikit-image"


def _gaps(run: BenchRun, rows: list[Row]) -> str:
    """Say that the run was stopped, or that a method of ours could not do everything."""
    missing = [f"{r.name} ({r.measured} of {r.total})" for r in rows if not r.complete and r.kind != "peer"]
    if not missing and not run.stopped:
        return ""
    text = f"Not complete: {', '.join(missing)}. " if missing else ""
    stopped = "The run was stopped. " if run.stopped else ""
    return f'<p class="warn">{escape(stopped + text)}Incomplete rows take no part in the ranking.</p>'


def _notes(run: BenchRun, rows: list[Row]) -> str:
    """Say why rows or figures are missing."""
    notes = [f"{r.name}, {r.measured} of {r.total} done: {r.note}" for r in rows if r.note]
    notes += [f"{name} left out: {why}" for name, why in run.left_out.items()]
    return "".join(f'<p class="about">{escape(note)}.</p>' for note in notes)


def _cards(run: BenchRun, rows: list[Row]) -> str:
    """Name the best method, the best of anew, and quicker ones that are nearly as good."""
    ranked = [r for r in rows if r.complete and r.name != INPUT and "psnr" in r.means]
    if not ranked:
        return '<div class="card"><small>Best</small><b>nothing is measured yet</b></div>'
    baseline = next((r.means.get("psnr") for r in rows if r.name == INPUT), None)
    best = ranked[0]
    cards = {best.name: _card(run, "Best quality", best, baseline, "first")}
    own = next((r for r in ranked if r.kind == "anew"), best)
    cards.setdefault(own.name, _card(run, "Best of anew", own, baseline))
    near = [r for r in ranked if r.means["psnr"] >= best.means["psnr"] - CLOSE and r.seconds_per_megapixel is not None]
    quick = min(near, key=lambda r: r.seconds_per_megapixel or 0.0, default=best)
    cards.setdefault(quick.name, _card(run, f"Fastest within {CLOSE} dB of the best", quick, baseline))
    speedy = [
        r
        for r in ranked
        if (r.seconds_per_megapixel or 1e9) * MUCH_QUICKER < (quick.seconds_per_megapixel or 0.0)
        and (baseline is None or r.means["psnr"] > baseline + 0.5)
    ]
    if speedy:
        cards.setdefault(speedy[0].name, _card(run, "If it must be much quicker", speedy[0], baseline))
    return "".join(cards.values())


def _card(run: BenchRun, title: str, row: Row, baseline: float | None, style: str = "") -> str:
    gain = "" if baseline is None else f" ({row.means['psnr'] - baseline:+.2f} over the damaged picture)"
    time = "" if row.seconds_per_megapixel is None else f"{row.seconds_per_megapixel:.3g} s per megapixel"
    use = f"<code>{escape(_command(run.plan.task, row.name))}</code>" if row.kind == "anew" else ""
    return (
        f'<div class="card {style}"><small>{escape(title)}</small><b>{escape(row.name)}</b>'
        f"<span>{row.means['psnr']:.2f} dB{gain}</span><span>{time}</span><i>{escape(row.summary)}</i>{use}</div>"
    )


def _command(task: str, name: str) -> str:
    """Give a command that runs: with what only a user can know."""
    given = [GIVEN[what] for what in METHODS.get(task, name).takes if what in GIVEN]
    return " ".join([f"anew {task} photo.jpg --method {name}", *given])


def _winners(run: BenchRun, rows: list[Row]) -> str:
    """Name the best of each kind of damage, if it is not the same one for all."""
    ranked = [r for r in rows if r.complete and r.name != INPUT]
    winners = {}
    for level in run.plan.chosen_levels:
        known = [r for r in ranked if level in r.psnr_at]
        if known:
            winners[level] = max(known, key=lambda r: r.psnr_at[level])
    if len({row.name for row in winners.values()}) < 2:
        return ""
    parts = [
        f"<span><small>{escape(run.plan.protocol.head(level))}</small><b>{escape(row.name)}</b> "
        f"{row.psnr_at[level]:.2f} dB</span>"
        for level, row in winners.items()
    ]
    return f'<h2>Best for each damage</h2><div class="winners">{"".join(parts)}</div>'


def _head(run: BenchRun) -> str:
    cells = ['<th scope="col" class="name">method</th>']
    for level in run.plan.chosen_levels:
        cells.append(f'<th scope="col" title="PSNR in dB">{escape(run.plan.protocol.head(level))}</th>')
    cells += [f'<th scope="col" title="{escape(title)}">{escape(name)}</th>' for _, name, title in MEANS]
    return "".join(f"{cell[:-5]}<button></button></th>" for cell in cells)


def _table_row(run: BenchRun, row: Row, rows: list[Row]) -> str:
    mark = "" if row.complete else f" <small>{row.measured} of {row.total}</small>"
    version = row.library.rpartition(" ")[2]  # of a peer, whose name says the library
    library = f"<small>{escape(version)}</small>" if row.library and row.library != "anew" else ""
    if row.parameters and row.multiply_adds_per_pixel:
        library += (
            f"<small> {row.parameters / 1e6:.2g} M weights, {row.multiply_adds_per_pixel / 1e3:.0f} k multiply-adds "
            "per pixel</small>"
        )
    note = f' title="{escape(row.note)}"' if row.note else f' title="{escape(row.summary)}"'
    cells = [f'<th scope="row"{note}>{escape(row.name)} {library}{mark}</th>']
    ranked = [r for r in rows if r.complete and r.name != INPUT]
    for level in run.plan.chosen_levels:
        best = max((r.psnr_at[level] for r in ranked if level in r.psnr_at), default=None)
        cells.append(_cell(row.psnr_at.get(level), 2, best if row in ranked else None))
    for quality, _, _ in MEANS:
        best = best_of(rows, quality) if row in ranked else None
        cells.append(_cell(value_of(row, quality), DIGITS[quality], best, strong=quality == QUALITIES[0]))
    kind = row.kind if row.complete or row.name == INPUT else f"{row.kind} partial"
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _cell(value: float | None, digits: int, best: float | None, *, strong: bool = False) -> str:
    if value is None:
        return '<td data-value="">–</td>'
    same = best is not None and (f"{value:.{digits}f}" == f"{best:.{digits}f}" if abs(value) >= 1 else value == best)
    style = " ".join(name for name, on in (("best", same), ("mean", strong)) if on)
    text = f"{value:.{digits}f}" if value >= 10**-digits else f"{value:.2g}"
    return f'<td class="{style}" data-value="{value!r}">{text}</td>'


def _worst(run: BenchRun, row: Row) -> str:
    """Show where a method gained least: reference, damaged, result."""
    figures = []
    for record in row.worst:
        data = base64.b64encode((run.folder / record["crop"]).read_bytes()).decode("ascii")
        level = run.plan.protocol.head(record["level"])
        variant = f", {record['variant']}" if record["variant"] else ""
        text = f"{Path(record['picture']).stem}, {level}{variant}: {record['psnr']:.2f} dB, gain {record['gain']:+.2f}"
        figures.append(
            f'<figure><img src="data:image/webp;base64,{data}" alt="reference, damaged and result of '
            f'{escape(text)}"><figcaption>{escape(text)}</figcaption></figure>'
        )
    return f"<section><h3>{escape(row.name)}</h3><div class=strips>{''.join(figures)}</div></section>"
