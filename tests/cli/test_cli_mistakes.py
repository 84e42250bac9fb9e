"""Mistakes at the command line: each is one line and exit status 2, before anything is computed or lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew
from anew.cli import main
from anew.cli.attempt import Outcome, attempt
from anew.cli.jobs import Job
from anew.cli.workers import outcomes as outcomes_of
from full_disk import full_disk

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the same noisy picture as ``a.png`` and ``a.tif``, in ``sub`` too, and other files."""
    noisy = np.random.default_rng(0).normal(128, 25, (48, 64, 3)).clip(0, 255).astype(np.uint8)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name in ("a.png", "a.tif", "sub/a.png"):
        Image.fromarray(noisy).save(tmp_path / "in" / name)
    Image.fromarray(noisy).save(tmp_path / "one.png")
    Image.fromarray(noisy[:24]).save(tmp_path / "half.png")
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "page.html").write_text("mine")
    (tmp_path / "kernel.npy").write_bytes(b"junk")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "far.json").write_text('{"steps": [{"kind": "noise", "task": "denoise", "parameters": {"sigma": 25}}]}')
    (tmp_path / "words.json").write_text("{no json")
    (tmp_path / "junk.zip").write_bytes(b"PK junk")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("restore one.png -o x.png --report one.png", "expected a name that ends in .html"),
        ("restore one.png -o x.png --report notes.txt", "expected a name that ends in .html"),
        ("restore one.png -o x.png --report page.html", "page.html exists already"),
        ("restore one.png -o x.png --sheet one.png --overwrite", "is already an input or an output"),
        ("restore one.png -o x.png --sheet x.png", "is already an input or an output"),
        ("restore in -o out --sheet s.png", "3 inputs need a folder"),
        ("restore one.png half.png -o both.png", "both.png is the name of a file"),
        ("restore in -o one.png", "one.png is a file"),
        ("restore one.png -o -", "not standard input and output"),
        ("restore - -o x.png", "not standard input and output"),
        ("restore one.png -o x.png --report -", "not standard input and output"),
        ("plan one.png -o -", "not standard input and output"),
        ("generate dots --each --output=- --size 8", "not standard input and output"),
        ("plan one.png --output=", "an argument is empty"),
        ("restore one.png -o x.foo", "no known image format"),
        ("restore one.png -o nowhere/x.png", "there is no such folder"),
        ("restore in/sub -o half.png", "need a folder as output; half.png is a file"),
        ("restore in -o notes.txt/deep", "notes.txt is a file"),
        ("restore one.png -o x.png --report notes.txt/deep", "notes.txt is a file"),
        ("diagnose one.png --maps notes.txt/deep", "notes.txt is a file"),
        ("generate dots --each -o notes.txt/deep", "notes.txt is a file"),
        ("plan one.png -o one.png --overwrite", "one.png is an input, which would be lost"),
        ("denoise one.png --try mean -o one.png --overwrite", "one.png is an input, which would be lost"),
        ("inpaint one.png --mask half.png -o half.png --overwrite", "half.png is an input, which would be lost"),
        ("restore one.png --mask half.png -o half.png --overwrite", "half.png is an input, which would be lost"),
        ("restore empty.json/*.png", "no image found in empty.json/*.png (known endings: .png"),
        ("restore one.png one.png -o out", "one.png is given twice; name it once"),
        ("restore one.png in/sub/a.png in/a.png -o out", "become out/a.png; give the folder that they lie in"),
        ("degrade one.png -o x.png --with noise --seed -1", "--seed"),
        ("restore one.png --overwrite --skip-existing", "contradict each other"),
        ("restore one.png --only noise --skip noise", "in --only and in --skip"),
        ("plan one.png --only noise --skip noise", "in --only and in --skip"),
        ("plan nowhere.png --only nois", "unknown damage 'nois'"),
        ("models denoise-unet --inspect notes.txt/deep", "notes.txt is a file"),
        ("restore one.png --plan nowhere.json", "No such file"),
        ("restore one.png --plan words.json", "words.json"),
        ("restore one.png --plan empty.json", "steps is missing"),
        ("restore one.png --plan far.json", "sigma must be in [0, 1]"),
        ("restore one.png --mask nowhere.png", "there is no such file"),
        ("inpaint one.png --mask nowhere.png -o x.png", "there is no such file"),
        ("deblur one.png --psf kernel.npy -o x.png", "no array of weights"),
        ("deblur one.png --psf nowhere.npy -o x.png", "No such file"),
        ("deblur one.png --psf foo:1 -o x.png", "gaussian:SIGMA"),
        ("denoise one.png --try mean,median -o page.html", "no known image format"),
        ("denoise one.png --try , -o x.png", "name methods, or write all; denoise has unet, camera, bm3d"),
        ("denoise one.png --try mean,foo -o x.png", "denoise has no method 'foo'"),
        ("denoise one.png --try mean --set siz=5 -o x.png", "no method of the sheet has an option 'siz'; did you mean"),
        ("denoise one.png --try median,bm3d --set size=4 -o x.png", "size should be odd, got 4"),
        ("denoise one.png --try mean,median --method nlm -o x.png", "leave --method out"),
        ("denoise one.png --try mean,median -o half.png", "half.png exists already"),
        ("denoise one.png --method recorrupted --set progress=1", "from programs alone"),
        ("denoise one.png --method bm3d --set profile=foo -o x.png", "profile must be one of"),
        ("denoise one.png --method wavelet --set wavelet=zz -o x.png", "wavelet must be an orthogonal one"),
        ("denoise one.png --method luma-chroma --set denoiser=zz -o x.png", "no method 'zz'"),
        ("denoise one.png --set model=nope -o x.png", "no model 'nope'"),
        ("denoise one.png --try mean,median -o nowhere/x.png", "there is no such folder"),
        ("compare one.png --methods median -o nowhere/x.png", "there is no such folder"),
        ("replay nowhere.png --input one.png -o half.png", "half.png exists already; use --overwrite or another -o"),
        ("replay nowhere.png --input one.png -o nowhere/x.png", "there is no such folder"),
        ("plan one.png -o nowhere/plan.json", "there is no such folder"),
        ("restore one.png -o half.png", "half.png exists already; use --overwrite, --skip-existing or another -o"),
        ("compare one.png --methods median --reference half.png -o x.png", "the result has 64 x 48"),
        ("compare one.png --task upscale --methods lanczos --reference one.png -o x.png", "the result has 128 x 96"),
        ("compare one.png --task inpaint --methods telea -o x.png", "no hole was found"),
        ("compare . --methods median", ". is a folder; give one picture"),
        ("compare one.png --methods median -o notes.txt", "no known image format"),
        ("degrade one.png -o x.png --with noise:sigma=-1", "sigma must be"),
        ("degrade one.png -o x.png --with noise:sigma=25", "from 0 to 1, got 25; for grey levels of 255 write 25/255"),
        ("degrade one.png -o x.png --with motion:length=9,angle=3", "join the settings of one by colons"),
        ("augment one.png -o x --with rotate:degrees=9,p=1", "join the settings of one by colons"),
        ("degrade --with noise", "name the pictures"),
        ("degrade in -o out --with noise --truth", "in/a.png and in/a.tif"),
        ("diagnose in --maps page.html", "page.html is a file"),
        ("models nope", "no model 'nope'"),
        ("models denoise-unett", "did you mean 'denoise-unet'?"),
        ("models denoise-unet --inspect looks --at 99999 1", "99999, 1 is outside the picture"),
        ("train denoise --data in -o runs --set batch=0", "batch=0"),
        ("train denoise --data in -o runs --set learning_rate=NaN", "learning_rate"),
    ],
)
def test_wrong_use_is_one_line_and_touches_nothing(command: str, message: str, folder: Path, invoke: Invoke) -> None:
    if command.startswith("train"):
        pytest.importorskip("torch")
    before = contents(folder)
    code, out, err = invoke(*command.split())
    assert code == 2, err
    assert not out
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("--device", "tpu"), "no device 'tpu'"),
        (("--data", "junk.zip"), "nor a whole .zip"),
        (("-o", "notes.txt"), "cannot make this folder"),
        (("--from", "gan-digits"), "gan-digits is for generate"),
    ],
)
def test_a_training_that_cannot_be_is_one_line(
    changes: tuple[str, str], message: str, folder: Path, invoke: Invoke
) -> None:
    pytest.importorskip("torch")
    options = {"--data": "in", "-o": "runs", "--steps": "1"} | dict([changes])
    settings = [word for pair in options.items() for word in pair]
    code, _, err = invoke("train", "denoise", *settings, "--set", "patch=16", "--set", "validation=1")
    assert code == (1 if "--data" in changes else 2)
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command",
    [
        "restore EMPTY",
        "diagnose EMPTY",
        "evaluate EMPTY",
        "restore in/a.png -o EMPTY",
        "restore one.png -o x.png --report EMPTY",
        "augment one.png -n 1 -o EMPTY",
        "bench denoise --data in --methods mean -o EMPTY",
    ],
)
def test_an_empty_name_is_not_the_current_folder(command: str, folder: Path, invoke: Invoke) -> None:
    before = contents(folder)
    code, _, err = invoke(*["" if word == "EMPTY" else word for word in command.split()])
    assert (code, "an argument is empty" in err) == (2, True)
    assert contents(folder) == before


