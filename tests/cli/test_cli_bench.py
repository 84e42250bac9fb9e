"""``anew bench``, ``anew compare`` and ``anew evaluate`` as a person uses them."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import tifffile
from PIL import Image

import anew
from anew.bench.comparison import Compared, draw_comparison, try_method
from anew.bench.files import write_files
from anew.bench.plan import BenchPlan
from anew.bench.runner import Store, run_bench
from anew.bench.summary import rows_of
from anew.errors import CannotWrite
from full_disk import full_disk

Invoke = Callable[..., tuple[int, str, str]]
QUALITIES = ("task", "method", "level", "psnr", "ssim", "gmsd", "epi", "perceptual", "measured", "total")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small colour and one small grey photograph."""
    folder = tmp_path_factory.mktemp("photos")
    Image.fromarray(skimage.data.astronaut()[60:156, 150:278]).save(folder / "astronaut.png")
    Image.fromarray(skimage.data.camera()[60:156, 180:276]).save(folder / "camera.png")
    return folder


def qualities(folder: Path) -> list[tuple[str, ...]]:
    with (folder / "table.csv").open(encoding="utf-8") as file:
        return [tuple(row[q] for q in QUALITIES) for row in csv.DictReader(file)]


def test_two_runs_give_the_same_quality_and_a_third_measures_nothing(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    wanted = ("bench", "denoise", "--data", photos, "--methods", "median", "--sigma", "15,50")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        code, out, _ = invoke(*wanted, "-o", folder)
        assert code == 0
        assert re.search(r"^method +σ 15 +σ 50 +mean dB", out)
    table = qualities(folders[0])
    assert table == qualities(folders[1])
    assert len(table) == 2 * 3  # median and the input, at two levels and their mean
    assert all(float(value) == float(value) for row in table for value in row[3:])
    lines = (folders[0] / "results.jsonl").read_text().splitlines()
    (folders[0] / "results.jsonl").write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])  # as if it was killed
    assert invoke(*wanted, "-o", folders[0])[0] == 0
    assert qualities(folders[0]) == table
    measured = (folders[0] / "results.jsonl").read_text()
    assert invoke(*wanted, "-o", folders[0])[0] == 0
    assert (folders[0] / "results.jsonl").read_text().split() == measured.split()


