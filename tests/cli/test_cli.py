"""The command line as a person uses it: real files, real exit codes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import anew

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture
def photo(tmp_path: Path, colour_photo: np.ndarray) -> Path:
    """A small photograph as PNG."""
    path = tmp_path / "photo.png"
    Image.fromarray((colour_photo * 255).round().astype(np.uint8)).save(path)
    return path


@pytest.fixture
def noisy(tmp_path: Path, colour_photo: np.ndarray) -> Path:
    """A noisy photograph as PNG."""
    noise = np.random.default_rng(0).normal(0, 0.1, colour_photo.shape)
    path = tmp_path / "noisy.png"
    Image.fromarray(((colour_photo + noise).clip(0, 1) * 255).round().astype(np.uint8)).save(path)
    return path


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def psnr(path: Path, reference: np.ndarray) -> float:
    return -10 * float(np.log10(np.mean((pixels_of(path) / 255.0 - reference) ** 2)))


def test_help_names_every_command_and_fits_a_screen(invoke: Invoke) -> None:
    code, out, _ = invoke("--help")
    assert code == 0
    for name in (
        "restore",
        "diagnose",
        "plan",
        "replay",
        "denoise",
        "degrade",
        "methods",
        "models",
        "train",
        "bench",
        "compare",
    ):
        assert name in out
    assert len(out.splitlines()) <= 40
    code, out, _ = invoke("restore", "--help")
    assert code == 0
    assert "Example:" in out
    assert len(out.splitlines()) <= 48


def test_version(invoke: Invoke) -> None:
    assert invoke("--version")[1].strip() == f"anew {anew.__version__}"


def test_restore_without_options_makes_a_noisy_photo_better(
    invoke: Invoke, noisy: Path, colour_photo: np.ndarray
) -> None:
    code, out, err = invoke("restore", noisy)
    assert (code, err) == (0, "")
    result = noisy.with_name("noisy-restored.png")
    assert psnr(result, colour_photo) > psnr(noisy, colour_photo) + 3
    assert "noise" in out.lower()


def test_restore_gives_a_good_picture_back_byte_for_byte(invoke: Invoke, photo: Path) -> None:
    code, _, _ = invoke("restore", photo, "-o", photo.with_name("same.png"))
    assert code == 0
    assert photo.with_name("same.png").read_bytes() == photo.read_bytes()


def test_dry_run_and_diagnose_write_nothing(invoke: Invoke, noisy: Path) -> None:
    before = sorted(noisy.parent.iterdir())
    assert invoke("restore", noisy, "--dry-run")[0] == 0
    code, out, _ = invoke("diagnose", noisy, "--json")
    assert code == 0
    findings = json.loads(out)["results"][0]["findings"]
    assert any(f["kind"] == "noise" and 0.07 < f["details"].get("sigma", 0.1) < 0.13 for f in findings)
    assert sorted(noisy.parent.iterdir()) == before


def test_a_plan_can_be_made_edited_and_followed(invoke: Invoke, noisy: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    assert invoke("plan", noisy, "-o", plan)[0] == 0
    steps = json.loads(plan.read_text())
    assert steps["steps"][0]["kind"] == "noise"
    steps["steps"][0]["method"] = "median"
    plan.write_text(json.dumps(steps))
    code, out, _ = invoke("restore", noisy, "--plan", plan, "-o", tmp_path / "planned.png")
    assert code == 0
    assert "median" in out
    plan.write_text(json.dumps({**steps, "colour": "blue"}))
    code, _, err = invoke("restore", noisy, "--plan", plan, "-o", tmp_path / "refused.png")
    assert code == 2
    assert "colour" in err
    assert not (tmp_path / "refused.png").exists()


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("garbage", "the recipe is no JSON"),
        ("[" * 5000, "the recipe is no JSON"),
        ("5", "the recipe does not validate"),
        ('{"generate": {"what": "marble"}}', "the recipe is of a generated picture; `anew generate` with"),
    ],
)
def test_a_recipe_that_is_none_is_one_line(
    recipe: str, message: str, invoke: Invoke, noisy: Path, tmp_path: Path
) -> None:
    anew.write(anew.read(noisy), tmp_path / "made.png", recipe=recipe)
    code, out, err = invoke("replay", tmp_path / "made.png", "--input", noisy, "-o", tmp_path / "again.png")
    assert (code, out) == (1, "")
    assert err.startswith("anew: ")
    assert message in err
    assert "TRACEBACK" not in err


def test_replay_gives_the_same_file_again(invoke: Invoke, noisy: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.png", tmp_path / "again.png"
    assert invoke("restore", noisy, "-o", first)[0] == 0
    assert invoke("replay", first, "--input", noisy, "-o", again)[0] == 0
    np.testing.assert_array_equal(pixels_of(first), pixels_of(again))
    code, _, err = invoke("replay", noisy, "--input", noisy, "-o", tmp_path / "no.png")
    assert code == 1
    assert "carries no recipe" in err
    anew.write(np.eye(9, dtype=np.float32), tmp_path / "small.png")
    code, _, err = invoke(
        "replay", first, "--input", noisy, "--mask", tmp_path / "small.png", "-o", tmp_path / "no.png"
    )
    assert code == 2
    assert "small.png has 9 x 9 pixels" in " ".join(err.split())


def test_replay_says_of_a_mask_that_it_is_not_needed(invoke: Invoke, noisy: Path, tmp_path: Path) -> None:
    first, marked, mask = tmp_path / "first.png", tmp_path / "marked.png", tmp_path / "mask.png"
    x = np.zeros(pixels_of(noisy).shape[:2], np.uint8)
    x[10:14, 10:40] = 255
    Image.fromarray(x).save(mask)
    assert invoke("restore", noisy, "--only", "noise", "-o", first)[0] == 0
    assert invoke("restore", noisy, "--only", "marked", "--mask", mask, "-o", marked)[0] == 0
    for restored, why in ((first, "nothing was marked then"), (marked, "the recipe holds what was marked")):
        again = tmp_path / f"again-{restored.name}"
        code, _, err = invoke("replay", restored, "--input", noisy, "--mask", mask, "-o", again)
        assert (code, err) == (0, f"anew: {mask}: not needed, {why}\n")
        np.testing.assert_array_equal(pixels_of(restored), pixels_of(again))


def test_reports_are_written_where_asked(invoke: Invoke, noisy: Path, tmp_path: Path) -> None:
    page, sheet = tmp_path / "page.html", tmp_path / "sheet.png"
    assert invoke("restore", noisy, "-o", tmp_path / "out.png", "--report", page, "--sheet", sheet)[0] == 0
    assert "<html" in page.read_text()
    assert size_of(sheet)[0] > 300


@pytest.mark.parametrize("task", ["denoise", "deblur", "upscale", "deblock", "relight"])
def test_every_task_runs_on_a_file(task: str, invoke: Invoke, noisy: Path) -> None:
    code, out, err = invoke(task, noisy, "-o", noisy.with_name("out.png"))
    assert (code, err) == (0, "")
    size = size_of(noisy)
    expected = (size[0] * 2, size[1] * 2) if task == "upscale" else size
    assert size_of(noisy.with_name("out.png")) == expected
    assert "out.png" in out


def test_inpaint_takes_a_mask_file_and_leaves_the_rest_alone(invoke: Invoke, photo: Path, tmp_path: Path) -> None:
    mask = np.zeros((128, 128), np.uint8)
    mask[40:50, 60:90] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    out = tmp_path / "filled.png"
    assert invoke("inpaint", photo, "--mask", tmp_path / "mask.png", "-o", out)[0] == 0
    before, after = pixels_of(photo), pixels_of(out)
    np.testing.assert_array_equal(after[mask == 0], before[mask == 0])
    assert (after[mask > 0] != before[mask > 0]).any()


def test_deblur_reads_a_psf(invoke: Invoke, photo: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "psf.npy", np.full((3, 3), 1 / 9))
    for psf in ("gaussian:1.2", "motion:7,30", "defocus:2", tmp_path / "psf.npy"):
        assert invoke("deblur", photo, "--psf", psf, "-o", tmp_path / "out.png", "--overwrite")[0] == 0
    code, _, err = invoke("deblur", photo, "--psf", "motion:long", "-o", tmp_path / "no.png")
    assert code == 2
    assert "motion:LENGTH,ANGLE" in err


def test_try_all_makes_a_labelled_sheet(invoke: Invoke, noisy: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    code, out, err = invoke("denoise", noisy, "--try", "median,gaussian,tv", "-o", sheet)
    assert code == 0
    assert out.strip() == str(sheet)
    assert err.count("per megapixel") == 3
    assert size_of(sheet)[0] > 600


def test_damage_moves_transparency_with_the_pixels(invoke: Invoke, tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[10:30, 5:20] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for damage in ("tilt:angle=90", "downscale:factor=2"):
        assert invoke("degrade", tmp_path / "a.png", "-o", tmp_path / "b.png", "--with", damage, "--overwrite")[0] == 0
        after = np.asarray(Image.open(tmp_path / "b.png"))
        assert np.abs(after[:, :, 3].astype(int) - after[:, :, 0]).max() <= 1


def test_the_truths_of_frames_are_kept_apart_and_are_no_pictures(invoke: Invoke, tmp_path: Path) -> None:
    pages = [Image.new("L", (40, 40), value) for value in (60, 160)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    bad = tmp_path / "bad"
    bad.mkdir()
    damage = ("degrade", tmp_path / "a.tif", "-o", bad / "a.tif", "--with", "rectangles", "--truth")
    assert invoke(*damage)[0] == 0
    assert {path.name for path in bad.iterdir()} == {"a.tif", "a.mask-1.png", "a.mask-2.png", "a.truth.json"}
    code, out, _ = invoke("diagnose", bad, "--json")
    assert [Path(entry["input"]).name for entry in json.loads(out)["results"]] == ["a.tif"]
    (bad / "a.tif").unlink()
    (bad / "a.truth.json").unlink()
    code, _, err = invoke(*damage)
    assert code == 2
    assert "a.mask-1.png exists already" in err
    assert not (bad / "a.tif").exists()


def test_the_truth_of_a_damage_is_no_picture_of_its_folder(invoke: Invoke, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    assert invoke("degrade", photo, "-o", bad / "a.png", "--with", "rectangles", "--truth")[0] == 0
    shutil.copy(bad / "a.mask.png", bad / "mine.mask.png")  # a picture that is only named so
    code, out, _ = invoke("diagnose", bad, "--json")
    assert code == 0
    assert [Path(entry["input"]).name for entry in json.loads(out)["results"]] == ["a.png", "mine.mask.png"]


def test_degrade_writes_the_truth_beside_the_picture(invoke: Invoke, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "bad.png"
    code, _, _ = invoke("degrade", photo, "-o", out, "--with", "rectangles,noise:sigma=0.05", "--truth", "--seed", 3)
    assert code == 0
    truth = json.loads((tmp_path / "bad.truth.json").read_text())
    assert truth["seed"] == 3
    mask = pixels_of(tmp_path / "bad.mask.png")
    assert 0 < (mask > 0).mean() < 0.6
    code, _, err = invoke("degrade", photo, "-o", tmp_path / "no.png", "--with", "nois:sigma=0.1")
    assert code == 2
    assert "noise" in err
    code, _, err = invoke("degrade", photo, "-o", tmp_path / "no.png", "--with", "noise:strength=0.1")
    assert code == 2
    assert "sigma" in err


def test_folders_keep_their_structure_and_one_bad_file_stops_nothing(
    invoke: Invoke, photo: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for name in ("a.png", "deep/b.png"):
        (folder / name).write_bytes(photo.read_bytes())
    (folder / "broken.png").write_bytes(photo.read_bytes()[:400])
    (folder / "notes.txt").write_text("not an image")
    code, out, err = invoke("denoise", folder, "-o", tmp_path / "out", "--method", "gaussian", "--json")
    assert code == 1
    report = json.loads(out)
    assert report["failed"] == 1
    assert [r["status"] for r in report["results"]] == ["done", "failed", "done"]
    assert (tmp_path / "out" / "deep" / "b.png").exists()
    assert not (tmp_path / "out" / "broken.png").exists()
    assert "broken.png" in err
    assert "Traceback" not in err
    code, out, _ = invoke("denoise", folder, "-o", tmp_path / "out", "-m", "gaussian", "--skip-existing", "--json")
    assert len(json.loads(out)["results"]) == 1


def test_several_processes_do_the_same(invoke: Invoke, photo: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for file in files:
        file.write_bytes(photo.read_bytes())
    for jobs, out in ((1, "one"), (2, "two")):
        code, _, _ = invoke("denoise", *files, "-o", tmp_path / out, "-m", "median", "--sigma", "0.1", "--jobs", jobs)
        assert code == 0
    for file in files:
        one, two = ((tmp_path / out / file.name).read_bytes() for out in ("one", "two"))
        assert one == two
    wanted = (*files, "-o", tmp_path / "two", "-m", "median", "--jobs", 2, "--skip-existing", "--json")
    code, said, _ = invoke("denoise", *wanted)  # nothing is left to do
    assert (code, json.loads(said)) == (0, {"results": [], "skipped": 3, "failed": 0})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["denoise", "PHOTO", "--method", "medan"], "no method 'medan'"),
        (["denoise", "PHOTO", "--method", "median", "--set", "sise=3"], "no option 'sise'"),
        (["denoise", "PHOTO", "--set", "size"], "KEY=VALUE"),
        (["denoise", "PHOTO", "--sigma", "25"], "write 25/255"),
        (["denoise", "PHOTO", "--sigma", "much"], "a number or a fraction"),
        (["denoise", "PHOTO", "-o", "PHOTO"], "exists already"),
        (["denoise", "EMPTY"], "no image found"),
        (["restore", "PHOTO", "--only", "ghosts"], "unknown damage 'ghosts'"),
        (["restore", "PHOTO", "--strength", "2"], "strength"),
        (["methods", "dance"], "unknown task 'dance'"),
        (["train", "dance", "--data", "EMPTY", "-o", "EMPTY"], ""),
        (["denoise"], "Missing argument"),
    ],
)
def test_wrong_use_exits_with_2_and_says_why(
    arguments: list[str], message: str, invoke: Invoke, photo: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before = photo.read_bytes()
    places = {"PHOTO": str(photo), "EMPTY": str(empty)}
    code, _, err = invoke(*(places.get(a, a) for a in arguments))
    if arguments[0] == "train":
        assert code in (1, 2)  # 1 where torch is not installed
    else:
        assert code == 2
    assert message in " ".join(err.replace("│", " ").split())
    assert "Traceback" not in err
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("learning_rate=fast", "learning_rate=fast: input should be a valid number"),
        ("optimiser=rmsprop", "optimiser=rmsprop: input should be 'adamw', 'muon', 'adam', 'momentum' or 'sgd'"),
        ("betas=0.5", "betas=0.5"),
        ("widths=3", "a training run has no setting 'widths'"),
    ],
)
def test_a_wrong_setting_of_a_training_run_costs_one_line(
    setting: str, message: str, invoke: Invoke, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    code, _, err = invoke("train", "gan", "--data", tmp_path, "-o", tmp_path / "run", "--set", setting)
    assert code == 2
    assert message in " ".join(err.replace("│", " ").split())


def test_a_setting_of_several_words_takes_commas(invoke: Invoke, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    code, _, err = invoke("train", "gan", "--data", tmp_path, "-o", tmp_path, "--set", "augment=translation,cutout")
    assert code == 1
    assert "no image" in err  # and not: no augmentation 't'


@pytest.mark.parametrize("content", [b"", b"plain text", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_files_that_are_no_pictures_cost_one_line(content: bytes, invoke: Invoke, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(content)
    for command in ("restore", "diagnose", "denoise"):
        code, _, err = invoke(command, bad)
        assert code == 1
        assert len(err.strip().splitlines()) == 1
        assert str(bad) in err
    assert sorted(tmp_path.iterdir()) == [bad]


def test_missing_files_and_folders_cost_one_line(invoke: Invoke, tmp_path: Path) -> None:
    code, _, err = invoke("restore", tmp_path / "nowhere.png")
    assert code == 1
    assert "nowhere.png" in err


def test_methods_lists_defaults_first(invoke: Invoke) -> None:
    code, out, _ = invoke("methods", "--json")
    assert code == 0
    listed = [m["name"] for m in json.loads(out)["methods"] if m["task"] == "denoise"]
    assert listed == anew.methods("denoise")
    listing = invoke("methods", "inpaint")[1]
    assert "options:" in listing
    assert listing.count("Use it") == len(anew.methods("inpaint"))
    assert "`" not in listing


def test_every_frame_of_an_animation_is_processed(invoke: Invoke, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (20, 24, 3), np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:], duration=80, lossless=True)
    out = tmp_path / "smooth.webp"
    assert invoke("denoise", tmp_path / "moving.webp", "-o", out, "-m", "gaussian", "--sigma", "0.2")[0] == 0
    with Image.open(out) as moving:
        assert getattr(moving, "n_frames", 1) == 3


def test_interrupting_leaves_nothing_half_written(
    tmp_path: Path, photo: Path, hear_interrupts: Callable[[], object]
) -> None:
    big = tmp_path / "big.png"
    Image.fromarray(pixels_of(photo)).resize((1600, 1600)).save(big)
    command = [sys.executable, "-m", "anew.cli.main", "denoise", str(big), "-o", str(tmp_path / "out.png")]
    command += ["-m", "tv", "--sigma", "0.2"]
    process = subprocess.Popen(command, preexec_fn=hear_interrupts, stderr=subprocess.PIPE, text=True)
    time.sleep(1.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("it was done before the signal came")
    assert process.returncode in (130, -signal.SIGINT)  # the latter: it was still starting
    if process.returncode == 130:
        assert "stopped" in err
    assert sorted(os.listdir(tmp_path)) == ["big.png", "photo.png"]