def test_pages_of_like_names_keep_apart(folder: Path, invoke: Invoke) -> None:
    assert invoke("restore", "in", "-o", "out", "--report", "pages", "--sheet", "pages")[0] == 0
    pages = sorted(str(path.relative_to("pages")) for path in Path("pages").rglob("*.*"))
    assert pages == ["a.png.html", "a.png.png", "a.tif.html", "a.tif.png", "index.html", "sub/a.html", "sub/a.png"]
    before = contents(folder)
    assert invoke("restore", "in/sub", "-o", "other", "--report", "pages/sub")[0] == 2
    assert contents(folder) == before
    assert invoke("restore", "in/sub", "-o", "other", "--report", "pages/sub", "--overwrite")[0] == 0


def test_that_no_map_is_written_is_said(folder: Path, invoke: Invoke) -> None:
    Image.new("RGB", (40, 30), (90, 120, 30)).save("flat.png")
    code, out, _ = invoke("diagnose", "flat.png", "--maps", "maps")
    assert code == 0
    assert "No map is written" in out
    assert not Path("maps").exists()


def test_maps_of_like_names_keep_apart_and_are_not_overwritten(folder: Path, invoke: Invoke) -> None:
    holed = np.array(Image.open("one.png"))
    holed[10:30, 10:40] = (255, 0, 255)
    for name in ("a.png", "a.tif"):
        Image.fromarray(holed).save(folder / "in" / name)
    assert invoke("diagnose", "in", "--maps", "maps")[0] == 0
    maps = sorted(path.name for path in Path("maps").rglob("*holes.png"))
    assert maps == ["a.png-holes.png", "a.tif-holes.png"]
    code, _, err = invoke("diagnose", "in", "--maps", "maps")
    assert code == 1
    assert "exists already" in err
    assert invoke("diagnose", "in", "--maps", "maps", "--overwrite")[0] == 0