def test_the_page_and_the_json_hold_what_is_needed_and_load_nothing(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    code, out, _ = invoke(
        *("bench", "upscale", "--data", photos, "--scale", "2", "--methods", "bicubic,nearest,opencv cubic"),
        *("--json", "-o", tmp_path),
    )
    assert code == 0
    document = json.loads(out)
    assert document == json.loads((tmp_path / "bench.json").read_text(encoding="utf-8")) | {"date": document["date"]}
    rows = {row["method"]: row for row in document["rows"]}
    assert set(rows) == {"bicubic", "nearest", "opencv cubic", "input"}
    assert rows["opencv cubic"]["kind"] == "peer"
    assert rows["nearest"]["mean"]["psnr"] == pytest.approx(rows["input"]["mean"]["psnr"])  # both repeat pixels
    assert rows["bicubic"]["mean"]["psnr"] > rows["nearest"]["mean"]["psnr"]
    assert rows["bicubic"]["seconds_per_megapixel"] > 0
    assert rows["bicubic"]["peak_mb"] > 20
    assert document["complete"]
    assert {"machine", "versions", "protocol", "seed", "pictures"} <= set(document)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Best quality" in page
    assert page.count("<circle") == 2  # nearest is no better than the input
    assert page.count("data:image/webp") >= 6
    assert not re.search(r"(src|href)=(?![\"']?data:)", page)
    assert "http" not in re.sub(r"http-equiv", "", page)
    assert "$" not in page


def test_the_crops_are_of_what_gained_least(photos: Path, tmp_path: Path) -> None:
    """Stronger noise first, where a median gains most: what comes later takes the place of the first crops."""
    plan = BenchPlan(task="denoise", data=str(photos), methods="median", levels=(50.0, 25.0, 15.0, 5.0))
    run = run_bench(plan, tmp_path, progress=lambda *state: None)
    write_files(run, rows_of(run))
    gains = sorted(record["gain"] for record in run.results[1].scores.values())
    (row,) = (row for row in rows_of(run) if row.name == "median")
    assert [record["gain"] for record in row.worst] == gains[:3]
    assert len(list((tmp_path / "crops").iterdir())) == 3


def test_results_of_somebody_else_name_no_files_beyond_the_folder(photos: Path, tmp_path: Path) -> None:
    plan = BenchPlan(task="denoise", data=str(photos), methods="median", levels=(5.0, 15.0, 25.0, 50.0))
    folder, mine = tmp_path / "out", tmp_path / "mine.txt"
    mine.write_text("not a crop")
    run = run_bench(plan, folder, progress=lambda *state: None)
    foreign = re.sub('"crop": "[^"]*"', '"crop": "../mine.txt"', (folder / "results.jsonl").read_text())
    (folder / "results.jsonl").write_text(f"[1]\n{foreign}")
    run = run_bench(plan, folder, progress=lambda *state: None)
    write_files(run, rows_of(run))
    assert mine.exists()
    assert "bm90IGEgY3JvcA" not in (folder / "index.html").read_text(encoding="utf-8")  # its text in base64


def test_ctrl_c_keeps_what_is_done(photos: Path, tmp_path: Path, hear_interrupts: Callable[[], object]) -> None:
    command = [sys.executable, "-m", "anew.cli.main", "bench", "denoise", "--data", photos, "-o", tmp_path]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, preexec_fn=hear_interrupts, **pipes, text=True) as run:
        results = tmp_path / "results.jsonl"
        deadline = time.monotonic() + 60
        while not (results.exists() and results.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        for patience in (10, 10, 20):  # an interrupt that falls into a destructor is lost; a person presses again
            run.send_signal(signal.SIGINT)
            try:
                _, err = run.communicate(timeout=patience)
                break
            except subprocess.TimeoutExpired:
                continue
        else:
            run.kill()
            pytest.fail("three interrupts did not stop it")
    assert run.returncode == 130, err
    assert "Traceback" not in err
    assert "goes on from here" in err
    document = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    assert not document["complete"]
    assert len(document["measurements"]) >= 1
    assert "The run was stopped" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["unwarp"], "benchmarks exist for"),
        (["denoise", "--methods", "nlm,magic"], "no method 'magic'"),
        (["denoise", "--data", "/nowhere"], "no folder"),
        (["denoise", "--scale", "2"], "--scale is for upscale"),
        (["upscale", "--scale", "2.5"], "whole numbers"),
        (["denoise", "--sigma", "many"], "numbers with commas"),
        (["denoise", "--methods", ","], "no method is named; denoise has unet"),
    ],
)
def test_wrong_use_is_refused_before_anything_runs(
    invoke: Invoke, arguments: list[str], said: str, tmp_path: Path
) -> None:
    code, _, err = invoke("bench", *arguments, "-o", tmp_path / "out")
    assert code == 2
    assert said in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made_is_one_line(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = invoke("bench", "denoise", "--data", photos, "-o", tmp_path / "file")
    assert code == 2
    assert "file: cannot be a folder, as " in " ".join(err.split())


def test_a_full_disk_costs_one_line_and_no_measurement(tmp_path: Path) -> None:
    store = Store(tmp_path / "results.jsonl")
    store.add({"key": "first"})
    with full_disk(30):
        with pytest.raises(CannotWrite, match=r"results.jsonl: cannot be written \(File too large; mend that, and the"):
            store.add({"key": "second"})
        store.close()
    with (tmp_path / "results.jsonl").open("ab") as file:
        file.write(b"\xff\x00 what a failing disk leaves\n")
    again = Store(tmp_path / "results.jsonl")
    again.close()
    assert again.by_key == {"first": {"key": "first"}}


def test_a_broken_picture_is_left_out_and_a_foreign_page_is_kept(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.open(photos / "camera.png").save(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "a.png").write_bytes(b"no picture")
    with contextlib.suppress(OSError):  # such names are not possible everywhere
        os.rename(tmp_path / "in" / "b.png", tmp_path / "in" / os.fsdecode(b"b\xff.png"))
    (tmp_path / "in" / "c\n\x1b[2J.png").write_bytes(b"no picture")
    wanted = ("bench", "denoise", "--methods", "mean", "--sigma", "25", "-o", tmp_path / "out", "--data")
    code, out, err = invoke(*wanted, tmp_path / "in")
    assert code == 1
    assert "mean" in out
    assert "left out: " in err
    assert "a.png: not an image" in err
    assert r"c\n\x1b[2J.png: not an image" in err
    (tmp_path / "out" / "results.jsonl").unlink()
    page = (tmp_path / "out" / "index.html").read_bytes()
    code, _, err = invoke(*wanted, photos)
    assert code == 2
    assert "index.html is of no benchmark" in err
    assert (tmp_path / "out" / "index.html").read_bytes() == page


def test_compare_writes_over_no_input_and_says_what_did_nothing(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    picture = tmp_path / "flat.png"
    Image.new("RGB", (40, 40), (90, 120, 30)).save(picture)
    before = picture.read_bytes()
    wanted = ("compare", picture, "--methods", "median", "--overwrite")
    code, _, err = invoke(*wanted, "-o", picture)
    assert code == 2
    assert "is an input" in err
    assert picture.read_bytes() == before
    code, out, err = invoke(*wanted, "-o", tmp_path / "sheet.png", "--json")
    assert code == 0
    assert json.loads(out)["methods"][0]["changed"] is False
    assert "left it as it is" in err
    code, _, err = invoke("compare", picture, "--task", "deblur", "-o", tmp_path / "deblur.png")
    assert code == 0
    assert "left out: it needs the psf, e.g. --psf gaussian:1.5" in err


def test_a_benchmark_runs_nothing_that_lies_in_the_current_folder(
    invoke: Invoke, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("open('it-ran', 'w')\n")  # named like a module of Python's own
    monkeypatch.chdir(tmp_path)
    code, _, err = invoke("bench", "denoise", "--data", photos, "--methods", "mean", "--sigma", "25", "-o", "out")
    assert not (tmp_path / "it-ran").exists()
    assert code == 0, err


@pytest.mark.skipif(not Path("/bin/false").exists(), reason="there is no program that fails at once")
@pytest.mark.parametrize("levels", [1, 2000], ids=["a job that the pipe takes", "a larger one"])
def test_a_process_that_ends_at_once_is_a_failure_of_its_method(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, levels: int
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    plan = BenchPlan(task="denoise", data=str(photos), methods="mean", levels=tuple(np.linspace(1, 255, levels)))
    run = run_bench(plan, tmp_path, progress=lambda *state: None)
    assert [result.failures for result in run.results] == 2 * [
        ["its process ended early: killed, most likely for memory"]
    ]


def test_compare_refuses_other_libraries_and_broken_references_before_anything_runs(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    wanted = ("compare", photos / "camera.png", "-o", tmp_path / "sheet.png", "--methods")
    code, _, err = invoke(*wanted, "median,skimage tv")
    assert code == 2
    assert "denoise has no method 'skimage tv'; it has unet, camera" in " ".join(err.split())
    assert "noise:" not in err
    assert "opencv" not in err
    tifffile.imwrite(tmp_path / "holed.tif", np.full((96, 96), np.nan, np.float32))
    code, _, err = invoke(*wanted, "median", "--reference", tmp_path / "holed.tif")
    assert code == 2
    assert "--reference: it holds NaN" in " ".join(err.split())
    assert "noise:" not in err


@pytest.mark.parametrize("command", [("compare", "--methods"), ("denoise", "--try")], ids=" ".join)
def test_a_method_that_lacks_something_is_no_reason_to_run_none(
    command: tuple[str, str], invoke: Invoke, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANEW_PROVIDER", "no such")
    code, _, err = invoke(
        command[0], photos / "camera.png", "-o", tmp_path / "sheet.png", command[1], "unet,median", "--sigma", "0.1"
    )
    assert code == 0
    assert re.search(r"^unet +.*unknown provider 'no such'", err, re.MULTILINE)
    assert re.search(r"^median +.* s", err, re.MULTILINE)


def test_a_call_is_timed_after_one_that_warms() -> None:
    seconds, image = [0.3, 0.0], np.full((20, 20, 1), 0.5, np.float32)

    def run(x: np.ndarray) -> np.ndarray:
        time.sleep(seconds.pop(0))
        return x

    assert try_method("slow at first", image, run, warm=True).seconds < 0.2
    assert seconds == []


def test_compare_estimates_the_quality_that_it_cannot_see(invoke: Invoke, tmp_path: Path) -> None:
    clean = skimage.data.chelsea()[60:220, 100:300]
    noisy = np.rint((clean + np.random.default_rng(0).normal(0, 20, clean.shape)).clip(0, 255)).astype(np.uint8)
    Image.fromarray(clean).save(tmp_path / "clean.png")
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    sheet = tmp_path / "sheet.png"
    wanted = ("compare", tmp_path / "noisy.png", "--methods", "tv,gaussian,median", "--sigma", "20/255", "--json")
    code, out, _ = invoke(*wanted, "-o", sheet)
    assert code == 0
    estimated = {m["method"]: m["estimated_psnr"] for m in json.loads(out)["methods"]}
    with Image.open(sheet) as drawn:
        assert drawn.size[0] > 1000
        height = drawn.size[1]
    assert invoke(*wanted, "-o", sheet)[0] == 2  # it exists
    code, out, _ = invoke(*wanted, "-o", sheet, "--overwrite", "--reference", tmp_path / "clean.png")
    true = {m["method"]: m["psnr"] for m in json.loads(out)["methods"]}
    assert list(true) == ["tv", "gaussian", "median"]  # the best first
    for name, psnr in true.items():
        assert estimated[name] == pytest.approx(psnr, abs=0.6)
    assert height > 300


@pytest.mark.parametrize("scale", [1.5, 2, 2.6])
def test_compare_shows_the_input_where_it_shows_the_results(
    invoke: Invoke, photos: Path, tmp_path: Path, scale: float
) -> None:
    wanted = ("--task", "upscale", "--scale", scale, "--methods", "nearest,bicubic", "-o", tmp_path / "sheet.png")
    assert invoke("compare", photos / "astronaut.png", *wanted)[0] == 0
    small = anew.read(photos / "astronaut.png").pixels
    large = anew.upscale(small, scale=scale, method="nearest")
    tried = [Compared(name, x, 0.1, 1.0, {}) for name, x in (("nearest", large), ("white", np.ones_like(large)))]
    sheet, expected = (draw_comparison("upscale", x, tried) for x in (small, large))
    np.testing.assert_array_equal(sheet[-300:], expected[-300:])  # the last of the close views


def test_evaluate_pairs_by_name_and_names_what_is_alone(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    with Image.open(photos / "astronaut.png") as image:
        x = np.asarray(image)
    Image.fromarray(np.clip(x, 10, 255) - 10).save(results / "astronaut.bmp")  # another ending
    Image.fromarray(x).save(results / "extra.png")
    code, out, err = invoke("evaluate", results, "--reference", photos, "--json")
    assert code == 1
    document = json.loads(out)
    (row,) = document["results"]
    expected = 20 * np.log10(255) - 10 * np.log10(np.mean((np.clip(x, 10, 255) - 10.0 - x) ** 2))
    assert row["psnr"] == pytest.approx(expected, abs=1e-3)
    assert row["ms_ssim"] is None  # too small
    assert [Path(name).name for name in document["unmatched"]] == ["extra.png"]
    assert [Path(name).name for name in document["unused"]] == ["camera.png"]
    assert "extra.png: no counterpart" in err
    (results / "extra.png").unlink()
    code, _, err = invoke("evaluate", results, "--reference", photos)
    assert (code, err) == (0, f"anew: 1 reference picture has no result in {results} (camera.png)\n")
    code, out, _ = invoke("evaluate", photos, "--reference", photos)
    assert code == 0
    assert re.search(r"mean +100\.00 +1\.0000 +- +0\.0000 +1\.000 +0\.0000", out)


def test_evaluate_says_why_there_is_nothing_to_see(invoke: Invoke, tmp_path: Path) -> None:
    Image.new("RGB", (3, 2)).save(tmp_path / "dot.png")
    code, out, err = invoke("evaluate", tmp_path / "dot.png")
    assert code == 0
    assert "dot.png: too small for any of these measures" in err
    (tmp_path / "dot.png").write_bytes(b"")
    code, out, err = invoke("evaluate", tmp_path / "dot.png")
    assert (code, out) == (1, "")
    assert "the file is empty" in err


def test_evaluate_without_reference(invoke: Invoke, photos: Path, tmp_path: Path) -> None:
    code, out, _ = invoke("evaluate", photos, "--json")
    assert code == 0
    document = json.loads(out)
    assert [row["file"] for row in document["results"]] == ["astronaut.png", "camera.png"]
    assert document["results"][0]["niqe"] is None  # too small
    assert document["mean"]["noise"] < 5
    assert invoke("evaluate", tmp_path / "nothing")[0] == 2
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    code, _, err = invoke("evaluate", tmp_path)
    assert code == 1
    assert "broken.png" in err
