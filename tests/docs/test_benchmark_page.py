"""The benchmark page says what the stored figures say."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "docs"), str(ROOT)]

from benchmark_page import FIGURES, HEADINGS, make_benchmark_page  # noqa: E402
from benchmarks.publish import with_newer, with_older_times, with_rows  # noqa: E402
from growth_plot import draw_growth  # noqa: E402

TABLES = sorted(FIGURES.glob("*-*.json"))


@pytest.mark.parametrize("path", TABLES, ids=lambda p: p.stem)
def test_every_stored_figure_is_on_the_page_and_the_best_is_bold(path: Path) -> None:
    page = make_benchmark_page()
    table = json.loads(path.read_text())
    kind = page.split(f"## {HEADINGS[table['task']]}\n", 1)[1]
    section = kind.split(f"### {table['set']}, {table['pictures']} pictures", 1)[1].split("\n#", 1)[0]
    for level in table["levels"]:
        scores = {r["method"]: r["levels"][str(level)]["psnr"] for r in table["rows"] if str(level) in r["levels"]}
        best = max(value for name, value in scores.items() if name != "input")
        assert f"**{best:.2f}**" in section
        for value in scores.values():
            assert f"{value:.2f}" in section


def store(folder: Path, table: dict[str, Any], psnr: dict[str, dict[str, float]], seconds: dict[str, float]) -> None:
    """Write a table with some methods' figures changed, and all others' made poor and slow."""
    for row in table["rows"]:
        for level, scores in row["levels"].items():
            scores["psnr"] = psnr.get(row["method"], {}).get(level, 15.0)
        row["seconds_per_megapixel"] = seconds.get(row["method"], 9.0)
    (folder / f"{table['task']}-{table['set']}.json").write_text(json.dumps(table))


def answers(folder: Path) -> dict[str, str]:
    """Give {what people say: the row of the answer}."""
    rows = re.findall(r"<tr><th>([^<]+)</th>(.*?)</tr>", make_benchmark_page(folder))
    return {words: row for words, row in rows if "<td>" in row}


def test_each_damage_has_its_own_best_method(tmp_path: Path) -> None:
    """The means over all damages would name curve for every one of them."""
    table = json.loads((FIGURES / "relight-CBSD68.json").read_text())
    dark = {"-1.5 stops": 40.0, "-3 stops": 40.0}
    cast = {"warm cast": 30.0, "cold cast": 30.0}
    store(tmp_path, table, {"curve": dark, "white-balance": cast, "fading": {"faded": 21.0}}, {"curve": 0.5})
    found = answers(tmp_path)
    assert list(found) == ["Too dark", "Wrong colours", "Faded"]
    for words, method, gain in (
        ("Too dark", "curve", "+25.0 dB"),
        ("Wrong colours", "white-balance", "+15.0 dB"),
        ("Faded", "fading", "+6.0 dB"),
    ):
        assert f'<b><a href="../methods/relight-{method}/">{method}</a></b>' in found[words]
        assert f"<code>anew relight photo.jpg --method {method}</code>" in found[words]
        assert gain in found[words]
    assert "0.5 s" in found["Too dark"]
    assert "or" not in found["Too dark"].split("</code>")[1]


@pytest.mark.parametrize(("psnr", "seconds", "named"), [(39.8, 1.0, True), (39.6, 1.0, False), (39.8, 3.0, False)])
def test_a_quicker_method_is_named_if_it_is_near_and_much_quicker(
    psnr: float, seconds: float, named: bool, tmp_path: Path
) -> None:
    table = json.loads((FIGURES / "upscale-Set5.json").read_text())
    levels = [str(level) for level in table["levels"]]
    best, quick = dict.fromkeys(levels, 40.0), dict.fromkeys(levels, psnr)
    store(tmp_path, table, {"bilinear": best, "nearest": quick}, {"bilinear": 5.0, "nearest": seconds})
    row = answers(tmp_path)["Too small"]
    assert '<b><a href="../methods/upscale-bilinear/">bilinear</a></b>' in row
    assert ("nearest" in row) is named


def test_of_several_sets_the_colour_one_answers(tmp_path: Path) -> None:
    table = json.loads((FIGURES / "denoise-CBSD68.json").read_text())
    levels = [str(level) for level in table["levels"]]
    store(tmp_path, table, {"nlm": dict.fromkeys(levels, 40.0)}, {})
    store(tmp_path, {**table, "set": "BSD68"}, {"tv": dict.fromkeys(levels, 40.0)}, {})
    assert ">nlm</a>" in answers(tmp_path)["Noisy, grainy"]


@pytest.mark.parametrize("measured", [True, False])
def test_a_column_stands_on_the_page_if_it_was_measured(measured: bool, tmp_path: Path) -> None:
    table = json.loads((FIGURES / "upscale-Set5.json").read_text())
    for row in table["rows"]:
        row["mean"].pop("perceptual", None)
        if measured:
            row["mean"]["perceptual"] = 0.0123
    (tmp_path / "upscale-Set5.json").write_text(json.dumps(table))
    page = make_benchmark_page(tmp_path)
    assert ("| GMSD | perceptual | s / MP |" in page) is measured
    assert ("| 0.0123 |" in page) is measured


def untimed(table: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give the table as a busy machine would have measured it."""
    rows = [{**row, "seconds_per_megapixel": 99.0} for row in table["rows"]]
    return {**table, "rows": rows, "commit": "f00d", "date": "2030-01-01T00:00:00+00:00", **changes}