def test_going_on_in_a_folder_leaves_its_results_alone(folder: Path, invoke: Invoke) -> None:
    for where in ((), ("-o", "in/out")):
        assert invoke("denoise", "in", "--method", "mean", *where)[0] == 0
        made = contents(folder)
        code, _, err = invoke("denoise", "in", "--method", "mean", "--skip-existing", *where)
        assert code == 0, err
        assert contents(folder) == made
        if not where:
            for path in Path("in").rglob("*-denoised.*"):
                path.unlink()


def test_a_dry_run_says_what_the_run_would_do(folder: Path, invoke: Invoke) -> None:
    plan = {"steps": [{"kind": "tilt", "task": "unwarp", "method": "tilt", "parameters": {"angle": 3.0}}]}
    (folder / "plan.json").write_text("\ufeff" + json.dumps(plan), encoding="utf-8")
    assert "tilt" in invoke("restore", "one.png", "--dry-run", "--plan", "plan.json")[1]
    assert "as the strength is 0" in invoke("restore", "one.png", "--dry-run", "--strength", "0")[1]
    assert "At a strength of 0.5." in invoke("restore", "one.png", "--dry-run", "--strength", "0.5")[1]
    mask = np.zeros((48, 64), np.uint8)
    mask[4:9, 4:9] = 255
    Image.fromarray(mask).save("mask.png")
    assert "marked: inpaint" in invoke("restore", "one.png", "--dry-run", "--mask", "mask.png")[1]


def test_what_is_left_alone_is_said(folder: Path, invoke: Invoke) -> None:
    out = invoke("restore", "one.png", "--skip", "noise", "-o", "x.png")[1]
    assert "Left alone, as the plan leaves it out: noise." in out
    assert "as the strength is 0" in invoke("restore", "one.png", "--strength", "0", "-o", "y.png")[1]


