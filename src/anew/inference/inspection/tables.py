"""The figures of an inspection as text, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anew.inference.inspection.cost import Cost
from anew.inference.inspection.receptive_field import ReceptiveField
from anew.inference.inspection.robustness import CAP, Row

GROUPS = {
    "level": "Strength of the damage",
    "told": "What the network is told",
    "kind": "Kind of the damage",
    "colours": "Colours",
    "size": "Size",
    "shift": "Shift",
}


def cost_in_words(cost: Cost) -> str:
    """Give one line on weights and multiplications."""
    parts = []
    if cost.parameters is not None:
        parts.append(f"{cost.parameters:,} parameters")
    if cost.multiply_adds_per_pixel is not None:
        parts.append(f"{cost.multiply_adds_per_pixel:,.0f} multiply-adds per pixel")
    if cost.layers:
        parts.append(f"{len(cost.layers)} layers with weights")
    return "cost: " + (", ".join(parts) or "not known")


def field_in_words(field: ReceptiveField, structural: tuple[int, int] | None) -> str:
    """Give one line on the receptive field."""
    shares = ", ".join(f"{share:.0%} of the influence within {radius:g}" for share, radius in field.radius.items())
    tall, wide = field.support
    reaches = f"reaching {'at least ' if field.cut else ''}{wide} x {tall}"
    allowed = f"; the wiring allows {structural[1]} x {structural[0]}" if structural is not None else ""
    return f"receptive field, in pixels from the middle: {shares}, {reaches}{allowed}"


def rows_as_text(rows: Sequence[Row]) -> str:
    """Give the table for a terminal."""
    lines = []
    for group, title in GROUPS.items():
        chosen = [row for row in rows if row.group == group]
        if chosen:
            heads = ("", "equal to") if group == "shift" else ("told", "before", "after", "gain")
            lines.append(f"{title:<30}" + "".join(f"{head:>9}" for head in heads))
            lines += [f"  {row.name:<28}" + "".join(f"{cell:>9}" for cell in _cells(row)) for row in chosen]
    return "\n".join(lines)


def rows_as_markdown(rows: Sequence[Row], *, title: str, reference: str, notes: Sequence[str]) -> str:
    """Give the tables as a Markdown page."""
    lines = [f"# {title}", "", *(f"{note}  " for note in notes), ""]
    for group, name in GROUPS.items():
        chosen = [row for row in rows if row.group == group]
        if not chosen:
            continue
        lines += [f"## {name}" + (f" ({reference})" if group in ("colours", "size", "shift") else ""), ""]
        if group == "shift":
            lines += ["| shift in pixels | result of the shifted picture against the shifted result, dB |", "|---|--:|"]
        else:
            lines += [f"| {name.lower()} | told | before, dB | after, dB | gain, dB |", "|---|--:|--:|--:|--:|"]
        lines += ["| " + " | ".join([row.name, *(c for c in _cells(row) if c)]) + " |" for row in chosen]
        lines.append("")
    return "\n".join(lines)


def row_as_json(row: Row) -> dict[str, Any]:
    """Give one line as plain JSON values, rounded to 0.001."""
    figures = {"before_db": row.before, "after_db": row.after, "gain_db": row.gain, "equivariance_db": row.equivariance}
    known = {key: round(value, 3) for key, value in figures.items() if value is not None}
    return {"group": row.group, "name": row.name, "told": round(row.told, 5), "pictures": row.pictures, **known}


def field_as_json(field: ReceptiveField, structural: tuple[int, int] | None) -> dict[str, Any]:
    """Give the figures of a receptive field as plain JSON values; sizes are (height, width)."""
    return {
        "radius": {f"{share:g}": radius for share, radius in field.radius.items()},
        "support": list(field.support),
        "cut": field.cut,
        "structural": None if structural is None else list(structural),
    }


def _cells(row: Row) -> list[str]:
    if row.equivariance is not None:
        return ["", "the bit" if row.equivariance >= CAP else f"{row.equivariance:.1f} dB"]
    gain = "" if row.gain is None else f"{row.gain:+.2f}"
    return [f"{row.told:.3f}", f"{row.before:.2f}", f"{row.after:.2f}", gain]