def test_times_of_a_busy_machine_do_not_count() -> None:
    stored = json.loads((FIGURES / "upscale-Set5.json").read_text())
    stored.pop("timed", None)
    table = with_older_times(untimed(stored), stored)
    assert [r["seconds_per_megapixel"] for r in table["rows"]] == [r["seconds_per_megapixel"] for r in stored["rows"]]
    assert table["timed"] == {"commit": stored["commit"], "date": stored["date"]}
    assert with_older_times(untimed(stored), table)["timed"] == table["timed"]  # and so on
    for other in (None, {**stored, "machine": {"cpu": "another"}}):
        table = with_older_times(untimed(stored), other)
        assert all(r["seconds_per_megapixel"] is None for r in table["rows"])
        assert table["timed"] is None


def test_rows_measured_again_take_the_place_of_the_older_ones() -> None:
    def row(method: str, psnr: float) -> dict:  # type: ignore[type-arg]
        return {"method": method, "mean": {"psnr": psnr}}

    same = {"protocol": "p", "levels": [25.0], "seed": 0, "pictures": 4, "machine": {"cpu": "x"}}
    first = {**same, "commit": "a", "date": "1", "rows": [row("unet", 30), row("tv", 28), row("input", 20)]}
    for number, psnr in enumerate((31, 27)):
        newer = {**same, "commit": f"b{number}", "date": "2", "rows": [row("tv", psnr), row("input", 20)]}
        first = with_rows(first, newer)
        assert [r["method"] for r in first["rows"]] == (["tv", "unet"] if psnr == 31 else ["unet", "tv"]) + ["input"]
        assert first["later"] == [{"commit": f"b{number}", "date": "2", "methods": ["tv"]}]
    with pytest.raises(SystemExit, match="the stored table has pictures 4, this one 3"):
        with_rows(first, {**newer, "pictures": 3})