def test_json_is_one_object_for_sheets_too(folder: Path, invoke: Invoke) -> None:
    code, out, _ = invoke("denoise", "one.png", "--try", "mean,median", "-o", "x.png", "--json")
    assert code == 0
    assert [m["method"] for m in json.loads(out)["methods"]] == ["mean", "median"]


def test_a_setting_goes_to_the_methods_of_a_sheet_that_take_it(folder: Path, invoke: Invoke) -> None:
    settings = ("--set", "size=5", "--set", "kernel=[[0,0,0],[0,1,0],[0,0,0]]")
    code, out, err = invoke("denoise", "one.png", "--try", "mean,wiener,custom", *settings, "-o", "x.png", "--json")
    assert code == 0, err
    assert not [m for m in json.loads(out)["methods"] if "not run" in m["note"]]


def test_a_sheet_on_which_nothing_ran_is_not_written(folder: Path, invoke: Invoke) -> None:
    anew.write(np.full((8, 8), np.nan, np.float32), "nan.pfm")
    code, _, err = invoke("denoise", "nan.pfm", "--try", "mean,median", "-o", "x.png")
    assert (code, "no method of denoise ran on nan.pfm" in err) == (2, True)
    assert not Path("x.png").exists()


def test_enlarging_has_a_budget(folder: Path, invoke: Invoke) -> None:
    code, _, err = invoke("upscale", "one.png", "--scale", "64", "--max-megapixels", "1", "-o", "x.png")
    assert code == 1
    assert "12.58 megapixels, above the budget of 1" in err


@pytest.mark.parametrize("shape", [(1, 200), (2, 2), (8, 40)])
def test_noise_that_cannot_be_measured_is_no_zero(shape: tuple[int, int], folder: Path, invoke: Invoke) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8)).save("tiny.png")
    code, out, _ = invoke("evaluate", "tiny.png", "--json")
    assert code == 0
    assert json.loads(out)["results"][0]["noise"] is None


def test_the_list_of_damages_needs_no_picture(invoke: Invoke) -> None:
    code, out, _ = invoke("degrade")
    assert code == 0
    assert "scratches" in out


def test_an_archive_of_images_is_data(folder: Path) -> None:
    pytest.importorskip("torch")
    from anew.training.data import load_images

    with zipfile.ZipFile("whole.zip", "w") as archive:
        archive.write("one.png")
    assert len(load_images(Path("whole.zip"), channels=3, min_size=16)) == 1


def test_what_nobody_foresaw_is_one_line_and_the_others_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def work(job: Job) -> Outcome:
        if job.source.name == "half.png":
            raise KeyError("surprise")
        return Outcome(job, f"{job.source} done")

    jobs = [Job(Path(name), None) for name in ("half.png", "one.png")]
    outcomes = [attempt(work, job) for job in jobs]
    assert outcomes[0].error == "half.png: KeyError, which should not happen: 'surprise'"
    assert outcomes[1].error is None


@pytest.fixture
def locked(folder: Path) -> Iterator[Path]:
    """A folder that may not be looked into, with a picture."""
    place = folder / "in" / "locked"
    place.mkdir()
    Image.new("L", (8, 8), 99).save(place / "a.png")
    place.chmod(0)
    if os.access(place, os.R_OK):
        pytest.skip("nothing is locked to who may do all")
    yield place
    place.chmod(0o700)


@pytest.mark.parametrize("command", ["diagnose in", "diagnose in/a.png in/locked/a.png", "diagnose in/locked in/a.png"])
def test_what_may_not_be_read_is_said_and_the_others_are_done(command: str, locked: Path, invoke: Invoke) -> None:
    code, out, err = invoke(*command.split())
    assert (code, "in/a.png" in out) == (1, True)
    assert re.findall(r"anew: (.*)", err)[0].startswith("in/locked")
    assert "no permission to read it" in err


@pytest.mark.parametrize(
    "command",
    [
        "restore in/a.png -o in/locked/x.png",
        "restore in/a.png -o in/locked/deep",
        "restore in/a.png -o x.png --report in/locked/x.html",
        "plan in/a.png -o in/locked/x.json",
        "compare in/a.png -o in/locked/x.png",
        "generate dots -o in/locked/x.png",
    ],
)
def test_a_place_that_may_not_be_written_to_is_refused_at_once(command: str, locked: Path, invoke: Invoke) -> None:
    code, out, err = invoke(*command.split())
    assert (code, out) == (2, "")
    assert "no permission to write in in/locked" in " ".join(err.split())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
