"""The benchmark page says what the stored figures say."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))

from benchmark_page import FIGURES, KINDS, make_benchmark_page  # noqa: E402
from growth_plot import draw_growth  # noqa: E402

TABLES = sorted(FIGURES.glob("*-*.json"))


@pytest.mark.parametrize("path", TABLES, ids=lambda p: p.stem)
def test_every_stored_figure_is_on_the_page_and_the_best_is_bold(path: Path) -> None:
    page = make_benchmark_page()
    table = json.loads(path.read_text())
    kind = page.split(f"## {KINDS[table['task']][1]}\n", 1)[1]
    section = kind.split(f"### {table['set']}, {table['pictures']} pictures", 1)[1].split("\n#", 1)[0]
    for level in table["levels"]:
        scores = {r["method"]: r["levels"][str(level)]["psnr"] for r in table["rows"] if str(level) in r["levels"]}
        best = max(value for name, value in scores.items() if name != "input")
        assert f"**{best:.2f}**" in section
        for value in scores.values():
            assert f"{value:.2f}" in section


def test_the_card_names_the_best_method_of_ours(tmp_path: Path) -> None:
    stored = json.loads((FIGURES / "upscale-Set5.json").read_text())
    for row in stored["rows"]:
        row["mean"]["psnr"] = {"bilinear": 40.0, "input": 30.0}.get(row["method"], 35.0)
    (tmp_path / "upscale-Set5.json").write_text(json.dumps(stored))
    card = re.search(r'<div class="bench-card">(.*?)</div>', make_benchmark_page(tmp_path))
    assert card is not None
    assert ">bilinear</a>" in card[1]
    assert "+10.0 dB" in card[1]


def test_a_method_of_linear_cost_is_a_straight_line_between_the_corners() -> None:
    points = [(0.25, 2.0), (1.0, 2.0), (4.0, 2.0)]  # megapixels, seconds per megapixel
    measured = [{"name": f"methods/denoise/x/{size:g} MP/time", "value": value} for size, value in points]
    drawn = re.search(r'<polyline class="hue-0" points="([^"]+)"', draw_growth(measured, "denoise", "time"))
    assert drawn is not None
    (x0, y0), (x1, y1), (x2, y2) = [tuple(map(float, p.split(","))) for p in drawn[1].split()]
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.11)
    assert y1 == pytest.approx((y0 + y2) / 2, abs=0.11)
    assert y2 < y0
    assert draw_growth(measured, "deblur", "time") == ""