def test_the_page_says_when_the_times_were_measured_and_draws_nothing_without_them(tmp_path: Path) -> None:
    stored = json.loads((FIGURES / "upscale-Set5.json").read_text())
    path = tmp_path / "upscale-Set5.json"
    timed = {"commit": "cafe", "date": "2029-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(untimed(stored, timed=timed)))
    page = make_benchmark_page(tmp_path)
    assert "commit f00d, 2030-01-01; times: cafe, 2029-01-01;" in page
    assert "bench-plot" in page
    path.write_text(json.dumps(with_older_times(untimed(stored), None)))
    page = make_benchmark_page(tmp_path)
    assert "times: not measured, the machine was busy;" in page
    assert "bench-plot" not in page


def test_rows_measured_again_on_a_busy_machine_keep_the_times_of_the_run_that_took_them(tmp_path: Path) -> None:
    stored = json.loads((FIGURES / "upscale-Set5.json").read_text())
    stored.pop("timed", None)
    stored["later"] = [{"commit": "cafe", "date": "2029-01-01T00:00:00+00:00", "methods": ["lanczos", "bicubic"]}]
    for _ in range(2):  # the second time they come from a run that was untimed itself
        again = untimed({**stored, "rows": [row for row in stored["rows"] if row["method"] in ("lanczos", "input")]})
        stored = with_rows(stored, with_older_times(again, stored))
    (tmp_path / "upscale-Set5.json").write_text(json.dumps(stored))
    page = make_benchmark_page(tmp_path)
    assert "; bicubic: commit cafe, 2029-01-01; lanczos: commit f00d, 2030-01-01; times: cafe, 2029-01-01;" in page


@pytest.mark.parametrize(("pictures", "limit"), [(68, None), (17, 17)])
def test_published_figures_stand_beside_those_of_a_whole_set_only(
    pictures: int, limit: int | None, tmp_path: Path
) -> None:
    table = json.loads((FIGURES / "denoise-CBSD68.json").read_text())
    (tmp_path / "denoise-CBSD68.json").write_text(json.dumps({**table, "pictures": pictures, "limit": limit}))
    page = make_benchmark_page(tmp_path)
    assert ("| 33.52 | 30.71 | 27.38 | 30.54 |" in page) is (limit is None)
    assert ("evenly chosen" in page) is (limit is not None)


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


def test_the_dashed_line_is_parallel_to_linear_cost_and_a_method_keeps_its_colour() -> None:
    sizes, costs = (1.0, 10.0), {"slow": (100.0, 10.0), "fast": (1.0, 90.0)}  # seconds per megapixel, MB
    measured = [
        {"name": f"methods/denoise/{name}/{size:g} MP/{what}", "value": value * (size if what == "memory" else 1.0)}
        for size in sizes
        for name, cost in costs.items()
        for what, value in zip(("time", "memory"), cost, strict=True)
    ]
    plots = [draw_growth(measured, "denoise", what) for what in ("time", "memory")]
    for plot in plots:
        dashes = re.search(r'class="base" x1="(.+?)" x2="(.+?)" y1="(.+?)" y2="(.+?)"', plot)
        line = re.search(r'<polyline class="hue-0" points="(.+?),(.+?) (.+?),(.+?)"', plot)
        assert dashes is not None
        assert line is not None
        x0, x1, y0, y1 = map(float, dashes.groups())
        u0, v0, u1, v1 = map(float, line.groups())
        assert (y1 - y0) / (x1 - x0) == pytest.approx((v1 - v0) / (u1 - u0), rel=0.01)
        assert re.search(r'class="hue-0" points="[^"]+"><title>slow', plot)


def test_methods_measured_anew_take_the_place_of_their_older_figures() -> None:
    stored = json.loads((FIGURES / "speed.json").read_text())
    name = "methods/denoise/guided/1 MP/time"
    figure = {"name": name, "value": 123.0, "unit": "s/MP", "low": 1.0, "high": 1.0, "repeats": 1}
    run = {"commit": "abc", "date": "2030-01-02T00:00:00", "machine": stored["machine"], "measurements": [figure]}
    merged = with_newer(stored, run)
    guided = [m for m in merged["measurements"] if m["name"].startswith("methods/denoise/guided/")]
    assert guided == [figure]  # and none of the older ones beside it
    others = [m for m in stored["measurements"] if "/guided/" not in m["name"]]
    assert [m for m in merged["measurements"] if m is not figure] == others
    assert merged["later"][-1]["methods"] == ["denoise/guided"]
    with pytest.raises(SystemExit, match="measure all"):
        with_newer(stored, {**run, "machine": {"cpu": "another"}})