def test_that_the_output_cannot_be_printed_is_one_line() -> None:
    command = f"{sys.executable} -m anew.cli.main methods > /dev/full"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("anew: a file, or standard output: No space left on device; ")


def test_a_full_disk_leaves_no_half_text(folder: Path, invoke: Invoke) -> None:
    Image.new("RGB", (1, 1), "teal").save("dot.png")
    Path("plan.json").write_text("of yesterday")
    with full_disk(100):
        planned = invoke("plan", "one.png", "-o", "plan.json", "--overwrite")
        damaged = invoke("degrade", "dot.png", "--with", "noise", "--truth", "-o", "bad.png")
    assert (planned[0], "plan.json: cannot be written (File too large" in planned[2]) == (1, True)
    assert (damaged[0], "bad.truth.json: cannot be written (File too large" in damaged[2]) == (1, True)
    assert Path("plan.json").read_text() == "of yesterday"
    assert sorted(path.name for path in folder.glob("bad*")) == ["bad.mask.png", "bad.png"]


def die(job: Job) -> Outcome:
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(job)


def test_a_killed_worker_is_one_line_for_each_file() -> None:
    jobs = [Job(Path(f"{k}.png"), None) for k in range(3)]
    outcomes = list(outcomes_of(jobs, die, 2, lambda job: job))
    assert sorted(outcome.job.source.name for outcome in outcomes) == ["0.png", "1.png", "2.png"]
    assert all("a process ended early" in (outcome.error or "") for outcome in outcomes)


def test_an_unforeseen_error_is_one_line(monkeypatch: pytest.MonkeyPatch, invoke: Invoke) -> None:
    def fail() -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(main, "app", fail)
    assert invoke() == (1, "", "anew: ZeroDivisionError: division by zero (ANEW_TRACEBACK=1 shows where)\n")
    monkeypatch.setenv("ANEW_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        invoke()


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ((255, 255, 255, 255), (0, 0, 0, 255)),
        ((255, 0, 0, 255), (0, 0, 0, 255)),
        ((0, 0, 0, 255), (0, 0, 0, 0)),
        ((255, 255, 255, 255), (255, 255, 255, 0)),
        ((0, 0, 255, 200), (255, 255, 255, 0)),
    ],
)
def test_a_mask_may_be_painted_in_any_colour_or_on_a_layer(
    ink: tuple[int, ...], ground: tuple[int, ...], tmp_path: Path
) -> None:
    from anew.cli.masks import read_mask

    pixels = np.full((40, 40, 4), ground, np.uint8)
    pixels[10:20, 5:15] = ink
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    expected = np.zeros((40, 40), bool)
    expected[10:20, 5:15] = True
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), expected)


