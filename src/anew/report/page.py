"""A report as one self-contained HTML page: nothing is loaded from anywhere, and all text is escaped."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anew.codecs import storage
from anew.report.pictures import heat, marked, shown
from anew.report.template import PAGE
from anew.restoration.automatic import left_out

if TYPE_CHECKING:
    from anew.diagnosis.finding import Finding
    from anew.images import Picture
    from anew.restoration.automatic import Restoration, StepResult

PICTURE_SIDE = 1600  # pixels
MAP_SIDE = 640
SLIDER_HEIGHT = 792  # pixels


def write_report(restoration: Restoration, path: str | Path) -> None:
    """Write the report of a restoration as HTML.

    Parameters
    ----------
    restoration : Restoration
    path : str or Path
        An older file there is replaced.

    Raises
    ------
    CannotWrite
        If it cannot be written.
    """
    storage.save(str(path), make_report(restoration).encode(errors="replace"), overwrite=True)


def make_report(restoration: Restoration) -> str:
    """Give the page as text."""
    from anew import __version__

    original = restoration.original
    height, width, channels = original.pixels.shape
    recipe = "" if restoration.recipe is None else json.dumps(json.loads(restoration.recipe), indent=2)
    return Template(PAGE).substitute(
        title=escape(_title(original)),
        verdict=escape(_verdict(restoration)),
        size=f"{width} × {height}, {'grey' if channels == 1 else 'colour'}",
        ratio=f"{width} / {height}",
        widest=f"{SLIDER_HEIGHT * width / height:.0f}",
        tallest=str(SLIDER_HEIGHT),
        before=_embedded(shown(original, PICTURE_SIDE), "WEBP"),
        after=_embedded(shown(restoration.picture, PICTURE_SIDE), "WEBP"),
        findings="".join(_finding(f) for f in restoration.diagnosis.findings) or "<li>Nothing wrong was found.</li>",
        steps=_steps(restoration),
        maps=_maps(restoration),
        recipe=f"<details><summary>Recipe</summary><pre>{escape(recipe)}</pre></details>" if recipe else "",
        seconds=f"{sum(s.seconds for s in restoration.steps):.1f}",
        version=escape(__version__),
    )


def _title(picture: Picture) -> str:
    facts = picture.facts
    name = Path(facts.path).name if facts.path else "picture"
    return f"{name}, frame {facts.frame + 1} of {facts.frames}" if facts.frames > 1 else name


def _verdict(restoration: Restoration) -> str:
    kept = [s.kind for s in restoration.steps if s.kept]
    if not restoration.changed:
        return "The picture was given back as it came: every pixel is the same."
    dropped = len(restoration.steps) - len(kept)
    also = f" {dropped} more {'was' if dropped == 1 else 'were'} tried and dropped." if dropped else ""
    return f"Repaired: {', '.join(kept)}.{also}"


def _finding(finding: Finding) -> str:
    percent = round(100 * finding.confidence)
    return (
        f"<li><b>{escape(finding.kind)}</b> {escape(finding.message)}"
        f'<span class="sure" title="confidence"><i style="width:{percent}%"></i></span>{percent}% sure</li>'
    )


def _steps(restoration: Restoration) -> str:
    """Give a row for each step, and for what was found and left alone."""
    rows = [_step(step) for step in restoration.steps]
    if not restoration.steps:  # the strength is 0
        rows = [_untouched(step.kind, "the strength is 0") for step in restoration.plan.steps]
    rows += [_untouched(kind, "the plan leaves it out") for kind in left_out(restoration)]
    return "".join(rows) or "<tr><td colspan=4>Nothing had to be done.</td></tr>"


def _untouched(kind: str, why: str) -> str:
    return f'<tr><td class="dropped">left alone</td><td><b>{escape(kind)}</b></td><td colspan=2>{why}</td></tr>'


def _step(step: StepResult) -> str:
    mark = '<td class="kept">kept</td>' if step.kept else '<td class="dropped">dropped</td>'
    numbers = {k: _number(v) for k, v in {**step.parameters, **step.check}.items() if isinstance(v, int | float)}
    figures = " · ".join(f"{escape(k.replace('_', ' '))} {v}" for k, v in numbers.items())
    return (
        f"<tr>{mark}<td><b>{escape(step.kind)}</b><br>{escape(step.task)} by {escape(step.method)}</td>"
        f"<td>{escape(step.reason)}<small>{figures}</small></td><td class=num>{step.seconds:.2f}&nbsp;s</td></tr>"
    )


def _maps(restoration: Restoration) -> str:
    figures = []
    for finding in restoration.diagnosis.findings:
        if finding.map is None:
            continue
        field = np.asarray(finding.map)
        if field.dtype == np.bool_:
            figures.append(_figure(marked(restoration.original, field, MAP_SIDE), f"{finding.kind}: where"))
        else:
            top = float(np.nanmax(field)) if field.size else 1.0
            figures.append(_figure(heat(np.nan_to_num(field), MAP_SIDE, top), f"{finding.kind}: up to {top:.3g}"))
    if restoration.changed:
        top = max(float(np.quantile(restoration.uncertainty, 0.999)), 1 / 255)
        caption = (
            "by how much a pixel is likely off, as a standard deviation: "
            f"black 0, brightest {255 * top:.1f} of 255 or more; up to a third are off by more than they show"
        )
        figures.append(_figure(heat(restoration.uncertainty, MAP_SIDE, top), caption))
    return f"<h2>Maps</h2><div class=maps>{''.join(figures)}</div>" if figures else ""


def _figure(pixels: NDArray[np.uint8], caption: str) -> str:
    text = escape(caption)
    return f'<figure><img src="{_embedded(pixels, "WEBP")}" alt="{text}"><figcaption>{text}</figcaption></figure>'


def _embedded(pixels: NDArray[np.uint8], kind: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind, quality=90)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