@pytest.mark.parametrize(("level", "message"), [(0, "marks nothing; paint white"), (255, "marks the whole picture")])
def test_a_mask_of_nothing_or_everything_is_refused(level: int, message: str, folder: Path, invoke: Invoke) -> None:
    Image.new("L", (40, 30), level).save("mask.png")
    for command in ("restore", "inpaint"):
        code, _, err = invoke(command, "in/a.png", "--mask", "mask.png", "-o", "out.png")
        assert code == 2
        assert message in " ".join(err.split())
        assert not Path("out.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_cannot_break_a_line_or_steer_the_terminal(folder: Path, invoke: Invoke) -> None:
    names = folder / "names"
    names.mkdir()
    (names / "bad\nanew: \x1b[31mred.png").write_text("no picture")
    Image.new("L", (8, 8), 99).save(names / "good\n\x1b[2J.png")
    code, out, err = invoke("diagnose", names)
    assert code == 1
    assert "\x1b" not in out + err
    assert out.splitlines()[0] == rf"{names}/good\n\x1b[2J.png:"
    assert err.splitlines()[0].startswith(rf"anew: {names}/bad\nanew: \x1b[31mred.png: not an image")
    code, out, err = invoke("plan", names / "bad\nanew: \x1b[31mred.png")
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert "\x1b" not in err
    code, out, _ = invoke("diagnose", names, "--json")
    inputs = [entry["input"] for entry in json.loads(out)["results"]]
    assert str(names / "good\n\x1b[2J.png") in inputs  # programs are given the names as they are
    odd = names / "good\n\x1b[2J.png"
    _, out, _ = invoke("restore", odd, "-o", folder / "odd.png", "--report", folder / "a\nb.html")
    assert rf"  report: {folder}/a\nb.html" in out.splitlines()
    _, out, _ = invoke("degrade", odd, "--with", "noise:sigma=0.1", "-o", folder / "a\nb.png", "--truth")
    assert rf"  truth: {folder}/a\nb.truth.json" in out.splitlines()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize(
    ("command", "code", "lines"),
    [
        ("evaluate OLD", 0, 4),
        ("evaluate OLD --reference in/a.png", 1, 1),
        ("evaluate names --reference in", 1, 2),
        ("compare OLD --methods mean -o NEW", 0, 3),
        ("generate dots --size 8 -o NEW", 0, 1),
        ("generate dots --size 8 -o OLD", 2, 4),
        ("augment NEW.png -o out -n 1", 1, 1),
        ("denoise NEW -o OLD", 2, 4),
    ],
)
def test_no_command_prints_a_name_that_steers(
    command: str, code: int, lines: int, folder: Path, invoke: Invoke
) -> None:
    Path("names").mkdir()
    Image.new("L", (8, 8), 99).save("names/old\nanew: \x1b[2J.png")
    names = {"OLD": "names/old\nanew: \x1b[2J.png", "NEW": "names/new\n\x1b[2J.png"}
    found, out, err = invoke(*[names.get(word, word) for word in command.split()])
    assert "\x1b" not in out + err
    assert (found, len((out + err).splitlines())) == (code, lines)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are UTF-8")
def test_a_terminal_need_not_know_the_letters_of_a_name(tmp_path: Path) -> None:
    name = os.fsdecode("grün ".encode() + b"\xff.png")
    command = [sys.executable, "-m", "anew.cli.main", "generate", "dots", "--size", "8", "-o", name]
    latin = {**os.environ, "PYTHONIOENCODING": "ascii"}
    run = subprocess.run(command, cwd=tmp_path, env=latin, capture_output=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, rb"gr\xfcn " + b"\xff.png\n", b"")


@pytest.mark.skipif(os.name == "nt", reason="of a shell")
def test_a_caller_may_close_standard_error(folder: Path) -> None:
    command = f"{sys.executable} -m anew.cli.main augment in -o more -n 1 2>&-"
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "in/a.png -> 1 in more" in run.stdout


def test_files_of_frames_have_the_numbers_that_are_printed(folder: Path, invoke: Invoke) -> None:
    pages = [Image.new("L", (8, 8), value) for value in (60, 160)]
    pages[0].save(folder / "two.tif", save_all=True, append_images=pages[1:])
    invoke("restore", "two.tif", "-o", "two-r.tif", "--report", "pages")
    assert {page.name for page in (folder / "pages").glob("two*")} == {"two-frame1.html", "two-frame2.html"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("inpaint two.tif -o x.jpg", "JPEG holds one picture, got 2"),
        ("restore two.tif -o x.jpg --mask half.png", "half.png has 64 x 24 pixels, the picture 8 x 8; give a mask of"),
        ("inpaint one.png -o x.png --mask half.png", "half.png has 64 x 24 pixels, the picture 64 x 48; give a mask"),
        ("compare one.png --task inpaint --mask half.png", "half.png has 64 x 24 pixels, the picture 64 x 48"),
        ("restore two.tif -o x.tif --report pages", "pages/two-frame2.html: exists already"),
        ("plan two.tif", "holds 2 frames, expected one picture"),
        ("inpaint clear.png -o x.jpg", "JPEG holds no transparency"),
        ("restore clear.png -o x.pfm --report clear.html", "PFM holds no transparency"),
    ],
)
def test_what_cannot_be_is_said_before_the_work(command: str, message: str, folder: Path, invoke: Invoke) -> None:
    pages = [Image.new("L", (8, 8), value) for value in (60, 160)]
    pages[0].save(folder / "two.tif", save_all=True, append_images=pages[1:])
    (folder / "pages").mkdir()
    (folder / "pages" / "two-frame2.html").write_text("mine")
    Image.new("RGBA", (8, 8), (9, 99, 200, 128)).save("clear.png")
    before = contents(folder)
    code, out, err = invoke(*command.split())
    assert code in (1, 2)
    assert message in " ".join(err.split())
    assert len([line for line in err.splitlines() if line]) <= 3
    assert (out, contents(folder)) == ("", before)
